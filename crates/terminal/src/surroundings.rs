//! What the terminal takes from the world around it: time, randomness, waiting, power.
//!
//! They are arguments and not globals, so that a test can move the clock, cut the power at a
//! chosen moment, and wait for nothing.

use std::time::Duration;

use starpay_keys::random::Random;

/// The world as the terminal sees it.
pub trait Surroundings {
    /// The device's own clock, Unix milliseconds. It may be wrong: see `link::Link`.
    fn now_ms(&self) -> i64;

    /// A running count of milliseconds that never goes back, for measuring how long things take.
    fn ticks_ms(&self) -> u64;

    /// Where keys, nonces and jitter come from.
    fn random(&self) -> &dyn Random;

    /// Waits.
    fn pause(&self, length: Duration);

    /// Called at every moment at which losing power makes a difference.
    ///
    /// # Errors
    /// [`PowerCut`] when the power is gone: the terminal stops at once, without tidying up.
    fn power(&self, _at: Moment) -> Result<(), PowerCut> {
        Ok(())
    }
}

/// A moment at which losing power makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before a file is written.
    BeforeWrite,
    /// The new content is on disk under its temporary name.
    BeforeRename,
    /// The file is in place.
    AfterWrite,
    /// Before a request leaves.
    BeforeRequest,
    /// The platform has answered and the terminal has not looked at the answer.
    AfterRequest,
}

/// The power is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("power was cut ({0:?})")]
pub struct PowerCut(pub Moment);

#[cfg(test)]
pub(crate) mod testing {
    use std::cell::Cell;

    use starpay_keys::random::OsRandom;

    use super::*;

    /// A bench to test a terminal on: a clock that moves only when the terminal waits, and a power
    /// supply that can be cut.
    pub(crate) struct Bench {
        pub(crate) now_ms: Cell<i64>,
        pub(crate) paused_ms: Cell<u64>,
        moments_left: Cell<Option<u32>>,
    }

    impl Default for Bench {
        fn default() -> Self {
            Self {
                now_ms: Cell::new(1_795_419_671_000),
                paused_ms: Cell::new(0),
                moments_left: Cell::new(None),
            }
        }
    }

    impl Bench {
        /// The power lasts for so many moments.
        pub(crate) fn with_power_for(moments: u32) -> Self {
            Self { moments_left: Cell::new(Some(moments)), ..Self::default() }
        }
    }

    impl Surroundings for Bench {
        fn now_ms(&self) -> i64 {
            self.now_ms.get()
        }

        fn ticks_ms(&self) -> u64 {
            self.paused_ms.get()
        }

        fn random(&self) -> &dyn Random {
            &OsRandom
        }

        fn pause(&self, length: Duration) {
            let length = u64::try_from(length.as_millis()).unwrap();
            self.paused_ms.set(self.paused_ms.get() + length);
            self.now_ms.set(self.now_ms.get() + i64::try_from(length).unwrap());
        }

        fn power(&self, at: Moment) -> Result<(), PowerCut> {
            match self.moments_left.get() {
                Some(0) => Err(PowerCut(at)),
                Some(left) => {
                    self.moments_left.set(Some(left - 1));
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }
}
