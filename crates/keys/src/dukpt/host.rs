//! The host: from base key and key serial number to a transaction's keys; refusing replays.

use std::fmt;

use zeroize::Zeroizing;

use super::derivation::{DerivationKey, Usage};
use super::ksn::{InitialKeyId, Ksn, tail};
use super::{DukptError, TransactionKeys};

/// A base derivation key (BDK, 基础派生密钥): AES, 16, 24 or 32 bytes. Whoever has it has the keys of all
/// its terminals. Redacted, wiped on drop.
pub struct BaseDerivationKey(DerivationKey);

impl BaseDerivationKey {
    /// Takes an AES key.
    ///
    /// # Errors
    /// [`DukptError::KeyLength`] when it does not have 16, 24 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DukptError> {
        DerivationKey::new(bytes).map(Self)
    }

    /// The initial key to load into one terminal, as long as the base key.
    ///
    /// # Errors
    /// Never for a checked key.
    pub fn initial_key(&self, id: InitialKeyId) -> Result<InitialKey, DukptError> {
        Ok(InitialKey { key: self.0.next(Usage::InitialKey, id)?, id })
    }

    /// The keys of one transaction: at most sixteen derivations. Does not look for replays:
    /// ask [`LastCounter`] when the message has proved itself.
    ///
    /// # Errors
    /// Never for a checked key and key serial number.
    pub fn transaction(&self, ksn: Ksn) -> Result<TransactionKeys, DukptError> {
        self.initial_key(ksn.initial_key_id())?.transaction(ksn.counter())
    }
}

impl fmt::Debug for BaseDerivationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseDerivationKey([redacted])")
    }
}

/// The key loaded into one terminal. It is forgotten there at once; the host can make it again.
pub struct InitialKey {
    pub(super) key: DerivationKey,
    pub(super) id: InitialKeyId,
}

impl InitialKey {
    /// Takes an initial key as it was delivered (a key block of usage `B1`).
    ///
    /// # Errors
    /// [`DukptError::KeyLength`] when it does not have 16, 24 or 32 bytes.
    pub fn from_bytes(bytes: &[u8], id: InitialKeyId) -> Result<Self, DukptError> {
        Ok(Self { key: DerivationKey::new(bytes)?, id })
    }

    /// The clear key. Only for wrapping it into a key block.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.key.expose()
    }

    /// The keys of one transaction: walks the counter's set bits from the top.
    ///
    /// # Errors
    /// [`DukptError::Counter`] when no terminal uses this counter.
    pub fn transaction(&self, counter: u32) -> Result<TransactionKeys, DukptError> {
        let ksn = Ksn::new(self.id, counter)?;
        let mut intermediate = DerivationKey::new(&Zeroizing::new(self.key.expose().to_vec()))?;
        let mut walked = 0;
        for bit in (0..u32::BITS).rev().map(|place| 1_u32 << place) {
            if counter & bit != 0 {
                walked |= bit;
                intermediate = intermediate.next(Usage::KeyDerivation, tail(self.id, walked))?;
            }
        }
        Ok(TransactionKeys { intermediate, ksn })
    }
}

impl fmt::Debug for InitialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InitialKey({}, [redacted])", hex::encode_upper(self.id))
    }
}

/// The last counter accepted of one initial key: what a host stores for each terminal, and
/// changes in the same transaction as it takes the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastCounter(u32);

impl LastCounter {
    /// A stored value; zero when nothing was accepted yet.
    #[must_use]
    pub const fn new(counter: u32) -> Self {
        Self(counter)
    }

    /// The value to store.
    #[must_use]
    pub const fn counter(self) -> u32 {
        self.0
    }

    /// Accepts a counter above the last one; gaps are fine, terminals lose answers. Ask only
    /// after the message's MAC verified, or a stranger could use counters up.
    ///
    /// # Errors
    /// [`DukptError::Replayed`] when it is not above.
    pub const fn accept(self, ksn: Ksn) -> Result<Self, DukptError> {
        let given = ksn.counter();
        if given > self.0 { Ok(Self(given)) } else { Err(DukptError::Replayed { given, last: self.0 }) }
    }
}
