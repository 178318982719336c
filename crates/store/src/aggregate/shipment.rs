//! 发货单; the address is sealed.

use super::{AggregateRow, aggregate_table, look_up};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 发货单; the address is sealed.
    SHIPMENT "shipment" ["application_id" "$9", "device_id" "$10", "address" "$11"]
    BY_APPLICATION "by_application" = "WHERE application_id = $1 AND merchant_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";
    BY_DEVICE "by_device" = "WHERE device_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// The newest shipment of an application.
///
/// # Errors
/// The store's own.
pub fn latest_of_application(
    tx: &mut Tx,
    application: Uuid,
    merchant: Uuid,
) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_APPLICATION, params![application, merchant])
}

/// The newest shipment that carried a device.
///
/// # Errors
/// The store's own.
pub fn latest_of_device(tx: &mut Tx, device: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_DEVICE, params![device])
}
