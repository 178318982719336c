//! TLS by configuration (rustls with ring), and the certificate a terminal may show.
//!
//! A terminal's certificate is allowed, never required: pages and API share the port, and a
//! terminal has none before step 7 of its activation. The handshake checks its chain and, by the
//! platform's clock, its time. Whether it still counts (revocation by state) and whose requests
//! it may carry is asked of the platform with every request: a connection outlives much.
//!
//! The roots are asked for at every handshake: after the platform's CA was replaced, terminals
//! come with certificates of the new one and, until each has renewed, of the earlier one.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use starpay_app::ShownCertificate;
use starpay_app::port::Clock;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Why no TLS configuration could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file is not PEM or holds no certificate.
    #[error("the certificate is not a PEM certificate chain")]
    Certificate,
    /// The key file is not PEM or holds no private key.
    #[error("the key is not a PEM private key")]
    Key,
    /// The platform's CA certificate does not read as one.
    #[error("the terminal CA certificate is not usable")]
    TerminalCa,
    /// Certificate and key do not fit each other, or are of a kind rustls does not take.
    #[error("certificate and key do not work together")]
    Mismatch(#[source] rustls::Error),
}

/// The platform's clock, by which the validity of certificates is judged.
pub struct PlatformTime(pub Arc<dyn Clock>);

impl fmt::Debug for PlatformTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlatformTime")
    }
}

impl TimeProvider for PlatformTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now_s = u64::try_from(self.0.now().millis().div_euclid(1000)).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now_s)))
    }
}

/// The root certificates (DER) under which terminals' certificates were issued, as of now.
pub type TerminalRoots = Arc<dyn Fn() -> Vec<Vec<u8>> + Send + Sync>;

/// Believes a terminal's certificate under any root that the platform names at that moment.
struct Terminals {
    roots: TerminalRoots,
    known: Mutex<Known>,
}

/// The roots a verifier was made of, and that verifier.
#[derive(Clone)]
struct Known {
    roots: Vec<Vec<u8>>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Known {
    fn new(roots: Vec<Vec<u8>>) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(CertificateDer::from(root.clone())).map_err(|_| TlsError::TerminalCa)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|_| TlsError::TerminalCa)?;
        Ok(Self { roots, verifier })
    }
}

impl Terminals {
    fn new(roots: TerminalRoots) -> Result<Self, TlsError> {
        let known = Known::new(roots())?;
        Ok(Self { roots, known: Mutex::new(known) })
    }

    /// The verifier of the present roots.
    fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        let roots = (self.roots)();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.roots != roots {
            match Known::new(roots) {
                Ok(made) => *known = made,
                Err(error) => tracing::error!(%error, "terminals are still judged by the earlier roots"),
            }
        }
        Arc::clone(&known.verifier)
    }
}

impl fmt::Debug for Terminals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Terminals")
    }
}

impl ClientCertVerifier for Terminals {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: whoever has a certificate shows it.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.verifier().verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier().supported_verify_schemes()
    }
}

/// A server configuration from PEM texts; `terminals` signed the client certificates that are
/// accepted.
///
/// # Errors
/// When a text is not what it should be, or key and certificate do not fit.
pub fn server_config(
    certificate_pem: &[u8],
    key_pem: &[u8],
    terminals: Option<TerminalRoots>,
    time: PlatformTime,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate_pem)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| TlsError::Key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_details(provider, Arc::new(time))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Mismatch)?;
    let builder = match terminals {
        None => builder.with_no_client_auth(),
        Some(roots) => builder.with_client_cert_verifier(Arc::new(Terminals::new(roots)?)),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The client certificate of this connection, verified against the platform's CA, as a request
/// extension. Absent when the client showed none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Serial number, lower-case hex without leading zeros' sign byte.
    pub serial: String,
    /// Last second of validity, Unix seconds.
    pub not_after_s: i64,
}

impl PeerCertificate {
    pub(crate) fn of(connection: &ServerConnection) -> Option<Self> {
        let leaf = connection.peer_certificates()?.first()?;
        let (_, certificate) = x509_parser::parse_x509_certificate(leaf.as_ref()).ok()?;
        Some(Self {
            serial: hex::encode(certificate.tbs_certificate.serial.to_bytes_be()),
            not_after_s: certificate.validity().not_after.timestamp(),
        })
    }

    /// As the platform is told of it.
    pub(crate) fn shown(&self) -> ShownCertificate {
        ShownCertificate { serial: self.serial.clone(), not_after_s: self.not_after_s }
    }
}
