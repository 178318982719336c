//! Events: one row per transition, chained by hash per aggregate.
//!
//! The chain runs over the *sealed* payload, so that erasure (destroying a data key) leaves it
//! whole. `hash` is SHA-256 over the bytes of [`chain_bytes`]; `previous` is the hash of the
//! event before, 32 zero bytes for the first.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use sha2::{Digest, Sha256};
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

sql! {
    HEAD = "SELECT version, hash FROM chain_head WHERE aggregate_id = $1 AND merchant_id = $2 {for_update}";
    VERSION = "SELECT version FROM chain_head WHERE aggregate_id = $1 AND merchant_id = $2";
    INSERT = "INSERT INTO event (id, merchant_id, kind, aggregate_id, version, name, actor_kind, actor_id, \
              at, payload, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    FIRST_HEAD = "INSERT INTO chain_head (aggregate_id, merchant_id, kind, version, hash, rooted_version) \
                  VALUES ($1, $2, $3, $4, $5, 0)";
    NEXT_HEAD = "UPDATE chain_head SET version = $3, hash = $4 WHERE aggregate_id = $1 AND merchant_id = $2";
    OF_AGGREGATE = "SELECT id, merchant_id, kind, aggregate_id, version, name, actor_kind, actor_id, at, \
                    payload, previous, hash FROM event WHERE aggregate_id = $1 AND merchant_id = $2 \
                    AND version > $3 ORDER BY version LIMIT $4";
    OF_MERCHANT = "SELECT id, merchant_id, kind, aggregate_id, version, name, actor_kind, actor_id, at, \
                   payload, previous, hash FROM event WHERE merchant_id = $1 AND (at, id) > ($2, $3) \
                   ORDER BY at, id LIMIT $4";
    ONE = "SELECT id, merchant_id, kind, aggregate_id, version, name, actor_kind, actor_id, at, \
           payload, previous, hash FROM event WHERE aggregate_id = $1 AND version = $2 AND merchant_id = $3";
}

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// What stands before the first event of an aggregate.
pub const GENESIS: Hash = [0; 32];

/// The first bytes of everything hashed here, so that no other hash of the platform can equal one.
const DOMAIN: &[u8] = b"starpay event 1\0";

/// An event to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id.
    pub id: Uuid,
    /// Whose aggregate it belongs to; the nil id for directory tables.
    pub merchant_id: Uuid,
    /// The aggregate's machine, for example `application`.
    pub kind: String,
    /// The aggregate.
    pub aggregate_id: Uuid,
    /// Its version after this event: one more than before, 1 for the first.
    pub version: i64,
    /// The event's name.
    pub name: String,
    /// Who did it: the sort of actor.
    pub actor_kind: String,
    /// Who did it, when it is somebody with an id.
    pub actor_id: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Its facts, sealed.
    pub payload: Vec<u8>,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// What was written.
    pub event: NewEvent,
    /// The hash of the event before.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
}

/// What [`append`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The aggregate's version now.
    pub version: i64,
    /// The hash the chain ends with now.
    pub hash: Hash,
}

impl StoredEvent {
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            event: NewEvent {
                id: row.get(0)?,
                merchant_id: row.get(1)?,
                kind: row.get(2)?,
                aggregate_id: row.get(3)?,
                version: row.get(4)?,
                name: row.get(5)?,
                actor_kind: row.get(6)?,
                actor_id: row.get(7)?,
                at: row.get(8)?,
                payload: row.get(9)?,
            },
            previous: row.get(10)?,
            hash: row.get(11)?,
        })
    }
}

/// The bytes an event's hash is taken over: the words `starpay event 1` and a zero byte, then the
/// previous hash, merchant id (16), kind, aggregate id (16), version (8), event id (16), name,
/// actor kind, actor id (a byte 0 when there is none, else 1 and the text), moment in microseconds
/// (8), payload. Numbers are big-endian; every text and the payload follow their length in 8 bytes.
#[must_use]
pub fn chain_bytes(previous: &Hash, event: &NewEvent) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + event.payload.len());
    let part = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.extend(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend(bytes);
    };
    out.extend(DOMAIN);
    out.extend(previous);
    out.extend(event.merchant_id.as_bytes());
    part(&mut out, event.kind.as_bytes());
    out.extend(event.aggregate_id.as_bytes());
    out.extend(event.version.to_be_bytes());
    out.extend(event.id.as_bytes());
    part(&mut out, event.name.as_bytes());
    part(&mut out, event.actor_kind.as_bytes());
    match &event.actor_id {
        None => out.push(0),
        Some(actor) => {
            out.push(1);
            part(&mut out, actor.as_bytes());
        }
    }
    out.extend(event.at.micros().to_be_bytes());
    part(&mut out, &event.payload);
    out
}

/// The hash of an event after `previous`.
#[must_use]
pub fn chain_hash(previous: &Hash, event: &NewEvent) -> Hash {
    Sha256::digest(chain_bytes(previous, event)).into()
}

/// Writes an event at the end of its aggregate's chain.
///
/// # Errors
/// [`StoreError::Stale`] when the version does not follow the last one.
pub fn append(tx: &mut Tx, event: &NewEvent) -> Result<Appended, StoreError> {
    let head = tx.query_opt(&HEAD, params![event.aggregate_id, event.merchant_id])?;
    let (found, previous) = match &head {
        Some(row) => (row.get::<i64>(0)?, row.get::<Hash>(1)?),
        None => (0, GENESIS),
    };
    if event.version != found.saturating_add(1) {
        return Err(StoreError::Stale { expected: event.version.saturating_sub(1), found });
    }
    let hash = chain_hash(&previous, event);
    tx.execute(
        &INSERT,
        params![
            event.id,
            event.merchant_id,
            event.kind,
            event.aggregate_id,
            event.version,
            event.name,
            event.actor_kind,
            event.actor_id,
            event.at,
            event.payload,
            previous,
            hash
        ],
    )?;
    if head.is_some() {
        tx.execute(&NEXT_HEAD, params![event.aggregate_id, event.merchant_id, event.version, hash])?;
    } else {
        tx.execute(
            &FIRST_HEAD,
            params![event.aggregate_id, event.merchant_id, event.kind, event.version, hash],
        )?;
    }
    Ok(Appended { version: event.version, hash })
}

/// The version of an aggregate's last event; 0 when it has none.
///
/// # Errors
/// The store's own.
pub fn version(tx: &mut Tx, aggregate: Uuid, merchant: Uuid) -> Result<i64, StoreError> {
    tx.query_opt(&VERSION, params![aggregate, merchant])?.map_or(Ok(0), |row| row.get(0))
}

/// The events of one aggregate after a version, in order.
///
/// # Errors
/// The store's own.
pub fn list_of_aggregate(
    tx: &mut Tx,
    aggregate: Uuid,
    merchant: Uuid,
    after_version: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    tx.query(&OF_AGGREGATE, params![aggregate, merchant, after_version, rows_wanted(limit)])?
        .iter()
        .map(StoredEvent::read)
        .collect()
}

/// The events of one merchant, oldest first: the merchant's timeline.
///
/// # Errors
/// The store's own.
pub fn list_of_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<StoredEvent>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&OF_MERCHANT, params![merchant, at, id, limit + 1])?;
    let rows = rows.iter().map(StoredEvent::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.event.at, id: row.event.id }))
}

/// One event of an aggregate, if it is there.
///
/// # Errors
/// The store's own.
pub fn find(
    tx: &mut Tx,
    aggregate: Uuid,
    merchant: Uuid,
    version: i64,
) -> Result<Option<StoredEvent>, StoreError> {
    tx.query_opt(&ONE, params![aggregate, version, merchant])?.as_ref().map(StoredEvent::read).transpose()
}
