//! 商户能力.

use super::{AggregateRow, aggregate_table, look_up, rows};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 商户能力.
    CAPABILITY "capability" ["name" "$9"]
    BY_NAME "by_name" = "WHERE merchant_id = $1 AND name = $2";
    OF_MERCHANT "of_merchant" = "WHERE merchant_id = $1 ORDER BY name";
}

/// A merchant's capability by its name.
///
/// # Errors
/// The store's own.
pub fn find_by_name(tx: &mut Tx, merchant: Uuid, name: &str) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_NAME, params![merchant, name])
}

/// All capabilities of a merchant: one per name.
///
/// # Errors
/// The store's own.
pub fn list_of_merchant(tx: &mut Tx, merchant: Uuid) -> Result<Vec<AggregateRow>, StoreError> {
    rows(tx, &OF_MERCHANT, params![merchant])
}
