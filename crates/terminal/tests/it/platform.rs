//! The test platform: the server half of the protocol for one activation, in memory.

mod activation;
mod key_delivery;
mod operators;
mod tls;

use std::collections::{BTreeMap, HashSet};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use starpay_keys::envelope::EnvelopePublicKey;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_keys::random::OsRandom;
use starpay_keys::signature::{PublicKey, Signature};
use starpay_keys::wire;

use self::key_delivery::Issued;
use self::tls::Tls;
use crate::certificates::Certificates;
use crate::wire::{Arrived, Reply, read, write};

/// The code that is good here.
pub(crate) const CODE: &str = "7F3K9QWXYZ";
/// A PIN that is good here.
pub(crate) const PIN: &str = "480917";
/// A PIN that is too easy.
pub(crate) const WEAK_PIN: &str = "123456";
/// The terminal's serial number.
pub(crate) const SERIAL: &str = "99990004STAR00000001";
/// The platform's clock stands still until a test moves it.
pub(crate) const NOW_MS: i64 = 1_795_419_671_000;
const DATE: &str = "Mon, 23 Nov 2026 07:41:11 GMT";
pub(crate) const DEVICE_ID: &str = "dev_1";

/// One way in which this platform is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    StatementTampered,
    SignedByAnother,
    SignerNotThePlatform,
    VersionNotHigher,
    OtherDeviceNonce,
    OtherServerNonce,
    OtherSerial,
    OtherActivation,
    StatementExpired,
    CertificateForAnotherKey,
    BlockUnderAnotherKey,
    BackupDamaged,
    ConfigurationDamaged,
    BlobShort,
    NothingMoves,
    /// Says `waiting` so many times after the PIN.
    Waits(u32),
    /// The activation expires at the network step.
    Expires,
    /// The first key set is given up before it is confirmed.
    GivesKeysUp,
    /// The compatibility step fails the first time it is sent.
    FailsOnce,
    /// The first answers are 503.
    Busy(u32),
    /// Accepts any signature, nonce and time.
    Careless,
    /// Renews the certificate for another terminal's serial.
    RenewsForAnother,
    /// The first TLS key shown was recalled in an earlier activation.
    KnowsTheFirstKey,
}

/// What happened on the platform.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Sign keys of all claims that were accepted.
    pub(crate) claims: HashSet<String>,
    /// Activations begun.
    pub(crate) activations: u32,
    /// Key sets made, by the nonce that asked for them.
    pub(crate) key_sets: BTreeMap<String, Issued>,
    /// Key check values confirmed.
    pub(crate) confirmed: Vec<String>,
    /// PINs set, by operator number.
    pub(crate) pins: BTreeMap<String, String>,
    /// Requests that arrived, in order.
    pub(crate) requests: Vec<String>,
    /// Serial numbers of the certificates shown, request by request.
    pub(crate) shown: Vec<Option<String>>,
    /// Languages asked for.
    pub(crate) languages: HashSet<String>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    certificates: Certificates,
    nonces: HashSet<String>,
    sign_key: Option<PublicKey>,
    rejected: Vec<PublicKey>,
    envelope_key: Option<EnvelopePublicKey>,
    tls_request: Option<Vec<u8>>,
    challenge: String,
    server_nonce: String,
    device_nonce: String,
    completed: Vec<&'static str>,
    ended: bool,
    waits_left: u32,
    busy_left: u32,
    fails_left: u32,
    failed: bool,
    versions: u32,
}

struct Inner {
    keystore: Keystore,
    other: Keystore,
    quirk: Quirk,
    now_ms: AtomicI64,
    state: Mutex<State>,
    stopping: AtomicBool,
}

/// A running test platform.
pub(crate) struct Platform {
    inner: Arc<Inner>,
    port: u16,
    tls: Option<Arc<Tls>>,
    server: Option<JoinHandle<()>>,
    _home: tempfile::TempDir,
}

impl Platform {
    pub(crate) fn start() -> Self {
        Self::with(Quirk::None)
    }

    pub(crate) fn with(quirk: Quirk) -> Self {
        Self::serve(quirk, None)
    }

    /// A platform that speaks TLS and takes the terminal's certificate.
    pub(crate) fn over_tls(quirk: Quirk) -> Self {
        Self::serve(quirk, Some(rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()))
    }

    fn serve(quirk: Quirk, identity: Option<rcgen::CertifiedKey<rcgen::KeyPair>>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let master = MasterKey::given([7; 32]);
            Keystore::create(&home.path().join(name), &master, NOW_MS / 1000, Arc::new(OsRandom)).unwrap()
        };
        let mut state = State::default();
        match quirk {
            Quirk::Waits(times) => state.waits_left = times,
            Quirk::Busy(times) => state.busy_left = times,
            Quirk::FailsOnce => state.fails_left = 1,
            _ => {}
        }
        let inner = Arc::new(Inner {
            keystore: make("ours"),
            other: make("other"),
            quirk,
            now_ms: AtomicI64::new(NOW_MS),
            state: Mutex::new(state),
            stopping: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = identity.map(|identity| Arc::new(Tls::new(&identity, &inner)));
        let (serving, door) = (Arc::clone(&inner), tls.clone());
        let server = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                match &door {
                    Some(tls) => tls.serve(stream, &serving),
                    None => {
                        if let Some(arrived) = read(&mut stream) {
                            write(&mut stream, &serving.answer(&arrived, None), DATE);
                        }
                    }
                }
            }
        });
        Self { inner, port, tls, server: Some(server), _home: home }
    }

    pub(crate) fn url(&self) -> String {
        match self.tls {
            Some(_) => format!("https://localhost:{}", self.port),
            None => format!("http://127.0.0.1:{}", self.port),
        }
    }

    /// The anchors of terminals: the platform's root and, where it speaks TLS, the server's own.
    pub(crate) fn trust_pem(&self) -> String {
        let server = self.tls.as_ref().map_or("", |tls| tls.certificate_pem.as_str());
        format!("{}{server}", self.inner.keystore.root_certificate().to_pem())
    }

    /// Moves the platform's clock.
    pub(crate) fn set_clock(&self, now_ms: i64) {
        self.inner.now_ms.store(now_ms, Ordering::SeqCst);
    }

    /// Looks at, or changes, what the platform knows of certificates.
    pub(crate) fn certificates<T>(&self, look: impl FnOnce(&mut Certificates) -> T) -> T {
        look(&mut self.inner.state.lock().unwrap().certificates)
    }

    /// The terminal's keys are believed no more; the next code is for new ones.
    pub(crate) fn reject_keys(&self) {
        let mut state = self.inner.state.lock().unwrap();
        let rejected = state.sign_key.take().unwrap();
        state.rejected.push(rejected);
        state.certificates = Certificates::default();
    }

    /// Looks at what happened.
    pub(crate) fn ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.inner.state.lock().unwrap().ledger)
    }

    /// Lets go of the port.
    pub(crate) fn stop(&mut self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) type Answer = Result<Value, (u16, Value)>;

pub(crate) fn refuse(status: u16, code: &str, field: Value) -> (u16, Value) {
    let error = json!({"code": code, "message": format!("refused: {code}"), "field": field,
        "remedy": "do otherwise", "doc": null, "tries_left": (code == "pin_wrong").then_some(4)});
    (status, json!({ "error": error }))
}

pub(crate) fn b64(value: &Value) -> Vec<u8> {
    wire::from_base64url(value.as_str().unwrap()).unwrap()
}

impl Inner {
    fn now_s(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst) / 1000
    }

    fn answer(&self, arrived: &Arrived, shown: Option<&str>) -> Reply {
        let mut state = self.state.lock().unwrap();
        let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
        state.ledger.requests.push(format!("{} {path}", arrived.method));
        state.ledger.shown.push(shown.map(str::to_owned));
        state.ledger.languages.insert(arrived.header("accept-language").to_owned());
        if state.busy_left > 0 {
            state.busy_left -= 1;
            return Reply { status: 503, body: b"busy".to_vec(), retry_after_s: Some(1) };
        }
        if path == "/terminal/v1/network/blob" {
            let bytes: usize = query.strip_prefix("bytes=").unwrap().parse().unwrap();
            let bytes = if self.quirk == Quirk::BlobShort { 7 } else { bytes };
            return Reply { status: 200, body: vec![1; bytes], retry_after_s: None };
        }
        let outcome = if path == "/terminal/v1/network/echo" {
            Ok(json!({"time": "2026-11-23T07:41:11Z"}))
        } else {
            self.step(&mut state, arrived, path, shown)
        };
        let (status, body) = match outcome {
            Ok(body) => (200, body),
            Err(refused) => refused,
        };
        let waits = body["state"] == "waiting";
        Reply { status, body: body.to_string().into_bytes(), retry_after_s: waits.then_some(3) }
    }

    fn step(&self, state: &mut State, arrived: &Arrived, path: &str, shown: Option<&str>) -> Answer {
        let body: Value = if arrived.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&arrived.body).unwrap()
        };
        self.check_signature(state, arrived, &body)?;
        if path == "/terminal/v1/claims" {
            return self.claim(state, &body);
        }
        if state.sign_key.is_none() {
            return Err(refuse(401, "device_unknown", Value::Null));
        }
        if shown.is_some_and(|shown| !state.certificates.takes(shown)) {
            return Err(refuse(403, "device_certificate_mismatch", Value::Null));
        }
        if path == "/terminal/v1/certificate-renewal" {
            return state.certificates.renew(&self.keystore, self.quirk, &body, self.now_s());
        }
        if path == "/terminal/v1/certificate-renewal/confirm" {
            return state.certificates.confirm(shown, &body, self.now_s());
        }
        if path == "/terminal/v1/operators/verify" {
            return self.verify_pin(state, &body);
        }
        let Some(rest) = path.strip_prefix("/terminal/v1/activations/") else {
            return Err(refuse(404, "not_found", Value::Null));
        };
        let last = rest.split_once('/').map_or("", |(_, last)| last);
        self.activation_step(state, &arrived.method, last, &body)
    }

    fn check_signature(
        &self,
        state: &mut State,
        arrived: &Arrived,
        body: &Value,
    ) -> Result<(), (u16, Value)> {
        let timestamp: i64 = arrived.header("starpay-timestamp").parse().unwrap();
        let nonce = arrived.header("starpay-nonce");
        assert!(wire::array_from_base64url::<16>(nonce).is_some());
        if state.rejected.iter().any(|key| hex::encode(key.thumbprint()) == arrived.header("starpay-key")) {
            return Err(refuse(403, "device_auth_rejected", Value::Null));
        }
        let key = match body.get("sign_key") {
            Some(der) => PublicKey::from_spki_der(&b64(der)).unwrap(),
            None => state.sign_key.ok_or_else(|| refuse(401, "device_unknown", Value::Null))?,
        };
        if self.quirk == Quirk::Careless {
            return Ok(());
        }
        if hex::encode(key.thumbprint()) != arrived.header("starpay-key") {
            return Err(refuse(401, "device_unknown", Value::Null));
        }
        let text = wire::request_text(&arrived.method, &arrived.target, timestamp, nonce, &arrived.body);
        let signature = wire::from_base64url(arrived.header("starpay-signature"))
            .and_then(|bytes| Signature::from_bytes(&bytes).ok());
        if signature.is_none_or(|signature| key.verify(text.as_bytes(), &signature).is_err()) {
            return Err(refuse(401, "signature_invalid", Value::Null));
        }
        if (timestamp / 1000 - self.now_s()).abs() > 300 {
            return Err(refuse(401, "clock_skew", Value::Null));
        }
        if !state.nonces.insert(nonce.to_owned()) {
            return Err(refuse(409, "nonce_replayed", Value::Null));
        }
        Ok(())
    }
}
