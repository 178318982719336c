//! Faults a terminal can be told to have, off by default.
//!
//! Each one is a promise of the platform put to the test by a real device: the terminal misbehaves
//! in one named way, checks that the platform reacts as the protocol says, and then goes on
//! properly, so that it still ends active.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::device::Device;
use crate::link::{Link, Repeat, Request, Signed, Skew, refusal};

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

impl Link<'_> {
    /// Faults that come before the proper request.
    pub(crate) fn misbehave_before(&mut self, device: &Device, request: &Request) -> Result<(), Error> {
        match self.fault {
            Some(Fault::WrongSignature) => {
                let mut signed = self.sign(device, request);
                let turned = if signed.signature.starts_with('A') { "B" } else { "A" };
                signed.signature.replace_range(..1, turned);
                self.must_refuse(device, request, &signed, Fault::WrongSignature, "signature_invalid")
            }
            Some(Fault::ClockSkew) if self.skew == Skew::Trusted => {
                let signed = self.sign(device, request);
                self.must_refuse(device, request, &signed, Fault::ClockSkew, "clock_skew")
            }
            Some(Fault::ReplayNonce) => {
                let signed = self.sign(device, request);
                let first = self.exchange(request, Some((device, &signed)))?;
                if first.status >= 500 {
                    return Ok(());
                }
                self.must_refuse(device, request, &signed, Fault::ReplayNonce, "nonce_replayed")
            }
            Some(
                Fault::CutBeforeSend
                | Fault::CutAfterSend
                | Fault::DuplicateSend
                | Fault::ClockSkew
                | Fault::ClonedSerial,
            )
            | None => Ok(()),
        }
    }

    /// Faults that come after a good answer.
    pub(crate) fn misbehave_after(&mut self, device: &Device, request: &Request) -> Result<(), Error> {
        if self.fault != Some(Fault::DuplicateSend) || request.repeat == Repeat::Never {
            return Ok(());
        }
        self.deliver(device, request).map(|_| ()).map_err(|error| match error {
            Error::Refused(refused) => Error::FaultAccepted {
                fault: Fault::DuplicateSend.name(),
                expected: "200",
                got: format!("{} to {}", refused.code, request.describe()),
            },
            error => error,
        })
    }

    /// Sends what the platform must refuse with one certain code.
    fn must_refuse(
        &mut self,
        device: &Device,
        request: &Request,
        signed: &Signed,
        fault: Fault,
        expected: &'static str,
    ) -> Result<(), Error> {
        let reply = self.exchange(request, Some((device, signed)))?;
        let got = refusal(&reply).code;
        if got == expected {
            return Ok(());
        }
        let got = format!("{} {got} to {}", reply.status, request.describe());
        Err(Error::FaultAccepted { fault: fault.name(), expected, got })
    }
}

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
