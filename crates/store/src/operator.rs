//! 操作员: a cashier or manager on one terminal, with a PIN of their own.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO operator (id, merchant_id, device_id, number, role, pin_hash, failed, \
     locked_until, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_ID = "SELECT id, merchant_id, device_id, number, role, pin_hash, failed, locked_until, \
     created_at, changed_at FROM operator WHERE id = $1 AND merchant_id = $2";
    BY_NUMBER = "SELECT id, merchant_id, device_id, number, role, pin_hash, failed, locked_until, \
     created_at, changed_at FROM operator WHERE device_id = $1 AND number = $2";
    LOCK_BY_NUMBER = "SELECT id, merchant_id, device_id, number, role, pin_hash, failed, locked_until, \
     created_at, changed_at FROM operator WHERE device_id = $1 AND number = $2 {for_update}";
    BY_DEVICE = "SELECT id, merchant_id, device_id, number, role, pin_hash, failed, locked_until, \
     created_at, changed_at FROM operator WHERE device_id = $1 ORDER BY number LIMIT 100";
    UPDATE = "UPDATE operator SET role = $3, pin_hash = $4, failed = $5, locked_until = $6, changed_at \
     = $7 WHERE id = $1 AND merchant_id = $2";
}

/// 操作员: a cashier or manager on one terminal, with a PIN of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRow {
    /// Its id.
    pub id: Uuid,
    /// Whose terminal it is.
    pub merchant_id: Uuid,
    /// The terminal.
    pub device_id: Uuid,
    /// The operator's number on it.
    pub number: String,
    /// What the operator may do.
    pub role: String,
    /// argon2id of the PIN under the pepper.
    pub pin_hash: String,
    /// Wrong PINs since the last right one.
    pub failed: i64,
    /// Until when the operator is locked out.
    pub locked_until: Option<Timestamp>,
    /// Since when the operator exists.
    pub created_at: Timestamp,
    /// When the PIN was set.
    pub changed_at: Timestamp,
}

impl OperatorRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            device_id: row.get(2)?,
            number: row.get(3)?,
            role: row.get(4)?,
            pin_hash: row.get(5)?,
            failed: row.get(6)?,
            locked_until: row.get(7)?,
            created_at: row.get(8)?,
            changed_at: row.get(9)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &OperatorRow) -> Result<(), StoreError> {
    let OperatorRow {
        id,
        merchant_id,
        device_id,
        number,
        role,
        pin_hash,
        failed,
        locked_until,
        created_at,
        changed_at,
    } = row;
    tx.execute(
        &INSERT,
        params![
            id,
            merchant_id,
            device_id,
            number,
            role,
            pin_hash,
            failed,
            locked_until,
            created_at,
            changed_at
        ],
    )
    .map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<OperatorRow, StoreError> {
    find(tx, id, merchant)?.ok_or(StoreError::NotFound { what: "operator" })
}

/// The operator with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<Option<OperatorRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id, merchant])?.as_ref().map(OperatorRow::read).transpose()
}

/// The operator with that number on a terminal.
///
/// # Errors
/// The store's own.
pub fn find_by_number(tx: &mut Tx, device: Uuid, number: &str) -> Result<Option<OperatorRow>, StoreError> {
    tx.query_opt(&BY_NUMBER, params![device, number])?.as_ref().map(OperatorRow::read).transpose()
}

/// As [`find_by_number`], locked until the transaction ends: every wrong PIN counts.
///
/// # Errors
/// The store's own.
pub fn lock_by_number(tx: &mut Tx, device: Uuid, number: &str) -> Result<Option<OperatorRow>, StoreError> {
    tx.query_opt(&LOCK_BY_NUMBER, params![device, number])?.as_ref().map(OperatorRow::read).transpose()
}

/// A terminal's operators by number, at most 100: a till has a handful.
///
/// # Errors
/// The store's own.
pub fn list_by_device(tx: &mut Tx, device: Uuid) -> Result<Vec<OperatorRow>, StoreError> {
    tx.query(&BY_DEVICE, params![device])?.iter().map(OperatorRow::read).collect()
}

/// Writes role, PIN and lock.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update(tx: &mut Tx, operator: &OperatorRow) -> Result<(), StoreError> {
    match tx.execute(
        &UPDATE,
        params![
            operator.id,
            operator.merchant_id,
            operator.role,
            operator.pin_hash,
            operator.failed,
            operator.locked_until,
            operator.changed_at
        ],
    )? {
        0 => Err(StoreError::NotFound { what: "operator" }),
        _ => Ok(()),
    }
}
