//! Signed requests: nothing a terminal says is believed before key, clock, nonce and body hold.

use crate::site::{Answer, Site};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use starpay_domain::instant::Timestamp;
use starpay_keys::device::DeviceKeys;
use starpay_keys::{OsRandom, random, wire};

struct Terminal {
    keys: DeviceKeys,
}

/// What a request says of itself; a test changes one thing.
struct Said {
    timestamp: i64,
    nonce: String,
    path: String,
    body: String,
}

impl Terminal {
    fn new() -> Self {
        Self { keys: DeviceKeys::generate(&OsRandom) }
    }

    fn claim(&self, code: &str) -> Said {
        let key = self.keys.sign_key().spki_der();
        let body = json!({
            "code": code, "serial": "99990004STAR00000001", "model": "STAR-A1", "firmware": "1.0.0",
            "sign_key": wire::base64url(&key), "envelope_key": wire::base64url(&[1; 32]),
            "device_nonce": wire::base64url(&[2; 16]),
        });
        Said {
            timestamp: Timestamp::parse("2026-11-23T02:00:00Z").unwrap().millis(),
            nonce: wire::base64url(&random::array::<16>(&OsRandom)),
            path: "/terminal/v1/claims".to_owned(),
            body: body.to_string(),
        }
    }

    fn sign(&self, said: &Said) -> Request<Body> {
        let text = wire::request_text("POST", &said.path, said.timestamp, &said.nonce, said.body.as_bytes());
        Request::post(&said.path)
            .header("Accept-Language", "en")
            .header("Content-Type", "application/json")
            .header("Starpay-Key", hex::encode(self.keys.sign_key().thumbprint()))
            .header("Starpay-Timestamp", said.timestamp)
            .header("Starpay-Nonce", &said.nonce)
            .header("Starpay-Signature", wire::base64url(&self.keys.sign(text.as_bytes()).to_bytes()))
            .body(Body::from(said.body.clone()))
            .unwrap()
    }
}

async fn send(site: &Site, terminal: &Terminal, said: &Said) -> Answer {
    site.send(terminal.sign(said)).await
}

#[tokio::test]
async fn a_signature_covers_the_whole_request() {
    let (site, terminal) = (Site::new(), Terminal::new());
    let said = terminal.claim("0000000000");
    let mut forged = terminal.sign(&said);
    *forged.body_mut() = Body::from(said.body.replace("STAR-A1", "STAR-A2"));
    assert_eq!(site.send(forged).await.refusal(), (401, "signature_invalid".to_owned()));

    let elsewhere = Said { path: "/terminal/v1/claims?again=1".to_owned(), ..terminal.claim("0000000000") };
    let mut moved = terminal.sign(&elsewhere);
    assert_eq!(site.send(terminal.sign(&elsewhere)).await.refusal(), (400, "unknown_parameter".to_owned()));
    *moved.uri_mut() = "/terminal/v1/claims".parse().unwrap();
    assert_eq!(site.send(moved).await.refusal(), (401, "signature_invalid".to_owned()));

    let mut bare = terminal.sign(&said);
    bare.headers_mut().remove("Starpay-Nonce");
    let refused = site.send(bare).await;
    assert_eq!(refused.refusal(), (401, "signature_invalid".to_owned()));
    assert_eq!(refused.json()["error"]["field"], "Starpay-Nonce");
}

#[tokio::test]
async fn a_clock_that_is_off_and_a_key_nobody_knows_are_named() {
    let (site, terminal) = (Site::new(), Terminal::new());
    let late = Said { timestamp: 1_700_000_000_000, ..terminal.claim("0000000000") };
    assert_eq!(send(&site, &terminal, &late).await.refusal(), (401, "clock_skew".to_owned()));
    let stranger = Said {
        path: "/terminal/v1/operators/verify".to_owned(),
        body: json!({"number": "01", "pin": {"enc": "", "ct": ""}}).to_string(),
        ..terminal.claim("0000000000")
    };
    assert_eq!(send(&site, &terminal, &stranger).await.refusal(), (401, "device_unknown".to_owned()));
}

#[tokio::test]
async fn a_wrong_code_says_little_and_its_request_cannot_be_replayed() {
    let (site, terminal) = (Site::new(), Terminal::new());
    let said = terminal.claim("0000000000");
    let refused = send(&site, &terminal, &said).await;
    assert_eq!(refused.refusal(), (400, "activation_code_invalid".to_owned()), "{}", refused.text);
    assert_eq!(send(&site, &terminal, &said).await.refusal(), (409, "nonce_replayed".to_owned()));
    let Value::Object(mut body) = serde_json::from_str(&said.body).unwrap() else { panic!("no object") };
    body.insert("colour".to_owned(), json!("red"));
    let odd = Said { body: Value::Object(body).to_string(), ..terminal.claim("0000000000") };
    let refused = send(&site, &terminal, &odd).await;
    assert_eq!(refused.refusal(), (400, "unknown_field".to_owned()));
    assert_eq!(refused.json()["error"]["field"], "colour");
}

#[tokio::test]
async fn the_network_test_needs_no_signature_and_has_its_limit() {
    let site = Site::new();
    let echo = site.get("", "/terminal/v1/network/echo").await;
    assert_eq!(echo.json(), json!({"time": "2026-11-23T02:00:00Z"}));
    assert_eq!(site.get("", "/terminal/v1/network/blob?bytes=1000").await.text.len(), 1000);
    assert_eq!(site.get("", "/terminal/v1/network/blob?bytes=262144").await.status, StatusCode::OK);
    for wrong in ["bytes=262145", "bytes=-1", "bytes=", "", "bytes=1&bytes=2"] {
        let refused = site.get("", &format!("/terminal/v1/network/blob?{wrong}")).await;
        assert_eq!(refused.refusal(), (400, "query_invalid".to_owned()), "{wrong}");
    }
}
