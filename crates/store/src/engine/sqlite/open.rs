//! Connections to the file, and the lock of its folder.

use crate::error::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the lock file beside the database.
const LOCK_FILE: &str = "starpay.lock";
/// How long a connection waits for another one's lock; only a checkpoint ever holds one.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection: more than the catalogue holds.
const STATEMENTS_KEPT: usize = 512;

/// Takes the lock of the folder a database file lives in.
pub(crate) fn lock_folder(path: &Path) -> Result<File, StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let lock_path: PathBuf = folder.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| StoreError::unavailable(format_args!("{}: {error}", lock_path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: lock_path.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(StoreError::unavailable(error)),
    }
}

/// A connection that writes: durable at every commit, checkpoints left to their own thread.
pub(crate) fn writable(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open(path).map_err(StoreError::unavailable)?;
    prepare(
        &conn,
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    Ok(conn)
}

/// A connection that cannot write.
pub(super) fn readable(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(StoreError::unavailable)?;
    prepare(
        &conn,
        "PRAGMA query_only = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    Ok(conn)
}

fn prepare(conn: &Connection, settings: &str) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY_WAIT).map_err(StoreError::unavailable)?;
    conn.execute_batch(settings).map_err(StoreError::unavailable)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// Ends the leases of the process before: it is dead, or we would not hold the folder's lock.
pub(super) fn forget_leases(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "UPDATE outbox SET lease_until = 0 WHERE state = 'waiting' AND lease_until > 0;
         UPDATE job SET lease_until = 0 WHERE state = 'waiting' AND lease_until > 0;",
    )
    .map_err(StoreError::unavailable)
}
