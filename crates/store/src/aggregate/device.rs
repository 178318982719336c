//! 终端设备: a directory table. Its `merchant_id` is the nil id; whose it is now is `bound_merchant_id`.

use super::{AggregateRow, aggregate_table, list, look_up};
use crate::error::StoreError;
use crate::page::{Cursor, Page};
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 终端设备: a directory table. Its `merchant_id` is the nil id; whose it is now is `bound_merchant_id`.
    DEVICE "device" ["serial" "$9", "model" "$10", "firmware" "$11", "bound_merchant_id" "$12", "bound_store_id" "$13"]
    BY_SERIAL "by_serial" = "WHERE serial = $1";
    BY_SERIAL_LOCKED "by_serial_locked" = "WHERE serial = $1 {for_update}";
    IN_STOCK "in_stock" = "WHERE state = 'in_stock' AND model = $1 ORDER BY created_at, id LIMIT 1 {for_update} {skip_locked}";
    BY_BOUND "by_bound" = "WHERE bound_merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
    LATEST_BOUND "latest_bound" = "WHERE bound_merchant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// The device with that serial number (一机一码).
///
/// # Errors
/// The store's own.
pub fn find_by_serial(tx: &mut Tx, serial: &str) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_SERIAL, params![serial])
}

/// As [`find_by_serial`], locked until the transaction ends.
///
/// # Errors
/// The store's own.
pub fn lock_by_serial(tx: &mut Tx, serial: &str) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_SERIAL_LOCKED, params![serial])
}

/// A device of that model that nobody has taken yet, locked; two shippers get two devices.
///
/// # Errors
/// The store's own.
pub fn lock_one_in_stock(tx: &mut Tx, model: &str) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &IN_STOCK, params![model])
}

/// The devices bound to a merchant, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_bound_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &BY_BOUND, &[&merchant], after, limit)
}

/// The newest device bound to a merchant.
///
/// # Errors
/// The store's own.
pub fn latest_of_bound_merchant(tx: &mut Tx, merchant: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &LATEST_BOUND, params![merchant])
}
