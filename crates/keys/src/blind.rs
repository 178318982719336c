//! Blind indexes: equality search over values that are stored sealed.
//!
//! ```
//! use starpay_keys::blind::BlindIndexKey;
//!
//! let key = BlindIndexKey::from_bytes([7; 32]);
//! let stored = key.index("mobile", "15400000001"); // 32 bytes beside the sealed value
//! assert_eq!(key.index("mobile", "15400000001"), stored);
//! assert_ne!(key.index("shop telephone", "15400000001"), stored, "columns do not betray each other");
//! ```

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::random::{self, Random};
use crate::secret::KeyBytes;

/// The key of all blind indexes (盲索引).
///
/// Without it a stored index cannot be tried against guessed ID numbers. It is never rotated
/// in place: a new key means computing every index again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindIndexKey(KeyBytes<32>);

impl BlindIndexKey {
    /// Draws a new key of 32 bytes.
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

    /// The index of one value, 32 bytes: HMAC-SHA256 (RFC 2104, FIPS 180-4) over label, domain and
    /// normalised value, each behind its length in eight bytes.
    ///
    /// `domain` (for example `idcard18`) keeps equal text in two columns from giving equal
    /// indexes. The value must already be in its one normal form, or equal things would differ.
    #[must_use]
    pub fn index(&self, domain: &str, normalised: &str) -> [u8; 32] {
        keyed_hash(self.0.expose(), "starpay blind index v1", domain, normalised)
    }
}

/// HMAC-SHA256 over length-framed label, domain and value, so that no two triples collide.
pub(crate) fn keyed_hash(key: &[u8; 32], label: &str, domain: &str, value: &str) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in [label, domain, value] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_value_same_index_and_domains_differ() {
        let key = BlindIndexKey::from_bytes([7; 32]);
        assert_eq!(key.index("idcard18", "1"), key.index("idcard18", "1"));
        assert_ne!(key.index("idcard18", "1"), key.index("mobile", "1"));
        assert_ne!(key.index("idcard18", "1"), BlindIndexKey::from_bytes([8; 32]).index("idcard18", "1"));
    }

    #[test]
    fn moving_the_border_between_domain_and_value_changes_the_index() {
        let key = BlindIndexKey::from_bytes([7; 32]);
        assert_ne!(key.index("ab", "c"), key.index("a", "bc"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", BlindIndexKey::from_bytes([7; 32])), "BlindIndexKey([redacted])");
    }
}
