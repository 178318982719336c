//! Settings that are fixed once: sandbox or live, the installation's name.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;

sql! {
    GET = "SELECT value FROM setting WHERE key = $1";
    FIX = "INSERT INTO setting (key, value, set_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING";
}

/// The value of a setting, if it was ever fixed.
///
/// # Errors
/// The store's own.
pub fn get(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    tx.query_opt(&GET, params![key])?.map(|row| row.get(0)).transpose()
}

/// Fixes a setting for good and gives the value that holds: this one, or the one fixed before.
///
/// # Errors
/// The store's own.
pub fn fix(tx: &mut Tx, key: &str, value: &str, at: Timestamp) -> Result<String, StoreError> {
    tx.execute(&FIX, params![key, value, at])?;
    get(tx, key)?.ok_or(StoreError::NotFound { what: "setting" })
}
