//! Where a request came from, for limits that count by network address.

use super::{PeerAddress, TrustedProxies};
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// Written by a proxy: each one adds the address it was asked from at the end.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that asked, where it is known.
///
/// A trusted proxy is believed about whom it speaks for, which may be the next proxy: the last
/// address that is not a trusted proxy's counts. Nobody else is believed, or a stranger could name a
/// new address with each try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedFrom(pub(crate) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for AskedFrom {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<PeerAddress>().map(|PeerAddress(peer)| peer.ip());
        let nobody = TrustedProxies::default();
        let proxies = parts.extensions.get::<TrustedProxies>().unwrap_or(&nobody);
        Ok(Self(peer.map(|peer| asked_from(peer, proxies, &parts.headers))))
    }
}

fn asked_from(peer: IpAddr, proxies: &TrustedProxies, headers: &HeaderMap) -> IpAddr {
    let mut address = peer;
    let lines: Vec<&HeaderValue> = headers.get_all(FORWARDED_FOR).iter().collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    while proxies.believe(address) {
        // Past what cannot be read nothing is known: the proxy itself counts.
        let Some(next) = hops.next().and_then(read) else { break };
        address = next;
    }
    address
}

/// An address as proxies write it: alone, or with the port it asked from.
fn read(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    text.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_through(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let networks: Vec<_> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        asked_from(peer.parse().unwrap(), &TrustedProxies::new(&networks), &headers).to_string()
    }

    fn asked(peer: &str, forwarded: &[&'static str]) -> String {
        asked_through(&[], peer, forwarded)
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

    #[test]
    fn through_trusted_proxies_the_last_address_that_is_none_of_theirs_counts() {
        let through = |peer, forwarded: &[&'static str]| {
            asked_through(&["10.1.0.0/16", "2001:db8:1::/48"], peer, forwarded)
        };
        assert_eq!(through("10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(through("::ffff:10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        // Two balancers, one behind the other, and what the client made up before them.
        assert_eq!(through("10.1.2.3", &["203.0.113.9, 198.51.100.7, 10.1.0.9"]), "198.51.100.7");
        assert_eq!(through("10.1.2.3", &["203.0.113.9, 198.51.100.7", "2001:db8:1::5"]), "198.51.100.7");
        assert_eq!(through("127.0.0.1", &["198.51.100.7, 10.1.0.9"]), "198.51.100.7");
        // With a port, as some balancers write it.
        assert_eq!(through("10.1.2.3", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(through("10.1.2.3", &["[2001:db8::7]:4711"]), "2001:db8::7");
        // Nobody but them: the farthest one asked for itself.
        assert_eq!(through("10.1.2.3", &["10.1.0.8, 10.1.0.9"]), "10.1.0.8");
        assert_eq!(through("10.1.2.3", &[]), "10.1.2.3");
        // Who is not one of them is believed nothing, nor anything behind what cannot be read.
        assert_eq!(through("10.2.0.1", &["198.51.100.7"]), "10.2.0.1");
        assert_eq!(through("10.1.2.3", &["198.51.100.7, unknown, 10.1.0.9"]), "10.1.0.9");
        assert_eq!(through("10.1.2.3", &["198.51.100.7, "]), "10.1.2.3");
    }
}
