//! 设备身份: one set of device keys; a device has at most one accepted.

use super::{AggregateRow, aggregate_table, look_up, rows};
use crate::error::StoreError;
use crate::page::{Cursor, rows_wanted};
use crate::params;
use crate::sql::Statement;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

aggregate_table! {
    /// 设备身份: one set of device keys; a device has at most one accepted.
    DEVICE_AUTH "device_auth" ["device_id" "$9", "sign_thumbprint" "$10", "sign_key" "$11", "envelope_key" "$12", "certificate_serial" "$13"]
    BY_THUMBPRINT "by_thumbprint" = "WHERE sign_thumbprint = $1";
    BY_CERTIFICATE "by_certificate" = "WHERE certificate_serial = $1";
    ACCEPTED "accepted" = "WHERE device_id = $1 AND state = 'accepted'";
    ACCEPTED_OF_ALL "accepted_of_all" = "WHERE state = 'accepted' AND device_id IN (SELECT id FROM device WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3)";
    ACCEPTED_OF_BOUND "accepted_of_bound" = "WHERE state = 'accepted' AND device_id IN (SELECT id FROM device WHERE bound_merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3)";
    LATEST_OF_DEVICE "latest_of_device" = "WHERE device_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
}

const COUNT_ENDING: Statement = Statement::new(
    "device_auth::count_ending",
    "SELECT count(*) FROM device_auth WHERE state = 'accepted' AND limit_at <= $1 AND told_at IS NULL",
);

/// What is counted, for the catalogue.
pub(crate) const COUNTS: &[Statement] = &[COUNT_ENDING];

/// How many accepted identities have a certificate that ends by then, and nobody was told that it
/// is over (that is [`super::limit::count_told`]).
///
/// # Errors
/// The store's own.
pub fn count_ending(tx: &mut Tx, by: Timestamp) -> Result<i64, StoreError> {
    tx.query_opt(&COUNT_ENDING, params![by])?.ok_or(StoreError::NotFound { what: "device_auth" })?.get(0)
}

/// The identity with that signing key.
///
/// # Errors
/// The store's own.
pub fn find_by_thumbprint(tx: &mut Tx, sign_thumbprint: &[u8]) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_THUMBPRINT, params![sign_thumbprint])
}

/// The identity with that certificate.
///
/// # Errors
/// The store's own.
pub fn find_by_certificate(
    tx: &mut Tx,
    certificate_serial: &[u8],
) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_CERTIFICATE, params![certificate_serial])
}

/// The identity a device is accepted under.
///
/// # Errors
/// The store's own.
pub fn find_accepted(tx: &mut Tx, device: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &ACCEPTED, params![device])
}

/// The identities under which the devices of one page are accepted, in no order: a page of the
/// devices bound to a merchant ([`super::device::list_by_bound_merchant`]), or of all devices.
///
/// # Errors
/// The store's own.
pub fn list_accepted_of_page(
    tx: &mut Tx,
    bound_to: Option<Uuid>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<AggregateRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    match bound_to {
        Some(merchant) => rows(tx, &ACCEPTED_OF_BOUND, params![at, id, limit, merchant]),
        None => rows(tx, &ACCEPTED_OF_ALL, params![at, id, limit]),
    }
}

/// The newest identity of a device.
///
/// # Errors
/// The store's own.
pub fn latest_of_device(tx: &mut Tx, device: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &LATEST_OF_DEVICE, params![device])
}
