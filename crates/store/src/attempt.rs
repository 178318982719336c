//! Counted failures: tries are limited per subject (a serial, an account, an address), and a
//! lock-out ends by itself. Subjects are hashed by the caller; no address is stored.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;

sql! {
    FAIL = "INSERT INTO attempt AS a (kind, subject, failures, window_started_at, locked_until) \
            VALUES ($1, $2, 1, $3, 0) ON CONFLICT (kind, subject) DO UPDATE SET \
            failures = CASE WHEN a.window_started_at <= $4 THEN 1 ELSE a.failures + 1 END, \
            window_started_at = CASE WHEN a.window_started_at <= $4 THEN $3 ELSE a.window_started_at END \
            RETURNING failures, locked_until";
    HOLD = "INSERT INTO attempt AS a (kind, subject, failures, window_started_at, locked_until) \
            VALUES ($1, $2, 0, $3, 0) ON CONFLICT (kind, subject) DO UPDATE SET failures = a.failures \
            RETURNING failures, locked_until, window_started_at";
    LOCK = "UPDATE attempt SET locked_until = $3, failures = 0, window_started_at = $4 \
            WHERE kind = $1 AND subject = $2";
    FIND = "SELECT failures, locked_until, window_started_at FROM attempt WHERE kind = $1 AND subject = $2";
    CLEAR = "DELETE FROM attempt WHERE kind = $1 AND subject = $2";
    PURGE = "DELETE FROM attempt WHERE (kind, subject) IN (SELECT kind, subject FROM attempt \
             WHERE window_started_at < $1 AND locked_until < $1 ORDER BY window_started_at LIMIT $2)";
}

/// How many failures are borne before a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Failures within one window that lock.
    pub failures_max: i64,
    /// The window's length in seconds.
    pub window_seconds: i64,
    /// The lock's length in seconds.
    pub lock_seconds: i64,
}

/// Where a subject stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may try again so many times before a lock.
    Open {
        /// Failures left before the lock.
        left: i64,
    },
    /// It may not, until then.
    Locked {
        /// When the lock ends.
        until: Timestamp,
    },
}

/// Where a subject stands now.
///
/// # Errors
/// The store's own.
pub fn standing(
    tx: &mut Tx,
    kind: &str,
    subject: &[u8],
    now: Timestamp,
    limit: Limit,
) -> Result<Standing, StoreError> {
    match tx.query_opt(&FIND, params![kind, subject])? {
        Some(row) => read(&row, now, limit),
        None => Ok(Standing::Open { left: limit.failures_max }),
    }
}

/// As [`standing`], and nobody else tries for this subject until the transaction ends: tries that
/// come at the same moment are counted one after the other.
///
/// # Errors
/// The store's own.
pub fn hold(
    tx: &mut Tx,
    kind: &str,
    subject: &[u8],
    now: Timestamp,
    limit: Limit,
) -> Result<Standing, StoreError> {
    let row = tx.query_opt(&HOLD, params![kind, subject, now])?;
    read(&row.ok_or(StoreError::NotFound { what: "attempt" })?, now, limit)
}

fn read(row: &Row, now: Timestamp, limit: Limit) -> Result<Standing, StoreError> {
    let until: Timestamp = row.get(1)?;
    if until > now {
        return Ok(Standing::Locked { until });
    }
    let stale = row.get::<Timestamp>(2)? <= now.plus_seconds(-limit.window_seconds);
    let failures = if stale { 0 } else { row.get::<i64>(0)? };
    Ok(Standing::Open { left: limit.failures_max.saturating_sub(failures).max(0) })
}

/// Counts a failure; at the limit the subject is locked. Two at once are both counted. Call
/// [`standing`] before the try: a failure during a lock does not lengthen it.
///
/// # Errors
/// The store's own.
pub fn fail(
    tx: &mut Tx,
    kind: &str,
    subject: &[u8],
    now: Timestamp,
    limit: Limit,
) -> Result<Standing, StoreError> {
    let window_floor = now.plus_seconds(-limit.window_seconds);
    let row = tx
        .query_opt(&FAIL, params![kind, subject, now, window_floor])?
        .ok_or(StoreError::NotFound { what: "attempt" })?;
    let (failures, locked): (i64, Timestamp) = (row.get(0)?, row.get(1)?);
    if locked > now {
        return Ok(Standing::Locked { until: locked });
    }
    if failures < limit.failures_max {
        return Ok(Standing::Open { left: limit.failures_max.saturating_sub(failures) });
    }
    let until = now.plus_seconds(limit.lock_seconds);
    tx.execute(&LOCK, params![kind, subject, until, now])?;
    Ok(Standing::Locked { until })
}

/// Forgets a subject's failures after a success.
///
/// # Errors
/// The store's own.
pub fn clear(tx: &mut Tx, kind: &str, subject: &[u8]) -> Result<(), StoreError> {
    tx.execute(&CLEAR, params![kind, subject]).map(|_| ())
}

/// Removes up to `limit` rows whose window and lock ended before `before`; how many it removed.
///
/// # Errors
/// The store's own.
pub fn purge(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![before, limit])
}
