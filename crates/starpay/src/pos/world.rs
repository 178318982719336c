//! The real world around the virtual terminal.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use starpay_keys::random::{OsRandom, Random};
use starpay_terminal::{Moment, PowerCut, Surroundings};

/// System clock, system randomness, and a power supply that can be told to fail.
pub(super) struct World {
    begun: Instant,
    moments: Cell<u64>,
    cut_power_at: Option<u64>,
}

impl World {
    pub(super) fn new(cut_power_at: Option<u64>) -> Self {
        Self { begun: Instant::now(), moments: Cell::new(0), cut_power_at }
    }
}

impl Surroundings for World {
    #[expect(clippy::disallowed_methods, reason = "the terminal's clock is this machine's clock")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn ticks_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&self) -> &dyn Random {
        &OsRandom
    }

    fn pause(&self, length: Duration) {
        std::thread::sleep(length);
    }

    fn power(&self, _at: Moment) -> Result<(), PowerCut> {
        let moment = self.moments.get() + 1;
        self.moments.set(moment);
        if self.cut_power_at == Some(moment) {
            // No tidying up: that is what a power cut is.
            std::process::abort();
        }
        Ok(())
    }
}
