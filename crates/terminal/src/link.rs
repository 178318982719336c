//! The wire: signed requests to the platform, repeated where the protocol allows it.
//!
//! Every request may be repeated: a step already done answers its present status, and each try
//! carries a new nonce and timestamp. What is not repeated is a PIN check, where a lost answer
//! might cost a second of few tries: [`Repeat::Never`].
//!
//! Over TLS the terminal shows its certificate where it has one. One that the platform does not
//! take any more is put aside for the rest of this life: without it the terminal is still heard,
//! and hears what is wrong.
//!
//! The device's clock may be wrong. When the platform says `clock_skew`, the link takes over the
//! time of that answer's `Date` header, once: a second refusal is final, so that nobody can drag
//! the clock along step by step.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use starpay_keys::{random, wire};
use ureq::Agent;
use ureq::http;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use crate::answer::ErrorBody;
use crate::certificate::TlsIdentity;
use crate::device::Device;
use crate::fault::{Fault, SKEW_MS};
use crate::network_test::Leg;
use crate::platform::{Address, Transport, TrustAnchor};
use crate::screen::Language;
use crate::surroundings::Moment;
use crate::{Error, Refusal, Surroundings, instant};

/// Most tries of one request.
pub const TRIES_MAX: u32 = 5;
/// Connecting must succeed in this time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A request and its answer must be through in this time.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// First pause before repeating; doubled each time, up to [`BACK_OFF_MAX`], half of it by chance.
pub const BACK_OFF: Duration = Duration::from_millis(200);
/// Longest pause of the link's own choosing.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(5);
/// Longest `Retry-After` the link waits for by itself; a longer one goes to the caller.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);
/// Largest answer read: the protocol's limit for JSON.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Largest `blob` the protocol knows.
const BLOB_BYTES_MAX: u64 = 256 * 1024;

/// Whether a request whose answer was lost may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The protocol makes repeating harmless.
    Allowed,
    /// Every arrival counts.
    Never,
}

/// HTTP methods the protocol uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reading.
    Get,
    /// A step.
    Post,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request: what is signed and sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) repeat: Repeat,
}

impl Request {
    /// Reads something.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), body: Vec::new(), repeat: Repeat::Allowed }
    }

    /// Does a step.
    pub(crate) fn post(path: impl Into<String>, body: &impl Serialize) -> Result<Self, Error> {
        let path = path.into();
        let body = serde_json::to_vec(body).map_err(|error| Error::Malformed {
            request: format!("POST {path}"),
            detail: format!("the body cannot be written: {error}"),
        })?;
        Ok(Self { method: Method::Post, path, body, repeat: Repeat::Allowed })
    }

    pub(crate) fn describe(&self) -> String {
        format!("{} {}", self.method.name(), self.path)
    }
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) content: T,
    pub(crate) retry_after: Option<Duration>,
}

/// What came back from one try.
pub(crate) struct Reply {
    pub(crate) status: u16,
    retry_after: Option<Duration>,
    date_ms: Option<i64>,
    body: Vec<u8>,
}

/// The headers that sign one try.
pub(crate) struct Signed {
    timestamp: String,
    nonce: String,
    pub(crate) signature: String,
}

/// How much a connection depends on its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Showing {
    /// Without it the request is as good.
    WherePossible,
    /// The request is about this certificate.
    Always,
}

/// The certificate that opens connections.
struct Shown {
    agent: Agent,
    serial: String,
    showing: Showing,
}

/// The link to the platform.
pub struct Link<'a> {
    agent: Agent,
    roots: RootCerts,
    shown: Option<Shown>,
    put_aside: Option<String>,
    address: Address,
    language: Language,
    surroundings: &'a dyn Surroundings,
    pub(crate) fault: Option<Fault>,
    pub(crate) skew: Skew,
    sent: u64,
}

/// What is known about the device's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skew {
    /// Never corrected.
    Trusted,
    /// Corrected by so many milliseconds.
    Corrected(i64),
}

impl<'a> Link<'a> {
    /// A link that trusts one anchor. Nothing is sent yet.
    #[must_use]
    pub fn new(
        address: Address,
        trust: &TrustAnchor,
        language: Language,
        fault: Option<Fault>,
        surroundings: &'a dyn Surroundings,
    ) -> Self {
        let roots: Vec<_> =
            trust.certificates().iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let roots = RootCerts::Specific(Arc::new(roots));
        Self {
            agent: agent(roots.clone(), None),
            roots,
            shown: None,
            put_aside: None,
            address,
            language,
            surroundings,
            fault,
            skew: Skew::Trusted,
            sent: 0,
        }
    }

    /// Opens further connections with this certificate. Plain HTTP shows none, and one that was
    /// put aside is taken up again only where everything depends on it.
    pub(crate) fn show(&mut self, identity: Option<&TlsIdentity>, showing: Showing) {
        let Some(identity) = identity.filter(|_| self.address.transport() == Transport::Tls) else {
            self.shown = None;
            return;
        };
        let serial = identity.certificate.serial();
        if showing == Showing::WherePossible && self.put_aside.as_ref() == Some(&serial) {
            self.shown = None;
            return;
        }
        if let Some(shown) = &mut self.shown
            && shown.serial == serial
        {
            shown.showing = showing;
            return;
        }
        self.shown = Some(Shown { agent: agent(self.roots.clone(), Some(identity)), serial, showing });
    }

    /// Goes on without the certificate shown; true when that changes anything.
    fn put_certificate_aside(&mut self) -> bool {
        match self.shown.take() {
            Some(shown) if shown.showing == Showing::WherePossible => {
                self.put_aside = Some(shown.serial);
                true
            }
            kept => {
                self.shown = kept;
                false
            }
        }
    }

    /// Where the platform is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How many requests have left, for the journal's counters.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The time to sign with: the device's clock, corrected if the platform once said so.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let clock = match (self.fault, self.skew) {
            (Some(Fault::ClockSkew), _) => self.surroundings.now_ms() - SKEW_MS,
            (_, Skew::Trusted | Skew::Corrected(_)) => self.surroundings.now_ms(),
        };
        match self.skew {
            Skew::Trusted => clock,
            Skew::Corrected(by) => clock + by,
        }
    }

    /// Sends a signed request and reads a JSON answer.
    pub(crate) fn call<T: DeserializeOwned>(
        &mut self,
        device: &Device,
        request: &Request,
    ) -> Result<Answer<T>, Error> {
        self.misbehave_before(device, request)?;
        let reply = self.deliver(device, request)?;
        let content = read_json(request, &reply)?;
        self.misbehave_after(device, request)?;
        Ok(Answer { content, retry_after: reply.retry_after })
    }

    /// Reads an unsigned network-test resource once, without repeating.
    pub(crate) fn plain(&mut self, path: &str) -> Result<(Vec<u8>, Option<i64>), Error> {
        let reply = self.exchange(&Request::get(path), None)?;
        if reply.status == 200 { Ok((reply.body, reply.date_ms)) } else { Err(refusal(&reply).into()) }
    }

    /// Repeats until there is an answer that counts.
    pub(crate) fn deliver(&mut self, device: &Device, request: &Request) -> Result<Reply, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.attempt(device, request, tries);
            let pause = match &outcome {
                Ok(reply) if (200..300).contains(&reply.status) => return outcome,
                // The handshake was refused: nobody has read the request.
                Err(Error::Unreachable { leg: Leg::Tls, .. }) if self.put_certificate_aside() => continue,
                Ok(reply) => {
                    let refused = refusal(reply);
                    let about_shown = matches!(
                        refused.code.as_str(),
                        "device_certificate_mismatch" | "certificate_expired"
                    );
                    if about_shown && self.put_certificate_aside() {
                        continue;
                    }
                    if refused.code == "clock_skew" && self.take_over_clock(reply) {
                        continue;
                    }
                    if !matches!(reply.status, 429 | 502 | 503 | 504) {
                        return Err(refused.into());
                    }
                    reply.retry_after
                }
                Err(Error::Unreachable { .. }) => None,
                Err(_) => return outcome,
            };
            let too_long = pause.is_some_and(|pause| pause > RETRY_AFTER_MAX);
            if tries >= TRIES_MAX || too_long || request.repeat == Repeat::Never {
                return match outcome {
                    Ok(reply) => Err(refusal(&reply).into()),
                    Err(error) => Err(error),
                };
            }
            self.surroundings.pause(pause.unwrap_or_default() + self.back_off(tries));
        }
    }

    /// One try, with the faults that cut the wire.
    fn attempt(&mut self, device: &Device, request: &Request, number: u32) -> Result<Reply, Error> {
        let cut = |detail: &str| Error::Unreachable { leg: Leg::Http, detail: detail.to_owned() };
        let first = number == 1 && request.repeat == Repeat::Allowed;
        if first && self.fault == Some(Fault::CutBeforeSend) {
            return Err(cut("fault: cut before sending"));
        }
        let signed = self.sign(device, request);
        let reply = self.exchange(request, Some((device, &signed)))?;
        if first && self.fault == Some(Fault::CutAfterSend) {
            return Err(cut("fault: cut after sending"));
        }
        Ok(reply)
    }

    /// Signs one try with a fresh nonce.
    pub(crate) fn sign(&self, device: &Device, request: &Request) -> Signed {
        let timestamp_ms = self.now_ms();
        let nonce = wire::base64url(&random::array::<16>(self.surroundings.random()));
        let text =
            wire::request_text(request.method.name(), &request.path, timestamp_ms, &nonce, &request.body);
        let signature = wire::base64url(&device.sign(text.as_bytes()));
        Signed { timestamp: timestamp_ms.to_string(), nonce, signature }
    }

    /// Puts one request on the wire and reads what comes back.
    pub(crate) fn exchange(
        &mut self,
        request: &Request,
        signed: Option<(&Device, &Signed)>,
    ) -> Result<Reply, Error> {
        self.surroundings.power(Moment::BeforeRequest)?;
        self.sent += 1;
        let mut builder = http::Request::builder()
            .method(request.method.name())
            .uri(self.address.url(&request.path))
            .header("accept", "application/json")
            .header("accept-language", self.language.tag());
        if request.method == Method::Post {
            builder = builder.header("content-type", "application/json");
        }
        if let Some((device, signed)) = signed {
            builder = builder
                .header("starpay-key", device.sign_key_id())
                .header("starpay-timestamp", &signed.timestamp)
                .header("starpay-nonce", &signed.nonce)
                .header("starpay-signature", &signed.signature);
        }
        let malformed = |detail: String| Error::Malformed { request: request.describe(), detail };
        let agent = self.shown.as_ref().map_or(&self.agent, |shown| &shown.agent);
        let answered = match request.method {
            Method::Get => {
                let message = builder.body(()).map_err(|error| malformed(error.to_string()))?;
                agent.run(message)
            }
            Method::Post => {
                let message =
                    builder.body(request.body.as_slice()).map_err(|error| malformed(error.to_string()))?;
                agent.run(message)
            }
        };
        let mut response = answered.map_err(|error| unreachable_at(&error))?;
        let limit = if signed.is_some() { ANSWER_BYTES_MAX } else { BLOB_BYTES_MAX };
        let body =
            response.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| match error {
                ureq::Error::BodyExceedsLimit(_) => malformed(format!("larger than {limit} bytes")),
                error => unreachable_at(&error),
            })?;
        self.surroundings.power(Moment::AfterRequest)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        Ok(Reply {
            status: response.status().as_u16(),
            retry_after: header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs),
            date_ms: header("date").and_then(instant::from_http_date),
            body,
        })
    }

    /// Takes the platform's time once; true when that changed anything.
    fn take_over_clock(&mut self, reply: &Reply) -> bool {
        let (Skew::Trusted, Some(platform_ms)) = (self.skew, reply.date_ms) else { return false };
        self.skew = Skew::Corrected(platform_ms - self.now_ms());
        true
    }

    /// Doubling, capped, half of it by chance, so that a whole town's terminals do not come back at once.
    fn back_off(&self, tries: u32) -> Duration {
        let full = BACK_OFF.saturating_mul(1 << tries.min(10)).min(BACK_OFF_MAX);
        let half = full / 2;
        let chance = u32::from(u16::from_be_bytes(random::array(self.surroundings.random())));
        half + half * chance / u32::from(u16::MAX)
    }
}

/// An HTTP client that trusts these roots and shows this certificate.
#[expect(clippy::expect_used, reason = "the key crate writes a PEM with one key in it")]
fn agent(roots: RootCerts, identity: Option<&TlsIdentity>) -> Agent {
    let client = identity.map(|identity| {
        let pem = identity.key.to_pkcs8_pem();
        let key = PrivateKey::from_pem(pem.as_bytes()).expect("the PEM holds a key");
        let chain = [Certificate::from_der(identity.certificate.der()).to_owned()];
        ClientCert::new_with_certs(&chain, key)
    });
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(roots)
        .client_cert(client)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(REQUEST_TIMEOUT))
        .user_agent(concat!("starpay-terminal/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Reads a good answer's JSON.
fn read_json<T: DeserializeOwned>(request: &Request, reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| Error::Malformed { request: request.describe(), detail: error.to_string() })
}

/// Reads a refusal; an answer without the error object still tells its status.
pub(crate) fn refusal(reply: &Reply) -> Refusal {
    let status = reply.status;
    let retry_after = reply.retry_after;
    match serde_json::from_slice::<ErrorBody>(&reply.body) {
        Ok(ErrorBody { error }) => Refusal {
            status,
            code: error.code,
            message: error.message,
            field: error.field,
            remedy: error.remedy,
            legal: error.legal,
            tries_left: error.tries_left,
            retry_after,
        },
        Err(_) => Refusal {
            status,
            code: format!("http_{status}"),
            message: "the answer does not say why".to_owned(),
            field: None,
            remedy: None,
            legal: Vec::new(),
            tries_left: None,
            retry_after,
        },
    }
}

/// Which leg of the way a transport error belongs to.
fn unreachable_at(error: &ureq::Error) -> Error {
    let leg = match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(ureq::Timeout::Resolve) => Leg::Resolve,
        ureq::Error::ConnectionFailed | ureq::Error::Timeout(ureq::Timeout::Connect) => Leg::Connect,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Leg::Tls,
        ureq::Error::Io(source) => leg_of(source),
        _ => Leg::Http,
    };
    Error::Unreachable { leg, detail: error.to_string() }
}

/// Tells a refused connection and a broken handshake from other input/output errors.
pub(crate) fn leg_of(source: &std::io::Error) -> Leg {
    use std::io::ErrorKind;
    if source.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Leg::Tls;
    }
    match source.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Leg::Connect
        }
        _ => Leg::Http,
    }
}
