//! SQLite: one writer thread with group commit, a few readers, checkpoints off the writer.

mod checkpoint;
mod open;
mod refusal;
mod writer;

pub(crate) use open::{lock_folder, writable};
pub(crate) use refusal::doom;

use crate::config::DbConfig;
use crate::engine::{Threads, spawn};
use crate::error::StoreError;
use crate::lanes::{Bell, Lanes, Ran};
use crate::metrics::{Counters, add};
use crate::migration;
use crate::sql::{Engine, Place, Statement};
use crate::tx::{Doom, Link as TxLink, Tx};
use crate::value::{Row, ValueRef, from_sqlite};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// The SQLite side of a transaction.
pub(crate) struct Link {
    pub(crate) conn: Connection,
    texts: HashMap<Place, String>,
}

impl Link {
    pub(crate) fn new(conn: Connection) -> Self {
        Self { conn, texts: HashMap::new() }
    }
}

/// Opens the file and starts its threads.
pub(crate) fn start(
    path: &Path,
    config: &DbConfig,
    (writes, reads, counters): (Arc<Lanes>, Arc<Lanes>, Arc<Counters>),
) -> Result<Threads, StoreError> {
    if !path.exists() {
        return Err(migration::missing());
    }
    let lock = lock_folder(path)?;
    let conn = open::writable(path)?;
    migration::check_sqlite(&conn)?;
    open::forget_leases(&conn)?;
    let bell = Arc::new(Bell::new());
    let mut workers = Vec::new();
    for number in 0..config.readers.max(1) {
        let tx = Tx::over(TxLink::Sqlite(Link::new(open::readable(path)?)));
        let (lanes, counters) = (Arc::clone(&reads), Arc::clone(&counters));
        workers.push(spawn(&format!("store-read-{number}"), move || read_on(tx, &lanes, &counters))?);
    }
    let checkpointer = checkpoint::Checkpointer::new(open::writable(path)?, path, Arc::clone(&counters));
    let pressure = checkpointer.pressure();
    let run = {
        let bell = Arc::clone(&bell);
        spawn("store-checkpoint", move || checkpointer.run(&bell))?
    };
    let writer = writer::Writer::new(conn, config.batch_max, counters, Arc::clone(&bell), pressure)?;
    workers.push(spawn("store-write", move || writer.run(&writes))?);
    Ok(Threads { workers, checkpointer: Some((bell, run)), lock: Some(lock) })
}

fn read_on(mut tx: Tx, lanes: &Lanes, counters: &Counters) {
    let mut taken = Vec::with_capacity(1);
    while lanes.take(&mut taken, 1) {
        for mut job in taken.drain(..) {
            add(&counters.reads, 1);
            let fate = command(&mut tx, "BEGIN").and_then(|()| {
                let (Ran::Keep | Ran::Undo) = job.run(&mut tx);
                command(&mut tx, "ROLLBACK")
            });
            add(&counters.statements, tx.take_statements());
            job.answer(fate);
        }
    }
}

/// Runs a transaction command (BEGIN, COMMIT, SAVEPOINT …) on the bare connection.
pub(crate) fn command(tx: &mut Tx, text: &str) -> Result<(), StoreError> {
    match tx.link() {
        TxLink::Sqlite(link) => match run(&link.conn, text, &[]) {
            Ok(_) => Ok(()),
            Err(doom) => Err(doom.error().clone()),
        },
        TxLink::Postgres(_) => Err(StoreError::unavailable("not a SQLite connection")),
    }
}

/// Runs a statement without rows.
pub(crate) fn execute(link: &mut Link, statement: &Statement, params: &[ValueRef<'_>]) -> Result<u64, Doom> {
    inside(&link.conn)?;
    let text = link.texts.entry(statement.place()).or_insert_with(|| statement.text(Engine::Sqlite));
    run(&link.conn, text, params)
}

/// Runs a statement and reads all of its rows.
pub(crate) fn query(
    link: &mut Link,
    statement: &Statement,
    params: &[ValueRef<'_>],
) -> Result<Vec<Row>, Doom> {
    inside(&link.conn)?;
    let text = link.texts.entry(statement.place()).or_insert_with(|| statement.text(Engine::Sqlite));
    rows_of(&link.conn, text, params)
}

/// As [`query`], for a text in SQLite's own dialect.
pub(crate) fn query_text(link: &mut Link, text: &str, params: &[ValueRef<'_>]) -> Result<Vec<Row>, Doom> {
    inside(&link.conn)?;
    rows_of(&link.conn, text, params)
}

/// No statement of a body runs outside its transaction: when the engine ended that one by itself
/// (a full disk does), the next statement would be committed alone.
fn inside(conn: &Connection) -> Result<(), Doom> {
    if conn.is_autocommit() {
        return Err(Doom::Lost(StoreError::unavailable("the engine ended the shared transaction")));
    }
    Ok(())
}

fn run(conn: &Connection, text: &str, params: &[ValueRef<'_>]) -> Result<u64, Doom> {
    let touched = || {
        let mut statement = conn.prepare_cached(text)?;
        bind(&mut statement, params)?;
        statement.raw_execute()
    };
    let touched = touched().map_err(|error| doom(conn, error))?;
    Ok(u64::try_from(touched).unwrap_or(u64::MAX))
}

fn rows_of(conn: &Connection, text: &str, params: &[ValueRef<'_>]) -> Result<Vec<Row>, Doom> {
    let read = || -> Result<Result<Vec<Row>, StoreError>, rusqlite::Error> {
        let mut statement = conn.prepare_cached(text)?;
        bind(&mut statement, params)?;
        let width = statement.column_count();
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(width);
            for column in 0..width {
                match from_sqlite(row.get_ref(column)?) {
                    Ok(value) => values.push(value),
                    Err(error) => return Ok(Err(error)),
                }
            }
            found.push(Row::new(values));
        }
        Ok(Ok(found))
    };
    read().map_err(|error| doom(conn, error))?.map_err(Doom::Refused)
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[ValueRef<'_>]) -> rusqlite::Result<()> {
    for (index, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, param)?;
    }
    Ok(())
}
