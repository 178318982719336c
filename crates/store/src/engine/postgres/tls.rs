//! TLS to the server, when `sslmode` asks for it.

use crate::error::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

const REMEDY: &str = "write sslmode=disable, or sslmode=require with sslrootcert=PATH of the server's CA";

/// Takes `sslmode` and `sslrootcert` out of the URL and prepares TLS when they ask for it. There
/// is no mode that encrypts without knowing the server: it would stop nobody.
pub(super) fn split(url: &str) -> Result<(String, Option<MakeRustlsConnect>), StoreError> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None));
    };
    let mut rest = Vec::new();
    let (mut mode, mut roots) = ("disable", None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = value,
            Some(("sslrootcert", value)) => roots = Some(value),
            _ => rest.push(pair),
        }
    }
    let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    match (mode, roots) {
        ("disable", _) => Ok((url, None)),
        ("require" | "verify-ca" | "verify-full", Some(path)) => Ok((url, Some(verified(path)?))),
        _ => Err(StoreError::config(REMEDY)),
    }
}

fn verified(path: &str) -> Result<MakeRustlsConnect, StoreError> {
    let unreadable = |error: &dyn std::fmt::Display| StoreError::config(format_args!("{path}: {error}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"no certificate in it"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(StoreError::config)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verified_tls_is_taken() {
        let plain = split("postgres://a@h/d?application_name=x&sslmode=disable").unwrap();
        assert_eq!(plain.0, "postgres://a@h/d?application_name=x");
        assert!(plain.1.is_none());
        assert!(split("postgres://a@h/d?sslmode=prefer").is_err());
        assert!(split("postgres://a@h/d?sslmode=require").is_err());
        assert!(split("postgres://a@h/d?sslmode=require&sslrootcert=/no/such/file").is_err());
    }
}
