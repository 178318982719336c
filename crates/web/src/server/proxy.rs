//! Whose word about an address is believed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// 网段: one address, or all that share its first bits (CIDR, RFC 4632 and 4291).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

/// A text that is no network of proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither an address nor a network in CIDR form, like 10.0.0.5, 10.1.0.0/16 or 2001:db8::/32 (the bits after \
     the prefix are 0, and /0 would believe everybody)"
)]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(left, right)| (left, Some(right)));
        let base: IpAddr = address.parse().map_err(|_| NetworkError)?;
        // What an IPv4 address in IPv6 clothes means is ambiguous with a prefix: write it as IPv4.
        if base != base.to_canonical() {
            return Err(NetworkError);
        }
        let bits = bits_of(base);
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| NetworkError)?
            }
            Some(_) => return Err(NetworkError),
        };
        let network = Self { base, prefix };
        if !(1..=bits).contains(&prefix) || network.head(base) != number_of(base) {
            return Err(NetworkError);
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl Network {
    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && self.head(address) == self.head(self.base)
    }

    fn head(&self, address: IpAddr) -> u128 {
        let rest = bits_of(address).saturating_sub(self.prefix);
        u128::MAX.checked_shl(rest).map_or(0, |mask| number_of(address) & mask)
    }
}

const fn bits_of(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// 可信代理: the proxies and balancers in front of this server. Whoever asks from this very machine
/// is always one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// Loopback and these.
    #[must_use]
    pub fn new(networks: &[Network]) -> Self {
        Self(networks.into())
    }

    /// Whether what this address says of whom it speaks for is believed.
    pub(crate) fn believe(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback() || self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_or_the_first_bits_of_many() {
        for (network, inside, outside) in [
            ("10.0.0.5", "10.0.0.5", "10.0.0.6"),
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("192.0.2.128/25", "192.0.2.255", "192.0.2.127"),
            ("10.0.0.5/32", "::ffff:10.0.0.5", "::a00:5"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8::7", "2001:db8::7", "2001:db8::8"),
            ("128.0.0.0/1", "255.0.0.1", "127.0.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network}");
            assert!(!network.contains(outside.parse().unwrap()), "{network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "balancer",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.1/8",
            "10.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/8 ",
            "10.0.0.5:80",
            "*",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
