//! Keys and what is done with them. The only crate of the platform that sees a clear key.
//!
//! Where to look:
//!
//! * data at rest: [`seal`] (values and streams), [`blind`] (search over sealed values),
//!   [`pepper`] (codes and tokens), [`pin`] (operator PINs), [`passphrase`] (backup archives);
//! * the platform's own keys: [`hsm`] (the port), [`keystore`] (the software keystore behind it),
//!   [`certificate`] (its certificate authority), [`signature`];
//! * terminals: [`device`] (a device's own keys), [`delivery`] (bringing it a terminal master key),
//!   [`wire`] (texts both sides sign), [`envelope`] (HPKE), [`key_block`] (X9.143), [`tmk`], [`kcv`];
//! * payments: [`working_key`] (PIK, MAK, TDK under the terminal master key), [`sign_in`] (how they
//!   arrive), [`pin_block`] and [`pan`], [`mac`], [`track`], [`dukpt`] (a key for each transaction),
//!   [`emv`] (chip cryptograms);
//! * [`power_on`]: known answers of all of it, before any key is used.
//!
//! # Rules
//!
//! * A secret has no `Display`, a redacted `Debug`, is wiped on drop and compared in constant time.
//! * Randomness ([`random::Random`]) and time (Unix seconds) are arguments.
//! * Whatever was sealed, wrapped or signed does not open when one bit of it changed.
//!
//! # What a software keystore cannot do
//!
//! The keystore is one file sealed under a master key. It keeps a stolen disk, backup or database
//! copy worthless, and nothing more: while the platform runs, all keys lie in its memory, so
//! whoever can read that memory, or run code as its user, has them. Nothing wipes a page already
//! swapped out or written to a core file: turn both off. The master key beside the keystore on one
//! disk protects only the copies that leave it out: give it from elsewhere in production. A
//! hardware module behind [`hsm::Hsm`] takes root, CA and signing keys out of reach; working keys
//! (terminal master keys, PIN and MAC keys) still pass through this process's memory. Where card
//! scheme rules ask for a certified device (PCI PIN, UnionPay), this crate is not one.

pub mod blind;
pub mod certificate;
pub mod delivery;
pub mod device;
pub mod dukpt;
pub mod emv;
pub mod envelope;
pub mod hsm;
pub mod kcv;
pub mod key_block;
pub mod keystore;
pub mod mac;
pub mod pan;
pub mod passphrase;
pub mod pepper;
pub mod pin;
pub mod pin_block;
pub mod pkcs11;
pub mod power_on;
pub mod random;
pub mod seal;
pub mod sign_in;
pub mod signature;
pub mod tmk;
pub mod track;
pub mod wire;
pub mod working_key;

mod block;
mod secret;
mod stream;
mod tdes;
#[cfg(test)]
mod testing;

pub use random::{OsRandom, Random};
pub use secret::constant_time_eq;
