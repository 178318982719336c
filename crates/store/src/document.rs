//! 材料: one uploaded document; the bytes are in the object store, sealed.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::{Statement, sql};
use crate::tx::Tx;
use crate::value::{Row, ValueRef};
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO document (id, merchant_id, application_id, kind, media_type, byte_count, \
     width, height, digest, object_key, outcome, profile, created_at) VALUES ($1, $2, $3, $4, \
     $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    BY_ID = "SELECT id, merchant_id, application_id, kind, media_type, byte_count, width, height, \
     digest, object_key, outcome, profile, created_at FROM document WHERE id = $1 AND \
     merchant_id = $2";
    UPDATE_OUTCOME = "UPDATE document SET outcome = $3, profile = $4 WHERE id = $1 AND merchant_id = $2";
    BY_APPLICATION = "SELECT id, merchant_id, application_id, kind, media_type, byte_count, width, height, \
     digest, object_key, outcome, profile, created_at FROM document WHERE application_id = $4 \
     AND merchant_id = $5 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
    ALL = "SELECT id, merchant_id, application_id, kind, media_type, byte_count, width, height, \
     digest, object_key, outcome, profile, created_at FROM document WHERE id > $1 ORDER BY id LIMIT $2";
    KEPT_OF_APPLICATION = "SELECT count(*), CAST(COALESCE(SUM(byte_count), 0) AS BIGINT) FROM document \
     WHERE application_id = $1 AND merchant_id = $2";
    KEPT_OF_MERCHANT = "SELECT count(*), CAST(COALESCE(SUM(byte_count), 0) AS BIGINT) FROM document \
     WHERE merchant_id = $1";
    BY_DIGEST = "SELECT id, merchant_id, application_id, kind, media_type, byte_count, width, height, \
     digest, object_key, outcome, profile, created_at FROM document WHERE digest = $1 ORDER \
     BY created_at, id LIMIT 50";
}

/// 材料: one uploaded document; the bytes are in the object store, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// The application it belongs to.
    pub application_id: Uuid,
    /// Which material it is.
    pub kind: String,
    /// What the bytes are.
    pub media_type: String,
    /// How many bytes were uploaded.
    pub byte_count: i64,
    /// Picture width in pixels.
    pub width: i64,
    /// Picture height in pixels.
    pub height: i64,
    /// Keyed digest of the bytes, to find the same picture again.
    pub digest: Vec<u8>,
    /// Its name in the object store.
    pub object_key: String,
    /// What the check of it said.
    pub outcome: String,
    /// What was read from it, sealed.
    pub profile: Option<Vec<u8>>,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

impl DocumentRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            application_id: row.get(2)?,
            kind: row.get(3)?,
            media_type: row.get(4)?,
            byte_count: row.get(5)?,
            width: row.get(6)?,
            height: row.get(7)?,
            digest: row.get(8)?,
            object_key: row.get(9)?,
            outcome: row.get(10)?,
            profile: row.get(11)?,
            created_at: row.get(12)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &DocumentRow) -> Result<(), StoreError> {
    let DocumentRow {
        id,
        merchant_id,
        application_id,
        kind,
        media_type,
        byte_count,
        width,
        height,
        digest,
        object_key,
        outcome,
        profile,
        created_at,
    } = row;
    tx.execute(
        &INSERT,
        params![
            id,
            merchant_id,
            application_id,
            kind,
            media_type,
            byte_count,
            width,
            height,
            digest,
            object_key,
            outcome,
            profile,
            created_at
        ],
    )
    .map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<DocumentRow, StoreError> {
    find(tx, id, merchant)?.ok_or(StoreError::NotFound { what: "document" })
}

/// The document with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<Option<DocumentRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id, merchant])?.as_ref().map(DocumentRow::read).transpose()
}

/// Writes what the check said and what was read.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update_outcome(
    tx: &mut Tx,
    id: Uuid,
    merchant: Uuid,
    outcome: &str,
    profile: Option<&[u8]>,
) -> Result<(), StoreError> {
    match tx.execute(&UPDATE_OUTCOME, params![id, merchant, outcome, profile])? {
        0 => Err(StoreError::NotFound { what: "document" }),
        _ => Ok(()),
    }
}

/// An application's documents, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_application(
    tx: &mut Tx,
    application: Uuid,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<DocumentRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_APPLICATION, params![at, id, limit + 1, application, merchant])?;
    let rows = rows.iter().map(DocumentRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}

/// All documents, by their ids, which are made in the order of time: only the id of the cursor
/// counts.
///
/// # Errors
/// The store's own.
pub fn list_all(tx: &mut Tx, after: Option<Cursor>, limit: i64) -> Result<Page<DocumentRow>, StoreError> {
    let Cursor { id, .. } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&ALL, params![id, limit + 1])?;
    let rows = rows.iter().map(DocumentRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Documents.
    pub documents: i64,
    /// Their bytes together, as uploaded.
    pub bytes: i64,
}

/// How much is kept of an application.
///
/// # Errors
/// The store's own.
pub fn kept_of_application(tx: &mut Tx, application: Uuid, merchant: Uuid) -> Result<Kept, StoreError> {
    kept(tx, &KEPT_OF_APPLICATION, params![application, merchant])
}

/// How much is kept of a merchant.
///
/// # Errors
/// The store's own.
pub fn kept_of_merchant(tx: &mut Tx, merchant: Uuid) -> Result<Kept, StoreError> {
    kept(tx, &KEPT_OF_MERCHANT, params![merchant])
}

fn kept(tx: &mut Tx, statement: &Statement, params: &[ValueRef<'_>]) -> Result<Kept, StoreError> {
    let row = tx.query_opt(statement, params)?.ok_or(StoreError::NotFound { what: "document" })?;
    Ok(Kept { documents: row.get(0)?, bytes: row.get(1)? })
}

/// The documents with the same bytes, at most 50: the same paper in two applications is a warning.
///
/// # Errors
/// The store's own.
pub fn list_by_digest(tx: &mut Tx, digest: &[u8]) -> Result<Vec<DocumentRow>, StoreError> {
    tx.query(&BY_DIGEST, params![digest])?.iter().map(DocumentRow::read).collect()
}
