//! What a terminal and the platform told each other in one step of an activation, sealed.
//!
//! Kept so that a question asked again (the answer was lost) gets the same answer.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    PUT = "INSERT INTO activation_exchange (activation_id, merchant_id, step, body, updated_at) \
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT (activation_id, step, merchant_id) \
           DO UPDATE SET body = $4, updated_at = $5";
    FIND = "SELECT body FROM activation_exchange WHERE activation_id = $1 AND step = $2 AND merchant_id = $3";
    LATEST_OF_DEVICE = "SELECT e.activation_id, e.merchant_id FROM activation AS a \
                        JOIN activation_exchange AS e ON e.activation_id = a.id AND e.merchant_id = a.merchant_id \
                        WHERE a.device_id = $1 AND e.step = $2 \
                        ORDER BY a.created_at DESC, a.id DESC LIMIT 1";
    FORGET = "DELETE FROM activation_exchange WHERE activation_id = $1 AND merchant_id = $2";
}

/// Keeps what was said in a step, over what was said before.
///
/// # Errors
/// The store's own.
pub fn put(
    tx: &mut Tx,
    activation: Uuid,
    merchant: Uuid,
    step: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&PUT, params![activation, merchant, step, body, at]).map(|_| ())
}

/// What was said in a step, sealed.
///
/// # Errors
/// The store's own.
pub fn find(
    tx: &mut Tx,
    activation: Uuid,
    merchant: Uuid,
    step: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    tx.query_opt(&FIND, params![activation, step, merchant])?.map(|row| row.get(0)).transpose()
}

/// A device's newest activation in which something was said in a step, and whose it is.
///
/// # Errors
/// The store's own.
pub fn latest_of_device(tx: &mut Tx, device: Uuid, step: &str) -> Result<Option<(Uuid, Uuid)>, StoreError> {
    let row = tx.query_opt(&LATEST_OF_DEVICE, params![device, step])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Forgets everything said in an activation; how many steps that were.
///
/// # Errors
/// The store's own.
pub fn forget(tx: &mut Tx, activation: Uuid, merchant: Uuid) -> Result<u64, StoreError> {
    tx.execute(&FORGET, params![activation, merchant])
}
