//! Who asks: a device key's signature over the whole request.

use crate::Web;
use crate::auth::note;
use crate::input;
use crate::problem::{Kind, Problem};
use crate::tls::PeerCertificate;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use starpay_app::{Actor, ErrorKind, Role, SignedRequest};

/// A terminal's request: its four headers and the bytes it signed, not verified yet.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// What the platform verifies.
    pub(crate) request: SignedRequest,
}

impl Signed {
    /// The terminal, once the platform has verified the signature.
    pub(crate) async fn verify(self, web: &Web) -> Result<(Actor, Bytes), Problem> {
        let actor = web.platform.authenticate_terminal(&self.request).await?;
        Ok((actor, self.request.body))
    }
}

impl<S: Send + Sync> FromRequest<S> for Signed {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        note(&parts, Role::Terminal);
        let shown = |name: &'static str| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            value.ok_or_else(|| {
                Problem::new(Kind::App(ErrorKind::Unauthenticated), "signature_invalid").about(name)
            })
        };
        let (key, timestamp) = (shown("Starpay-Key")?, shown("Starpay-Timestamp")?);
        let (nonce, signature) = (shown("Starpay-Nonce")?, shown("Starpay-Signature")?);
        let body = input::read(body, input::JSON_BYTES_MAX).await?;
        let request = SignedRequest {
            key,
            timestamp,
            nonce,
            signature,
            method: parts.method.to_string(),
            path_and_query: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            body,
            certificate: parts.extensions.get::<PeerCertificate>().map(PeerCertificate::shown),
        };
        Ok(Self { request })
    }
}

/// A terminal that has proved its key, with the command it sent.
#[derive(Debug, Clone)]
pub(crate) struct Terminal<T> {
    /// The terminal.
    pub(crate) actor: Actor,
    /// Its command.
    pub(crate) command: T,
}

impl<T: DeserializeOwned> FromRequest<Web> for Terminal<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (actor, body) = Signed::from_request(request, web).await?.verify(web).await?;
        Ok(Self { actor, command: input::parse(&body)? })
    }
}

/// A terminal that has proved its key and only asks.
#[derive(Debug, Clone)]
pub(crate) struct AskingTerminal(pub(crate) Actor);

impl FromRequest<Web> for AskingTerminal {
    type Rejection = Problem;
    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let (actor, _) = Signed::from_request(request, web).await?.verify(web).await?;
        Ok(Self(actor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[tokio::test]
    async fn the_connections_certificate_goes_to_the_platform_with_the_request() {
        let signed = async |certificate: Option<PeerCertificate>| {
            let mut request = Request::post("/terminal/v1/claims").body(Body::empty()).unwrap();
            for name in ["Starpay-Key", "Starpay-Timestamp", "Starpay-Nonce", "Starpay-Signature"] {
                request.headers_mut().insert(name, "1".parse().unwrap());
            }
            if let Some(certificate) = certificate {
                request.extensions_mut().insert(certificate);
            }
            Signed::from_request(request, &()).await.unwrap().request.certificate
        };
        assert_eq!(signed(None).await, None);
        let shown = PeerCertificate { serial: "4a".to_owned(), not_after_s: 7 };
        assert_eq!(signed(Some(shown.clone())).await, Some(shown.shown()));
    }
}
