//! Counters of the store, read by the metrics page and by the benchmark.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The live counters.
        #[derive(Default)]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64),+ }

        /// The store's counters at one moment; all but the depths only grow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Metrics {
            $($(#[$doc])* pub $name: u64,)+
            /// Write closures that wait now.
            pub write_queue_depth: u64,
            /// Read closures that wait now.
            pub read_queue_depth: u64,
        }

        impl Counters {
            pub(crate) fn snapshot(&self, write_queue_depth: u64, read_queue_depth: u64) -> Metrics {
                Metrics { $($name: self.$name.load(Ordering::Relaxed),)+ write_queue_depth, read_queue_depth }
            }
        }
    };
}

counters! {
    /// Write closures that ran, whether they succeeded or not.
    writes,
    /// Commits that carried them.
    commits,
    /// The largest number of closures one commit carried.
    batch_largest,
    /// Read closures that ran.
    reads,
    /// Statements that closures sent, those of transactions tried again included.
    statements,
    /// Write closures over their budget.
    slow_closures,
    /// Closures that panicked.
    panics,
    /// Closures refused because a lane was full.
    overloaded,
    /// Second and later tries after a serialization failure or deadlock.
    retries,
    /// Connections given up and made again.
    reconnects,
    /// Answers whose commit is unknown.
    outcomes_unknown,
    /// Transactions that died with all their members.
    transactions_lost,
    /// SQLite: checkpoints that finished.
    checkpoints,
}

pub(crate) fn add(counter: &AtomicU64, by: usize) {
    counter.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
}

pub(crate) fn raise(counter: &AtomicU64, to: usize) {
    counter.fetch_max(u64::try_from(to).unwrap_or(u64::MAX), Ordering::Relaxed);
}
