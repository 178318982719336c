//! PostgreSQL: a few worker threads, each with its own runtime and its own connection.
//!
//! Every statement and every COMMIT is under a deadline of ours, because a frozen host keeps the
//! connection alive and a server's own time-out does not fire while a commit waits for a standby.
//! When a deadline passes, the connection is dropped, never cancelled: a cancelled COMMIT answers
//! as if it had succeeded.

mod connect;
mod refusal;
mod session;
mod tls;

pub(crate) use session::Session;

use crate::config::DbConfig;
use crate::engine::{Threads, spawn};
use crate::error::StoreError;
use crate::lanes::{Lanes, Ran, Waiting};
use crate::metrics::{Counters, add};
use crate::migration::{self, MigrationReport};
use crate::sql::Engine;
use crate::tx::{Doom, Link as TxLink, Tx};
use connect::Target;
use session::{Commit, Mode};
use std::sync::Arc;
use std::time::Duration;

/// Tries of one transaction body in all.
const TRIES_MAX: u32 = 5;
/// The first pause between two tries; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Checks that the schema is right and starts the workers.
pub(crate) fn start(
    url: &str,
    config: &DbConfig,
    (writes, reads, counters): (Arc<Lanes>, Arc<Lanes>, Arc<Counters>),
) -> Result<Threads, StoreError> {
    let target = Arc::new(Target::parse(url, config)?);
    let mut first = Session::new(Arc::clone(&target), config)?;
    migration::check(first.schema_version()?)?;
    let mut sessions = vec![first];
    let wanted = config.workers.max(1) + config.readers.max(1);
    while sessions.len() < wanted {
        sessions.push(Session::new(Arc::clone(&target), config)?);
    }
    let mut workers = Vec::with_capacity(wanted);
    for (number, session) in sessions.into_iter().enumerate() {
        let tx = Tx::over(TxLink::Postgres(Box::new(session)));
        let (mode, lanes) = if number < config.workers.max(1) {
            (Mode::Write, Arc::clone(&writes))
        } else {
            (Mode::Read, Arc::clone(&reads))
        };
        let worker = Worker { tx, mode, counters: Arc::clone(&counters), number };
        workers.push(spawn(&format!("store-worker-{number}"), move || worker.run(&lanes))?);
    }
    Ok(Threads { workers, checkpointer: None, lock: None })
}

/// Brings the schema of the read-write server to the version this program needs.
pub(crate) fn migrate(url: &str, config: &DbConfig) -> Result<MigrationReport, StoreError> {
    let target = Arc::new(Target::parse(url, config)?);
    let mut session = Session::new(target, config)?;
    migration::refuse_newer(session.schema_version()?)?;
    let report = session.migrate(&migration::runner(Engine::Postgres)?)?;
    Ok(migration::applied(&report, session.schema_version()?))
}

/// What one try of a body came to.
enum Attempt {
    /// It is decided: answer with this fate.
    Decided(Result<(), StoreError>),
    /// The engine asks for another try on this connection.
    Again(StoreError),
    /// Nothing was committed and the connection is gone: try on a new one.
    Elsewhere(StoreError),
}

struct Worker {
    tx: Tx,
    mode: Mode,
    counters: Arc<Counters>,
    number: usize,
}

impl Worker {
    fn run(mut self, lanes: &Lanes) {
        let mut taken = Vec::with_capacity(1);
        while lanes.take(&mut taken, 1) {
            for mut job in taken.drain(..) {
                let fate = self.serve(&mut job);
                add(&self.counters.statements, self.tx.take_statements());
                match self.mode {
                    Mode::Write => {
                        add(&self.counters.writes, 1);
                        add(&self.counters.commits, 1);
                    }
                    Mode::Read => add(&self.counters.reads, 1),
                }
                match &fate {
                    Ok(()) => {}
                    Err(StoreError::OutcomeUnknown { detail }) => {
                        add(&self.counters.outcomes_unknown, 1);
                        tracing::error!(%detail, "the outcome of a commit is unknown");
                    }
                    Err(error) => {
                        add(&self.counters.transactions_lost, 1);
                        tracing::warn!(%error, "a transaction was given up");
                    }
                }
                job.answer(fate);
            }
        }
    }

    /// Runs a body until it is decided, at most [`TRIES_MAX`] times.
    fn serve(&mut self, job: &mut Waiting) -> Result<(), StoreError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let (counter, error) = match self.attempt(job) {
                Attempt::Decided(fate) => return fate,
                Attempt::Again(error) => (&self.counters.retries, error),
                Attempt::Elsewhere(error) => (&self.counters.reconnects, error),
            };
            add(counter, 1);
            if tried >= TRIES_MAX {
                return Err(error);
            }
            self.pause(tried);
        }
    }

    fn attempt(&mut self, job: &mut Waiting) -> Attempt {
        if let Err(error) = self.session(|session, mode| session.begin(mode)) {
            return Attempt::Elsewhere(error);
        }
        let ran = job.run(&mut self.tx);
        match (self.tx.doom().cloned(), ran) {
            (Some(Doom::Lost(error)), _) => {
                self.drop_connection();
                Attempt::Elsewhere(error)
            }
            (Some(Doom::Retry(error)), _) => {
                self.roll_back();
                Attempt::Again(error)
            }
            (Some(Doom::Refused(_)) | None, Ran::Undo) => {
                self.roll_back();
                Attempt::Decided(Ok(()))
            }
            (Some(Doom::Refused(_)) | None, Ran::Keep) => self.commit(),
        }
    }

    fn commit(&mut self) -> Attempt {
        let outcome = match self.tx.link() {
            TxLink::Postgres(session) => session.commit(),
            TxLink::Sqlite(_) => Commit::Unsent(StoreError::unavailable("not a PostgreSQL connection")),
        };
        match outcome {
            Commit::Done => Attempt::Decided(Ok(())),
            Commit::Unsent(error) => Attempt::Elsewhere(error),
            Commit::Refused(Doom::Retry(error)) => Attempt::Again(error),
            Commit::Refused(Doom::Refused(error) | Doom::Lost(error)) => Attempt::Decided(Err(error)),
            Commit::Unknown(error) => Attempt::Decided(Err(error)),
        }
    }

    fn session<T>(
        &mut self,
        act: impl FnOnce(&mut Session, Mode) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.tx.link() {
            TxLink::Postgres(session) => act(session, self.mode),
            TxLink::Sqlite(_) => Err(StoreError::unavailable("not a PostgreSQL connection")),
        }
    }

    fn roll_back(&mut self) {
        if let TxLink::Postgres(session) = self.tx.link() {
            session.roll_back();
        }
    }

    fn drop_connection(&mut self) {
        if let TxLink::Postgres(session) = self.tx.link() {
            session.drop_connection();
        }
    }

    /// Waits a little before the next try, each worker a little differently, so that two which
    /// met in a deadlock do not meet again.
    fn pause(&self, tried: u32) {
        let spread = u64::try_from(self.number % 16).unwrap_or(0);
        std::thread::sleep(FIRST_PAUSE * 2_u32.pow(tried.min(4)) + Duration::from_millis(3 * spread));
    }
}
