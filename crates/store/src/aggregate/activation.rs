//! 激活会话: its code is kept as an HMAC and one device has at most one live session.

use super::{AggregateRow, aggregate_table, look_up};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 激活会话: its code is kept as an HMAC and one device has at most one live session.
    ACTIVATION "activation" ["device_id" "$9", "store_id" "$10", "code_hash" "$11", "code_expires_at" "$12", "device_auth_id" "$13"]
    BY_CODE "by_code" = "WHERE code_hash = $1 {for_update}";
    LATEST_OF_DEVICE "latest_of_device" = "WHERE device_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// The session a code was issued for, by the code's HMAC, locked: a code is used once.
///
/// # Errors
/// The store's own.
pub fn lock_by_code(tx: &mut Tx, code_hash: &[u8]) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_CODE, params![code_hash])
}

/// The newest session of a device.
///
/// # Errors
/// The store's own.
pub fn latest_of_device(tx: &mut Tx, device: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &LATEST_OF_DEVICE, params![device])
}
