//! 个人信息查阅记录: who looked at whose personal data. Insert only.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO pii_access (id, merchant_id, actor, what, at) VALUES ($1, $2, $3, $4, $5)";
    BY_MERCHANT = "SELECT id, merchant_id, actor, what, at FROM pii_access WHERE merchant_id = $4 AND (at, \
     id) > ($1, $2) ORDER BY at, id LIMIT $3";
}

/// 个人信息查阅记录: who looked at whose personal data. Insert only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PiiAccessRow {
    /// Its id.
    pub id: Uuid,
    /// Whose data.
    pub merchant_id: Uuid,
    /// Who looked.
    pub actor: String,
    /// What was shown.
    pub what: String,
    /// When.
    pub at: Timestamp,
}

impl PiiAccessRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            actor: row.get(2)?,
            what: row.get(3)?,
            at: row.get(4)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &PiiAccessRow) -> Result<(), StoreError> {
    let PiiAccessRow { id, merchant_id, actor, what, at } = row;
    tx.execute(&INSERT, params![id, merchant_id, actor, what, at]).map(|_| ())
}

/// Who looked at a merchant's data, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<PiiAccessRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_MERCHANT, params![at, id, limit + 1, merchant])?;
    let rows = rows.iter().map(PiiAccessRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.at, id: row.id }))
}
