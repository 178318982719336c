//! The network self-test (网络自检): the way to the platform in six legs, so that a merchant hears
//! "the clock is wrong" and not "network error".
//!
//! The legs are walked in order and the walk ends at the first broken one: what lies behind it
//! cannot be known.

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};

use crate::link::{CONNECT_TIMEOUT, Link};
use crate::platform::{Address, Transport, TrustAnchor};
use crate::{Error, Surroundings, instant};

/// The clock may be off by as much as the protocol lets a request be.
pub const CLOCK_TOLERANCE_MS: i64 = 300_000;
/// How much the throughput leg fetches.
pub const THROUGHPUT_BYTES: u64 = 65_536;
/// Slower than this is broken: a card sale would run into its time-out.
pub const THROUGHPUT_MIN_BYTES_PER_S: u64 = 2_048;
/// Longest detail the protocol takes.
const DETAIL_CHARS_MAX: usize = 200;

/// One leg of the way to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Finding the address of the name.
    Resolve,
    /// Opening a TCP connection.
    Connect,
    /// TLS handshake under the trust anchor.
    Tls,
    /// Asking `echo`.
    Http,
    /// Comparing clocks.
    Clock,
    /// Fetching a blob.
    Throughput,
}

impl Leg {
    /// Every leg in the order walked.
    pub const ALL: [Self; 6] =
        [Self::Resolve, Self::Connect, Self::Tls, Self::Http, Self::Clock, Self::Throughput];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Clock => "clock",
            Self::Throughput => "throughput",
        }
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How one leg went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegReport {
    /// Which.
    pub leg: Leg,
    /// Whether it holds.
    pub ok: bool,
    /// How long it took.
    pub ms: u64,
    /// What was seen.
    pub detail: String,
}

/// Walks the legs.
pub struct NetworkTest<'a> {
    /// Who vouches for the platform.
    pub trust: &'a TrustAnchor,
    /// Clock for measuring.
    pub surroundings: &'a dyn Surroundings,
}

impl NetworkTest<'_> {
    /// Walks the legs until the end or the first broken one.
    ///
    /// # Errors
    /// Only when the power is cut; a broken leg is a report, not an error.
    pub fn run(&self, link: &mut Link<'_>) -> Result<Vec<LegReport>, Error> {
        let address = link.address().clone();
        let mut reports = Vec::new();
        let mut found = Vec::new();
        let mut echo_ms = None;
        for leg in Leg::ALL {
            let begun = self.surroundings.ticks_ms();
            let seen = match leg {
                Leg::Resolve => resolve(&address).map(|addresses| {
                    found = addresses;
                    format!("{} addresses", found.len())
                }),
                Leg::Connect => connect(&found).map(|stream| match stream.peer_addr() {
                    Ok(peer) => peer.to_string(),
                    Err(_) => "connected".to_owned(),
                }),
                Leg::Tls => self.handshake(&address, &found),
                Leg::Http => match self.echo(link) {
                    Ok((platform_ms, detail)) => {
                        echo_ms = Some(platform_ms);
                        Ok(detail)
                    }
                    Err(error) => Err(not_power(error)?),
                },
                Leg::Clock => compare_clocks(echo_ms, link.now_ms()),
                Leg::Throughput => match self.fetch(link) {
                    Ok(seen) => seen,
                    Err(error) => Err(not_power(error)?),
                },
            };
            let ms = self.surroundings.ticks_ms().saturating_sub(begun);
            let (ok, detail) = match seen {
                Ok(detail) => (true, detail),
                Err(detail) => (false, detail),
            };
            reports.push(LegReport { leg, ok, ms, detail: shorten(&detail) });
            if !ok {
                break;
            }
        }
        Ok(reports)
    }

    /// A TLS handshake of its own, so that a wrong certificate is told from a broken connection.
    fn handshake(&self, address: &Address, found: &[SocketAddr]) -> Result<String, String> {
        match address.transport() {
            Transport::Loopback => return Ok("plain HTTP on loopback".to_owned()),
            Transport::Tls => {}
        }
        let mut roots = RootCertStore::empty();
        for certificate in self.trust.certificates() {
            roots.add(certificate.clone()).map_err(|error| format!("trust anchor: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(address.host().to_owned()).map_err(|error| error.to_string())?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
        let mut stream = StreamOwned::new(connection, connect(found)?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| error.to_string())?;
        }
        let version = stream.conn.protocol_version();
        stream.conn.send_close_notify();
        // The farewell is a courtesy: the handshake, which is what this leg is about, is over.
        let farewell = stream.flush().and_then(|()| stream.sock.shutdown(std::net::Shutdown::Write));
        let drained = farewell.and_then(|()| stream.sock.read(&mut [0; 64]));
        let manner = if drained.is_ok() { "" } else { ", closed abruptly" };
        Ok(match version {
            Some(version) => format!("{version:?}{manner}"),
            None => format!("handshake done{manner}"),
        })
    }

    /// Asks `echo`; gives the platform's time.
    fn echo(&self, link: &mut Link<'_>) -> Result<(i64, String), Error> {
        #[derive(Deserialize)]
        struct Echo {
            time: String,
        }
        let path = "/terminal/v1/network/echo";
        let (body, date_ms) = link.plain(path)?;
        let told =
            serde_json::from_slice::<Echo>(&body).ok().and_then(|echo| instant::from_rfc3339(&echo.time));
        let platform_ms = told.or(date_ms).ok_or_else(|| Error::Malformed {
            request: format!("GET {path}"),
            detail: "it tells no time, neither in its body nor in a Date header".to_owned(),
        })?;
        Ok((platform_ms, format!("{} bytes", body.len())))
    }

    /// Fetches a blob and measures.
    fn fetch(&self, link: &mut Link<'_>) -> Result<Result<String, String>, Error> {
        let begun = self.surroundings.ticks_ms();
        let (body, _) = link.plain(&format!("/terminal/v1/network/blob?bytes={THROUGHPUT_BYTES}"))?;
        let ms = self.surroundings.ticks_ms().saturating_sub(begun).max(1);
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if bytes != THROUGHPUT_BYTES {
            return Ok(Err(format!("{bytes} bytes came instead of {THROUGHPUT_BYTES}")));
        }
        let rate = bytes.saturating_mul(1_000) / ms;
        let detail = format!("{} KiB/s", rate / 1_024);
        Ok(if rate >= THROUGHPUT_MIN_BYTES_PER_S { Ok(detail) } else { Err(detail) })
    }
}

/// The first broken leg, if any.
#[must_use]
pub fn broken(reports: &[LegReport]) -> Option<&LegReport> {
    reports.iter().find(|report| !report.ok)
}

/// A power cut ends the walk; anything else is what the leg saw.
fn not_power(error: Error) -> Result<String, Error> {
    match error {
        Error::PowerCut(_) => Err(error),
        other => Ok(other.to_string()),
    }
}

fn resolve(address: &Address) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<_> = (address.host(), address.port())
        .to_socket_addrs()
        .map_err(|error| format!("{}: {error}", address.host()))?
        .collect();
    if found.is_empty() { Err(format!("{}: no address", address.host())) } else { Ok(found) }
}

/// Connects to the first address that answers.
fn connect(found: &[SocketAddr]) -> Result<TcpStream, String> {
    let mut last = "no address".to_owned();
    for address in found {
        match TcpStream::connect_timeout(address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                let limited = stream
                    .set_read_timeout(Some(CONNECT_TIMEOUT))
                    .and_then(|()| stream.set_write_timeout(Some(CONNECT_TIMEOUT)));
                match limited {
                    Ok(()) => return Ok(stream),
                    Err(error) => last = format!("{address}: {error}"),
                }
            }
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    Err(last)
}

fn compare_clocks(platform_ms: Option<i64>, device_ms: i64) -> Result<String, String> {
    let Some(platform_ms) = platform_ms else { return Err("the platform told no time".to_owned()) };
    let off = device_ms.saturating_sub(platform_ms);
    let detail = format!("{off} ms from the platform's clock");
    if off.saturating_abs() <= CLOCK_TOLERANCE_MS { Ok(detail) } else { Err(detail) }
}

fn shorten(detail: &str) -> String {
    detail.chars().take(DETAIL_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_within_the_tolerance_pass() {
        assert!(compare_clocks(Some(0), CLOCK_TOLERANCE_MS).is_ok());
        assert!(compare_clocks(Some(0), -CLOCK_TOLERANCE_MS).is_ok());
        assert!(compare_clocks(Some(0), CLOCK_TOLERANCE_MS + 1).is_err());
        assert!(compare_clocks(Some(i64::MIN), i64::MAX).is_err());
        assert!(compare_clocks(None, 0).is_err());
    }
}
