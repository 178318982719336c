//! The one writer: what gathered while the last commit was under way goes into the next.
//!
//! The sync, not the row, is what a commit costs; so many closures share one. Each runs in a
//! savepoint, so that its failure or panic undoes its own writes only; each is answered after the
//! commit, so that an answer is never ahead of the disk.

use super::checkpoint::{Pressure, try_restart};
use super::{Link, command};
use crate::error::StoreError;
use crate::lanes::{Bell, Lanes, Ran, Rung, Waiting};
use crate::metrics::{Counters, add, raise};
use crate::tx::{Doom, Link as TxLink, Tx};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pages the log grows by before the checkpointer is called: 16 MiB. A page that was written
/// many times in between is copied once.
const CHECKPOINT_PAGES: usize = 4000;

/// The writer thread's state.
pub(super) struct Writer {
    tx: Tx,
    batch_max: usize,
    counters: Arc<Counters>,
    bell: Arc<Bell>,
    pressure: Pressure,
    /// Pages in the log after the last commit, told by the engine.
    log_pages: Arc<AtomicUsize>,
    /// Pages in the log when the checkpointer was last called.
    called_at: usize,
}

impl Writer {
    pub(super) fn new(
        mut conn: Connection,
        batch_max: usize,
        counters: Arc<Counters>,
        bell: Arc<Bell>,
        pressure: Pressure,
    ) -> Result<Self, StoreError> {
        let log_pages = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&log_pages);
        conn.wal_hook(Some(move |_: &mut Wal, pages: c_int| {
            told.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
        .map_err(StoreError::unavailable)?;
        let tx = Tx::over(TxLink::Sqlite(Link::new(conn)));
        Ok(Self { tx, batch_max: batch_max.max(1), counters, bell, pressure, log_pages, called_at: 0 })
    }

    /// Works until the lanes are closed and empty.
    pub(super) fn run(mut self, lanes: &Lanes) {
        let mut batch = Vec::with_capacity(self.batch_max);
        while lanes.take(&mut batch, self.batch_max) {
            self.restart_long_log();
            let size = batch.len();
            let fate = self.transact(&mut batch);
            add(&self.counters.writes, size);
            add(&self.counters.statements, self.tx.take_statements());
            add(&self.counters.commits, 1);
            raise(&self.counters.batch_largest, size);
            if let Err(error) = &fate {
                add(&self.counters.transactions_lost, 1);
                tracing::error!(%error, members = size, "a shared transaction died");
            }
            let waiting = lanes.depth();
            for job in batch.drain(..) {
                job.answer(fate.clone());
            }
            self.call_checkpointer();
            if size > 1 {
                lanes.let_gather(self.batch_max.min(waiting + size));
            }
        }
    }

    fn call_checkpointer(&mut self) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < self.called_at {
            // The log started over.
            self.called_at = 0;
        }
        if pages >= self.called_at + CHECKPOINT_PAGES {
            self.called_at = pages;
            self.bell.ring(Rung::Work);
        }
    }

    /// One `BEGIN IMMEDIATE … COMMIT` around the batch. An error is the death of all of it.
    fn transact(&mut self, batch: &mut [Waiting]) -> Result<(), StoreError> {
        command(&mut self.tx, "BEGIN IMMEDIATE")?;
        let kept = match batch {
            [only] => self.alone(only),
            many => self.together(many),
        };
        let done = kept.and_then(|ran| match ran {
            Ran::Keep => command(&mut self.tx, "COMMIT"),
            Ran::Undo => command(&mut self.tx, "ROLLBACK"),
        });
        if done.is_err() && !self.is_autocommit() {
            // The engine did not end the transaction by itself. A failure here leaves it to the
            // next BEGIN, which then fails too and says so.
            drop(command(&mut self.tx, "ROLLBACK"));
        }
        done
    }

    /// A closure that has the transaction to itself needs no savepoint.
    fn alone(&mut self, job: &mut Waiting) -> Result<Ran, StoreError> {
        let ran = job.run(&mut self.tx);
        self.alive().map(|()| ran)
    }

    fn together(&mut self, batch: &mut [Waiting]) -> Result<Ran, StoreError> {
        for job in batch {
            command(&mut self.tx, "SAVEPOINT member")?;
            let ran = job.run(&mut self.tx);
            self.alive()?;
            if ran == Ran::Undo {
                command(&mut self.tx, "ROLLBACK TO member")?;
            }
            command(&mut self.tx, "RELEASE member")?;
        }
        Ok(Ran::Keep)
    }

    /// The outer transaction is dead when the engine ended it (a full disk does) or when the
    /// connection failed in a way that another statement cannot mend.
    fn alive(&self) -> Result<(), StoreError> {
        match self.tx.doom() {
            Some(Doom::Lost(error)) => Err(error.clone()),
            Some(Doom::Refused(_) | Doom::Retry(_)) | None if self.is_autocommit() => {
                Err(StoreError::unavailable("the engine ended the shared transaction"))
            }
            Some(Doom::Refused(_) | Doom::Retry(_)) | None => Ok(()),
        }
    }

    fn is_autocommit(&self) -> bool {
        match self.tx.link_ref() {
            TxLink::Sqlite(link) => link.conn.is_autocommit(),
            TxLink::Postgres(_) => true,
        }
    }

    /// When the log has grown long although the checkpointer keeps up, the writer lets it start
    /// from the beginning, as soon as nobody reads from it.
    fn restart_long_log(&self) {
        if !self.pressure.swap(false, Ordering::AcqRel) {
            return;
        }
        if let TxLink::Sqlite(link) = self.tx.link_ref()
            && let Err(error) = try_restart(&link.conn)
        {
            tracing::warn!(%error, "the write-ahead log could not start over");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Db, DbConfig, StoreError, setting};
    use starpay_domain::instant::Timestamp;
    use std::path::Path;
    use std::sync::{Arc, Barrier};
    use std::time::{Duration, Instant};

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn open(folder: &tempfile::TempDir) -> Db {
        let config = DbConfig::parse(folder.path().join("a.db").to_str().unwrap()).unwrap();
        Db::migrate(&config).unwrap();
        Db::open(&config).unwrap()
    }

    /// Eight bodies in one shared transaction; the sixth runs `fault`.
    fn eight_with(db: &Db, fault: &'static str) -> Vec<Result<(), StoreError>> {
        let gate = Arc::new(Barrier::new(2));
        let inner = Arc::clone(&gate);
        let first = db.clone();
        let holder = std::thread::spawn(move || {
            first.write_blocking(move |_| {
                inner.wait();
                inner.wait();
                Ok::<(), StoreError>(())
            })
        });
        gate.wait();
        let mut threads = Vec::new();
        for number in 0..8 {
            let member = db.clone();
            threads.push(std::thread::spawn(move || {
                member.write_blocking(move |tx| {
                    if number == 5 {
                        tx.query_text(fault, &[])?;
                    }
                    setting::fix(tx, &format!("key {number}"), &"x".repeat(60_000), NOW).map(|_| ())
                })
            }));
            while db.metrics().write_queue_depth < number + 1 {
                std::thread::yield_now();
            }
        }
        gate.wait();
        holder.join().unwrap().unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }

    fn settings(db: &Db) -> usize {
        let keys = |tx: &mut crate::Tx| {
            (0..8).try_fold(0, |sum, number| {
                Ok::<_, StoreError>(sum + usize::from(setting::get(tx, &format!("key {number}"))?.is_some()))
            })
        };
        db.read_blocking(keys).unwrap()
    }

    #[test]
    fn the_death_of_a_shared_transaction_reaches_every_member() {
        let folder = tempfile::TempDir::new().unwrap();
        let db = open(&folder);
        for fault in ["ROLLBACK", "PRAGMA max_page_count = 1"] {
            let results = eight_with(&db, fault);
            for result in &results {
                assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{fault}: {result:?}");
            }
            assert_eq!(settings(&db), 0, "{fault}");
        }
        db.write_blocking(|tx| tx.query_text("PRAGMA max_page_count = 100000", &[])).unwrap();
        assert!(eight_with(&db, "SELECT 1").iter().all(Result::is_ok), "the writer goes on");
        assert_eq!((settings(&db), db.metrics().transactions_lost), (8, 2));
    }

    /// Writes so many megabytes in one transaction; how long that took.
    fn fill(db: &Db, name: &str, megabytes: usize) -> Duration {
        let (started, name) = (Instant::now(), name.to_owned());
        let text = "x".repeat(1_000_000);
        let filled = db.write_blocking(move |tx| {
            (0..megabytes)
                .try_for_each(|number| setting::fix(tx, &format!("{name} {number}"), &text, NOW).map(drop))
        });
        filled.map_err(|error: StoreError| error).unwrap();
        started.elapsed()
    }

    #[test]
    fn no_write_waits_for_a_reader_so_that_the_log_may_start_over() {
        let folder = tempfile::TempDir::new().unwrap();
        let db = open(&folder);
        let log_len = || std::fs::metadata(Path::new(folder.path()).join("a.db-wal")).unwrap().len();
        let gate = Arc::new(Barrier::new(2));
        let (reading, inner) = (db.clone(), Arc::clone(&gate));
        let reader = std::thread::spawn(move || {
            reading.read_blocking(move |tx| {
                setting::get(tx, "a backup begins")?;
                inner.wait();
                inner.wait();
                Ok::<_, StoreError>(())
            })
        });
        gate.wait();
        fill(&db, "long", 70);
        assert!(log_len() > 64 * 1024 * 1024);
        // The checkpointer looks every second, and asks every time.
        let started = Instant::now();
        let mut longest = Duration::ZERO;
        for number in 0.. {
            longest = longest.max(fill(&db, &format!("while read {number}"), 1));
            if started.elapsed() > Duration::from_millis(2500) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        gate.wait();
        reader.join().unwrap().unwrap();
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        // Once nobody reads, the log starts over and grows no more.
        let grows = |number: usize| {
            let before = log_len();
            fill(&db, &format!("after {number}"), 1);
            log_len() > before
        };
        let over = (0..200).any(|number| {
            std::thread::sleep(Duration::from_millis(50));
            !grows(number)
        });
        assert!(over);
    }
}
