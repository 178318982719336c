//! Where the platform is and by what it is recognised.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::Error;

/// Most bytes read of a trust file; a few certificates fit many times over.
const TRUST_FILE_BYTES_MAX: u64 = 64 * 1024;

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTPS.
    Tls,
    /// Plain HTTP, to a loopback address only.
    Loopback,
}

/// The platform's address: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    transport: Transport,
    host: String,
    port: u16,
}

impl Address {
    /// Reads `https://host[:port]`, or `http://` before a loopback address or `localhost`.
    ///
    /// # Errors
    /// When it is something else: a terminal never talks in the clear over a network.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Setting { field: "server", reason: reason.to_owned() };
        let (transport, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Transport::Tls, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Transport::Loopback, rest)
        } else {
            return Err(wrong("must start with https:// (or http:// for a loopback address)"));
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            return Err(wrong("must be scheme, host and port only"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| wrong("the port is not a number"))?;
        let port = port.unwrap_or(match transport {
            Transport::Tls => 443,
            Transport::Loopback => 80,
        });
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if transport == Transport::Loopback && !local {
            return Err(wrong("plain http is for loopback addresses only: use https"));
        }
        Ok(Self { transport, host: host.to_owned(), port })
    }

    /// How requests travel there.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Host name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = match self.transport {
            Transport::Tls => "https",
            Transport::Loopback => "http",
        };
        if self.host.contains(':') {
            format!("{scheme}://[{}]:{}{path}", self.host, self.port)
        } else {
            format!("{scheme}://{}:{}{path}", self.host, self.port)
        }
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => match authority.find(':') {
            Some(at) => authority.split_at(at),
            None => (authority, ""),
        },
    };
    match rest.strip_prefix(':') {
        Some(port) => Some((host, Some(port.parse().ok()?))),
        None if rest.is_empty() => Some((host, None)),
        None => None,
    }
}

/// The platform's CA certificate, put into the terminal by the factory; the virtual terminal reads
/// it from a PEM file. It vouches for the TLS server, for the signer of key statements and for the
/// device certificate.
#[derive(Debug, Clone)]
pub struct TrustAnchor {
    certificates: Arc<Vec<CertificateDer<'static>>>,
}

impl TrustAnchor {
    /// Reads the PEM file.
    ///
    /// # Errors
    /// When it cannot be read or holds no certificate.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Setting {
            field: "trust",
            reason: format!("{}: {reason}", path.display()),
        };
        let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if size > TRUST_FILE_BYTES_MAX {
            return Err(wrong(format!("{size} bytes; at most {TRUST_FILE_BYTES_MAX} are read")));
        }
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        Self::from_pem(&pem).map_err(|error| match error {
            Error::Setting { reason, .. } => wrong(reason),
            other => other,
        })
    }

    /// Takes the certificates of a PEM text.
    ///
    /// # Errors
    /// When it holds none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Setting { field: "trust", reason };
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(format!("not PEM: {error}")))?;
        if certificates.is_empty() {
            return Err(wrong("holds no certificate".to_owned()));
        }
        Ok(Self { certificates: Arc::new(certificates) })
    }

    /// The certificates.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_scheme_host_port() {
        for (text, url) in [
            ("https://pay.example.test", "https://pay.example.test:443/x"),
            ("https://pay.example.test:8443/", "https://pay.example.test:8443/x"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x"),
            ("http://[::1]:8080", "http://[::1]:8080/x"),
            ("http://localhost", "http://localhost:80/x"),
        ] {
            assert_eq!(Address::parse(text).unwrap().url("/x"), url);
        }
    }

    #[test]
    fn plain_http_over_a_network_is_refused() {
        for text in [
            "http://192.0.2.1",
            "http://pay.example.test",
            "ftp://127.0.0.1",
            "https://a/b",
            "https://u@h",
            "https://h:port",
            "https://[::1]x",
            "https://",
        ] {
            assert!(Address::parse(text).is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn a_trust_file_without_certificate_is_refused() {
        assert!(TrustAnchor::from_pem(b"").is_err());
        assert!(TrustAnchor::from_pem(b"-----BEGIN CERTIFICATE-----\nAA").is_err());
    }
}
