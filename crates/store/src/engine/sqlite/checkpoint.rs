//! Checkpoints: the log is copied into the database by a thread of its own, so that no caller
//! waits for it, and the writer starts the log over when it has grown long.

use super::open::BUSY_WAIT;
use crate::error::StoreError;
use crate::lanes::{Bell, Rung};
use crate::metrics::{Counters, add};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest pause between two looks at the log.
const PAUSE: Duration = Duration::from_secs(1);
/// Frames (4 KiB each) from which the writer is asked to start the log over: 64 MiB.
const LOG_FRAMES_MAX: i64 = 16_384;

/// Raised when the log should start over; the writer lowers it.
pub(super) type Pressure = Arc<AtomicBool>;

/// The thread's state.
pub(super) struct Checkpointer {
    conn: Connection,
    path: PathBuf,
    counters: Arc<Counters>,
    pressure: Pressure,
}

impl Checkpointer {
    pub(super) fn new(conn: Connection, path: &Path, counters: Arc<Counters>) -> Self {
        Self { conn, path: path.to_owned(), counters, pressure: Arc::default() }
    }

    pub(super) fn pressure(&self) -> Pressure {
        Arc::clone(&self.pressure)
    }

    /// Checkpoints after every ring and every pause, and at the end once for all.
    pub(super) fn run(self, bell: &Bell) {
        loop {
            let rung = bell.wait(PAUSE);
            let mode = if rung == Rung::Stop { "TRUNCATE" } else { "PASSIVE" };
            match checkpoint(&self.conn, mode) {
                Ok(frames) => {
                    add(&self.counters.checkpoints, 1);
                    if frames > LOG_FRAMES_MAX {
                        self.pressure.store(true, Ordering::Release);
                    }
                }
                Err(error) => tracing::warn!(path = %self.path.display(), %error, "a checkpoint failed"),
            }
            if rung == Rung::Stop {
                return;
            }
        }
    }
}

/// Starts the log over unless somebody still reads from it, and waits for nobody: a backup or a
/// proof of the chains reads for minutes, and all writes would wait with it. The checkpointer asks
/// again after its next look.
pub(super) fn try_restart(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(Duration::ZERO).map_err(StoreError::unavailable)?;
    let tried = checkpoint(conn, "RESTART");
    conn.busy_timeout(BUSY_WAIT).map_err(StoreError::unavailable)?;
    tried.map(|_| ())
}

/// Runs one checkpoint; the frames the log still holds.
fn checkpoint(conn: &Connection, mode: &str) -> Result<i64, StoreError> {
    conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(1))
        .map_err(StoreError::unavailable)
}
