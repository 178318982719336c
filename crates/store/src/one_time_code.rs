//! 一次性验证码: the code a contact was sent for one purpose, as a keyed hash. A directory table.
//!
//! Each purpose has a place of its own: asking for one code never voids another.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    PUT = "INSERT INTO one_time_code (contact_id, purpose, code_hash, expires_at, tries, asked_by) \
           VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (contact_id, purpose) \
           DO UPDATE SET code_hash = $3, expires_at = $4, tries = 0, asked_by = $5, used_by = NULL";
    LOCK = "SELECT code_hash, expires_at, tries, asked_by, used_by FROM one_time_code \
            WHERE contact_id = $1 AND purpose = $2 {for_update}";
    USE = "UPDATE one_time_code SET used_by = $3 WHERE contact_id = $1 AND purpose = $2";
    MISS = "UPDATE one_time_code SET tries = tries + 1 WHERE contact_id = $1 AND purpose = $2 RETURNING tries";
    REMOVE = "DELETE FROM one_time_code WHERE contact_id = $1 AND purpose = $2";
    FORGET = "DELETE FROM one_time_code WHERE contact_id = $1";
    PURGE = "DELETE FROM one_time_code WHERE (contact_id, purpose) IN (SELECT contact_id, purpose \
             FROM one_time_code WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
}

/// A code that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeCode {
    /// Its keyed hash.
    pub hash: Vec<u8>,
    /// Its end.
    pub expires_at: Timestamp,
    /// Wrong tries since it was sent.
    pub tries: i64,
    /// The request that had it sent, if that one may be repeated.
    pub asked_by: Option<Vec<u8>>,
    /// The request that used it, if that one may be repeated: to all others it is used up.
    pub used_by: Option<Vec<u8>>,
}

/// Puts a fresh code in the place of this purpose; an earlier one there is void.
///
/// # Errors
/// The store's own.
pub fn put(
    tx: &mut Tx,
    contact: Uuid,
    purpose: &str,
    hash: &[u8],
    expires_at: Timestamp,
    asked_by: Option<&[u8]>,
) -> Result<(), StoreError> {
    tx.execute(&PUT, params![contact, purpose, hash, expires_at, asked_by]).map(|_| ())
}

/// Notes the request that used a code, which stays until its end for that request alone.
///
/// # Errors
/// [`StoreError::NotFound`] when no code is out.
pub fn use_up(tx: &mut Tx, contact: Uuid, purpose: &str, used_by: &[u8]) -> Result<(), StoreError> {
    match tx.execute(&USE, params![contact, purpose, used_by])? {
        0 => Err(StoreError::NotFound { what: "one_time_code" }),
        _ => Ok(()),
    }
}

/// The code that is out for this purpose, locked until the transaction ends: tries that come at
/// the same moment are counted one after the other.
///
/// # Errors
/// The store's own.
pub fn lock(tx: &mut Tx, contact: Uuid, purpose: &str) -> Result<Option<OneTimeCode>, StoreError> {
    let Some(row) = tx.query_opt(&LOCK, params![contact, purpose])? else { return Ok(None) };
    Ok(Some(OneTimeCode {
        hash: row.get(0)?,
        expires_at: row.get(1)?,
        tries: row.get(2)?,
        asked_by: row.get(3)?,
        used_by: row.get(4)?,
    }))
}

/// Counts a wrong try; how many there were.
///
/// # Errors
/// [`StoreError::NotFound`] when no code is out.
pub fn miss(tx: &mut Tx, contact: Uuid, purpose: &str) -> Result<i64, StoreError> {
    let row = tx.query_opt(&MISS, params![contact, purpose])?;
    row.ok_or(StoreError::NotFound { what: "one_time_code" })?.get(0)
}

/// Takes a code back: it was used.
///
/// # Errors
/// The store's own.
pub fn remove(tx: &mut Tx, contact: Uuid, purpose: &str) -> Result<(), StoreError> {
    tx.execute(&REMOVE, params![contact, purpose]).map(|_| ())
}

/// Takes every code of a contact back.
///
/// # Errors
/// The store's own.
pub fn forget(tx: &mut Tx, contact: Uuid) -> Result<(), StoreError> {
    tx.execute(&FORGET, params![contact]).map(|_| ())
}

/// Removes up to `limit` codes that expired before a moment; how many it removed.
///
/// # Errors
/// The store's own.
pub fn purge(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![before, limit])
}
