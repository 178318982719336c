//! A terminal with keys of its own, and what it says over HTTP.

use crate::shop::SERIAL;
use crate::site::{Answer, Site};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use starpay_app::port::Clock;
use starpay_keys::device::DeviceKeys;
use starpay_keys::{OsRandom, random, wire};

/// The steps between the claim and the keys.
const EARLY_STEPS: [&str; 5] = ["identity", "compatibility", "network", "location", "backup"];

pub(crate) struct Terminal {
    pub(crate) keys: DeviceKeys,
    device_nonce: String,
    /// The language it asks for; none, when it asks for none.
    pub(crate) language: Option<&'static str>,
    /// The address it is seen from, behind a proxy on this machine.
    pub(crate) address: Option<&'static str>,
    claimed: Value,
}

/// What a request says of itself; a test changes one thing.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) method: &'static str,
    pub(crate) timestamp: i64,
    pub(crate) nonce: String,
    pub(crate) path: String,
    pub(crate) body: String,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self {
            keys: DeviceKeys::generate(&OsRandom),
            device_nonce: wire::base64url(&random::array::<16>(&OsRandom)),
            language: Some("en"),
            address: None,
            claimed: Value::Null,
        }
    }

    /// A request with a fresh nonce.
    pub(crate) fn said(&self, site: &Site, method: &'static str, path: &str, body: &Value) -> Said {
        Said {
            method,
            timestamp: site.clock.now().millis(),
            nonce: wire::base64url(&random::array::<16>(&OsRandom)),
            path: path.to_owned(),
            body: if body.is_null() { String::new() } else { body.to_string() },
        }
    }

    /// The body of a claim.
    pub(crate) fn claim_body(&self, code: &str) -> Value {
        json!({
            "code": code, "serial": SERIAL, "model": "STAR-A1", "firmware": "1.4.0",
            "sign_key": wire::base64url(&self.keys.sign_key().spki_der()),
            "envelope_key": wire::base64url(&self.keys.envelope_key().to_bytes()),
            "device_nonce": self.device_nonce,
        })
    }

    /// A claim with a fresh nonce.
    pub(crate) fn claim(&self, site: &Site, code: &str) -> Said {
        self.said(site, "POST", "/terminal/v1/claims", &self.claim_body(code))
    }

    pub(crate) fn sign(&self, said: &Said) -> Request<Body> {
        let Said { method, timestamp, nonce, path, body } = said;
        let text = wire::request_text(method, path, *timestamp, nonce, body.as_bytes());
        let request = Request::builder()
            .method(*method)
            .uri(path)
            .header("Content-Type", "application/json")
            .header("Starpay-Key", hex::encode(self.keys.sign_key().thumbprint()))
            .header("Starpay-Timestamp", *timestamp)
            .header("Starpay-Nonce", nonce)
            .header("Starpay-Signature", wire::base64url(&self.keys.sign(text.as_bytes()).to_bytes()));
        let request =
            self.language.iter().fold(request, |request, tag| request.header("Accept-Language", *tag));
        let request =
            self.address.iter().fold(request, |request, from| request.header("X-Forwarded-For", *from));
        request.body(Body::from(body.clone())).unwrap()
    }

    pub(crate) async fn send(&self, site: &Site, said: &Said) -> Answer {
        site.send(self.sign(said)).await
    }

    /// Step 1; a good answer is remembered.
    pub(crate) async fn show(&mut self, site: &Site, code: &str) -> Answer {
        let answer = self.send(site, &self.claim(site, code)).await;
        if answer.status.is_success() {
            self.claimed = answer.json();
        }
        answer
    }

    /// A signed GET or POST of its activation.
    pub(crate) async fn ask(&self, site: &Site, method: &'static str, step: &str, body: &Value) -> Answer {
        let id = self.claimed["activation_id"].as_str().unwrap();
        let path = format!("/terminal/v1/activations/{id}{step}");
        self.send(site, &self.said(site, method, &path, body)).await
    }

    /// How its activation stands.
    pub(crate) async fn status(&self, site: &Site) -> Value {
        self.ask(site, "GET", "", &Value::Null).await.json()
    }

    /// Every step up to the keys.
    pub(crate) async fn prepare(&self, site: &Site) {
        for step in EARLY_STEPS {
            let body = match step {
                "identity" => self.identity(),
                "compatibility" => json!({"model": "STAR-A1", "firmware": "1.4.0", "printer": true,
                    "positioning": true, "free_kib": 65_536}),
                "network" => {
                    let legs = ["resolve", "connect", "tls", "http", "clock", "throughput"];
                    json!({"legs": legs.map(|leg| json!({"leg": leg, "ok": true, "ms": 12}))})
                }
                "location" => json!({"latitude_e6": 22_543_100, "longitude_e6": 114_057_870,
                    "accuracy_m": 20, "source": "gnss"}),
                _ => json!({"sha256": self.ask(site, "GET", "/backup", &Value::Null).await.json()["sha256"]}),
            };
            let answer = self.ask(site, "POST", &format!("/{step}"), &body).await;
            assert!(answer.status.is_success(), "{step}: {}", answer.text);
        }
    }

    fn identity(&self) -> Value {
        let said = |name: &str| self.claimed[name].as_str().unwrap();
        let csr = self.keys.certificate_request(SERIAL).unwrap();
        let text = wire::identity_text(&wire::Identity {
            activation_id: said("activation_id"),
            serial: SERIAL,
            challenge: &wire::array_from_base64url(said("challenge")).unwrap(),
            server_nonce: &wire::array_from_base64url(said("server_nonce")).unwrap(),
            device_nonce: &wire::array_from_base64url(&self.device_nonce).unwrap(),
            csr_der: &csr,
        });
        json!({
            "device_nonce": self.device_nonce, "server_nonce": said("server_nonce"),
            "challenge": said("challenge"), "csr": wire::base64url(&csr),
            "proof": wire::base64url(&self.keys.sign(text.as_bytes()).to_bytes()),
        })
    }
}
