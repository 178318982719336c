//! 受理协议.

use super::{AggregateRow, aggregate_table, look_up};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 受理协议.
    AGREEMENT "agreement" ["application_id" "$9", "document_hash" "$10"]
    BY_APPLICATION "by_application" = "WHERE application_id = $1 AND merchant_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// The newest agreement of an application.
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
