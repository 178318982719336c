//! The clock. (Randomness is `starpay_keys::Random`.)

use starpay_domain::instant::Timestamp;

/// 时钟: the only source of "now".
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}
