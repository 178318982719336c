//! Work for later: the outbox (what is told to others) and jobs (what we do ourselves).
//!
//! Both are tables of the same shape. A worker claims rows with a lease and gets a fencing token;
//! whoever finishes a row shows the token, so that a worker whose lease passed to another cannot
//! finish it any more. Work that fails comes back later and later, and in the end is *dead*: it
//! stays visible until a person revives it. Delivery is at least once.
//!
//! Work with a `dedup` waits once. Ordered while somebody is doing it, it is done once more: whoever
//! is at it may have looked before the new cause was there. The row remembers (`again_at`), and
//! its end, whichever it is, lets it wait again.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::Statement;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

/// One of the two tables of work.
#[derive(Debug)]
pub struct Queue {
    /// The table's name.
    pub name: &'static str,
    put: Statement,
    claim: Statement,
    complete: Statement,
    retry: Statement,
    bury: Statement,
    extend: Statement,
    release: Statement,
    revive: Statement,
    dead: Statement,
    waiting: Statement,
    find: Statement,
    depth: Statement,
    next_due: Statement,
    purge: Statement,
}

macro_rules! queue {
    ($(#[$doc:meta])* $name:ident $table:literal) => {
        $(#[$doc])*
        pub static $name: Queue = Queue {
            name: $table,
            put: Statement::new(concat!($table, "::put"), concat!(
                "INSERT INTO ", $table, " (id, merchant_id, topic, subject, version, payload, dedup, state, \
                 due_at, attempts, token, lease_until, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, 0, 0, 0, $9) \
                 ON CONFLICT (topic, dedup, merchant_id) WHERE state = 'waiting' AND dedup IS NOT NULL \
                 DO UPDATE SET again_at = CASE WHEN ", $table, ".again_at < excluded.due_at \
                 THEN ", $table, ".again_at ELSE excluded.due_at END \
                 WHERE ", $table, ".lease_until > 0 RETURNING again_at")),
            claim: Statement::new(concat!($table, "::claim"), concat!(
                "WITH picked AS (SELECT id, merchant_id FROM ", $table, " WHERE state = 'waiting' \
                 AND due_at <= $3 AND lease_until <= $4 ORDER BY due_at, id LIMIT $5 \
                 {for_update} {skip_locked}) \
                 UPDATE ", $table, " SET owner = $1, token = token + 1, attempts = attempts + 1, \
                 lease_until = $2, again_at = NULL WHERE (id, merchant_id) IN (SELECT id, merchant_id FROM picked) \
                 RETURNING id, merchant_id, topic, subject, version, payload, attempts, token, due_at, \
                 created_at, last_error")),
            complete: Statement::new(concat!($table, "::complete"), concat!(
                "UPDATE ", $table, " SET state = CASE WHEN again_at IS NULL THEN 'done' ELSE 'waiting' END, \
                 finished_at = CASE WHEN again_at IS NULL THEN CAST($4 AS BIGINT) END, \
                 due_at = COALESCE(again_at, due_at), \
                 attempts = CASE WHEN again_at IS NULL THEN attempts ELSE 0 END, \
                 last_error = CASE WHEN again_at IS NULL THEN last_error END, \
                 owner = NULL, lease_until = 0, again_at = NULL \
                 WHERE id = $1 AND merchant_id = $2 AND token = $3 AND state = 'waiting' RETURNING state")),
            retry: Statement::new(concat!($table, "::retry"), concat!(
                "UPDATE ", $table, " SET due_at = CASE WHEN again_at < $4 THEN again_at ELSE $4 END, \
                 last_error = $5, owner = NULL, lease_until = 0, again_at = NULL \
                 WHERE id = $1 AND merchant_id = $2 AND token = $3 AND state = 'waiting' RETURNING state")),
            bury: Statement::new(concat!($table, "::bury"), concat!(
                "UPDATE ", $table, " SET state = CASE WHEN again_at IS NULL THEN 'dead' ELSE 'waiting' END, \
                 finished_at = CASE WHEN again_at IS NULL THEN CAST($4 AS BIGINT) END, last_error = $5, \
                 due_at = COALESCE(again_at, due_at), \
                 attempts = CASE WHEN again_at IS NULL THEN attempts ELSE 0 END, \
                 owner = NULL, lease_until = 0, again_at = NULL \
                 WHERE id = $1 AND merchant_id = $2 AND token = $3 AND state = 'waiting' RETURNING state")),
            extend: Statement::new(concat!($table, "::extend"), concat!(
                "UPDATE ", $table, " SET lease_until = $4 \
                 WHERE id = $1 AND merchant_id = $2 AND token = $3 AND state = 'waiting' AND lease_until > 0")),
            release: Statement::new(concat!($table, "::release"), concat!(
                "UPDATE ", $table, " SET lease_until = 0, owner = NULL \
                 WHERE state = 'waiting' AND lease_until > 0 AND owner = $1")),
            revive: Statement::new(concat!($table, "::revive"), concat!(
                "UPDATE ", $table, " SET state = 'waiting', due_at = $3, attempts = 0, finished_at = NULL \
                 WHERE id = $1 AND merchant_id = $2 AND state = 'dead'")),
            dead: Statement::new(concat!($table, "::dead"), concat!(
                "SELECT id, merchant_id, topic, subject, version, payload, attempts, token, due_at, \
                 created_at, last_error FROM ", $table,
                " WHERE state = 'dead' AND (due_at, id) > ($1, $2) ORDER BY due_at, id LIMIT $3")),
            waiting: Statement::new(concat!($table, "::waiting"), concat!(
                "SELECT id, merchant_id, topic, subject, version, payload, attempts, token, due_at, \
                 created_at, last_error FROM ", $table,
                " WHERE state = 'waiting' AND (due_at, id) > ($1, $2) ORDER BY due_at, id LIMIT $3")),
            find: Statement::new(concat!($table, "::find"), concat!(
                "SELECT id, merchant_id, topic, subject, version, payload, attempts, token, due_at, \
                 created_at, last_error, state FROM ", $table, " WHERE id = $1 {for_update}")),
            depth: Statement::new(concat!($table, "::depth"), concat!(
                "SELECT (SELECT count(*) FROM ", $table, " WHERE state = 'waiting'), \
                 (SELECT count(*) FROM ", $table, " WHERE state = 'dead')")),
            next_due: Statement::new(concat!($table, "::next_due"), concat!(
                "SELECT due_at FROM ", $table, " WHERE state = 'waiting' ORDER BY due_at, id LIMIT 1")),
            purge: Statement::new(concat!($table, "::purge"), concat!(
                "DELETE FROM ", $table, " WHERE (id, merchant_id) IN (SELECT id, merchant_id FROM ", $table,
                " WHERE state = 'done' AND finished_at < $1 ORDER BY finished_at LIMIT $2)")),
        };
    };
}

queue! {
    /// 发件箱: what the platform tells others (messages, webhooks), written with its cause.
    OUTBOX "outbox"
}
queue! {
    /// 作业: what the platform does later (ask a registry, end a deadline, send a reversal).
    JOB "job"
}

impl Queue {
    /// Its statements, for the catalogue.
    pub(crate) fn statements(&self) -> [Statement; 14] {
        [
            self.put,
            self.claim,
            self.complete,
            self.retry,
            self.bury,
            self.extend,
            self.release,
            self.revive,
            self.dead,
            self.waiting,
            self.find,
            self.depth,
            self.next_due,
            self.purge,
        ]
    }
}

/// Work to be done later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWork {
    /// Its id; consumers use it to drop duplicates.
    pub id: Uuid,
    /// Whose it is; the nil id for the platform's own.
    pub merchant_id: Uuid,
    /// What is to be done.
    pub topic: String,
    /// The aggregate it is about; the nil id when it is about none.
    pub subject: Uuid,
    /// The version of that aggregate which caused it: the order of one subject's rows.
    pub version: i64,
    /// What the worker needs, sealed.
    pub payload: Vec<u8>,
    /// When set, at most one such row of this topic waits: for work that repeats itself.
    pub dedup: Option<String>,
    /// Not before this moment.
    pub due_at: Timestamp,
    /// Now.
    pub created_at: Timestamp,
}

/// What [`put`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The row waits.
    Added,
    /// A row with the same `dedup` waits already.
    Waiting,
    /// Somebody is doing the same work now: it will wait again afterwards.
    Again,
}

/// What became of claimed work that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Done.
    Done,
    /// To be done once more: it failed and has tries left, or it was ordered again meanwhile.
    Waiting,
    /// Given up: a person has to look.
    Dead,
}

/// A row as it stands: claimed by the caller, or dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// What is to be done.
    pub topic: String,
    /// The aggregate it is about.
    pub subject: Uuid,
    /// The version of that aggregate which caused it.
    pub version: i64,
    /// What the worker needs, sealed.
    pub payload: Vec<u8>,
    /// Tries so far, this one included.
    pub attempts: i64,
    /// The fencing token of this lease: shown to whatever is written on its behalf.
    pub token: i64,
    /// When it became due.
    pub due_at: Timestamp,
    /// When it was put.
    pub created_at: Timestamp,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

impl Work {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            topic: row.get(2)?,
            subject: row.get(3)?,
            version: row.get(4)?,
            payload: row.get(5)?,
            attempts: row.get(6)?,
            token: row.get(7)?,
            due_at: row.get(8)?,
            created_at: row.get(9)?,
            last_error: row.get(10)?,
        })
    }
}

/// What becomes of work that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again then.
    RetryAt(Timestamp),
    /// It is dead until a person revives it.
    GiveUp,
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To be done, due or not.
    Waiting,
    /// Given up: a person has to look.
    Dead,
}

impl Standing {
    /// Its name in the tables and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }
}

/// How failed work comes back: after `first_seconds`, then twice as long each time up to
/// `longest_seconds`, and not at all after `attempts_max` tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The first pause.
    pub first_seconds: i64,
    /// The longest pause.
    pub longest_seconds: i64,
    /// The tries in all.
    pub attempts_max: i64,
}

impl BackOff {
    /// What becomes of work after its try number `attempts` failed now.
    #[must_use]
    pub fn after(&self, attempts: i64, now: Timestamp) -> Verdict {
        if attempts >= self.attempts_max {
            return Verdict::GiveUp;
        }
        let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 62)).unwrap_or(0);
        let pause = self.first_seconds.saturating_mul(1_i64 << doublings).min(self.longest_seconds);
        Verdict::RetryAt(now.plus_seconds(pause))
    }
}

/// How many rows wait and how many are dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Rows to be done, due or not.
    pub waiting: i64,
    /// Rows a person has to look at.
    pub dead: i64,
}

/// Puts work, in the transaction of its cause.
///
/// # Errors
/// The store's own.
pub fn put(tx: &mut Tx, queue: &Queue, work: &NewWork) -> Result<Put, StoreError> {
    let NewWork { id, merchant_id, topic, subject, version, payload, dedup, due_at, created_at } = work;
    let params = params![id, merchant_id, topic, subject, version, payload, dedup, due_at, created_at];
    // A row that waits unclaimed is left as it is, but stays locked until we commit: nobody claims
    // it, and looks, before what it is about is there to be seen.
    let Some(row) = tx.query_opt(&queue.put, params)? else { return Ok(Put::Waiting) };
    match row.get::<Option<Timestamp>>(0)? {
        None => Ok(Put::Added),
        Some(_) => Ok(Put::Again),
    }
}

/// Claims up to `limit` due rows for `owner`. Nobody else gets them until `lease_seconds` have
/// passed on the database's clock. In the order they became due.
///
/// # Errors
/// The store's own.
pub fn claim(
    tx: &mut Tx,
    queue: &Queue,
    owner: &str,
    now: Timestamp,
    lease_seconds: i64,
    limit: i64,
) -> Result<Vec<Work>, StoreError> {
    let clock = tx.lease_clock(now)?;
    let until = clock.plus_seconds(lease_seconds);
    let rows = tx.query(&queue.claim, params![owner, until, now, clock, rows_wanted(limit)])?;
    let mut claimed = rows.iter().map(Work::read).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_by_key(|work| (work.due_at, work.id));
    Ok(claimed)
}

/// Marks claimed work as done, in the transaction of its effect. Ordered again since it was
/// claimed, it waits once more, with all its tries.
///
/// # Errors
/// [`StoreError::LeaseLost`] when another worker has it now.
pub fn complete(tx: &mut Tx, queue: &Queue, work: &Work, now: Timestamp) -> Result<Ended, StoreError> {
    ended(tx.query_opt(&queue.complete, params![work.id, work.merchant_id, work.token, now])?)
}

/// Gives claimed work back after a failure. Ordered again since it was claimed, it waits no
/// longer than the new order wants, and is not given up.
///
/// # Errors
/// [`StoreError::LeaseLost`] when another worker has it now.
pub fn fail(
    tx: &mut Tx,
    queue: &Queue,
    work: &Work,
    verdict: Verdict,
    error: &str,
    now: Timestamp,
) -> Result<Ended, StoreError> {
    let (statement, at) = match verdict {
        Verdict::RetryAt(at) => (&queue.retry, at),
        Verdict::GiveUp => (&queue.bury, now),
    };
    ended(tx.query_opt(statement, params![work.id, work.merchant_id, work.token, at, error])?)
}

fn ended(row: Option<Row>) -> Result<Ended, StoreError> {
    let state: String = row.ok_or(StoreError::LeaseLost)?.get(0)?;
    match state.as_str() {
        "done" => Ok(Ended::Done),
        "dead" => Ok(Ended::Dead),
        _ => Ok(Ended::Waiting),
    }
}

/// Lengthens the lease of work that takes long. What was given back is not taken again by it.
///
/// # Errors
/// [`StoreError::LeaseLost`] when another worker has it now, or nobody.
pub fn extend(
    tx: &mut Tx,
    queue: &Queue,
    work: &Work,
    now: Timestamp,
    lease_seconds: i64,
) -> Result<(), StoreError> {
    let until = tx.lease_clock(now)?.plus_seconds(lease_seconds);
    held(tx.execute(&queue.extend, params![work.id, work.merchant_id, work.token, until])?)
}

fn held(touched: u64) -> Result<(), StoreError> {
    match touched {
        0 => Err(StoreError::LeaseLost),
        _ => Ok(()),
    }
}

/// Gives back everything `owner` holds: at a stop, and at the start of a node that crashed. How
/// many rows it held.
///
/// # Errors
/// The store's own.
pub fn release(tx: &mut Tx, queue: &Queue, owner: &str) -> Result<u64, StoreError> {
    tx.execute(&queue.release, params![owner])
}

/// Lets dead work be tried again.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not dead; [`StoreError::Constraint`] when the same work
/// waits already.
pub fn revive(
    tx: &mut Tx,
    queue: &Queue,
    id: Uuid,
    merchant: Uuid,
    now: Timestamp,
) -> Result<(), StoreError> {
    match tx.execute(&queue.revive, params![id, merchant, now])? {
        0 => Err(StoreError::NotFound { what: queue.name }),
        _ => Ok(()),
    }
}

/// Work that waits, due or not, or that is dead: longest due first.
///
/// # Errors
/// The store's own.
pub fn list(
    tx: &mut Tx,
    queue: &Queue,
    standing: Standing,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<Work>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let statement = match standing {
        Standing::Waiting => &queue.waiting,
        Standing::Dead => &queue.dead,
    };
    let rows = tx.query(statement, params![at, id, limit + 1])?;
    let rows = rows.iter().map(Work::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |work| Cursor { at: work.due_at, id: work.id }))
}

/// One row by its id, locked until the transaction ends, with the name of its state (`waiting`,
/// `done`, `dead`).
///
/// # Errors
/// The store's own.
pub fn lock(tx: &mut Tx, queue: &Queue, id: Uuid) -> Result<Option<(Work, String)>, StoreError> {
    let row = tx.query_opt(&queue.find, params![id])?;
    row.map(|row| Ok((Work::read(&row)?, row.get(11)?))).transpose()
}

/// How much waits and how much is dead.
///
/// # Errors
/// The store's own.
pub fn depth(tx: &mut Tx, queue: &Queue) -> Result<Depth, StoreError> {
    let row = tx.query_opt(&queue.depth, &[])?.ok_or(StoreError::NotFound { what: queue.name })?;
    Ok(Depth { waiting: row.get(0)?, dead: row.get(1)? })
}

/// When the earliest waiting row is due, leased or not.
///
/// # Errors
/// The store's own.
pub fn next_due(tx: &mut Tx, queue: &Queue) -> Result<Option<Timestamp>, StoreError> {
    tx.query_opt(&queue.next_due, &[])?.map(|row| row.get(0)).transpose()
}

/// Removes up to `limit` rows done before a moment; how many it removed.
///
/// # Errors
/// The store's own.
pub fn purge(tx: &mut Tx, queue: &Queue, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&queue.purge, params![before, limit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_work_comes_back_later_and_later_and_then_dies() {
        let back_off = BackOff { first_seconds: 5, longest_seconds: 60, attempts_max: 6 };
        let now = Timestamp::from_micros(0);
        let pauses: Vec<_> = (1..=6).map(|attempts| back_off.after(attempts, now)).collect();
        let at = |seconds| Verdict::RetryAt(now.plus_seconds(seconds));
        assert_eq!(pauses, [at(5), at(10), at(20), at(40), at(60), Verdict::GiveUp]);
    }
}
