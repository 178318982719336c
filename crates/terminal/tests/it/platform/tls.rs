//! The test platform's TLS: it takes the terminal's certificate and judges it by the platform's
//! clock.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use starpay_keys::certificate::Certificate;

use super::{DATE, Inner};
use crate::wire::{read, write};

/// The server's TLS: it takes the terminal's certificate and judges it by the platform's clock.
pub(super) struct Tls {
    config: Arc<rustls::ServerConfig>,
    pub(super) certificate_pem: String,
}

struct Clock(Arc<Inner>);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now_s = self.0.now_s().try_into().unwrap();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(now_s)))
    }
}

impl Tls {
    pub(super) fn new(identity: &rcgen::CertifiedKey<rcgen::KeyPair>, inner: &Arc<Inner>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(inner.keystore.root_certificate().der().to_vec())).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
        let clock = Arc::new(Clock(Arc::clone(inner)));
        let config = rustls::ServerConfig::builder_with_details(provider, clock)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![identity.cert.der().clone()], key)
            .unwrap();
        Self { config: Arc::new(config), certificate_pem: identity.cert.pem() }
    }

    /// One request. A terminal that hangs up, or was refused, is none of this server's business.
    pub(super) fn serve(&self, stream: TcpStream, inner: &Inner) {
        let connection = rustls::ServerConnection::new(Arc::clone(&self.config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        let Some(arrived) = read(&mut stream) else { return };
        let shown =
            stream.conn.peer_certificates().map(|chain| Certificate::parse(&chain[0]).unwrap().serial());
        write(&mut stream, &inner.answer(&arrived, shown.as_deref()), DATE);
        stream.conn.send_close_notify();
        let _ = std::io::Write::flush(&mut stream);
    }
}
