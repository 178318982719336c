//! 时限: the rows whose time is over, found by an index and not by looking at the others.
//!
//! A row carries the moment its state's limit counts from (or until); how long the limit is, is
//! policy and stays with the caller, so that a changed period counts at once. What is found here
//! is only a candidate: the caller reads it again, locked, before anything happens to it.

use super::Table;
use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

/// A row whose limit may have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: Uuid,
    /// Whose it is; the nil id for directory tables.
    pub merchant_id: Uuid,
    /// The moment its limit counts from, or until.
    pub limit_at: Timestamp,
}

/// A row whose limit has passed and of which somebody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub id: Uuid,
    /// Whose it is; the nil id for directory tables.
    pub merchant_id: Uuid,
    /// Its state, in which it still is.
    pub state: String,
    /// The moment its limit counts from, or until.
    pub limit_at: Timestamp,
    /// When somebody was told.
    pub told_at: Timestamp,
}

/// The rows in one state whose limit counts from `cutoff` or earlier and of which nobody was told
/// yet, longest first.
///
/// # Errors
/// The store's own.
pub fn list_due(
    tx: &mut Tx,
    table: &Table,
    state: &str,
    cutoff: Timestamp,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<Due>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&table.due, params![state, cutoff, at, id, limit + 1])?;
    let rows = rows
        .iter()
        .map(|row| Ok(Due { id: row.get(0)?, merchant_id: row.get(1)?, limit_at: row.get(2)? }))
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Page::cut(rows, limit, |due| Cursor { at: due.limit_at, id: due.id }))
}

/// Sets right from when a row's limit counts; `None` when nobody waits for it any more.
///
/// # Errors
/// The store's own.
pub fn set(
    tx: &mut Tx,
    table: &Table,
    id: Uuid,
    merchant: Uuid,
    limit_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(&table.set_limit, params![id, merchant, limit_at]).map(|_| ())
}

/// What [`tell`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Nobody was told before: tell them now.
    First,
    /// Somebody was told already.
    Again,
}

/// Notes that somebody was told: once for each stay in a state.
///
/// # Errors
/// The store's own.
pub fn tell(
    tx: &mut Tx,
    table: &Table,
    id: Uuid,
    merchant: Uuid,
    at: Timestamp,
) -> Result<Telling, StoreError> {
    match tx.execute(&table.tell, params![id, merchant, at])? {
        0 => Ok(Telling::Again),
        _ => Ok(Telling::First),
    }
}

/// The rows of a table that are late and still in the same state, in the order somebody was told.
///
/// # Errors
/// The store's own.
pub fn list_told(
    tx: &mut Tx,
    table: &Table,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<Told>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&table.told, params![at, id, limit + 1])?;
    let read = |row: &crate::value::Row| {
        Ok(Told {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            state: row.get(2)?,
            limit_at: row.get(3)?,
            told_at: row.get(4)?,
        })
    };
    let rows = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Page::cut(rows, limit, |told| Cursor { at: told.told_at, id: told.id }))
}

/// How many rows of a table are late.
///
/// # Errors
/// The store's own.
pub fn count_told(tx: &mut Tx, table: &Table) -> Result<i64, StoreError> {
    tx.query_opt(&table.count_told, &[])?.ok_or(StoreError::NotFound { what: table.name })?.get(0)
}

/// Takes every limit off a merchant's rows, told or not: once they are erased nobody waits for them.
///
/// # Errors
/// The store's own.
pub fn forget_of_merchant(tx: &mut Tx, merchant: Uuid) -> Result<(), StoreError> {
    super::TABLES.iter().try_for_each(|table| tx.execute(&table.forget_limits, params![merchant]).map(drop))
}
