//! Where a request came from, for limits that count by network address.

use super::PeerAddress;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use std::convert::Infallible;
use std::net::IpAddr;

/// Written by a proxy: each one adds the address it was asked from at the end.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that asked, where it is known.
///
/// A peer on loopback is a proxy that ends TLS in front of us, or somebody on this machine: the
/// last address it names counts. Nobody else is believed, or a stranger could name a new address
/// with each try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedFrom(pub(crate) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for AskedFrom {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<PeerAddress>().map(|PeerAddress(peer)| peer.ip());
        Ok(Self(peer.map(|peer| asked_from(peer, &parts.headers))))
    }
}

fn asked_from(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    let last = headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|text| text.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, http::HeaderValue::from_static(value));
        }
        asked_from(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed_and_only_its_own_word() {
        assert_eq!(asked("127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        // What a client wrote itself stands before what the proxy added.
        assert_eq!(asked("::1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked("127.0.0.1", &["203.0.113.9", "2001:db8::1"]), "2001:db8::1");
        assert_eq!(asked("::ffff:127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(asked("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(asked("127.0.0.1", &["nobody"]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", &[]), "127.0.0.1");
    }
}
