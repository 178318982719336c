//! Data keys: what a merchant's records are sealed under, kept wrapped.
//!
//! Destroying a merchant's data keys is the erasure of everything sealed under them; event chains
//! stay whole because they run over the sealed bytes.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO data_key (merchant_id, version, wrapped, wrapped_under, created_at) \
              VALUES ($1, $2, $3, $4, $5)";
    FIND = "SELECT merchant_id, version, wrapped, wrapped_under, created_at, destroyed_at FROM data_key \
            WHERE merchant_id = $1 AND version = $2";
    CURRENT = "SELECT merchant_id, version, wrapped, wrapped_under, created_at, destroyed_at FROM data_key \
               WHERE merchant_id = $1 ORDER BY version DESC LIMIT 1";
    BY_WRAPPER = "SELECT merchant_id, version, wrapped, wrapped_under, created_at, destroyed_at FROM data_key \
                  WHERE wrapped_under = $1 AND destroyed_at IS NULL \
                  AND (merchant_id, version) > ($2, $3) ORDER BY merchant_id, version LIMIT $4";
    PRESENT = "SELECT merchant_id, version, wrapped, wrapped_under, created_at, destroyed_at FROM data_key \
               WHERE (merchant_id, version) > ($1, $2) AND destroyed_at IS NULL \
               AND NOT EXISTS (SELECT 1 FROM data_key AS later WHERE later.merchant_id = data_key.merchant_id \
               AND later.version > data_key.version) ORDER BY merchant_id, version LIMIT $3";
    REWRAP = "UPDATE data_key SET wrapped = $3, wrapped_under = $4 \
              WHERE merchant_id = $1 AND version = $2 AND destroyed_at IS NULL AND wrapped_under = $5";
    DESTROY = "UPDATE data_key SET wrapped = NULL, destroyed_at = $2 \
               WHERE merchant_id = $1 AND destroyed_at IS NULL";
}

/// One version of a merchant's data key.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    /// Whose records it seals; the nil id for the platform's own.
    pub merchant_id: Uuid,
    /// Its version, from 1.
    pub version: i64,
    /// The key, wrapped; `None` once destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// The name of the key it is wrapped under.
    pub wrapped_under: String,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
}

impl std::fmt::Debug for DataKeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKeyRow")
            .field("merchant_id", &self.merchant_id)
            .field("version", &self.version)
            .field("wrapped_under", &self.wrapped_under)
            .finish_non_exhaustive()
    }
}

impl DataKeyRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            merchant_id: row.get(0)?,
            version: row.get(1)?,
            wrapped: row.get(2)?,
            wrapped_under: row.get(3)?,
            created_at: row.get(4)?,
            destroyed_at: row.get(5)?,
        })
    }
}

/// Adds a version of a merchant's key.
///
/// # Errors
/// [`StoreError::Constraint`] `data_key_pk` when somebody was faster: read that one instead.
pub fn insert(
    tx: &mut Tx,
    merchant: Uuid,
    version: i64,
    wrapped: &[u8],
    wrapped_under: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&INSERT, params![merchant, version, wrapped, wrapped_under, at]).map(|_| ())
}

/// One version of a merchant's key.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, merchant: Uuid, version: i64) -> Result<Option<DataKeyRow>, StoreError> {
    tx.query_opt(&FIND, params![merchant, version])?.as_ref().map(DataKeyRow::read).transpose()
}

/// The newest version of a merchant's key, destroyed or not.
///
/// # Errors
/// The store's own.
pub fn find_current(tx: &mut Tx, merchant: Uuid) -> Result<Option<DataKeyRow>, StoreError> {
    tx.query_opt(&CURRENT, params![merchant])?.as_ref().map(DataKeyRow::read).transpose()
}

/// Keys still wrapped under a key that is being replaced, after a merchant and version.
///
/// # Errors
/// The store's own.
pub fn list_wrapped_under(
    tx: &mut Tx,
    wrapped_under: &str,
    after: (Uuid, i64),
    limit: i64,
) -> Result<Vec<DataKeyRow>, StoreError> {
    tx.query(&BY_WRAPPER, params![wrapped_under, after.0, after.1, limit])?
        .iter()
        .map(DataKeyRow::read)
        .collect()
}

/// The present key of each merchant after that merchant and version; not those of erased merchants.
///
/// # Errors
/// The store's own.
pub fn list_present(tx: &mut Tx, after: (Uuid, i64), limit: i64) -> Result<Vec<DataKeyRow>, StoreError> {
    tx.query(&PRESENT, params![after.0, after.1, limit])?.iter().map(DataKeyRow::read).collect()
}

/// Replaces the wrapping of a key that is `old`'s `wrapped_under` still. `false` when the key was
/// destroyed or rewrapped in between: nothing is to be done then.
///
/// # Errors
/// The store's own.
pub fn rewrap(
    tx: &mut Tx,
    old: &DataKeyRow,
    wrapped: &[u8],
    wrapped_under: &str,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(&REWRAP, params![old.merchant_id, old.version, wrapped, wrapped_under, old.wrapped_under])?;
    Ok(changed == 1)
}

/// Destroys every version of a merchant's key; how many there were.
///
/// # Errors
/// The store's own.
pub fn destroy(tx: &mut Tx, merchant: Uuid, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&DESTROY, params![merchant, at])
}
