//! 商户: who takes payments with our terminals. The profile is sealed.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO merchant (id, created_at, profile, subject_index) VALUES ($1, $2, $3, $4)";
    BY_ID = "SELECT id, created_at, profile, subject_index FROM merchant WHERE id = $1";
    LOCK = "SELECT id, created_at, profile, subject_index FROM merchant WHERE id = $1 {for_update}";
    UPDATE_PROFILE = "UPDATE merchant SET profile = $2, subject_index = $3 WHERE id = $1";
    LIST = "SELECT id, created_at, profile, subject_index FROM merchant WHERE (created_at, id) > \
     ($1, $2) ORDER BY created_at, id LIMIT $3";
    BY_SUBJECT = "SELECT id, created_at, profile, subject_index FROM merchant WHERE subject_index = $4 AND \
     (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
}

/// 商户: who takes payments with our terminals. The profile is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantRow {
    /// Its id.
    pub id: Uuid,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Name, contact and the like, sealed.
    pub profile: Vec<u8>,
    /// Blind index over the subject's number, to find the same subject again.
    pub subject_index: Option<Vec<u8>>,
}

impl MerchantRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            created_at: row.get(1)?,
            profile: row.get(2)?,
            subject_index: row.get(3)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &MerchantRow) -> Result<(), StoreError> {
    let MerchantRow { id, created_at, profile, subject_index } = row;
    tx.execute(&INSERT, params![id, created_at, profile, subject_index]).map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid) -> Result<MerchantRow, StoreError> {
    find(tx, id)?.ok_or(StoreError::NotFound { what: "merchant" })
}

/// The merchant with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid) -> Result<Option<MerchantRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id])?.as_ref().map(MerchantRow::read).transpose()
}

/// The merchant with that id, locked until the transaction ends: for a rule over all things of one
/// merchant.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn lock(tx: &mut Tx, id: Uuid) -> Result<MerchantRow, StoreError> {
    let row = tx.query_opt(&LOCK, params![id])?.ok_or(StoreError::NotFound { what: "merchant" })?;
    MerchantRow::read(&row)
}

/// Replaces the sealed profile.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update_profile(
    tx: &mut Tx,
    id: Uuid,
    profile: &[u8],
    subject_index: Option<&[u8]>,
) -> Result<(), StoreError> {
    match tx.execute(&UPDATE_PROFILE, params![id, profile, subject_index])? {
        0 => Err(StoreError::NotFound { what: "merchant" }),
        _ => Ok(()),
    }
}

/// All merchants, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_all(tx: &mut Tx, after: Option<Cursor>, limit: i64) -> Result<Page<MerchantRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&LIST, params![at, id, limit + 1])?;
    let rows = rows.iter().map(MerchantRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}

/// The merchants of one subject, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_subject(
    tx: &mut Tx,
    subject_index: &[u8],
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<MerchantRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_SUBJECT, params![at, id, limit + 1, subject_index])?;
    let rows = rows.iter().map(MerchantRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
