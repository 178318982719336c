//! 结算账户: where a merchant's money goes; at most one is live.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO settlement_account (id, merchant_id, state, account, account_index, \
     created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    BY_ID = "SELECT id, merchant_id, state, account, account_index, created_at FROM \
     settlement_account WHERE id = $1 AND merchant_id = $2";
    LIVE = "SELECT id, merchant_id, state, account, account_index, created_at FROM \
     settlement_account WHERE merchant_id = $1 AND state = 'live'";
    UPDATE_STATE = "UPDATE settlement_account SET state = $4 WHERE id = $1 AND merchant_id = $2 AND state = \
     $3";
    BY_MERCHANT = "SELECT id, merchant_id, state, account, account_index, created_at FROM \
     settlement_account WHERE merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY \
     created_at, id LIMIT $3";
    BY_ACCOUNT = "SELECT id, merchant_id, state, account, account_index, created_at FROM \
     settlement_account WHERE account_index = $4 AND (created_at, id) > ($1, $2) ORDER BY \
     created_at, id LIMIT $3";
}

/// 结算账户: where a merchant's money goes; at most one is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementAccountRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// `pending`, `live` or `closed`.
    pub state: String,
    /// Holder, bank and number, sealed.
    pub account: Vec<u8>,
    /// Blind index over the number.
    pub account_index: Vec<u8>,
    /// Since when it is known.
    pub created_at: Timestamp,
}

impl SettlementAccountRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            state: row.get(2)?,
            account: row.get(3)?,
            account_index: row.get(4)?,
            created_at: row.get(5)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &SettlementAccountRow) -> Result<(), StoreError> {
    let SettlementAccountRow { id, merchant_id, state, account, account_index, created_at } = row;
    tx.execute(&INSERT, params![id, merchant_id, state, account, account_index, created_at]).map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<SettlementAccountRow, StoreError> {
    find(tx, id, merchant)?.ok_or(StoreError::NotFound { what: "settlement_account" })
}

/// The account with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<Option<SettlementAccountRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id, merchant])?.as_ref().map(SettlementAccountRow::read).transpose()
}

/// The account that money goes to now.
///
/// # Errors
/// The store's own.
pub fn find_live(tx: &mut Tx, merchant: Uuid) -> Result<Option<SettlementAccountRow>, StoreError> {
    tx.query_opt(&LIVE, params![merchant])?.as_ref().map(SettlementAccountRow::read).transpose()
}

/// Moves an account from one state to another; two live ones are refused by `settlement_account_one_live`.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update_state(tx: &mut Tx, id: Uuid, merchant: Uuid, from: &str, to: &str) -> Result<(), StoreError> {
    match tx.execute(&UPDATE_STATE, params![id, merchant, from, to])? {
        0 => Err(StoreError::NotFound { what: "settlement_account" }),
        _ => Ok(()),
    }
}

/// A merchant's accounts, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<SettlementAccountRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_MERCHANT, params![at, id, limit + 1, merchant])?;
    let rows = rows.iter().map(SettlementAccountRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}

/// Every merchant's accounts with the same number, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_account(
    tx: &mut Tx,
    account_index: &[u8],
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<SettlementAccountRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_ACCOUNT, params![at, id, limit + 1, account_index])?;
    let rows = rows.iter().map(SettlementAccountRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
