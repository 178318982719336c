//! 门店: a place where a merchant's terminals stand.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    INSERT = "INSERT INTO store_place (id, merchant_id, profile, latitude_e6, longitude_e6, \
     created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    BY_ID = "SELECT id, merchant_id, profile, latitude_e6, longitude_e6, created_at FROM store_place \
     WHERE id = $1 AND merchant_id = $2";
    UPDATE = "UPDATE store_place SET profile = $3, latitude_e6 = $4, longitude_e6 = $5 WHERE id = $1 \
     AND merchant_id = $2";
    BY_MERCHANT = "SELECT id, merchant_id, profile, latitude_e6, longitude_e6, created_at FROM store_place \
     WHERE merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
}

/// 门店: a place where a merchant's terminals stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePlaceRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// Name and address, sealed.
    pub profile: Vec<u8>,
    /// Latitude in millionths of a degree.
    pub latitude_e6: i64,
    /// Longitude in millionths of a degree.
    pub longitude_e6: i64,
    /// Since when it is known.
    pub created_at: Timestamp,
}

impl StorePlaceRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            profile: row.get(2)?,
            latitude_e6: row.get(3)?,
            longitude_e6: row.get(4)?,
            created_at: row.get(5)?,
        })
    }
}

/// Adds a row.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, row: &StorePlaceRow) -> Result<(), StoreError> {
    let StorePlaceRow { id, merchant_id, profile, latitude_e6, longitude_e6, created_at } = row;
    tx.execute(&INSERT, params![id, merchant_id, profile, latitude_e6, longitude_e6, created_at]).map(|_| ())
}

/// The row with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<StorePlaceRow, StoreError> {
    find(tx, id, merchant)?.ok_or(StoreError::NotFound { what: "store_place" })
}

/// The place with that id.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<Option<StorePlaceRow>, StoreError> {
    tx.query_opt(&BY_ID, params![id, merchant])?.as_ref().map(StorePlaceRow::read).transpose()
}

/// Replaces profile and position.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such row.
pub fn update(tx: &mut Tx, place: &StorePlaceRow) -> Result<(), StoreError> {
    match tx.execute(
        &UPDATE,
        params![place.id, place.merchant_id, place.profile, place.latitude_e6, place.longitude_e6],
    )? {
        0 => Err(StoreError::NotFound { what: "store_place" }),
        _ => Ok(()),
    }
}

/// A merchant's places, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<StorePlaceRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_MERCHANT, params![at, id, limit + 1, merchant])?;
    let rows = rows.iter().map(StorePlaceRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id }))
}
