//! Keys and what is done with them. The only crate of the platform that sees a clear key.
//!
#![doc = include_str!("../README.md")]
//!
//! ## The port and its two adapters
//!
//! [`hsm::Hsm`] is all that must be asked of whatever holds root key, CA key and signing key: wrap,
//! unwrap, sign, random. Two adapters answer it, and one conformance test holds for both:
//!
//! | | [`keystore::Keystore`] alone | [`pkcs11::Pkcs11Hsm`] under a keystore |
//! |---|---|---|
//! | root, CA and signing keys | in the sealed file | in the token, never out of it |
//! | index keys, peppers, envelope and block key | in the sealed file | the same |
//! | what opens the file | master key, passphrase | a key that the token wrapped |
//! | rotation | all of them | all of them |
//! | backup | one export | the export, and the token's own |
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use starpay_keys::OsRandom;
//! use starpay_keys::hsm::Hsm;
//! use starpay_keys::keystore::{Keystore, MasterKey};
//! use starpay_keys::seal::DataKey;
//! use std::sync::Arc;
//!
//! # let folder = std::env::temp_dir().join(format!("starpay-keys-example-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! // With a token this is MasterKey::module(Arc::new(Pkcs11Hsm::open(token, pin)?)); the rest stays.
//! let master = MasterKey::file(folder.join("master.key"));
//! let keystore = Keystore::create(&folder.join("keystore"), &master, 1_795_000_000, Arc::new(OsRandom))?;
//!
//! let key = DataKey::generate(&OsRandom);
//! let wrapped = key.wrap(&keystore, b"merchant 7")?;
//! keystore.rotate(1_795_000_001)?;
//! assert_eq!(DataKey::unwrap(&keystore, &wrapped, b"merchant 7")?, key);
//! assert!(DataKey::unwrap(&keystore, &wrapped, b"merchant 8").is_err());
//! assert!(keystore.rewrap(&wrapped, b"merchant 7")?.is_some());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! ## What neither can do
//!
//! A software keystore keeps a stolen disk, backup or database copy worthless, and nothing more:
//! while the platform runs, all keys lie in its memory, so whoever can read that memory, or run
//! code as its user, has them. Nothing wipes a page already swapped out or written to a core file:
//! turn both off. The master key beside the keystore on one disk protects only the copies that
//! leave it out: give it from elsewhere in production.
//!
//! A token takes root, CA and signing keys out of reach: whoever takes over the process can use
//! them while it runs, and not carry them away. Unwrapped data keys, peppers and working keys
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
#[cfg(test)]
mod page;
mod secret;
mod stream;
mod tdes;
#[cfg(test)]
mod testing;

pub use random::{OsRandom, Random};
pub use secret::constant_time_eq;
