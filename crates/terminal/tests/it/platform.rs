//! The test platform: the server half of the protocol for one activation, in memory.

use std::collections::{BTreeMap, HashSet};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use starpay_keys::certificate::{self, Certificate, CertificateRequest, DeviceSubject};
use starpay_keys::envelope::{self, Envelope, EnvelopePublicKey, Suite};
use starpay_keys::hsm::{Hsm, SignerName};
use starpay_keys::key_block::ProtectionKey;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_keys::random::{self, OsRandom};
use starpay_keys::signature::{PublicKey, Signature};
use starpay_keys::tmk::Tmk;
use starpay_keys::wire;

use crate::certificates::{Certificates, Known};
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
const STEPS: [&str; 11] = [
    "claimed",
    "identity_proven",
    "compatible",
    "network_ok",
    "located",
    "backed_up",
    "keys_loaded",
    "config_applied",
    "signed_in",
    "pin_set",
    "tested",
];

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

/// A key set as issued.
#[derive(Clone)]
pub(crate) struct Issued {
    version: u32,
    kcv: String,
    serial: String,
    certificate: Known,
    answer: Value,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    certificates: Certificates,
    nonces: HashSet<String>,
    sign_key: Option<PublicKey>,
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
            if !state.certificates.counts(self.now_s()) {
                return Err(refuse(403, "certificate_expired", Value::Null));
            }
            let number = body["number"].as_str().unwrap();
            let pin = self.open_pin(number, &body["pin"]);
            return match state.ledger.pins.get(number) {
                Some(set) if *set == pin => Ok(json!({"ok": true})),
                _ => Err(refuse(401, "pin_wrong", Value::Null)),
            };
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

    fn claim(&self, state: &mut State, body: &Value) -> Answer {
        if body["code"] != CODE {
            return Err(refuse(422, "code_invalid", "code".into()));
        }
        let key = PublicKey::from_spki_der(&b64(&body["sign_key"])).unwrap();
        if state.sign_key.is_some_and(|known| known != key) && self.quirk != Quirk::Careless {
            return Err(refuse(403, "device_auth_rejected", Value::Null));
        }
        if state.ended {
            return Err(refuse(422, "code_used", "code".into()));
        }
        state.ledger.claims.insert(hex::encode(key.thumbprint()));
        if state.sign_key.is_none() {
            state.ledger.activations += 1;
            state.challenge = wire::base64url(&random::array::<32>(&OsRandom));
            state.server_nonce = wire::base64url(&random::array::<16>(&OsRandom));
            state.sign_key = Some(key);
            state.envelope_key = Some(EnvelopePublicKey::from_bytes(&b64(&body["envelope_key"])).unwrap());
            state.completed = vec!["code_issued", "claimed"];
        }
        state.device_nonce = body["device_nonce"].as_str().unwrap().to_owned();
        let mut answer = self.status(state);
        answer["device_auth_id"] = "dau_1".into();
        answer["challenge"] = state.challenge.clone().into();
        answer["server_nonce"] = state.server_nonce.clone().into();
        Ok(answer)
    }

    fn status(&self, state: &mut State) -> Value {
        let mut name = *state.completed.last().unwrap();
        let mut waiting = json!([]);
        if name == "tested" {
            name = "active";
        } else if name == "pin_set" && state.waits_left > 0 {
            state.waits_left -= 1;
            name = "waiting";
            waiting = json!([{"code": "agreement_unsigned", "awaiting": "merchant", "who": "您",
                "status": "currently_due", "message": "协议未签署", "remedy": "签署协议",
                "impact": ["activate"], "expected_wait_s": 600}]);
        }
        if state.ended {
            name = "expired";
        }
        let mut next_step = Value::Null;
        let mut failure = Value::Null;
        if state.failed {
            name = "failed";
            next_step = "compatibility".into();
            failure =
                json!({"step": "compatibility", "code": "firmware_too_old", "message": "m", "remedy": "r"});
        }
        json!({
            "activation_id": "act_1", "device_id": DEVICE_ID, "state": name,
            "status_text": if name == "active" { "已激活" } else { "未激活" },
            "next_step": next_step, "failure": failure, "completed": state.completed, "waiting": waiting,
            "merchant_name": "星光小面馆", "expires_at": null,
            "certificate": state.certificates.status(self.now_s()),
        })
    }

    /// Marks a step done; repeating one is fine, skipping one is not.
    fn complete(&self, state: &mut State, name: &'static str) -> Answer {
        if self.quirk == Quirk::Expires && name == "network_ok" {
            state.ended = true;
        }
        let wanted = STEPS.iter().find(|step| !state.completed.contains(step));
        if !state.completed.contains(&name) && !state.ended {
            if wanted != Some(&name) {
                let (status, mut body) = refuse(409, "illegal_transition", Value::Null);
                body["error"]["legal"] = json!([wanted]);
                return Err((status, body));
            }
            if self.quirk != Quirk::NothingMoves || name != "located" {
                state.completed.push(name);
            }
        }
        Ok(self.status(state))
    }

    fn activation_step(&self, state: &mut State, method: &str, last: &str, body: &Value) -> Answer {
        match (method, last) {
            ("GET", "") => Ok(self.status(state)),
            ("POST", "identity") => self.identity(state, body),
            ("POST", "compatibility") => {
                assert!(body["free_kib"].is_u64() && body["printer"].is_boolean());
                state.failed = state.fails_left > 0;
                if state.failed {
                    state.fails_left -= 1;
                    return Ok(self.status(state));
                }
                self.complete(state, "compatible")
            }
            ("POST", "network") => {
                let legs = body["legs"].as_array().unwrap();
                let names: Vec<_> = legs.iter().map(|leg| leg["leg"].as_str().unwrap()).collect();
                assert_eq!(names, ["resolve", "connect", "tls", "http", "clock", "throughput"]);
                assert!(legs.iter().all(|leg| leg["ok"] == true && leg["ms"].is_u64()));
                self.complete(state, "network_ok")
            }
            ("POST", "location") => {
                assert_eq!(body["latitude_e6"], 22_543_096);
                self.complete(state, "located")
            }
            ("GET", "backup") => {
                let document = "星光小面馆".as_bytes();
                let wrong = self.quirk == Quirk::BackupDamaged;
                let hashed = if wrong { b"other" } else { document };
                Ok(json!({"document": wire::base64url(document), "sha256": sha256(hashed)}))
            }
            ("POST", "backup") => {
                assert_eq!(body["sha256"], sha256("星光小面馆".as_bytes()));
                self.complete(state, "backed_up")
            }
            ("POST", "keys") => self.keys(state, body),
            ("POST", "keys/confirm") => self.confirm(state, body),
            ("GET", "config") => {
                let hashed = r#"{"a":[1],"b":2}"#;
                let values = if self.quirk == Quirk::ConfigurationDamaged { 3 } else { 2 };
                Ok(
                    json!({"version": 5, "sha256": sha256(hashed.as_bytes()), "values": {"b": values, "a": [1]}}),
                )
            }
            ("POST", "config") => self.complete(state, "config_applied"),
            ("POST", "sign-in") => {
                assert_eq!(body["amount_fen"], 0);
                self.complete(state, "signed_in")
            }
            ("POST", "pin") => self.pins(state, body),
            ("POST", "test") => {
                assert_eq!(body["printed"], true);
                let mut answer = self.complete(state, "tested")?;
                answer["receipt"] = json!({"lines": ["测试", "0.00"]});
                Ok(answer)
            }
            _ => Err(refuse(404, "not_found", Value::Null)),
        }
    }

    fn identity(&self, state: &mut State, body: &Value) -> Answer {
        for (name, known) in [
            ("challenge", &state.challenge),
            ("server_nonce", &state.server_nonce),
            ("device_nonce", &state.device_nonce),
        ] {
            assert_eq!(body[name], known.as_str(), "{name}");
        }
        let csr_der = b64(&body["csr"]);
        let text = [
            "starpay-identity-v1",
            "act_1",
            SERIAL,
            &state.challenge,
            &state.server_nonce,
            &state.device_nonce,
            &hex::encode(Sha256::digest(&csr_der)),
        ]
        .join("\n");
        let proof = Signature::from_bytes(&b64(&body["proof"])).unwrap();
        state.sign_key.unwrap().verify(text.as_bytes(), &proof).unwrap();
        let request = CertificateRequest::parse(&csr_der).unwrap();
        assert_eq!(request.common_name(), SERIAL);
        assert_ne!(Some(*request.public_key()), state.sign_key);
        let shown_before = state.tls_request.replace(csr_der.clone());
        if self.quirk == Quirk::KnowsTheFirstKey && shown_before.is_none_or(|before| before == csr_der) {
            return Err(refuse(409, "csr_key_used", "csr".into()));
        }
        self.complete(state, "identity_proven")
    }

    fn keys(&self, state: &mut State, body: &Value) -> Answer {
        let nonce = body["device_nonce"].as_str().unwrap().to_owned();
        if !state.completed.contains(&"backed_up") {
            return Err(refuse(409, "illegal_transition", Value::Null));
        }
        if let Some(known) = state.ledger.key_sets.get(&nonce) {
            return Ok(known.answer.clone());
        }
        state.versions += 1;
        let issued = self.issue(state, &nonce);
        let answer = issued.answer.clone();
        state.ledger.key_sets.insert(nonce, issued);
        Ok(answer)
    }

    fn issue(&self, state: &State, nonce: &str) -> Issued {
        let quirk = self.quirk;
        let version = if quirk == Quirk::VersionNotHigher { 0 } else { state.versions };
        let nonce_bytes = wire::array_from_base64url(nonce).unwrap();
        let server_bytes = wire::array_from_base64url(&state.server_nonce).unwrap();
        let protection: [u8; 32] = random::array(&OsRandom);
        let tmk = Tmk::generate(&OsRandom);
        let info = wire::kbpk_info(SERIAL, &nonce_bytes, &server_bytes, "tmk_1", version);
        let sealed =
            envelope::seal(&state.envelope_key.unwrap(), info.as_bytes(), b"", &protection, &OsRandom)
                .unwrap();
        let under = if quirk == Quirk::BlockUnderAnotherKey { [9; 32] } else { protection };
        let block = tmk.to_block(&ProtectionKey::aes(&under).unwrap(), &OsRandom).unwrap();
        let request = CertificateRequest::parse(state.tls_request.as_ref().unwrap()).unwrap();
        let authority = if quirk == Quirk::CertificateForAnotherKey { &self.other } else { &self.keystore };
        let certificate = certificate::issue_device(
            authority,
            &authority.root_certificate(),
            &request,
            DeviceSubject { serial: SERIAL, device_id: DEVICE_ID },
            self.now_s(),
            &OsRandom,
        )
        .unwrap();
        let pick = |wrong: Quirk, other: &str, right: &str| {
            if quirk == wrong { other.to_owned() } else { right.to_owned() }
        };
        let other_nonce = wire::base64url(&[0; 16]);
        let statement = json!({
            "activation_id": pick(Quirk::OtherActivation, "act_2", "act_1"),
            "serial": pick(Quirk::OtherSerial, "99990004STAR00000002", SERIAL),
            "device_nonce": pick(Quirk::OtherDeviceNonce, &other_nonce, nonce),
            "server_nonce": pick(Quirk::OtherServerNonce, &other_nonce, &state.server_nonce),
            "key_version": version,
            "tmk_id": "tmk_1",
            "envelope": {"enc": wire::base64url(&sealed.enc), "ct": wire::base64url(&sealed.ct)},
            "tmk_block": block,
            "certificate": wire::base64url(certificate.der()),
            "ca": wire::base64url(self.keystore.root_certificate().der()),
            "server_envelope_key": wire::base64url(&self.keystore.envelope_public_key().to_bytes()),
            "not_after": pick(Quirk::StatementExpired, "2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z"),
        });
        let mut bytes = statement.to_string().into_bytes();
        let signing = if quirk == Quirk::SignedByAnother { &self.other } else { &self.keystore };
        let signature = signing.sign(SignerName::Platform, &wire::statement_text(&bytes)).unwrap();
        if quirk == Quirk::StatementTampered {
            let at = bytes.iter().position(|byte| *byte == b'9').unwrap();
            bytes[at] = b'8';
        }
        let signer = match quirk {
            Quirk::SignedByAnother => self.other.platform_certificate(),
            Quirk::SignerNotThePlatform => certificate.clone(),
            _ => self.keystore.platform_certificate(),
        };
        let answer = json!({
            "statement": wire::base64url(&bytes),
            "signature": wire::base64url(&signature.to_bytes()),
            "signer": wire::base64url(signer.der()),
        });
        let known = Known { serial: certificate.serial(), not_after_s: certificate.not_after_s() };
        Issued { version, kcv: tmk.check_value(), serial: certificate.serial(), certificate: known, answer }
    }

    fn confirm(&self, state: &mut State, body: &Value) -> Answer {
        if self.quirk == Quirk::GivesKeysUp && state.versions == 1 {
            return Err(refuse(409, "key_version_stale", "key_version".into()));
        }
        let known = state
            .ledger
            .key_sets
            .values()
            .find(|set| body["kcv"] == set.kcv && body["key_version"] == set.version)
            .cloned()
            .ok_or_else(|| refuse(422, "kcv_mismatch", "kcv".into()))?;
        assert_eq!(body["certificate_serial"], known.serial);
        state.certificates.present.get_or_insert(known.certificate.clone());
        let answer = self.complete(state, "keys_loaded")?;
        state.ledger.confirmed.push(known.kcv);
        Ok(answer)
    }

    fn open_pin(&self, number: &str, sealed: &Value) -> String {
        let envelope = Envelope { enc: b64(&sealed["enc"]).try_into().unwrap(), ct: b64(&sealed["ct"]) };
        let info = format!("starpay-pin-v1|{DEVICE_ID}|{number}");
        let key = self.keystore.envelope_key();
        let pin = key.open(Suite::Aes256Gcm, info.as_bytes(), b"", &envelope).unwrap();
        String::from_utf8(pin.to_vec()).unwrap()
    }

    fn pins(&self, state: &mut State, body: &Value) -> Answer {
        for operator in body["operators"].as_array().unwrap() {
            assert_eq!(operator["role"], "manager");
            let number = operator["number"].as_str().unwrap();
            let pin = self.open_pin(number, &operator["pin"]);
            if pin == WEAK_PIN {
                return Err(refuse(422, "pin_weak", "operators".into()));
            }
            state.ledger.pins.entry(number.to_owned()).or_insert(pin);
        }
        self.complete(state, "pin_set")
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The server's TLS: it takes the terminal's certificate and judges it by the platform's clock.
struct Tls {
    config: Arc<rustls::ServerConfig>,
    certificate_pem: String,
}

struct Clock(Arc<Inner>);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now_s = self.0.now_s().try_into().unwrap();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(now_s)))
    }
}

impl Tls {
    fn new(identity: &rcgen::CertifiedKey<rcgen::KeyPair>, inner: &Arc<Inner>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(inner.keystore.root_certificate().der().to_vec())).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
        let clock = Arc::new(Clock(Arc::clone(inner)));
        let config = rustls::ServerConfig::builder_with_details(provider, clock)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![identity.cert.der().clone()], key)
            .unwrap();
        Self { config: Arc::new(config), certificate_pem: identity.cert.pem() }
    }

    /// One request. A terminal that hangs up, or was refused, is none of this server's business.
    fn serve(&self, stream: TcpStream, inner: &Inner) {
        let connection = rustls::ServerConnection::new(Arc::clone(&self.config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        let Some(arrived) = read(&mut stream) else { return };
        let shown =
            stream.conn.peer_certificates().map(|chain| Certificate::parse(&chain[0]).unwrap().serial());
        write(&mut stream, &inner.answer(&arrived, shown.as_deref()), DATE);
        stream.conn.send_close_notify();
        let _ = std::io::Write::flush(&mut stream);
    }
}
