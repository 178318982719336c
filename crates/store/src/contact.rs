//! 登录联系方式: a mobile number that proves itself with a one-time code. A directory table.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO contact (id, mobile_index, profile, merchant_id, verified_at, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
    BY_ID = "SELECT id, mobile_index, profile, merchant_id, verified_at, created_at FROM contact WHERE id = $1";
    LOCK = "SELECT id, mobile_index, profile, merchant_id, verified_at, created_at FROM contact \
     WHERE id = $1 {for_update}";
    BY_MOBILE = "SELECT id, mobile_index, profile, merchant_id, verified_at, created_at FROM contact \
     WHERE mobile_index = $1";
    LOCK_BY_MOBILE = "SELECT id, mobile_index, profile, merchant_id, verified_at, created_at FROM contact \
     WHERE mobile_index = $1 {for_update}";
    UPDATE = "UPDATE contact SET profile = $2, merchant_id = $3, verified_at = $4 WHERE id = $1";
    BY_MERCHANT = "SELECT id, mobile_index, profile, merchant_id, verified_at, created_at FROM contact \
     WHERE merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
}

/// 登录联系方式: a mobile number that proves itself with a one-time code. A directory table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// Its id.
    pub id: Uuid,
    /// Blind index over the number: one contact per number.
    pub mobile_index: Vec<u8>,
    /// The number and name, sealed.
    pub profile: Vec<u8>,
    /// The merchant it speaks for, once there is one.
    pub merchant_id: Option<Uuid>,
    /// When it last proved itself.
    pub verified_at: Option<Timestamp>,
    /// Since when it is known.
    pub created_at: Timestamp,
}

impl ContactRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            mobile_index: row.get(1)?,
            profile: row.get(2)?,
            merchant_id: row.get(3)?,
            verified_at: row.get(4)?,
            created_at: row.get(5)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &ContactRow) -> Result<(), StoreError> {
    let ContactRow { id, mobile_index, profile, merchant_id, verified_at, created_at } = row;
    tx.execute(&INSERT, params![id, mobile_index, profile, merchant_id, verified_at, created_at]).map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid) -> Result<ContactRow, StoreError> {
    find(tx, id)?.ok_or(StoreError::NotFound { what: "contact" })
}

/// The contact with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid) -> Result<Option<ContactRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id])?.as_ref().map(ContactRow::read).transpose()
}

/// The contact with that id, locked until the transaction ends.
///
/// # Errors
/// The store's own.
pub fn lock(tx: &mut Tx, id: Uuid) -> Result<Option<ContactRow>, StoreError> {
    tx.query_opt(&LOCK, params![id])?.as_ref().map(ContactRow::read).transpose()
}

/// The contact with that number.
///
/// # Errors
/// The store's own.
pub fn find_by_mobile(tx: &mut Tx, mobile_index: &[u8]) -> Result<Option<ContactRow>, StoreError> {
    tx.query_opt(&BY_MOBILE, params![mobile_index])?.as_ref().map(ContactRow::read).transpose()
}

/// As [`find_by_mobile`], locked until the transaction ends: a code is counted and used once.
///
/// # Errors
/// The store's own.
pub fn lock_by_mobile(tx: &mut Tx, mobile_index: &[u8]) -> Result<Option<ContactRow>, StoreError> {
    tx.query_opt(&LOCK_BY_MOBILE, params![mobile_index])?.as_ref().map(ContactRow::read).transpose()
}

/// Writes everything but the number.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update(tx: &mut Tx, contact: &ContactRow) -> Result<(), StoreError> {
    match tx
        .execute(&UPDATE, params![contact.id, contact.profile, contact.merchant_id, contact.verified_at])?
    {
        0 => Err(StoreError::NotFound { what: "contact" }),
        _ => Ok(()),
    }
}

/// The contacts of a merchant, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<ContactRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_MERCHANT, params![at, id, limit + 1, merchant])?;
    let rows = rows.iter().map(ContactRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
