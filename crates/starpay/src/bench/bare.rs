//! The bare engines, driven by hand as well as they can be by somebody who writes for this one
//! statement only.
//!
//! *SQLite*: one thread, one prepared statement, as many rows per commit as there are callers (at
//! most 256), write-ahead log, `synchronous=FULL`. There is no faster durable way into the file,
//! and no caller is woken: our figure beside it pays for answering each one.
//! *PostgreSQL*: one connection per caller (at most 64: more is slower on a small machine), each
//! BEGIN, one prepared INSERT, COMMIT, so that the server's own group commit does what it can.

use super::load::{Numbers, Rate, rate};
use crate::Failure;
use starpay_store::Engine;
use starpay_store::measure::{SMALL, SMALL_BODY};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

/// Connections the bare PostgreSQL client opens at most.
const CONNECTIONS_MAX: usize = 64;
/// Rows of one bare SQLite commit at most, as in the store.
const BATCH_MAX: usize = 256;

/// The bare SQLite figure.
pub(super) fn sqlite(
    path: &Path,
    callers: usize,
    length: Duration,
    numbers: &Numbers,
) -> Result<Rate, Failure> {
    sqlite_loop(path, callers.min(BATCH_MAX), length, numbers)
        .map_err(|error| Failure::failed(format!("bare SQLite: {error}")))
}

fn sqlite_loop(
    path: &Path,
    batch: usize,
    length: Duration,
    numbers: &Numbers,
) -> Result<Rate, rusqlite::Error> {
    let conn = rusqlite::Connection::open(path)?;
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;")?;
    let mut begin = conn.prepare("BEGIN IMMEDIATE")?;
    let mut insert = conn.prepare(&SMALL.text(Engine::Sqlite))?;
    let mut commit = conn.prepare("COMMIT")?;
    let (begun, mut waits) = (Instant::now(), Vec::new());
    while begun.elapsed() < length {
        let asked = Instant::now();
        begin.execute([])?;
        for _ in 0..batch {
            let next = numbers.next();
            let (id, merchant) = (next.id.as_bytes().as_slice(), next.merchant.as_bytes().as_slice());
            insert.execute(rusqlite::params![id, merchant, 100_i64, SMALL_BODY])?;
        }
        commit.execute([])?;
        waits.extend(std::iter::repeat_n(asked.elapsed(), batch));
    }
    Ok(rate(waits, begun.elapsed()))
}

/// The bare PostgreSQL figure.
pub(super) fn postgres(
    runtime: &Runtime,
    url: &str,
    callers: usize,
    length: Duration,
    numbers: &Numbers,
) -> Result<Rate, Failure> {
    runtime
        .block_on(postgres_callers(url, callers.min(CONNECTIONS_MAX), length, numbers))
        .map_err(|error| Failure::failed(format!("bare PostgreSQL: {error}")))
}

async fn postgres_callers(
    url: &str,
    callers: usize,
    length: Duration,
    numbers: &Numbers,
) -> Result<Rate, tokio_postgres::Error> {
    let (mut clients, mut drivers) = (Vec::new(), JoinSet::new());
    for _ in 0..callers {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        drivers.spawn(connection);
        let insert = client.prepare(&SMALL.text(Engine::Postgres)).await?;
        clients.push((client, insert));
    }
    let begun = Instant::now();
    let end = begun + length;
    let mut tasks = JoinSet::new();
    for (client, insert) in clients {
        let numbers = numbers.clone();
        tasks.spawn(async move {
            let mut waits = Vec::new();
            while Instant::now() < end {
                let asked = Instant::now();
                let next = numbers.next();
                let (id, merchant) = (next.id.as_bytes().as_slice(), next.merchant.as_bytes().as_slice());
                client.batch_execute("BEGIN").await?;
                client.execute(&insert, &[&id, &merchant, &100_i64, &SMALL_BODY]).await?;
                client.batch_execute("COMMIT").await?;
                waits.push(asked.elapsed());
            }
            Ok::<_, tokio_postgres::Error>(waits)
        });
    }
    let mut waits = Vec::new();
    while let Some(done) = tasks.join_next().await {
        waits.extend(done.unwrap_or_else(|_| Ok(Vec::new()))?);
    }
    let elapsed = begun.elapsed();
    drivers.shutdown().await;
    Ok(rate(waits, elapsed))
}
