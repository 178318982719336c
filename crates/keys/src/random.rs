//! Where random bytes come from.
//!
//! Randomness is an argument everywhere in this crate, so that a test or a fault-seeded run can
//! replay exactly; only [`OsRandom`] touches the operating system.

use std::convert::Infallible;
use std::sync::Arc;

use hpke::rand_core::{TryCryptoRng, TryRng};

/// A source of bytes nobody can predict.
///
/// An implementation used in production must be cryptographically secure and must fill the
/// whole slice: there is no error to ignore.
pub trait Random: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator (`getrandom`).
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    #[expect(
        clippy::expect_used,
        reason = "an operating system that gives no random bytes can make no key: going on would be worse"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

impl<R: Random + ?Sized> Random for Arc<R> {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// Draws an array of `N` bytes.
#[must_use]
pub fn array<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0_u8; N];
    random.fill(&mut bytes);
    bytes
}

/// Our source in the shape the RustCrypto crates ask for.
pub(crate) struct Bridge<'a>(pub(crate) &'a dyn Random);

impl TryRng for Bridge<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(array(self.0)))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(array(self.0)))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(dst);
        Ok(())
    }
}

impl TryCryptoRng for Bridge<'_> {}
