//! The adapters against their ports: every sandbox against its table, both mailers against the
//! same conformance test, files on a real folder, SMTP against a real listener.

#![expect(clippy::unwrap_used, reason = "what a test stands on may stop it")]

mod conformance;
mod files;
mod guide;
mod sandboxes;
mod smtp;
mod smtp_sink;

use starpay_adapters::clock::ManualClock;
use starpay_adapters::sandbox::{Pace, World};
use starpay_app::port::Random;
use starpay_domain::instant::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// 2026-11-23 08:00 in Beijing.
const START: i64 = 1_795_392_000_000_000;

/// Bytes that differ from call to call and are the same in every run.
struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
    }
}

/// A simulated world on a clock that stands still.
struct Stage {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(START)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    /// The world, opened anew: as after a crash.
    fn world(&self) -> World {
        self.paced(Pace::Documented)
    }

    fn paced(&self, pace: Pace) -> World {
        let random = Arc::new(Counting(AtomicU8::new(1)));
        World::open(self.folder.path(), self.clock.clone(), random, pace).unwrap()
    }
}
