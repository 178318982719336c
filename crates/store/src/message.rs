//! 消息: one SMS or e-mail, sealed; a merchant can see what was sent.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO message (id, merchant_id, channel, template, recipient, body, state, \
     attempts, created_at, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    BY_ID = "SELECT id, merchant_id, channel, template, recipient, body, state, attempts, created_at, \
     sent_at FROM message WHERE id = $1";
    UPDATE = "UPDATE message SET state = $2, attempts = $3, sent_at = $4 WHERE id = $1";
    LIST = "SELECT id, merchant_id, channel, template, recipient, body, state, attempts, created_at, \
     sent_at FROM message WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
    NEWEST = "SELECT id, merchant_id, channel, template, recipient, body, state, attempts, created_at, \
     sent_at FROM message ORDER BY created_at DESC, id DESC LIMIT $1";
    BY_MERCHANT = "SELECT id, merchant_id, channel, template, recipient, body, state, attempts, created_at, \
     sent_at FROM message WHERE merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY \
     created_at, id LIMIT $3";
}

/// 消息: one SMS or e-mail, sealed; a merchant can see what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id.
    pub id: Uuid,
    /// Whom it is about.
    pub merchant_id: Option<Uuid>,
    /// SMS or e-mail.
    pub channel: String,
    /// Which text.
    pub template: String,
    /// To whom, sealed.
    pub recipient: Vec<u8>,
    /// The text, sealed.
    pub body: Vec<u8>,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// Since when it waits.
    pub created_at: Timestamp,
    /// When it was handed over.
    pub sent_at: Option<Timestamp>,
}

impl MessageRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            channel: row.get(2)?,
            template: row.get(3)?,
            recipient: row.get(4)?,
            body: row.get(5)?,
            state: row.get(6)?,
            attempts: row.get(7)?,
            created_at: row.get(8)?,
            sent_at: row.get(9)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &MessageRow) -> Result<(), StoreError> {
    let MessageRow {
        id,
        merchant_id,
        channel,
        template,
        recipient,
        body,
        state,
        attempts,
        created_at,
        sent_at,
    } = row;
    tx.execute(
        &INSERT,
        params![id, merchant_id, channel, template, recipient, body, state, attempts, created_at, sent_at],
    )
    .map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid) -> Result<MessageRow, StoreError> {
    find(tx, id)?.ok_or(StoreError::NotFound { what: "message" })
}

/// The message with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid) -> Result<Option<MessageRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id])?.as_ref().map(MessageRow::read).transpose()
}

/// Writes how sending went.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update(tx: &mut Tx, message: &MessageRow) -> Result<(), StoreError> {
    match tx.execute(&UPDATE, params![message.id, message.state, message.attempts, message.sent_at])? {
        0 => Err(StoreError::NotFound { what: "message" }),
        _ => Ok(()),
    }
}

/// All messages, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_all(tx: &mut Tx, after: Option<Cursor>, limit: i64) -> Result<Page<MessageRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&LIST, params![at, id, limit + 1])?;
    let rows = rows.iter().map(MessageRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}

/// The newest messages, newest first.
///
/// # Errors
/// The store's own.
pub fn list_newest(tx: &mut Tx, limit: i64) -> Result<Vec<MessageRow>, StoreError> {
    tx.query(&NEWEST, params![rows_wanted(limit)])?.iter().map(MessageRow::read).collect()
}

/// A merchant's messages, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<MessageRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_MERCHANT, params![at, id, limit + 1, merchant])?;
    let rows = rows.iter().map(MessageRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
