//! The platform's certificate authority: one root, certificates for itself and for devices.
//!
//! X.509 v3 (RFC 5280), P-256 throughout, one level deep. A certificate's purpose is in its
//! SAN URI, which only the authority composes: `urn:starpay:platform` may sign statements,
//! `urn:starpay:device:<id>` may open TLS. A device's certificate can therefore never sign a
//! key statement, although the same root issued both. Times are Unix seconds.

mod issue;
mod parse;
#[cfg(test)]
mod tests;
mod tls_key;

use std::fmt;

pub(crate) use self::issue::request;
pub use self::issue::{DeviceSubject, create_root, issue_device, issue_platform};
pub use self::parse::CertificateRequest;
pub use self::tls_key::TlsKey;
use crate::hsm::HsmError;
use crate::signature::{PublicKey, Signature, SignatureError};

/// Days a device's certificate is valid.
pub const DEVICE_DAYS: i64 = 365;
/// Days the platform's own certificate is valid.
pub const PLATFORM_DAYS: i64 = 2 * 365;
/// Days the root is valid.
pub const ROOT_DAYS: i64 = 20 * 365;

/// SAN URI of the platform's own certificate.
const PLATFORM_URI: &str = "urn:starpay:platform";
/// What a device's SAN URI starts with; its id follows.
const DEVICE_URI: &str = "urn:starpay:device:";

/// Why a certificate or a request for one was refused. None of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not one whole X.509 certificate or PKCS#10 request in DER (or PEM).
    #[error("this is not a certificate or certificate request")]
    Malformed,
    /// Another kind of key, or another signature algorithm, than P-256 with SHA-256.
    #[error("only P-256 keys and ECDSA with SHA-256 are taken")]
    Algorithm,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// Issued by someone else.
    #[error("the certificate was not issued by this authority")]
    Issuer,
    /// Not yet or no longer valid.
    #[error("the certificate is not valid at this time")]
    Expired,
    /// A certificate for something else.
    #[error("the certificate is not for this purpose")]
    Purpose,
    /// A name that cannot stand in a certificate.
    #[error("this name cannot stand in a certificate: {0}")]
    Name(String),
    /// The key store did not sign.
    #[error("the certificate could not be signed")]
    Hsm(#[from] HsmError),
}

impl From<SignatureError> for CertificateError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::KeyMalformed => Self::Algorithm,
            SignatureError::Malformed | SignatureError::Refused => Self::Signature,
        }
    }
}

/// What a certificate is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing the platform's statements.
    Platform,
    /// A device's TLS connection.
    Device,
}

/// A certificate of this authority, parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    serial: Vec<u8>,
    common_name: String,
    uri: Option<String>,
    not_before_s: i64,
    not_after_s: i64,
    public_key: PublicKey,
    authority: Authority,
    client: ClientAuthentication,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    signed: Vec<u8>,
    signature: Signature,
}

/// May this certificate issue others?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authority {
    Root,
    Leaf,
}

/// Does the extended key usage allow TLS client authentication?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientAuthentication {
    Allowed,
    NotNamed,
}

impl Certificate {
    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (at, character) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }

    /// The serial number, lower-case hex: 32 digits when issued here (RFC 5280, 4.1.2.2).
    #[must_use]
    pub fn serial(&self) -> String {
        hex::encode(&self.serial)
    }

    /// The subject's common name: a device's serial number, or the authority's name.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// The device's id, if this is a device's certificate.
    #[must_use]
    pub fn device_id(&self) -> Option<&str> {
        self.uri.as_deref()?.strip_prefix(DEVICE_URI)
    }

    /// First second of validity, Unix seconds.
    #[must_use]
    pub fn not_before_s(&self) -> i64 {
        self.not_before_s
    }

    /// Last second of validity, Unix seconds.
    #[must_use]
    pub fn not_after_s(&self) -> i64 {
        self.not_after_s
    }

    /// The certified key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Checks that this is a sound root at that time (Unix seconds): self-signed, and meant to issue.
    ///
    /// # Errors
    /// The first check that failed: [`CertificateError::Purpose`], [`CertificateError::Expired`],
    /// [`CertificateError::Signature`].
    pub fn verify_root(&self, at_s: i64) -> Result<(), CertificateError> {
        if self.authority != Authority::Root || self.issuer != self.subject {
            return Err(CertificateError::Purpose);
        }
        self.check_time(at_s)?;
        self.public_key.verify(&self.signed, &self.signature).map_err(CertificateError::from)
    }

    /// Checks the chain: the root is sound, it issued this certificate, both are valid at that
    /// time (Unix seconds), and this one is for that purpose (RFC 5280, 6.1, for a path of one).
    ///
    /// # Errors
    /// The first check that failed: those of [`Certificate::verify_root`],
    /// [`CertificateError::Issuer`], [`CertificateError::Signature`], [`CertificateError::Expired`],
    /// [`CertificateError::Purpose`].
    pub fn verify(&self, root: &Certificate, at_s: i64, purpose: Purpose) -> Result<(), CertificateError> {
        root.verify_root(at_s)?;
        self.issued_by(root)?;
        self.check_time(at_s)?;
        let fits = match purpose {
            Purpose::Platform => self.uri.as_deref() == Some(PLATFORM_URI),
            Purpose::Device => {
                self.client == ClientAuthentication::Allowed
                    && self.device_id().is_some_and(|id| !id.is_empty())
            }
        };
        if fits && self.authority == Authority::Leaf { Ok(()) } else { Err(CertificateError::Purpose) }
    }

    /// Checks that this root's key issued it, whenever that was: which of several roots a terminal
    /// needs for it.
    ///
    /// # Errors
    /// [`CertificateError::Issuer`], [`CertificateError::Signature`].
    pub fn issued_by(&self, root: &Certificate) -> Result<(), CertificateError> {
        if self.issuer != root.subject {
            return Err(CertificateError::Issuer);
        }
        root.public_key.verify(&self.signed, &self.signature).map_err(CertificateError::from)
    }

    fn check_time(&self, at_s: i64) -> Result<(), CertificateError> {
        if (self.not_before_s..=self.not_after_s).contains(&at_s) {
            Ok(())
        } else {
            Err(CertificateError::Expired)
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial())
            .field("common_name", &self.common_name)
            .field("uri", &self.uri)
            .field("not_after_s", &self.not_after_s)
            .finish_non_exhaustive()
    }
}
