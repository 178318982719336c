//! Hashes of short codes and tokens, useless without the pepper.
//!
//! ```
//! use starpay_keys::pepper::Pepper;
//!
//! let pepper = Pepper::from_bytes([3; 32]);
//! let stored = pepper.code_hash("activation", "ABCDE12345");
//! assert!(pepper.matches("activation", "ABCDE12345", &stored));
//! assert!(!pepper.matches("sign-in", "ABCDE12345", &stored), "a code of another purpose");
//! ```

use crate::blind::keyed_hash;
use crate::random::{self, Random};
use crate::secret::{KeyBytes, constant_time_eq};

/// The pepper (胡椒值): a key held outside the database under which codes and tokens are hashed.
///
/// A stolen database therefore does not allow trying all six-digit codes at leisure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pepper(KeyBytes<32>);

impl Pepper {
    /// Draws a new pepper of 32 bytes.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(KeyBytes::new(random::array(random)))
    }

    /// Takes given bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(KeyBytes::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// What the database keeps of a one-time code, activation code or token: 32 bytes of
    /// HMAC-SHA256 (RFC 2104).
    ///
    /// `domain` says what the code opens and for whom (`activation`, `otp:+86…`), so that a code
    /// of one purpose never fits another.
    #[must_use]
    pub fn code_hash(&self, domain: &str, text: &str) -> [u8; 32] {
        keyed_hash(self.0.expose(), "starpay code v1", domain, text)
    }

    /// Does this text have that stored hash? Compared in constant time.
    #[must_use]
    pub fn matches(&self, domain: &str, text: &str, stored: &[u8]) -> bool {
        constant_time_eq(&self.code_hash(domain, text), stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_code_in_the_same_domain_matches() {
        let pepper = Pepper::from_bytes([3; 32]);
        let stored = pepper.code_hash("activation", "ABCDE12345");
        assert!(pepper.matches("activation", "ABCDE12345", &stored));
        assert!(!pepper.matches("activation", "ABCDE12346", &stored));
        assert!(!pepper.matches("otp", "ABCDE12345", &stored));
        assert!(!pepper.matches("activation", "ABCDE12345", &stored[..31]));
        assert!(!Pepper::from_bytes([4; 32]).matches("activation", "ABCDE12345", &stored));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Pepper::from_bytes([3; 32])), "Pepper([redacted])");
    }
}
