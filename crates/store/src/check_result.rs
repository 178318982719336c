//! 核验结果: what one automatic check of an application said. Insert only.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO check_result (id, merchant_id, application_id, kind, outcome, reason, \
     reference, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    BY_APPLICATION = "SELECT id, merchant_id, application_id, kind, outcome, reason, reference, created_at \
     FROM check_result WHERE application_id = $4 AND merchant_id = $5 AND (created_at, id) > \
     ($1, $2) ORDER BY created_at, id LIMIT $3";
}

/// 核验结果: what one automatic check of an application said. Insert only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResultRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// The application checked.
    pub application_id: Uuid,
    /// Which check.
    pub kind: String,
    /// What it said.
    pub outcome: String,
    /// Why, as a reason code.
    pub reason: Option<String>,
    /// The checker's own reference.
    pub reference: String,
    /// When.
    pub created_at: Timestamp,
}

impl CheckResultRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            application_id: row.get(2)?,
            kind: row.get(3)?,
            outcome: row.get(4)?,
            reason: row.get(5)?,
            reference: row.get(6)?,
            created_at: row.get(7)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &CheckResultRow) -> Result<(), StoreError> {
    let CheckResultRow { id, merchant_id, application_id, kind, outcome, reason, reference, created_at } =
        row;
    tx.execute(
        &INSERT,
        params![id, merchant_id, application_id, kind, outcome, reason, reference, created_at],
    )
    .map(|_| ())
}

/// An application's check results, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_application(
    tx: &mut Tx,
    application: Uuid,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<CheckResultRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_APPLICATION, params![at, id, limit + 1, application, merchant])?;
    let rows = rows.iter().map(CheckResultRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
