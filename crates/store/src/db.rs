//! `Db`: the door to the store. Transaction bodies go in, results come out.

use crate::config::{DbConfig, Location};
use crate::engine::{Threads, postgres, sqlite};
use crate::error::StoreError;
use crate::lanes::{Job, Lane, Lanes, Ran};
use crate::metrics::{Counters, Metrics, add};
use crate::migration::{self, MigrationReport};
use crate::sql::Engine;
use crate::tx::Tx;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The store: a handle that is cheap to clone. The last one to be dropped closes it.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    writes: Arc<Lanes>,
    reads: Arc<Lanes>,
    counters: Arc<Counters>,
    threads: Mutex<Option<Threads>>,
    budget: Duration,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("engine", &self.inner.engine).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens the store. It never migrates: a wrong schema is refused with the remedy. On SQLite
    /// it takes the lock of the data folder, so that one process owns it.
    ///
    /// # Errors
    /// [`StoreError::WrongSchema`], [`StoreError::InUse`], [`StoreError::Unavailable`],
    /// [`StoreError::Config`].
    pub fn open(config: &DbConfig) -> Result<Self, StoreError> {
        let writes = Arc::new(Lanes::new(config.queue_max));
        let reads = Arc::new(Lanes::new(config.queue_max));
        let counters = Arc::new(Counters::default());
        let parts = (Arc::clone(&writes), Arc::clone(&reads), Arc::clone(&counters));
        let threads = match &config.location {
            Location::Sqlite { path } => sqlite::start(path, config, parts)?,
            Location::Postgres { url } => postgres::start(url, config, parts)?,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine: config.location.engine(),
                writes,
                reads,
                counters,
                threads: Mutex::new(Some(threads)),
                budget: config.closure_budget,
            }),
        })
    }

    /// Brings the schema to the version this program was built for; creates the SQLite file.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a server has the folder open, [`StoreError::WrongSchema`] when
    /// the database is newer than the program, and the engine's own failures.
    pub fn migrate(config: &DbConfig) -> Result<MigrationReport, StoreError> {
        migration::migrate(config)
    }

    /// The engine behind this store.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// Runs `f` in a write transaction and answers after its commit.
    ///
    /// `f` is `Fn` because an engine retry runs it again: make ids, moments and random bytes
    /// before, and capture them. When it returns an error or panics, what it wrote is undone.
    /// Once the call has begun, dropping the future does not stop the transaction.
    ///
    /// # Errors
    /// What `f` returned, or the store's own failure made into an `E`.
    pub async fn write<R, E, F>(&self, f: F) -> Result<R, E>
    where
        F: Fn(&mut Tx) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        settle(self.submit(&self.inner.writes, Lane::Ordinary, f).await)
    }

    /// As [`Db::write`], ahead of everything that is not a payment.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_first<R, E, F>(&self, f: F) -> Result<R, E>
    where
        F: Fn(&mut Tx) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        settle(self.submit(&self.inner.writes, Lane::First, f).await)
    }

    /// Runs `f` over one consistent snapshot; it cannot write.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn read<R, E, F>(&self, f: F) -> Result<R, E>
    where
        F: Fn(&mut Tx) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        settle(self.submit(&self.inner.reads, Lane::Ordinary, f).await)
    }

    /// As [`Db::write`] for a thread that may wait (command line, tests without a runtime).
    /// Panics when called from asynchronous code, as every blocking wait must.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<R, E, F>(&self, f: F) -> Result<R, E>
    where
        F: Fn(&mut Tx) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        settle(self.submit(&self.inner.writes, Lane::Ordinary, f).blocking_recv())
    }

    /// As [`Db::read`] for a thread that may wait. Panics when called from asynchronous code.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn read_blocking<R, E, F>(&self, f: F) -> Result<R, E>
    where
        F: Fn(&mut Tx) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        settle(self.submit(&self.inner.reads, Lane::Ordinary, f).blocking_recv())
    }

    /// Whether the store answers now.
    ///
    /// # Errors
    /// The reason why it does not.
    pub async fn health(&self) -> Result<(), StoreError> {
        self.read(|tx| crate::setting::get(tx, "health").map(|_| ())).await
    }

    /// The counters at this moment.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let depth = |lanes: &Lanes| u64::try_from(lanes.depth()).unwrap_or(u64::MAX);
        self.inner.counters.snapshot(depth(&self.inner.writes), depth(&self.inner.reads))
    }

    /// Finishes what waits, refuses what comes, stops the threads and gives up the lock.
    pub fn close(&self) {
        self.inner.close();
    }

    fn submit<R, E, F>(&self, lanes: &Lanes, lane: Lane, f: F) -> oneshot::Receiver<Result<R, E>>
    where
        F: Fn(&mut Tx) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let body = Body {
            f,
            out: None,
            reply: Some(reply),
            counters: Arc::clone(&self.inner.counters),
            budget: self.inner.budget,
        };
        let counters = &self.inner.counters;
        lanes.push(lane, Box::new(body)).unwrap_or_else(|(job, error)| {
            if error == StoreError::Overloaded {
                add(&counters.overloaded, 1);
            }
            job.answer(Err(error));
        });
        answer
    }
}

impl Inner {
    fn close(&self) {
        self.writes.close();
        self.reads.close();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(threads) = threads {
            threads.stop();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn settle<R, E: From<StoreError>>(answer: Result<Result<R, E>, oneshot::error::RecvError>) -> Result<R, E> {
    answer.unwrap_or_else(|_| Err(E::from(StoreError::unknown("the store's worker ended without an answer"))))
}

/// A transaction body on its way through the queue.
struct Body<R, E, F> {
    f: F,
    out: Option<Result<R, E>>,
    reply: Option<oneshot::Sender<Result<R, E>>>,
    counters: Arc<Counters>,
    budget: Duration,
}

impl<R, E, F> Job for Body<R, E, F>
where
    F: Fn(&mut Tx) -> Result<R, E> + Send,
    R: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx) -> Ran {
        tx.clear_doom();
        let begun = Instant::now();
        let result = match catch_unwind(AssertUnwindSafe(|| (self.f)(tx))) {
            Ok(result) => result,
            Err(panic) => {
                add(&self.counters.panics, 1);
                Err(E::from(StoreError::Panicked { detail: panic_text(panic.as_ref()) }))
            }
        };
        let took = begun.elapsed();
        if took > self.budget {
            add(&self.counters.slow_closures, 1);
            tracing::warn!(
                duration_ms = took.as_millis(),
                body = std::any::type_name::<F>(),
                "a transaction body was slow"
            );
        }
        let result = match (result, tx.doom()) {
            (Ok(_), Some(doom)) => Err(E::from(doom.error().clone())),
            (result, _) => result,
        };
        let ran = if result.is_ok() { Ran::Keep } else { Ran::Undo };
        self.out = Some(result);
        ran
    }

    fn answer(mut self: Box<Self>, fate: Result<(), StoreError>) {
        let answer = match (fate, self.out.take()) {
            (Ok(()), Some(out)) => out,
            (Ok(()), None) => Err(E::from(StoreError::unavailable("the transaction body was not run"))),
            (Err(error), _) => Err(E::from(error)),
        };
        if let Some(reply) = self.reply.take() {
            // The caller may have gone away; its transaction was finished all the same.
            drop(reply.send(answer));
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
