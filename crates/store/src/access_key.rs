//! 访问密钥: an API key or a session; the secret only as a hash. A directory table.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO access_key (id, secret_hash, kind, role, subject, merchant_id, label, \
     created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_ID = "SELECT id, secret_hash, kind, role, subject, merchant_id, label, created_at, expires_at, \
     revoked_at FROM access_key WHERE id = $1";
    BY_SECRET = "SELECT id, secret_hash, kind, role, subject, merchant_id, label, created_at, expires_at, \
     revoked_at FROM access_key WHERE secret_hash = $1";
    REVOKE = "UPDATE access_key SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1";
    REVOKE_OF_MERCHANT = "UPDATE access_key SET revoked_at = $2 WHERE merchant_id = $1 \
     AND revoked_at IS NULL";
    OF_KIND = "SELECT id, secret_hash, kind, role, subject, merchant_id, label, created_at, expires_at, \
     revoked_at FROM access_key WHERE kind = $4 AND (created_at, id) > ($1, $2) ORDER BY \
     created_at, id LIMIT $3";
    BY_SUBJECT = "SELECT id, secret_hash, kind, role, subject, merchant_id, label, created_at, expires_at, \
     revoked_at FROM access_key WHERE subject = $4 AND (created_at, id) > ($1, $2) ORDER BY \
     created_at, id LIMIT $3";
}

/// 访问密钥: an API key or a session; the secret only as a hash. A directory table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyRow {
    /// Its id.
    pub id: Uuid,
    /// Hash of the secret: how it is found.
    pub secret_hash: Vec<u8>,
    /// API key or session.
    pub kind: String,
    /// What it may do.
    pub role: String,
    /// Who holds it.
    pub subject: String,
    /// The merchant it is limited to.
    pub merchant_id: Option<Uuid>,
    /// What its holder calls it.
    pub label: String,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl AccessKeyRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            secret_hash: row.get(1)?,
            kind: row.get(2)?,
            role: row.get(3)?,
            subject: row.get(4)?,
            merchant_id: row.get(5)?,
            label: row.get(6)?,
            created_at: row.get(7)?,
            expires_at: row.get(8)?,
            revoked_at: row.get(9)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &AccessKeyRow) -> Result<(), StoreError> {
    let AccessKeyRow {
        id,
        secret_hash,
        kind,
        role,
        subject,
        merchant_id,
        label,
        created_at,
        expires_at,
        revoked_at,
    } = row;
    tx.execute(
        &INSERT,
        params![id, secret_hash, kind, role, subject, merchant_id, label, created_at, expires_at, revoked_at],
    )
    .map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid) -> Result<AccessKeyRow, StoreError> {
    find(tx, id)?.ok_or(StoreError::NotFound { what: "access_key" })
}

/// The key with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid) -> Result<Option<AccessKeyRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id])?.as_ref().map(AccessKeyRow::read).transpose()
}

/// The key with that secret, good or not.
///
/// # Errors
/// The store's own.
pub fn find_by_secret(tx: &mut Tx, secret_hash: &[u8]) -> Result<Option<AccessKeyRow>, StoreError> {
    tx.query_opt(&BY_SECRET, params![secret_hash])?.as_ref().map(AccessKeyRow::read).transpose()
}

/// Revokes a key; the first moment stays.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn revoke(tx: &mut Tx, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
    match tx.execute(&REVOKE, params![id, at])? {
        0 => Err(StoreError::NotFound { what: "access_key" }),
        _ => Ok(()),
    }
}

/// Revokes every key, session and link of a merchant; how many were still good.
///
/// # Errors
/// The store's own.
pub fn revoke_of_merchant(tx: &mut Tx, merchant_id: Uuid, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&REVOKE_OF_MERCHANT, params![merchant_id, at])
}

/// The keys of one kind, good or not, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_kind(
    tx: &mut Tx,
    kind: &str,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AccessKeyRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&OF_KIND, params![at, id, limit + 1, kind])?;
    let rows = rows.iter().map(AccessKeyRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}

/// The keys of one holder, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_subject(
    tx: &mut Tx,
    subject: &str,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AccessKeyRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_SUBJECT, params![at, id, limit + 1, subject])?;
    let rows = rows.iter().map(AccessKeyRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
