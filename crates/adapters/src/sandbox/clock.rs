//! 时钟: the computer's, moved ahead, so that a deadline of weeks can be met in an afternoon.

use starpay_app::port::Clock;
use starpay_domain::instant::Timestamp;
use std::sync::Arc;

/// How far the sandbox's clock may be moved: beyond the year of a terminal's certificate and its
/// 90 days of grace.
pub const CLOCK_AHEAD_S_MAX: u32 = 500 * 86_400;

/// Another clock, so many seconds ahead. It runs as fast as that one does, and never backwards of it.
#[derive(Clone)]
pub struct SandboxClock {
    from: Arc<dyn Clock>,
    ahead_s: u32,
}

impl SandboxClock {
    /// Ahead of `from` by `ahead_s` seconds, at most [`CLOCK_AHEAD_S_MAX`].
    #[must_use]
    pub fn new(from: Arc<dyn Clock>, ahead_s: u32) -> Self {
        Self { from, ahead_s: ahead_s.min(CLOCK_AHEAD_S_MAX) }
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        let ahead = i64::from(self.ahead_s).saturating_mul(1_000_000);
        Timestamp::from_micros(self.from.now().micros().saturating_add(ahead))
    }
}

/// Its part of the guide: the only table without a counterpart that answers.
pub(super) fn section() -> String {
    format!(
        "\n## Clock 时钟 (`sandbox-clock`)\n\nReads `clock_ahead_s` in the section `[sandbox]` of the configuration. Move it \
         on only: what was done keeps its date.\n\n| input | outcome | delay |\n|---|---|---|\n\
         | `0`, or nothing | the computer's time | none |\n\
         | up to `{CLOCK_AHEAD_S_MAX}` (500 days) | so many seconds ahead of the computer: deadlines, time-outs, certificates and \
         signatures all go by it; a terminal sets its own by the header `Date` | none |\n\
         | more, or less than nothing | the configuration is refused | none |\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn it_is_ahead_and_runs_along() {
        let computer = Arc::new(ManualClock::at(Timestamp::from_micros(5_000_000)));
        let clock = SandboxClock::new(Arc::clone(&computer) as Arc<dyn Clock>, 86_400);
        assert_eq!(clock.now().micros(), 86_405_000_000);
        computer.advance_ms(1500);
        assert_eq!(clock.now().micros(), 86_406_500_000);
        let far = SandboxClock::new(computer, u32::MAX);
        assert_eq!(far.now().micros(), i64::from(CLOCK_AHEAD_S_MAX) * 1_000_000 + 6_500_000);
    }
}
