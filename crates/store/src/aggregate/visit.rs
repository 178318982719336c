//! 现场/视频核实.

use super::{AggregateRow, aggregate_table, look_up};
use crate::error::StoreError;
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 现场/视频核实.
    VISIT "visit" ["application_id" "$9", "assigned_to" "$10", "booked_for" "$11"]
    BY_APPLICATION "by_application" = "WHERE application_id = $1 AND merchant_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// The newest visit of an application.
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
