//! 密钥槽: what is known of a key a device holds; the key itself only wrapped.

use super::{AggregateRow, aggregate_table, look_up, rows};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 密钥槽: what is known of a key a device holds; the key itself only wrapped.
    KEY_SLOT "key_slot" ["device_id" "$9", "slot" "$10", "key_version" "$11", "kcv" "$12", "wrapped" "$13"]
    BY_NAME "by_name" = "WHERE device_id = $1 AND slot = $2 AND merchant_id = $3";
    BY_DEVICE "by_device" = "WHERE device_id = $1 AND merchant_id = $2 ORDER BY slot";
}

/// A device's slot by its name.
///
/// # Errors
/// The store's own.
pub fn find_by_name(
    tx: &mut Tx,
    device: Uuid,
    slot: &str,
    merchant: Uuid,
) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_NAME, params![device, slot, merchant])
}

/// All slots of a device: a handful.
///
/// # Errors
/// The store's own.
pub fn list_by_device(tx: &mut Tx, device: Uuid, merchant: Uuid) -> Result<Vec<AggregateRow>, StoreError> {
    rows(tx, &BY_DEVICE, params![device, merchant])
}
