//! The two engines. Only this folder (and migrations) knows that there are two.

pub(crate) mod postgres;
pub(crate) mod schema;
pub(crate) mod sqlite;

use crate::lanes::{Bell, Rung};
use std::sync::Arc;
use std::thread::JoinHandle;

/// The threads of an open store, and what they hold.
pub(crate) struct Threads {
    /// Threads that end by themselves when their lanes are closed and empty.
    pub(crate) workers: Vec<JoinHandle<()>>,
    /// The checkpointer, stopped after the workers.
    pub(crate) checkpointer: Option<(Arc<Bell>, JoinHandle<()>)>,
    /// The lock of the data folder, given up last.
    pub(crate) lock: Option<std::fs::File>,
}

impl Threads {
    /// Waits for the workers to finish what waits, then stops the rest. The lanes must be closed.
    pub(crate) fn stop(self) {
        for worker in self.workers {
            join(worker);
        }
        if let Some((bell, checkpointer)) = self.checkpointer {
            bell.ring(Rung::Stop);
            join(checkpointer);
        }
        drop(self.lock);
    }
}

/// Waits for a thread; its panic was reported where it happened. A thread that drops the last
/// handle of its own store must not wait for itself.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}

/// Starts a named thread.
pub(crate) fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, crate::StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(crate::StoreError::unavailable)
}
