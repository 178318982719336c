//! The network test names the leg that is broken.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use starpay_terminal::link::Link;
use starpay_terminal::network_test::{Leg, LegReport, NetworkTest, broken};
use starpay_terminal::platform::{Address, TrustAnchor};
use starpay_terminal::screen::Language;
use starpay_terminal::{Error, Step};

use crate::bench::{Bench, Typist, activate, settings};
use crate::platform::{NOW_MS, Platform, Quirk};

fn walk(address: &str, trust_pem: &str, bench: &Bench) -> Vec<LegReport> {
    let trust = TrustAnchor::from_pem(trust_pem.as_bytes()).unwrap();
    let address = Address::parse(address).unwrap();
    let mut link = Link::new(address, &trust, Language::En, None, bench);
    NetworkTest { trust: &trust, surroundings: bench }.run(&mut link).unwrap()
}

fn broken_leg(reports: &[LegReport]) -> Leg {
    let leg = broken(reports).unwrap().leg;
    assert_eq!(leg, reports.last().unwrap().leg, "the walk went on behind a broken leg");
    leg
}

#[test]
fn all_six_legs_hold_to_a_good_platform() {
    let platform = Platform::start();
    let reports = walk(&platform.url(), &platform.trust_pem(), &Bench::new());
    assert_eq!(reports.iter().map(|report| report.leg).collect::<Vec<_>>(), Leg::ALL);
    assert!(broken(&reports).is_none(), "{reports:?}");
    assert_eq!(reports[2].detail, "plain HTTP on loopback");
}

#[test]
fn a_name_nobody_knows_breaks_resolve() {
    let platform = Platform::start();
    let reports = walk("https://no-such-host.invalid", &platform.trust_pem(), &Bench::new());
    assert_eq!(broken_leg(&reports), Leg::Resolve);
}

#[test]
fn a_closed_port_breaks_connect() {
    let mut platform = Platform::start();
    let (url, trust) = (platform.url(), platform.trust_pem());
    platform.stop();
    assert_eq!(broken_leg(&walk(&url, &trust, &Bench::new())), Leg::Connect);
}

#[test]
fn a_stranger_behind_tls_breaks_tls() {
    let platform = Platform::start();
    let stranger = TlsServer::start();
    let reports = walk(&stranger.url(), &platform.trust_pem(), &Bench::new());
    assert_eq!(broken_leg(&reports), Leg::Tls);
}

#[test]
fn a_trusted_server_behind_tls_is_reached() {
    let server = TlsServer::start();
    let reports = walk(&server.url(), &server.certificate_pem, &Bench::new());
    assert!(reports[2].detail.starts_with("TLSv1"), "{}", reports[2].detail);
    // This server gives no blob, so the walk ends at the last leg and not before.
    assert_eq!(broken_leg(&reports), Leg::Throughput, "{reports:?}");
}

#[test]
fn a_server_that_is_not_the_platform_breaks_http() {
    let platform = Platform::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
        }
    });
    let reports = walk(&format!("http://127.0.0.1:{port}"), &platform.trust_pem(), &Bench::new());
    assert_eq!(broken_leg(&reports), Leg::Http);
}

#[test]
fn a_wrong_clock_breaks_clock() {
    let platform = Platform::start();
    let bench = Bench::new();
    bench.now_ms.set(NOW_MS + 301_000);
    assert_eq!(broken_leg(&walk(&platform.url(), &platform.trust_pem(), &bench)), Leg::Clock);
}

#[test]
fn a_short_blob_breaks_throughput() {
    let platform = Platform::with(Quirk::BlobShort);
    assert_eq!(broken_leg(&walk(&platform.url(), &platform.trust_pem(), &Bench::new())), Leg::Throughput);
}

#[test]
fn a_broken_leg_stops_the_activation_there_and_is_named() {
    let platform = Platform::with(Quirk::BlobShort);
    let home = tempfile::tempdir().unwrap();
    let mut typist = Typist::new();
    let error = activate(settings(&platform, home.path()), &Bench::new(), &mut typist).unwrap_err();
    assert!(matches!(&error, Error::Unreachable { leg: Leg::Throughput, .. }), "{error}");
    let last = typist.reports.last().unwrap();
    assert_eq!((last.step, last.ok), (Step::Network, false));
    assert!(last.detail.contains("throughput"), "{}", last.detail);
}

#[test]
fn an_unreachable_platform_names_the_leg_at_the_first_step_too() {
    let mut platform = Platform::start();
    let home = tempfile::tempdir().unwrap();
    let settings = settings(&platform, home.path());
    platform.stop();
    let bench = Bench::new();
    let error = activate(settings, &bench, &mut Typist::new()).unwrap_err();
    assert!(matches!(&error, Error::Unreachable { leg: Leg::Connect, .. }), "{error}");
    assert!(bench.ticks_ms.get() > 0, "it gave up without trying again");
}

/// A TLS server that vouches for itself and tells everybody the time.
struct TlsServer {
    port: u16,
    certificate_pem: String,
}

impl TlsServer {
    fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                // A terminal that hangs up is none of this server's business.
                let _ = tell_time(rustls::StreamOwned::new(connection, stream.unwrap()));
            }
        });
        Self { port, certificate_pem: made.cert.pem() }
    }
}

fn tell_time(mut stream: rustls::StreamOwned<rustls::ServerConnection, TcpStream>) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    if stream.read(&mut asked)? == 0 {
        return Ok(());
    }
    let body = r#"{"time":"2026-11-23T07:41:11Z"}"#;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())?;
    stream.conn.send_close_notify();
    stream.flush()
}
