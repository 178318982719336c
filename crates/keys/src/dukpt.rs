//! AES DUKPT (ANSI X9.24-3-2017): one key for each transaction, from one key for many terminals.
//!
//! ```text
//! base derivation key (BDK) ── initial key of one terminal ── intermediate keys ── working keys
//!       host only               loaded into it once            one per counter      one per use
//! ```
//!
//! * The host ([`BaseDerivationKey`]) derives any transaction's keys from the key serial number
//!   ([`Ksn`]) in the message: the 8-byte id of the initial key, then a 4-byte counter.
//! * The terminal ([`Device`]) keeps at most 32 intermediate keys and erases each one used, so
//!   that an opened terminal does not tell keys of the past. It leaves out counters with more
//!   than sixteen bits set, which bounds the host's work to sixteen derivations.
//! * A counter is used once. The host remembers the last one for each terminal and refuses any
//!   that is not above it ([`LastCounter`]): a recorded message is not taken twice.
//!
//! ```
//! use starpay_keys::OsRandom;
//! use starpay_keys::dukpt::{BaseDerivationKey, Device, Direction, InitialKey};
//! use starpay_keys::pan::Pan;
//! use starpay_keys::pin_block::{CardPin, iso4};
//!
//! let id = hex::decode("1234567890123456")?.try_into().unwrap();
//! let initial = InitialKey::from_bytes(&hex::decode("1273671EA26AC29AFA4D1084127652A1")?, id)?;
//! let mut terminal = Device::load(initial)?;
//! let sale = terminal.next_transaction()?;
//! let kept = terminal.to_state(); // stored, sealed, before the sale leaves
//!
//! let (pin, pan) = (CardPin::parse("1234")?, Pan::parse("4111111111111111")?);
//! let block = iso4::seal(&pin, &pan, &sale.keys.pin_key()?, &OsRandom);
//! assert_eq!(hex::encode_upper(sale.keys.mac_key(Direction::Request)?.expose()), "A2DC23DE6FDE0824A2BC321E08E4B8B7");
//!
//! // The host has the base key and twelve bytes of key serial number.
//! let base = BaseDerivationKey::from_bytes(&hex::decode("FEDCBA9876543210F1F1F1F1F1F1F1F1")?)?;
//! let keys = base.transaction(sale.ksn)?;
//! assert_eq!(iso4::open(&block, &pan, &keys.pin_key()?)?, pin);
//!
//! // After a restart the terminal goes on, and never back.
//! assert_eq!(Device::from_state(&kept)?.next_counter(), Some(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Working keys are asked for by what they do ([`TransactionKeys`]); a PIN key is of another type
//! than a MAC key.

mod derivation;
mod device;
mod host;
mod ksn;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

pub use self::derivation::{KeyType, Usage};
pub use self::device::{Device, STATE_BYTES_MAX, Transaction};
pub use self::host::{BaseDerivationKey, InitialKey, LastCounter};
pub use self::ksn::{COUNTER_BITS_MAX, InitialKeyId, Ksn};

use self::derivation::DerivationKey;
use crate::kcv::KeyLengthError;
use crate::key_block::ProtectionKey;
use crate::working_key::{AesDataKey, AesMak, AesPik, TdesMak, TdesPik, TdesTdk};

/// Why DUKPT gave no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DukptError {
    /// The base or initial key is no AES key, by its length in bytes.
    #[error("a DUKPT key has 16, 24 or 32 bytes, not {0}")]
    KeyLength(usize),
    /// A key serial number does not have 12 bytes, but so many.
    #[error("a key serial number has 12 bytes, not {0}")]
    KsnLength(usize),
    /// No terminal uses this counter: zero, or more than sixteen bits set.
    #[error("no terminal uses the transaction counter {0:08X}")]
    Counter(u32),
    /// The counter was used before: a message sent again, or a copied terminal.
    #[error("the transaction counter {given:08X} is not above {last:08X}, the last one used")]
    Replayed {
        /// The counter received.
        given: u32,
        /// The last one accepted.
        last: u32,
    },
    /// The terminal has used every counter: it needs a new initial key.
    #[error("every transaction counter is used: the terminal needs a new initial key")]
    Exhausted,
    /// A working key stronger than the key it would come from, or not TDES where TDES was asked for.
    #[error("a working key is not made stronger than the key it comes from")]
    KeyType,
    /// A stored terminal state is not one.
    #[error("the stored state of the terminal's keys is not sound")]
    State,
}

/// Which way a MAC or data key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Terminal to host: the terminal generates or encrypts, the host verifies or decrypts.
    Request,
    /// Host to terminal.
    Response,
    /// One key for both.
    Both,
}

/// The keys of one transaction, the same on terminal and host.
pub struct TransactionKeys {
    intermediate: DerivationKey,
    ksn: Ksn,
}

impl TransactionKeys {
    /// The key serial number they belong to.
    #[must_use]
    pub const fn ksn(&self) -> Ksn {
        self.ksn
    }

    /// The bytes of a working key of any use, as many as [`KeyType::bytes`] says. What takes a key wants the typed ones below.
    ///
    /// # Errors
    /// [`DukptError::KeyType`] when it would be stronger than the base key.
    pub fn derive(&self, usage: Usage, key_type: KeyType) -> Result<Zeroizing<Vec<u8>>, DukptError> {
        self.intermediate.derive(usage, key_type, self.ksn.derivation_tail())
    }

    /// The intermediate key, as long as the base key. Only for comparing with test vectors.
    #[must_use]
    pub fn expose_intermediate(&self) -> &[u8] {
        self.intermediate.expose()
    }

    /// PIN key, as long as the base key.
    ///
    /// # Errors
    /// Never for a key of this module's making.
    pub fn pin_key(&self) -> Result<AesPik, DukptError> {
        AesPik::from_bytes(&self.derive(Usage::PinEncryption, self.own_type())?).map_err(length)
    }

    /// MAC key, as long as the base key.
    ///
    /// # Errors
    /// Never for a key of this module's making.
    pub fn mac_key(&self, direction: Direction) -> Result<AesMak, DukptError> {
        AesMak::from_bytes(&self.derive(mac_usage(direction), self.own_type())?).map_err(length)
    }

    /// Data key, as long as the base key.
    ///
    /// # Errors
    /// Never for a key of this module's making.
    pub fn data_key(&self, direction: Direction) -> Result<AesDataKey, DukptError> {
        AesDataKey::from_bytes(&self.derive(data_usage(direction), self.own_type())?).map_err(length)
    }

    /// Key encryption key: protects key blocks of version D sent to the terminal.
    ///
    /// # Errors
    /// Never for a key of this module's making.
    pub fn key_encryption_key(&self) -> Result<ProtectionKey, DukptError> {
        let bytes = self.derive(Usage::KeyEncryption, self.own_type())?;
        ProtectionKey::aes(&bytes).map_err(|_| DukptError::KeyLength(bytes.len()))
    }

    /// PIN key for hosts that still speak TDES blocks.
    ///
    /// # Errors
    /// [`DukptError::KeyType`] for a key type that is no TDES key.
    pub fn tdes_pin_key(&self, key_type: KeyType) -> Result<TdesPik, DukptError> {
        TdesPik::from_bytes(&self.tdes(Usage::PinEncryption, key_type)?).map_err(length)
    }

    /// MAC key for hosts that still speak TDES MACs.
    ///
    /// # Errors
    /// [`DukptError::KeyType`] for a key type that is no TDES key.
    pub fn tdes_mac_key(&self, direction: Direction, key_type: KeyType) -> Result<TdesMak, DukptError> {
        TdesMak::from_bytes(&self.tdes(mac_usage(direction), key_type)?).map_err(length)
    }

    /// Track key for hosts that still speak TDES.
    ///
    /// # Errors
    /// [`DukptError::KeyType`] for a key type that is no TDES key.
    pub fn tdes_track_key(&self, direction: Direction, key_type: KeyType) -> Result<TdesTdk, DukptError> {
        TdesTdk::from_bytes(&self.tdes(data_usage(direction), key_type)?).map_err(length)
    }

    fn tdes(&self, usage: Usage, key_type: KeyType) -> Result<Zeroizing<Vec<u8>>, DukptError> {
        match key_type {
            KeyType::Tdes2 | KeyType::Tdes3 => self.derive(usage, key_type),
            KeyType::Aes128 | KeyType::Aes192 | KeyType::Aes256 => Err(DukptError::KeyType),
        }
    }

    fn own_type(&self) -> KeyType {
        self.intermediate.key_type()
    }
}

impl std::fmt::Debug for TransactionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransactionKeys")
            .field("ksn", &self.ksn)
            .field("intermediate", &"[redacted]")
            .finish()
    }
}

fn length(error: KeyLengthError) -> DukptError {
    DukptError::KeyLength(error.bytes)
}

fn mac_usage(direction: Direction) -> Usage {
    match direction {
        Direction::Request => Usage::MacGeneration,
        Direction::Response => Usage::MacVerification,
        Direction::Both => Usage::MacBoth,
    }
}

fn data_usage(direction: Direction) -> Usage {
    match direction {
        Direction::Request => Usage::DataEncryption,
        Direction::Response => Usage::DataDecryption,
        Direction::Both => Usage::DataBoth,
    }
}
