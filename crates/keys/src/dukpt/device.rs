//! The terminal: intermediate keys in 32 registers, each erased when used.
//!
//! Register `i` holds the key of the next counter whose lowest set bit is `i`. To use counter `c`
//! with lowest bit `i` is to take register `i`, fill the registers below it for the counters
//! `c + 1, c + 2, c + 4 …` when they may have one more bit, and erase register `i`.

use std::fmt;

use zeroize::Zeroizing;

use super::derivation::{DerivationKey, Usage};
use super::host::InitialKey;
use super::ksn::{COUNTER_BITS_MAX, InitialKeyId, Ksn, tail};
use super::{DukptError, TransactionKeys};

const REGISTERS: usize = 32;
const HEAD_BYTES: usize = 13;
const KEY_BYTES_MAX: usize = 32;

/// The longest stored state, in bytes.
pub const STATE_BYTES_MAX: usize = HEAD_BYTES + REGISTERS * (1 + KEY_BYTES_MAX);

/// A terminal's keys: at most 32 of them (X9.24-3-2017). Redacted, wiped on drop.
pub struct Device {
    id: InitialKeyId,
    /// The next counter; zero when every one is used.
    counter: u32,
    registers: [Option<DerivationKey>; REGISTERS],
    key_bytes: u8,
}

/// One transaction's number and keys. Its counter is used up, whether it is sent or not.
#[derive(Debug)]
pub struct Transaction {
    /// What goes with the message.
    pub ksn: Ksn,
    /// The keys.
    pub keys: TransactionKeys,
}

impl Device {
    /// Fills the registers from an initial key, which is wiped.
    ///
    /// # Errors
    /// Never for a checked key.
    pub fn load(initial: InitialKey) -> Result<Self, DukptError> {
        let key_bytes = u8::try_from(initial.expose().len()).map_err(|_| DukptError::State)?;
        let mut device = Self { id: initial.id, counter: 1, registers: Default::default(), key_bytes };
        device.fill(&initial.key, 0, u32::BITS)?;
        Ok(device)
    }

    /// Which initial key it was given.
    #[must_use]
    pub const fn initial_key_id(&self) -> InitialKeyId {
        self.id
    }

    /// The counter of the next transaction, `None` when every one is used.
    #[must_use]
    pub const fn next_counter(&self) -> Option<u32> {
        if self.counter == 0 { None } else { Some(self.counter) }
    }

    /// Takes the next transaction's keys and moves on. Store [`Device::to_state`] before anything
    /// made with these keys leaves the terminal: after a crash a counter must not come again.
    ///
    /// # Errors
    /// [`DukptError::Exhausted`] when every counter is used, [`DukptError::State`] when the stored state
    /// lacked the key of this one.
    pub fn next_transaction(&mut self) -> Result<Transaction, DukptError> {
        let counter = self.next_counter().ok_or(DukptError::Exhausted)?;
        let lowest = counter.trailing_zeros();
        let taken = usize::try_from(lowest).ok().and_then(|place| self.registers.get_mut(place)?.take());
        let intermediate = taken.ok_or(DukptError::State)?;
        // What was taken is gone even if filling should fail: a key is never used twice.
        self.counter = if counter.count_ones() < COUNTER_BITS_MAX {
            self.fill(&intermediate, counter, lowest)?;
            counter.checked_add(1)
        } else {
            counter.checked_add(1 << lowest)
        }
        .unwrap_or_default();
        let ksn = Ksn::new(self.id, counter)?;
        Ok(Transaction { ksn, keys: TransactionKeys { intermediate, ksn } })
    }

    /// Fills the registers below `end` with the keys of `counter` and one more bit.
    fn fill(&mut self, base: &DerivationKey, counter: u32, end: u32) -> Result<(), DukptError> {
        for (place, register) in (0..end).zip(&mut self.registers) {
            let with_bit = tail(self.id, counter | 1 << place);
            *register = Some(base.next(Usage::KeyDerivation, with_bit)?);
        }
        Ok(())
    }

    /// Everything to go on with after a restart: clear keys, so seal it before storing.
    ///
    /// `initial key id (8) | counter (4) | key length (1)`, then for each register one byte
    /// `0`, or `1` and the key.
    #[must_use]
    pub fn to_state(&self) -> Zeroizing<Vec<u8>> {
        let mut state = Zeroizing::new(Vec::with_capacity(STATE_BYTES_MAX));
        state.extend_from_slice(&self.id);
        state.extend_from_slice(&self.counter.to_be_bytes());
        state.push(self.key_bytes);
        for register in &self.registers {
            match register {
                Some(key) => {
                    state.push(1);
                    state.extend_from_slice(key.expose());
                }
                None => state.push(0),
            }
        }
        state
    }

    /// Goes on from a stored state.
    ///
    /// # Errors
    /// [`DukptError::State`] when the bytes are not what [`Device::to_state`] writes.
    pub fn from_state(state: &[u8]) -> Result<Self, DukptError> {
        Self::read(state).ok_or(DukptError::State)
    }

    fn read(state: &[u8]) -> Option<Self> {
        let (id, rest) = state.split_first_chunk::<8>()?;
        let (counter, rest) = rest.split_first_chunk::<4>()?;
        let (key_bytes, mut rest) = rest.split_first()?;
        let counter = u32::from_be_bytes(*counter);
        if counter.count_ones() > COUNTER_BITS_MAX {
            return None;
        }
        let mut device = Self { id: *id, counter, registers: Default::default(), key_bytes: *key_bytes };
        for register in &mut device.registers {
            let (flag, after) = rest.split_first()?;
            rest = after;
            match flag {
                0 => {}
                1 => {
                    let (key, after) = rest.split_at_checked(usize::from(*key_bytes))?;
                    *register = Some(DerivationKey::new(key).ok()?);
                    rest = after;
                }
                _ => return None,
            }
        }
        rest.is_empty().then_some(device)
    }

    /// How many intermediate keys it holds.
    #[must_use]
    pub fn keys_held(&self) -> usize {
        self.registers.iter().flatten().count()
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("initial_key_id", &hex::encode_upper(self.id))
            .field("counter", &self.counter)
            .field("registers", &"[redacted]")
            .finish()
    }
}
