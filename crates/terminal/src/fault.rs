//! Faults a terminal can be told to have, off by default.
//!
//! Each one is a promise of the platform put to the test by a real device: the terminal misbehaves
//! in one named way, checks that the platform reacts as the protocol says, and then goes on
//! properly, so that it still ends active.

use std::fmt;
use std::str::FromStr;

/// A named fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The first try of every request never leaves the terminal.
    CutBeforeSend,
    /// The first try of every request reaches the platform, and its answer is lost.
    CutAfterSend,
    /// Every step is sent twice, each time properly signed; both must be answered.
    DuplicateSend,
    /// The device's clock is ten minutes slow; the platform must say `clock_skew` once.
    ClockSkew,
    /// Every request is first sent with one bit of the signature turned; `signature_invalid`.
    WrongSignature,
    /// Every request is sent a second time byte for byte; `nonce_replayed`.
    ReplayNonce,
    /// After the claim a second device with the same serial and its own keys uses the same code;
    /// it must be refused.
    ClonedSerial,
}

/// How far [`Fault::ClockSkew`] puts the clock back.
pub(crate) const SKEW_MS: i64 = 600_000;

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 7] = [
        Self::CutBeforeSend,
        Self::CutAfterSend,
        Self::DuplicateSend,
        Self::ClockSkew,
        Self::WrongSignature,
        Self::ReplayNonce,
        Self::ClonedSerial,
    ];

    /// The name used on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CutBeforeSend => "cut-before-send",
            Self::CutAfterSend => "cut-after-send",
            Self::DuplicateSend => "duplicate-send",
            Self::ClockSkew => "clock-skew",
            Self::WrongSignature => "wrong-signature",
            Self::ReplayNonce => "replay-nonce",
            Self::ClonedSerial => "cloned-serial",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL.into_iter().find(|fault| fault.name() == name).ok_or(UnknownFault)
    }
}

/// A fault nobody has named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown fault; there are cut-before-send, cut-after-send, duplicate-send, clock-skew, wrong-signature, replay-nonce, cloned-serial"
)]
pub struct UnknownFault;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(fault));
            assert!(UnknownFault.to_string().contains(fault.name()));
        }
        assert_eq!("none".parse::<Fault>(), Err(UnknownFault));
    }
}
