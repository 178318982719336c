//! Reading certificates and certificate requests.

use x509_parser::asn1_rs::BitString;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{OID_SIG_ECDSA_WITH_SHA256, Oid};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use super::{Authority, Certificate, CertificateError, ClientAuthentication};
use crate::signature::{PublicKey, Signature};

/// Longest certificate or request that is looked at.
const DER_BYTES_MAX: usize = 8 * 1024;

impl Certificate {
    /// Reads a certificate in DER, at most 8,192 bytes. Nothing is verified yet.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] when it is none, is longer, or holds an unknown critical
    /// extension; [`CertificateError::Algorithm`] for another kind of key;
    /// [`CertificateError::Signature`] when what stands for a signature cannot be one.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > DER_BYTES_MAX {
            return Err(CertificateError::Malformed);
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        check_algorithm(&parsed.signature_algorithm.algorithm)?;
        if parsed.extensions().iter().any(|extension| {
            extension.critical && extension.parsed_extension().unsupported()
                || extension.parsed_extension().error().is_some()
        }) {
            return Err(CertificateError::Malformed);
        }
        let may_sign = parsed.key_usage().ok().flatten().is_some_and(|usage| usage.value.key_cert_sign());
        let client = parsed.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.client_auth);
        Ok(Self {
            der: der.to_vec(),
            serial: parsed.raw_serial().to_vec(),
            common_name: common_name(parsed.subject())?,
            uri: uri(&parsed)?,
            not_before_s: parsed.validity().not_before.timestamp(),
            not_after_s: parsed.validity().not_after.timestamp(),
            public_key: PublicKey::from_spki_der(parsed.public_key().raw)?,
            authority: if parsed.is_ca() && may_sign { Authority::Root } else { Authority::Leaf },
            client: if client { ClientAuthentication::Allowed } else { ClientAuthentication::NotNamed },
            issuer: parsed.issuer().as_raw().to_vec(),
            subject: parsed.subject().as_raw().to_vec(),
            signed: parsed.tbs_certificate.as_ref().to_vec(),
            signature: signature(der, parsed.tbs_certificate.as_ref(), &parsed.signature_value)?,
        })
    }

    /// Reads the first certificate of a PEM text, for example a trust anchor's file.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] when there is none, else as [`Certificate::parse`].
    pub fn parse_pem(pem: &str) -> Result<Self, CertificateError> {
        use rustls_pki_types::CertificateDer;
        use rustls_pki_types::pem::PemObject;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| CertificateError::Malformed)?;
        Self::parse(&der)
    }
}

/// A device's certificate request (PKCS#10, RFC 2986) whose signature was verified: whoever
/// sent it has the private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    pub(super) public_key: PublicKey,
    common_name: String,
}

impl CertificateRequest {
    /// Reads a request in DER, at most 8,192 bytes, and verifies its signature. Only the key is taken from it: names
    /// and extensions a device asks for are not ours to repeat.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`], [`CertificateError::Algorithm`] for another kind of key,
    /// [`CertificateError::Signature`] when it does not verify.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > DER_BYTES_MAX {
            return Err(CertificateError::Malformed);
        }
        let (rest, parsed) =
            X509CertificationRequest::from_der(der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        check_algorithm(&parsed.signature_algorithm.algorithm)?;
        let asked = &parsed.certification_request_info;
        let public_key = PublicKey::from_spki_der(asked.subject_pki.raw)?;
        public_key.verify(asked.raw, &signature(der, asked.raw, &parsed.signature_value)?)?;
        Ok(Self { public_key, common_name: common_name(&asked.subject)? })
    }

    /// The key to be certified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The name in the request; a device puts its serial number here.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }
}

/// `SEQUENCE { OID ecdsa-with-SHA256 }` (RFC 5758 §3.2).
const ECDSA_WITH_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// The signature of a signed structure, which must be spelt exactly as DER says. The parser is
/// lenient in the part outside the signed bytes, and a certificate with two spellings would have
/// two fingerprints.
fn signature(der: &[u8], signed: &[u8], bits: &BitString<'_>) -> Result<Signature, CertificateError> {
    let signature = Signature::from_der(&bits.data)?;
    let bits = element(0x03, &[&[0], &bits.data]);
    if element(0x30, &[signed, ECDSA_WITH_SHA256, &bits]) == der {
        Ok(signature)
    } else {
        Err(CertificateError::Malformed)
    }
}

/// One DER element of the given content.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.extend(u8::try_from(short)),
        long => {
            let length: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.extend(u8::try_from(0x80 | length.len()));
            out.extend(length);
        }
    }
    out.extend(content);
    out
}

fn check_algorithm(algorithm: &Oid<'_>) -> Result<(), CertificateError> {
    if *algorithm == OID_SIG_ECDSA_WITH_SHA256 { Ok(()) } else { Err(CertificateError::Algorithm) }
}

fn common_name(name: &X509Name<'_>) -> Result<String, CertificateError> {
    let mut names = name.iter_common_name();
    match (names.next(), names.next()) {
        (Some(only), None) => only.as_str().map(str::to_owned).map_err(|_| CertificateError::Malformed),
        (Some(_) | None, _) => Err(CertificateError::Malformed),
    }
}

/// The one URI of the subject's alternative names; a second one would make the purpose unclear.
fn uri(certificate: &X509Certificate<'_>) -> Result<Option<String>, CertificateError> {
    let mut uris =
        certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        });
    let Some(names) = uris.next() else { return Ok(None) };
    match names.as_slice() {
        [GeneralName::URI(uri)] if uris.next().is_none() => Ok(Some((*uri).to_owned())),
        _ => Err(CertificateError::Malformed),
    }
}
