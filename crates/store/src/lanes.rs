//! The bounded queue in front of the workers: payments first, the rest behind.

use crate::error::StoreError;
use crate::tx::Tx;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Closures of the ordinary lane that ride in every full batch, so that a flood of payments
/// cannot stop everything else for good.
const ORDINARY_SHARE: usize = 16;

/// How long a commit's callers may stay away before the next commit begins without them.
const GRACE: Duration = Duration::from_micros(30);

/// Which lane a closure waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Payments.
    First,
    /// Everything else.
    Ordinary,
}

/// What a transaction body left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It succeeded: commit.
    Keep,
    /// It failed or panicked: undo its writes, answer with its own error.
    Undo,
}

/// A waiting transaction body with the way back to its caller.
pub(crate) trait Job: Send {
    /// Runs the body and keeps what it returned. May be called again after an engine retry.
    fn run(&mut self, tx: &mut Tx) -> Ran;
    /// Ends the wait of the caller: with what the body returned, or with the fate of the
    /// transaction around it.
    fn answer(self: Box<Self>, fate: Result<(), StoreError>);
}

pub(crate) type Waiting = Box<dyn Job>;

struct Inner {
    first: VecDeque<Waiting>,
    ordinary: VecDeque<Waiting>,
    /// Workers that wait; nobody is woken when nobody sleeps, which saves a system call each.
    asleep: usize,
    open: bool,
}

/// The queue itself.
pub(crate) struct Lanes {
    inner: Mutex<Inner>,
    ready: Condvar,
    max: usize,
}

impl Lanes {
    pub(crate) fn new(max: usize) -> Self {
        let inner = Inner { first: VecDeque::new(), ordinary: VecDeque::new(), asleep: 0, open: true };
        Self { inner: Mutex::new(inner), ready: Condvar::new(), max }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a body at the end of its lane; each lane has the bound for itself.
    /// A refused body is handed back.
    pub(crate) fn push(&self, lane: Lane, job: Waiting) -> Result<(), (Waiting, StoreError)> {
        let mut inner = self.lock();
        if !inner.open {
            return Err((job, StoreError::unavailable("the store is closing")));
        }
        let queue = match lane {
            Lane::First => &mut inner.first,
            Lane::Ordinary => &mut inner.ordinary,
        };
        if queue.len() >= self.max {
            return Err((job, StoreError::Overloaded));
        }
        queue.push_back(job);
        let asleep = inner.asleep > 0;
        drop(inner);
        if asleep {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits until something waits and takes at most `max` of it, the first lane first. `false`
    /// when the queue is closed and empty.
    pub(crate) fn take(&self, into: &mut Vec<Waiting>, max: usize) -> bool {
        let mut inner = self.lock();
        while inner.first.is_empty() && inner.ordinary.is_empty() {
            if !inner.open {
                return false;
            }
            inner.asleep += 1;
            inner = self.ready.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.asleep -= 1;
        }
        let reserved = inner.ordinary.len().min(ORDINARY_SHARE).min(max / 2);
        let first = inner.first.len().min(max - reserved);
        let ordinary = inner.ordinary.len().min(max - first);
        into.extend(inner.first.drain(..first));
        into.extend(inner.ordinary.drain(..ordinary));
        true
    }

    /// Lets callers that were just answered ask again before the next commit is begun: gives the
    /// processor away while they keep coming. A commit's sync costs several times [`GRACE`], so
    /// one commit for all is cheaper than two for halves. It ends when the `expected` number
    /// waits or when nobody came for [`GRACE`]; a lone caller never meets it.
    pub(crate) fn let_gather(&self, expected: usize) {
        let (mut seen, mut last_came) = (self.depth(), Instant::now());
        while seen < expected {
            std::thread::yield_now();
            let now = self.depth();
            if now > seen {
                (seen, last_came) = (now, Instant::now());
            } else if last_came.elapsed() > GRACE {
                return;
            }
        }
    }

    /// How many bodies wait.
    pub(crate) fn depth(&self) -> usize {
        let inner = self.lock();
        inner.first.len() + inner.ordinary.len()
    }

    /// Refuses new bodies; those that wait are still run.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.ready.notify_all();
    }
}

/// A flag one thread raises and another waits for, with a time limit.
pub(crate) struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    /// Nothing happened.
    Quiet,
    /// There is something to do.
    Work,
    /// Stop.
    Stop,
}

impl Bell {
    pub(crate) fn new() -> Self {
        Self { rung: Mutex::new(Rung::Quiet), changed: Condvar::new() }
    }

    pub(crate) fn ring(&self, what: Rung) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if *rung != Rung::Stop {
            *rung = what;
        }
        drop(rung);
        self.changed.notify_all();
    }

    /// Waits for a ring, at most `limit`, and takes it.
    pub(crate) fn wait(&self, limit: Duration) -> Rung {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self
            .changed
            .wait_timeout_while(rung, limit, |rung| *rung == Rung::Quiet)
            .unwrap_or_else(PoisonError::into_inner);
        let found = *rung;
        if found == Rung::Work {
            *rung = Rung::Quiet;
        }
        found
    }
}
