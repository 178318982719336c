//! A whole site for a test: a real platform over a store of its own, asked without a socket, or
//! over one.

use axum::body::Body;
use axum::{Extension, Router};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde_json::Value;
use sha2::{Digest, Sha256};
use starpay_adapters::clock::ManualClock;
use starpay_adapters::files::ObjectFiles;
use starpay_adapters::sandbox::{
    DevOutbox, Pace, SandboxCarrier, SandboxClearing, SandboxIdentity, SandboxLicences, SandboxLists,
    SandboxMailer, SandboxSigner, SandboxSms, World,
};
use starpay_app::port::{Clock, Random};
use starpay_app::{Deployment, Mode, Platform, Ports};
use starpay_domain::instant::Timestamp;
use starpay_keys::OsRandom;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_store::{Db, DbConfig};
use starpay_web::server::{Server, Transport, TrustedProxies};
use starpay_web::{ControlDoor, Metrics, RequestIds, Telemetry, Web};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const CONTROL_TOKEN: [u8; 32] = [7; 32];

/// The site, and the folder it lives in.
pub(crate) struct Site {
    router: Router,
    socket: Option<SocketAddr>,
    platform: Platform,
    pub(crate) clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status and error code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with_pages(starpay_web::without_pages())
    }

    pub(crate) fn with_pages(pages: Router<Web>) -> Self {
        let now = Timestamp::parse("2026-11-23T02:00:00Z").unwrap();
        Self::over(tempfile::tempdir().unwrap(), now, pages)
    }

    /// A site in a folder that may hold one already.
    pub(crate) fn over(folder: tempfile::TempDir, now: Timestamp, pages: Router<Web>) -> Self {
        let at = folder.path();
        let manual = Arc::new(ManualClock::at(now));
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (manual.clone(), Arc::new(OsRandom));
        let settings = DbConfig::parse(&format!("sqlite:{}", at.join("starpay.db").display())).unwrap();
        Db::migrate(&settings).unwrap();
        let db = Db::open(&settings).unwrap();
        // Store calls of a start-up wait, so they are made outside the runtime.
        let policy = std::thread::scope(|scope| {
            scope.spawn(|| starpay_app::found(&db, Mode::Sandbox, now).unwrap()).join().unwrap()
        });
        let master = MasterKey::given([9; 32]);
        let seconds = now.millis() / 1000;
        let keystore =
            Keystore::open_or_create(&at.join("keystore.json"), &master, seconds, Arc::clone(&random));
        let deployment = Deployment {
            mode: Mode::Sandbox,
            acquirer_name: None,
            licence_no: None,
            acquirer_code: "99990000".to_owned(),
            licensed_provinces: Vec::new(),
            channels: vec!["clearing_institution".to_owned()],
        };
        let world =
            World::open(&at.join("sandbox"), Arc::clone(&clock), Arc::clone(&random), Pace::Immediate)
                .unwrap();
        let outbox = DevOutbox::default();
        let ports = Ports {
            identity: Arc::new(SandboxIdentity::new(world.clone())),
            licences: Arc::new(SandboxLicences::new(world.clone())),
            lists: Arc::new(SandboxLists::new(world.clone())),
            clearing: Arc::new(SandboxClearing::new(world.clone())),
            carrier: Arc::new(SandboxCarrier::new(world.clone())),
            sms: Arc::new(SandboxSms::new(world.clone(), outbox.clone())),
            mail: Arc::new(SandboxMailer::new(world.clone(), outbox)),
            signer: Arc::new(SandboxSigner::new(world)),
            files: Arc::new(ObjectFiles::in_folder(&at.join("files")).unwrap()),
            clock,
            random,
        };
        let platform = Platform::new(db, Arc::new(keystore.unwrap()), ports, policy, deployment);
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let telemetry = Telemetry { ids: RequestIds::new([1; 6]), metrics, registry: Arc::new(registry) };
        let router = starpay_web::router(platform.clone(), telemetry, pages)
            .layer(Extension(ControlDoor::new(CONTROL_TOKEN)));
        Self { router, socket: None, platform, clock: manual, folder }
    }

    /// The same site behind a real socket.
    pub(crate) async fn on_a_socket(self) -> Self {
        self.on_a_socket_behind(&[]).await
    }

    /// The same site behind a real socket, which believes these proxies.
    pub(crate) async fn on_a_socket_behind(self, proxies: &[&str]) -> Self {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let proxies: Vec<_> = proxies.iter().map(|network| network.parse().unwrap()).collect();
        let server = Server::bind(here, Transport::Plain).await.unwrap();
        let server = server.behind(TrustedProxies::new(&proxies));
        let socket = Some(server.local_address().unwrap());
        tokio::spawn(server.run(self.router.clone(), CancellationToken::new()));
        Self { socket, ..self }
    }

    /// Where a site on a socket listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.unwrap()
    }

    /// Time passes, and what is over then is ended.
    pub(crate) async fn wait_hours(&self, hours: i64) {
        self.clock.advance_to(self.clock.now().plus_seconds(hours * 3600));
        let jobs = starpay_app::Actor::system("jobs");
        self.platform.pass_deadlines(&jobs).await.unwrap();
        self.platform.sweep(&jobs).await.unwrap();
    }

    /// Ends the site and leaves the folder.
    pub(crate) fn into_folder(self) -> tempfile::TempDir {
        self.platform.db().close();
        self.folder
    }

    /// A moment so many seconds from now.
    pub(crate) fn clock_text(&self, seconds: i64) -> String {
        self.clock.now().plus_seconds(seconds).to_string()
    }

    /// Runs what is due, and what that makes due.
    pub(crate) async fn run_jobs(&self) {
        for _ in 0..4 {
            self.platform.run_jobs_once("test".to_owned()).await;
        }
    }

    /// Runs SQL past the platform, to stand for what would take long to do.
    pub(crate) fn poke(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.folder.path().join("starpay.db")).unwrap();
        database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        database.execute_batch(sql).unwrap();
    }

    /// What the site keeps: a hash over every row of each table and the names of all files. Left
    /// out is what a refused request may and must leave: counted tries and spent nonces.
    pub(crate) fn kept(&self) -> BTreeMap<String, (usize, String)> {
        let database = rusqlite::Connection::open(self.folder.path().join("starpay.db")).unwrap();
        let mut kept = BTreeMap::new();
        for table in starpay_store::catalogue::TABLES {
            if ["attempt", "used_nonce"].contains(table) {
                continue;
            }
            let mut statement = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect::<Result<Vec<_>, _>>()
            });
            let mut rows: Vec<String> = rows.unwrap().map(|row| format!("{:?}", row.unwrap())).collect();
            rows.sort();
            kept.insert((*table).to_owned(), (rows.len(), hex::encode(Sha256::digest(rows.join("\n")))));
        }
        let files = std::fs::read_dir(self.folder.path().join("files/documents")).into_iter().flatten();
        let mut files: Vec<String> =
            files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        kept.insert("files".to_owned(), (files.len(), files.join(" ")));
        kept
    }

    /// Any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        if let Some(socket) = self.socket {
            return over_the_wire(socket, request).await;
        }
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// A GET with a bearer token.
    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(bearer("GET", path, token).body(Body::empty()).unwrap()).await
    }

    /// A POST of JSON with a bearer token and an idempotency key.
    pub(crate) async fn post(&self, token: &str, key: &str, path: &str, body: &Value) -> Answer {
        let request = bearer("POST", path, token)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// An access key of a role; a partner's is the simulated carrier's, or the clearing registry's.
    pub(crate) async fn key_of(&self, role: &str) -> String {
        match role {
            "courier" => self.key_for(role, "sandbox").await,
            "registry" => self.key_for(role, "clearing_institution").await,
            _ => self.key(role, &serde_json::json!({"role": role, "label": "test"})).await,
        }
    }

    /// An access key of a partner.
    pub(crate) async fn key_for(&self, role: &str, scope: &str) -> String {
        let body = serde_json::json!({"role": role, "label": "test", "scope": scope});
        self.key(&format!("{role}-{scope}"), &body).await
    }

    async fn key(&self, name: &str, body: &Value) -> String {
        let made = self.post(&admin(), &format!("key-{name}"), "/api/v1/access-keys", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// The session of a merchant who has just proved a mobile number.
    pub(crate) async fn merchant(&self, mobile: &str) -> String {
        // One intention each time: a sign-in, not the repetition of one.
        let key = format!("sign-in-{mobile}-{}", self.clock_text(0));
        let started = self.post("", &key, "/api/v1/contacts", &serde_json::json!({"mobile": mobile})).await;
        let started = started.json();
        let id = started["contact_id"].as_str().unwrap();
        let messages = self.get("", "/dev/outbox.json").await.json();
        let sent = messages["data"].as_array().unwrap();
        let code = sent.iter().rfind(|message| message["to"] == mobile).unwrap()["code"].clone();
        let path = format!("/api/v1/contacts/{id}/verify");
        let session = self.post("", &key, &path, &serde_json::json!({"code": code})).await;
        session.json()["token"].as_str().unwrap_or_else(|| panic!("{}", session.text)).to_owned()
    }
}

/// Bytes on a real connection and bytes back.
async fn over_the_wire(socket: SocketAddr, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut head =
        format!("{} {} HTTP/1.1\r\nhost: {socket}\r\nconnection: close\r\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(socket).await.unwrap();
    // A server that refuses early hangs up before it has read everything: its answer counts.
    let sent = async { (stream.write_all(head.as_bytes()).await, stream.write_all(&body).await) }.await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    assert!(!answer.is_empty(), "{sent:?} {read:?}");
    answered(&answer)
}

/// Reads an answer that came whole.
pub(crate) fn answered(bytes: &[u8]) -> Answer {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, text) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HeaderMap = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect();
    assert!(!headers.contains_key("transfer-encoding"), "{head}");
    Answer { status, headers, text: text.to_owned() }
}

/// The administrator's token.
pub(crate) fn admin() -> String {
    CONTROL_TOKEN.map(|byte| format!("{byte:02x}")).concat()
}

/// A request with a bearer token; none when it is empty.
pub(crate) fn bearer(method: &str, path: &str, token: &str) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("Accept-Language", "en");
    if token.is_empty() { request } else { request.header("Authorization", format!("Bearer {token}")) }
}
