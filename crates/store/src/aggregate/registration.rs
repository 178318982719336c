//! 报送/入网: one per channel of an application.

use super::{AggregateRow, aggregate_table, list, look_up, rows};
use crate::error::StoreError;
use crate::page::{Cursor, Page};
use crate::params;
use crate::tx::Tx;
use uuid::Uuid;

aggregate_table! {
    /// 报送/入网: one per channel of an application.
    REGISTRATION "registration" ["application_id" "$9", "channel" "$10", "merchant_no" "$11", "terminal_no" "$12", "network_ref" "$13"]
    BY_CHANNEL "by_channel" = "WHERE application_id = $1 AND channel = $2 AND merchant_id = $3";
    BY_APPLICATION "by_application" = "WHERE application_id = $1 AND merchant_id = $2 ORDER BY channel";
    OF_CHANNEL "of_channel" = "WHERE channel = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
}

/// The registrations at one channel, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_of_channel(
    tx: &mut Tx,
    channel: &str,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &OF_CHANNEL, &[&channel], after, limit)
}

/// The registration of an application with one channel.
///
/// # Errors
/// The store's own.
pub fn find_by_channel(
    tx: &mut Tx,
    application: Uuid,
    channel: &str,
    merchant: Uuid,
) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_CHANNEL, params![application, channel, merchant])
}

/// All registrations of an application: a handful, one per channel.
///
/// # Errors
/// The store's own.
pub fn list_by_application(
    tx: &mut Tx,
    application: Uuid,
    merchant: Uuid,
) -> Result<Vec<AggregateRow>, StoreError> {
    rows(tx, &BY_APPLICATION, params![application, merchant])
}
