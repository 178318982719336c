//! Used nonces: what a signed request may say only once.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;

sql! {
    SPEND = "INSERT INTO used_nonce (scope, nonce, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (scope, nonce) DO NOTHING";
    PURGE = "DELETE FROM used_nonce WHERE (scope, nonce) IN \
             (SELECT scope, nonce FROM used_nonce WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
}

/// Whether a nonce was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It was, and now it is used.
    Now,
    /// It was used before: a replay.
    Before,
}

/// Uses a nonce. Keep it at least as long as a request that carries it would be accepted.
///
/// # Errors
/// The store's own.
pub fn spend(tx: &mut Tx, scope: &str, nonce: &[u8], expires_at: Timestamp) -> Result<Spent, StoreError> {
    match tx.execute(&SPEND, params![scope, nonce, expires_at])? {
        0 => Ok(Spent::Before),
        _ => Ok(Spent::Now),
    }
}

/// Removes up to `limit` nonces that expired; how many it removed.
///
/// # Errors
/// The store's own.
pub fn purge(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![now, limit])
}
