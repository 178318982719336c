//! Making certificates and certificate requests. Signing goes through the [`Hsm`] port.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use super::{
    Certificate, CertificateError, CertificateRequest, DEVICE_DAYS, DEVICE_URI, PLATFORM_DAYS, PLATFORM_URI,
    ROOT_DAYS,
};
use crate::hsm::{Hsm, HsmError, SignerName};
use crate::random::{self, Random};
use crate::signature::{PublicKey, SigningKey};

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
/// Certificates start this long ago: a terminal's clock may lag by as much (`clock_skew`).
const BACKDATED_S: i64 = 300;
const SERIAL_BYTES: usize = 16;

/// Whom a device's certificate names.
#[derive(Debug, Clone, Copy)]
pub struct DeviceSubject<'a> {
    /// The terminal's serial number, the common name.
    pub serial: &'a str,
    /// The device's id (`dev_…`), the SAN URI.
    pub device_id: &'a str,
}

/// Makes the self-signed root certificate of the authority key, valid from five minutes before `now_s`
/// (Unix seconds) for [`ROOT_DAYS`].
///
/// # Errors
/// [`CertificateError::Name`] when the name is empty, longer than 64 characters or holds a control
/// character, [`CertificateError::Hsm`] when the key store does not sign.
pub fn create_root(
    hsm: &dyn Hsm,
    name: &str,
    now_s: i64,
    random: &dyn Random,
) -> Result<Certificate, CertificateError> {
    let authority = HsmSigner::new(hsm, SignerName::CertificateAuthority)?;
    let mut params = params(name, now_s, ROOT_DAYS, random)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let made = params.self_signed(&authority).map_err(|error| authority.explain(error))?;
    Certificate::parse(made.der())
}

/// Issues the certificate of the platform's own signing key, valid for [`PLATFORM_DAYS`].
///
/// # Errors
/// [`CertificateError::Name`] when the name is empty, longer than 64 characters or holds a control
/// character, [`CertificateError::Hsm`] when the key store does not sign.
pub fn issue_platform(
    hsm: &dyn Hsm,
    root: &Certificate,
    name: &str,
    now_s: i64,
    random: &dyn Random,
) -> Result<Certificate, CertificateError> {
    let key = hsm.public_key(SignerName::Platform)?;
    let mut params = params(name, now_s, PLATFORM_DAYS, random)?;
    params.subject_alt_names = vec![uri(PLATFORM_URI)?];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    issue(hsm, root, &params, &key)
}

/// Issues a device's one-year certificate for the key of a verified request.
///
/// # Errors
/// [`CertificateError::Name`] when serial number or device id cannot stand in a certificate,
/// [`CertificateError::Issuer`] when `root` is not the key store's, [`CertificateError::Signature`] when
/// it was replaced meanwhile, [`CertificateError::Hsm`] when it does not sign.
pub fn issue_device(
    hsm: &dyn Hsm,
    root: &Certificate,
    request: &CertificateRequest,
    subject: DeviceSubject<'_>,
    now_s: i64,
    random: &dyn Random,
) -> Result<Certificate, CertificateError> {
    let mut params = params(subject.serial, now_s, DEVICE_DAYS, random)?;
    params.subject_alt_names = vec![uri(&format!("{DEVICE_URI}{}", subject.device_id))?];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    issue(hsm, root, &params, &request.public_key)
}

/// Makes a device's certificate request for its own key, naming its serial number.
pub(crate) fn request(key: &SigningKey, serial: &str) -> Result<Vec<u8>, CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(serial)?;
    let signer = DeviceSigner { key, point: key.public_key().point() };
    let made = params.serialize_request(&signer).map_err(|_| CertificateError::Malformed)?;
    Ok(made.der().to_vec())
}

fn issue(
    hsm: &dyn Hsm,
    root: &Certificate,
    params: &CertificateParams,
    key: &PublicKey,
) -> Result<Certificate, CertificateError> {
    let authority = HsmSigner::new(hsm, SignerName::CertificateAuthority)?;
    if root.public_key() != &authority.public_key {
        return Err(CertificateError::Issuer);
    }
    let issuer = Issuer::from_ca_cert_der(&CertificateDer::from(root.der()), &authority)
        .map_err(|_| CertificateError::Malformed)?;
    let subject = Subject { point: key.point() };
    let made = params.signed_by(&subject, &issuer).map_err(|error| authority.explain(error))?;
    let made = Certificate::parse(made.der())?;
    // The authority's key may have been replaced since it was asked for.
    made.issued_by(root)?;
    Ok(made)
}

fn params(
    name: &str,
    now_s: i64,
    days: i64,
    random: &dyn Random,
) -> Result<CertificateParams, CertificateError> {
    let at = |seconds| {
        OffsetDateTime::from_unix_timestamp(seconds)
            .map_err(|_| CertificateError::Name(format!("time {seconds}")))
    };
    let mut params = CertificateParams::default();
    params.not_before = at(now_s - BACKDATED_S)?;
    params.not_after = at(now_s + days * SECONDS_PER_DAY)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial(random)));
    params.distinguished_name = named(name)?;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Sixteen random bytes as a positive number of constant length (RFC 5280 §4.1.2.2).
fn serial(random: &dyn Random) -> [u8; SERIAL_BYTES] {
    let mut bytes: [u8; SERIAL_BYTES] = random::array(random);
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x3F | 0x40;
    }
    bytes
}

fn named(name: &str) -> Result<DistinguishedName, CertificateError> {
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(CertificateError::Name(name.to_owned()));
    }
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    Ok(distinguished)
}

fn uri(text: &str) -> Result<SanType, CertificateError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte));
    let wrong = || CertificateError::Name(text.to_owned());
    if !plain || text.ends_with(':') {
        return Err(wrong());
    }
    text.try_into().map(SanType::URI).map_err(|_| wrong())
}

/// A key of the module as rcgen wants to see it.
struct HsmSigner<'a> {
    hsm: &'a dyn Hsm,
    name: SignerName,
    public_key: PublicKey,
    point: Vec<u8>,
    failure: std::sync::Mutex<Option<HsmError>>,
}

impl<'a> HsmSigner<'a> {
    fn new(hsm: &'a dyn Hsm, name: SignerName) -> Result<Self, CertificateError> {
        let public_key = hsm.public_key(name)?;
        Ok(Self { hsm, name, public_key, point: public_key.point(), failure: None.into() })
    }

    /// rcgen's error for a failing remote key says nothing; ours was kept.
    fn explain(&self, _error: rcgen::Error) -> CertificateError {
        let kept = self.failure.lock().ok().and_then(|mut kept| kept.take());
        kept.map_or(CertificateError::Malformed, CertificateError::Hsm)
    }
}

impl PublicKeyData for HsmSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for HsmSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.hsm.sign(self.name, message).map(crate::signature::Signature::to_der).map_err(|error| {
            if let Ok(mut kept) = self.failure.lock() {
                *kept = Some(error);
            }
            rcgen::Error::RemoteKeyError
        })
    }
}

/// A public key to be certified.
struct Subject {
    point: Vec<u8>,
}

impl PublicKeyData for Subject {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// A device's own key, for its request.
struct DeviceSigner<'a> {
    key: &'a SigningKey,
    point: Vec<u8>,
}

impl PublicKeyData for DeviceSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for DeviceSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).to_der())
    }
}
