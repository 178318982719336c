//! Idempotent answers: the first answer to a request is kept and given again.
//!
//! [`begin`] inserts first, so that a concurrent twin waits for the transaction of the first and
//! then finds its answer. The answer is committed with its effect, in the same transaction; when
//! the transaction fails, so does the claim on the key. Validation failures are not stored.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;

/// How long an answer is kept: longer than any terminal may retry offline.
pub const KEPT_DAYS: i64 = 35;

sql! {
    CLAIM = "INSERT INTO idempotency (actor, route, key, body_hash, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    FIND = "SELECT body_hash, answer, created_at, route FROM idempotency \
            WHERE actor = $1 AND key = $2 {for_update}";
    LOOK = "SELECT body_hash, answer, created_at FROM idempotency \
            WHERE actor = $1 AND route = $2 AND key = $3";
    RENEW = "UPDATE idempotency SET route = $2, body_hash = $4, answer = NULL, created_at = $5 \
             WHERE actor = $1 AND key = $3";
    FINISH = "UPDATE idempotency SET answer = $4 WHERE actor = $1 AND route = $2 AND key = $3";
    PURGE = "DELETE FROM idempotency WHERE (actor, key) IN \
             (SELECT actor, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
}

/// What names a request: who asks, where, under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asks.
    pub actor: String,
    /// The route asked, with its method.
    pub route: String,
    /// The caller's own key.
    pub key: String,
}

/// What [`begin`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody asked before: do the work, then [`finish`].
    Fresh,
    /// Somebody did: give this answer again.
    Replay(StoredAnswer),
}

/// An answer given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The hash of the request it answers.
    pub body_hash: Vec<u8>,
    /// The answer, sealed.
    pub answer: Vec<u8>,
    /// When it was given.
    pub created_at: Timestamp,
}

struct Stored {
    body_hash: Vec<u8>,
    answer: Option<Vec<u8>>,
    created_at: Timestamp,
}

impl Stored {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { body_hash: row.get(0)?, answer: row.get(1)?, created_at: row.get(2)? })
    }

    /// An answer is written in the transaction that claims the key, so a committed claim has one.
    fn answered(self) -> Result<StoredAnswer, StoreError> {
        let answer =
            self.answer.ok_or_else(|| StoreError::corrupt("an idempotency key without its answer"))?;
        Ok(StoredAnswer { body_hash: self.body_hash, answer, created_at: self.created_at })
    }

    fn expired(&self, now: Timestamp) -> bool {
        now.seconds_since(self.created_at) > KEPT_DAYS * 86_400
    }
}

/// Claims the key for this transaction, or gives the answer given before. A twin that runs at the
/// same time makes this call wait until the twin's transaction ends.
///
/// # Errors
/// [`StoreError::KeyReused`] when the key was used with another body, or with another route.
pub fn begin(
    tx: &mut Tx,
    request: &RequestKey,
    body_hash: &[u8],
    now: Timestamp,
) -> Result<Begun, StoreError> {
    let RequestKey { actor, route, key } = request;
    if tx.execute(&CLAIM, params![actor, route, key, body_hash, now])? == 1 {
        return Ok(Begun::Fresh);
    }
    let row = tx.query_opt(&FIND, params![actor, key])?;
    // The row that stood in the way may have been purged in between: the caller tries again.
    let row = row.ok_or_else(|| StoreError::unavailable("the stored answer is just being removed"))?;
    let (stored, asked): (Stored, String) = (Stored::read(&row)?, row.get(3)?);
    if stored.expired(now) {
        tx.execute(&RENEW, params![actor, route, key, body_hash, now])?;
        return Ok(Begun::Fresh);
    }
    if asked != *route || stored.body_hash != body_hash {
        return Err(StoreError::KeyReused);
    }
    stored.answered().map(Begun::Replay)
}

/// Stores the answer beside its effect.
///
/// # Errors
/// [`StoreError::NotFound`] without a [`begin`] in this transaction.
pub fn finish(tx: &mut Tx, request: &RequestKey, answer: &[u8]) -> Result<(), StoreError> {
    let RequestKey { actor, route, key } = request;
    match tx.execute(&FINISH, params![actor, route, key, answer])? {
        0 => Err(StoreError::NotFound { what: "idempotency" }),
        _ => Ok(()),
    }
}

/// The answer kept under a key, if there is one: how an unknown outcome is resolved.
///
/// # Errors
/// The store's own.
pub fn find(tx: &mut Tx, request: &RequestKey, now: Timestamp) -> Result<Option<StoredAnswer>, StoreError> {
    let row = tx.query_opt(&LOOK, params![request.actor, request.route, request.key])?;
    match row.as_ref().map(Stored::read).transpose()? {
        Some(stored) if !stored.expired(now) => stored.answered().map(Some),
        Some(_) | None => Ok(None),
    }
}

/// Removes up to `limit` answers older than [`KEPT_DAYS`]; how many it removed.
///
/// # Errors
/// The store's own.
pub fn purge(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![now.plus_seconds(-KEPT_DAYS * 86_400), limit])
}
