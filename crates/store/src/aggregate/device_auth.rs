//! 设备身份: one set of device keys; a device has at most one accepted.

use super::{AggregateRow, aggregate_table, look_up};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 设备身份: one set of device keys; a device has at most one accepted.
    DEVICE_AUTH "device_auth" ["device_id" "$9", "sign_thumbprint" "$10", "sign_key" "$11", "envelope_key" "$12", "certificate_serial" "$13"]
    BY_THUMBPRINT "by_thumbprint" = "WHERE sign_thumbprint = $1";
    BY_CERTIFICATE "by_certificate" = "WHERE certificate_serial = $1";
    ACCEPTED "accepted" = "WHERE device_id = $1 AND state = 'accepted'";
    LATEST_OF_DEVICE "latest_of_device" = "WHERE device_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
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

/// The newest identity of a device.
///
/// # Errors
/// The store's own.
pub fn latest_of_device(tx: &mut Tx, device: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &LATEST_OF_DEVICE, params![device])
}
