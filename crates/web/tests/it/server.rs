//! The listener over real sockets.

use crate::site::{Site, bearer};
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SerialNumber};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use starpay_adapters::clock::ManualClock;
use starpay_app::port::Clock;
use starpay_domain::instant::Timestamp;
use starpay_keys::OsRandom;
use starpay_keys::certificate::{Certificate, CertificateRequest, DeviceSubject, issue_device};
use starpay_keys::hsm::SignerName;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_web::page::journey::Snapshot;
use starpay_web::page::{Deployment, JourneySource, JourneyView, Mode, PageState};
use starpay_web::server::{HEAD_BYTES_MAX, HEADER_READ_TIMEOUT, PeerAddress, Server, Stopping, Transport};
use starpay_web::tls::{PeerCertificate, PlatformTime, TerminalRoots, server_config};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn serve(router: Router, transport: Transport) -> Running {
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), transport).await.unwrap();
    let (address, stop) = (server.local_address().unwrap(), CancellationToken::new());
    let task = tokio::spawn(server.run(router, stop.clone()));
    Running { address, stop, task }
}

fn router() -> Router {
    Router::new()
        .route(
            "/peer",
            get(|Extension(PeerAddress(peer)): Extension<PeerAddress>| async move { peer.ip().to_string() }),
        )
        .route(
            "/certificate",
            get(|request: Request| async move {
                let shown = request.extensions().get::<PeerCertificate>();
                shown.map_or_else(|| "none".to_owned(), |shown| shown.serial.clone())
            }),
        )
        .route(
            "/certificate-end",
            get(|request: Request| async move {
                let shown = request.extensions().get::<PeerCertificate>();
                shown.map_or_else(|| "none".to_owned(), |shown| shown.not_after_s.to_string())
            }),
        )
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "done"
            }),
        )
        .route(
            "/until-stop",
            get(|Extension(Stopping(stop)): Extension<Stopping>| async move {
                stop.cancelled().await;
                "stopped"
            }),
        )
}

async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A peer that hangs up without a TLS close_notify has still answered.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let running = serve(router(), Transport::Plain).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let answer = ask(&mut stream, "/peer").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
    running.stop.cancel();
    running.task.await.unwrap();
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_long_answers_end() {
    let running = serve(router(), Transport::Plain).await;
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    let mut long = TcpStream::connect(running.address).await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    let asked = tokio::join!(ask(&mut slow, "/slow"), ask(&mut long, "/until-stop"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        running.stop.cancel();
    });
    assert!(asked.0.ends_with("done"), "{}", asked.0);
    assert!(asked.1.ends_with("stopped"), "{}", asked.1);
    running.task.await.unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens any more");
}

struct Journey(watch::Sender<Arc<Snapshot>>);

impl JourneySource for Journey {
    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.subscribe()
    }
}

/// Reads until the text appears.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{}", String::from_utf8_lossy(&read));
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_stop_ends_open_event_streams_at_once() {
    let view = JourneyView::samples().remove(1).1;
    let journey = Arc::new(Journey(watch::Sender::new(Arc::new(Snapshot::new(7, view.clone())))));
    let shown = Deployment { mode: Mode::Sandbox, acquirer: None, version: "0.1.0".to_owned() };
    let source: Arc<dyn JourneySource> = journey.clone();
    let pages = starpay_web::page::router(PageState::new(shown, Some(source), None));
    let running = serve(pages, Transport::Plain).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET /journey/events HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
        let first = read_until(&mut stream, "id: 7").await;
        assert!(first.contains("text/event-stream"), "{first}");
        streams.push(stream);
    }
    journey.0.send_replace(Arc::new(Snapshot::new(8, view)));
    for stream in &mut streams {
        read_until(stream, "id: 8").await;
    }
    let started = Instant::now();
    running.stop.cancel();
    running.task.await.unwrap();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    for mut stream in streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(rest.ends_with("0\r\n\r\n"), "ended, not cut off: {rest}");
    }
}

/// How many of so many shops behind one balancer are sent a sign-in code.
async fn shops_served(trusted: &[&str], shops: usize) -> usize {
    let site = Site::new().on_a_socket_behind(trusted).await;
    let mut served = 0;
    for shop in 0..shops {
        let request = bearer("POST", "/api/v1/contacts", "")
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", "k")
            .header("X-Forwarded-For", format!("203.0.113.1, 198.51.100.{shop}, 192.0.2.9"))
            .body(Body::from(format!(r#"{{"mobile": "154000001{shop:02}"}}"#)));
        let answer = site.send(request.unwrap()).await;
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => assert_eq!(answer.refusal().1, "rate_limited"),
            status => {
                assert!(status.is_success(), "{}", answer.text);
                served += 1;
            }
        }
    }
    served
}

#[tokio::test]
async fn shops_behind_a_trusted_balancer_do_not_share_its_limits() {
    assert_eq!(shops_served(&["192.0.2.0/24"], 45).await, 45);
    // A balancer nobody named counts as one caller, with all who ask through it.
    assert_eq!(shops_served(&["192.0.2.8"], 45).await, 40);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_arrive_is_given_up() {
    let running = serve(router(), Transport::Plain).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: te").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(2 * HEADER_READ_TIMEOUT, stream.read_to_end(&mut rest)).await;
    closed.expect("the server hangs up on a slow head").unwrap();
    assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_beyond_the_limits_is_refused() {
    let running = serve(router(), Transport::Plain).await;
    for head in [
        format!("GET /peer HTTP/1.1\r\nHost: test\r\nX-Big: {}\r\n\r\n", "x".repeat(4 * HEAD_BYTES_MAX)),
        format!("GET /peer HTTP/1.1\r\nHost: test\r\n{}\r\n", "X-Many: 1\r\n".repeat(80)),
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}: {}", head.len());
    }
}

/// A CA, and what it signed.
struct Issued {
    ca: CertificateDer<'static>,
    certificate_pem: String,
    certificate: CertificateDer<'static>,
    key_pem: String,
    key: PrivateKeyDer<'static>,
}

fn issue(name: &str, serial: u64) -> Issued {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(serial));
    let leaf = params.signed_by(&key, &ca).unwrap();
    Issued {
        ca: ca.der().clone(),
        certificate_pem: leaf.pem(),
        certificate: leaf.der().clone(),
        key_pem: key.serialize_pem(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

async fn ask_tls(
    address: SocketAddr,
    server: &Issued,
    client: Option<&Issued>,
    path: &str,
) -> Option<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(server.ca.clone()).unwrap();
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            builder.with_client_auth_cert(vec![client.certificate.clone()], client.key.clone_key()).unwrap()
        }
    };
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("pay.example.test").unwrap();
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.ok()?;
    let answer = ask(&mut tls, path).await;
    answer.starts_with("HTTP/1.1 200").then(|| answer.rsplit("\r\n\r\n").next().unwrap().to_owned())
}

#[tokio::test]
async fn tls_takes_terminals_with_and_callers_without_a_certificate() {
    let (server, terminal, stranger) =
        (issue("pay.example.test", 1), issue("terminal", 0x00ab_cdef), issue("terminal", 7));
    let config = transport(&server, terminal.ca.as_ref(), &clock_now());
    let running = serve(router(), config).await;
    let address = running.address;
    assert_eq!(ask_tls(address, &server, None, "/certificate").await.as_deref(), Some("none"));
    let shown = ask_tls(address, &server, Some(&terminal), "/certificate").await;
    assert_eq!(shown.as_deref(), Some("abcdef"));
    assert_eq!(ask_tls(address, &server, Some(&stranger), "/certificate").await, None);
    running.stop.cancel();
    running.task.await.unwrap();
}

/// A clock that stands at this computer's time until it is moved.
fn clock_now() -> Arc<ManualClock> {
    let now = i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
    Arc::new(ManualClock::at(Timestamp::from_micros(now)))
}

fn transport(server: &Issued, terminal_ca: &[u8], clock: &Arc<ManualClock>) -> Transport {
    let root = terminal_ca.to_vec();
    transport_under(server, Arc::new(move || vec![root.clone()]), clock)
}

fn transport_under(server: &Issued, roots: TerminalRoots, clock: &Arc<ManualClock>) -> Transport {
    let (certificate, key) = (server.certificate_pem.as_bytes(), server.key_pem.as_bytes());
    let time = PlatformTime(clock.clone());
    Transport::Tls(server_config(certificate, key, Some(roots), time).unwrap())
}

fn keystore(folder: &std::path::Path, now_s: i64) -> Keystore {
    let master = MasterKey::file(folder.join("master.key"));
    Keystore::open_or_create(&folder.join("keystore"), &master, now_s, Arc::new(OsRandom)).unwrap()
}

/// A device's certificate as the platform issues it, and the root that issued it.
fn issued_by_platform(folder: &std::path::Path, now_s: i64) -> (Issued, Certificate, Certificate) {
    let keystore = keystore(folder, now_s);
    let root = keystore.root_certificate();
    let (terminal, leaf) = issued_by(&keystore, now_s);
    (terminal, leaf, root)
}

fn issued_by(keystore: &Keystore, now_s: i64) -> (Issued, Certificate) {
    let root = keystore.root_certificate();
    let mut terminal = issue("replaced", 1);
    let asked = CertificateParams::new(Vec::new()).unwrap();
    let key = KeyPair::from_pem(&terminal.key_pem).unwrap();
    let asked = CertificateRequest::parse(asked.serialize_request(&key).unwrap().der()).unwrap();
    let subject = DeviceSubject { serial: "99990004STAR00000001", device_id: "dev_1" };
    let leaf = issue_device(keystore, &root, &asked, subject, now_s, &OsRandom).unwrap();
    terminal.certificate = CertificateDer::from(leaf.der().to_vec());
    (terminal, leaf)
}

#[tokio::test]
async fn a_certificate_that_the_platform_issued_opens_a_connection_under_its_serial() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock_now();
    let (terminal, leaf, root) = issued_by_platform(folder.path(), clock.now().millis() / 1000);
    let server = issue("pay.example.test", 1);
    let running = serve(router(), transport(&server, root.der(), &clock)).await;
    let shown = ask_tls(running.address, &server, Some(&terminal), "/certificate").await;
    assert_eq!(shown, Some(leaf.serial()));
    let end = ask_tls(running.address, &server, Some(&terminal), "/certificate-end").await;
    assert_eq!(end, Some(leaf.not_after_s().to_string()));
    running.stop.cancel();
    running.task.await.unwrap();
}

/// Without a restart in between: certificates of the earlier root are believed until each terminal
/// has renewed, those of the new root from the first on.
#[tokio::test]
async fn after_the_ca_was_replaced_certificates_of_both_roots_open_connections() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock_now();
    let now_s = clock.now().millis() / 1000;
    let keys = Arc::new(keystore(folder.path(), now_s));
    let named = Arc::clone(&keys);
    let roots = move || named.root_certificates().iter().map(|root| root.der().to_vec()).collect();
    let server = issue("pay.example.test", 1);
    let running = serve(router(), transport_under(&server, Arc::new(roots), &clock)).await;
    let (old, old_leaf) = issued_by(&keys, now_s);
    keys.rotate_signer(SignerName::CertificateAuthority, now_s).unwrap();
    let (new, new_leaf) = issued_by(&keys, now_s);
    for (terminal, leaf) in [(&old, &old_leaf), (&new, &new_leaf)] {
        let shown = ask_tls(running.address, &server, Some(terminal), "/certificate").await;
        assert_eq!(shown, Some(leaf.serial()));
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let (stranger, _) = issued_by(&keystore(elsewhere.path(), now_s), now_s);
    assert_eq!(ask_tls(running.address, &server, Some(&stranger), "/certificate").await, None);
    running.stop.cancel();
    running.task.await.unwrap();
}

/// The computer's clock has no say: the platform's is moved, once behind it and once ahead.
#[tokio::test]
async fn the_handshake_judges_a_certificate_by_the_platforms_clock() {
    let folder = tempfile::tempdir().unwrap();
    let now_s = clock_now().now().millis() / 1000;
    let year_s = 365 * 86_400;
    for (issued_s, platform_s, opens) in [
        (now_s, now_s, true),
        (now_s, now_s + year_s, true),
        (now_s, now_s + year_s + 1, false),
        (now_s, now_s - 301, false),
        (now_s - 2 * year_s, now_s - year_s, true),
        (now_s - 2 * year_s, now_s, false),
    ] {
        let folder = tempfile::tempdir_in(folder.path()).unwrap();
        let (terminal, leaf, root) = issued_by_platform(folder.path(), issued_s);
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(platform_s * 1_000_000)));
        let server = issue("pay.example.test", 1);
        let running = serve(router(), transport(&server, root.der(), &clock)).await;
        let shown = ask_tls(running.address, &server, Some(&terminal), "/certificate").await;
        assert_eq!(shown, opens.then(|| leaf.serial()), "issued {issued_s}, now {platform_s}");
        // Whoever shows none is let in at any time.
        let none = ask_tls(running.address, &server, None, "/certificate").await;
        assert_eq!(none.as_deref(), Some("none"));
        running.stop.cancel();
        running.task.await.unwrap();
    }
}

#[test]
fn a_wrong_certificate_file_is_named() {
    let (one, other) = (issue("a.example.test", 1), issue("b.example.test", 2));
    let (pem, key) = (one.certificate_pem.as_bytes(), one.key_pem.as_bytes());
    let time = || PlatformTime(clock_now());
    assert!(server_config(pem, key, None, time()).is_ok());
    let refused = |certificate: &[u8], key: &[u8], ca: Option<&[u8]>| {
        let roots = ca.map(|ca| -> TerminalRoots {
            let ca = ca.to_vec();
            Arc::new(move || vec![ca.clone()])
        });
        server_config(certificate, key, roots, time()).unwrap_err().to_string()
    };
    assert!(refused(b"nothing", key, None).contains("certificate"));
    assert!(refused(pem, b"nothing", None).contains("key"));
    assert!(refused(pem, other.key_pem.as_bytes(), None).contains("together"));
    assert!(refused(pem, key, Some(b"nothing")).contains("CA"));
}
