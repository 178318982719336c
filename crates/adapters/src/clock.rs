//! 时钟: the computer's, and one that stands still until it is told to move.

use starpay_app::port::Clock;
use starpay_domain::instant::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port: the one place that may ask")]
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970: every deadline is then in the future, none is lost.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock for tests and replayed runs: it moves only when told to, and never backwards.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at that moment.
    #[must_use]
    pub const fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.micros()))
    }

    /// Moves on by so many milliseconds.
    pub fn advance_ms(&self, milliseconds: u32) {
        self.0.fetch_add(i64::from(milliseconds).saturating_mul(1000), Ordering::SeqCst);
    }

    /// Moves on to that moment; an earlier one changes nothing.
    pub fn advance_to(&self, moment: Timestamp) {
        self.0.fetch_max(moment.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_clock_moves_only_forward_and_only_when_told() {
        let start = Timestamp::from_micros(5_000_000);
        let clock = ManualClock::at(start);
        assert_eq!(clock.now(), start);
        clock.advance_ms(1500);
        assert_eq!(clock.now(), Timestamp::from_micros(6_500_000));
        clock.advance_to(start);
        assert_eq!(clock.now(), Timestamp::from_micros(6_500_000));
    }

    #[test]
    fn the_system_clock_is_past_the_year_this_was_written() {
        assert!(SystemClock.now() > Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    }
}
