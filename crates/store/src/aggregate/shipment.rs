//! 发货单; the address is sealed.

use super::{AggregateRow, aggregate_table, list, look_up};
use crate::error::StoreError;
use crate::page::{Cursor, Page};
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 发货单; the address is sealed.
    SHIPMENT "shipment" ["application_id" "$9", "device_id" "$10", "address" "$11", "carrier" "$12"]
    BY_APPLICATION "by_application" = "WHERE application_id = $1 AND merchant_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";
    BY_DEVICE "by_device" = "WHERE device_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
    BY_CARRIER "by_carrier" = "WHERE carrier = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
}

/// The shipments handed to a carrier, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_carrier(
    tx: &mut Tx,
    carrier: &str,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &BY_CARRIER, &[&carrier], after, limit)
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
