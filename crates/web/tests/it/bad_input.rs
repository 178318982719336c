//! Bad input, one test each, over a real socket: refused with a 4xx that names the field and what to
//! do about it, and nothing half-written.

use crate::device::Terminal;
use crate::shop::{DOCUMENTS, MOBILE, SERIAL, Shop};
use crate::site::{Answer, Site, answered, bearer};
use axum::body::Body;
use serde_json::{Value, json};
use starpay_keys::wire;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Kept = BTreeMap<String, (usize, String)>;

/// What was kept before a bad request, to be found unchanged after it.
struct Watch<'s> {
    site: &'s Site,
    before: Kept,
}

impl<'s> Watch<'s> {
    fn over(site: &'s Site) -> Self {
        let before = site.kept();
        assert!(before.values().any(|(rows, _)| *rows > 0), "an empty store proves nothing");
        Self { site, before }
    }

    /// The form of the refusal, and that nothing is there that was not there before.
    fn refused(&self, answer: &Answer, status: u16, code: &str, field: &str) {
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{}", answer.text);
        let error = &answer.json()["error"];
        assert_eq!(error["field"], field, "{error}");
        for words in ["message", "remedy", "doc", "request_id"] {
            assert!(error[words].as_str().is_some_and(|text| !text.is_empty()), "{words}: {error}");
        }
        self.unchanged();
    }

    fn unchanged(&self) {
        let after = self.site.kept();
        let differ: Vec<&String> =
            self.before.keys().filter(|table| self.before.get(*table) != after.get(*table)).collect();
        assert_eq!(differ, Vec::<&String>::new(), "half-written");
        assert_eq!(self.before, after);
    }
}

/// A merchant with an application begun.
struct Draft {
    site: Site,
    session: String,
    path: String,
    version: i64,
}

impl Draft {
    async fn new() -> Self {
        let site = Site::new().on_a_socket().await;
        let session = site.merchant(MOBILE).await;
        let wanted = json!({"subject_type": "sole_proprietor", "business_no": "A-1"});
        let started = site.post(&session, "start", "/api/v1/applications", &wanted).await.json();
        let path = format!("/api/v1/applications/{}", started["id"].as_str().unwrap());
        Self { site, session, path, version: started["version"].as_i64().unwrap() }
    }

    async fn upload(&self, picture: Vec<u8>) -> Answer {
        let request = bearer("POST", &format!("{}/documents?kind=licence", self.path), &self.session);
        let request = request.header("Idempotency-Key", format!("upload-{}", picture.len()));
        self.site.send(request.body(Body::from(picture)).unwrap()).await
    }

    async fn patch(&self, body: impl Into<Body>, version: i64) -> Answer {
        let request = bearer("PATCH", &self.path, &self.session)
            .header("Content-Type", "application/json")
            .header("If-Match", format!("\"{version}\""));
        self.site.send(request.body(body.into()).unwrap()).await
    }

    /// Fills one field in with a wrong value, beside one with a right value.
    async fn fill(&self, field: &str, value: &str) -> Answer {
        let fields = json!({"shop.name": "星光小面馆", field: value});
        self.patch(json!({"fields": fields}).to_string(), self.version).await
    }
}

#[tokio::test]
async fn a_truncated_upload() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    for picture in DOCUMENTS.iter().map(|(_, picture)| *picture).take(4) {
        let half = picture[..picture.len() / 2].to_vec();
        let refused = draft.upload(half).await;
        watch.refused(&refused, 400, "image_unreadable", "documents.licence");
    }
    // A connection that breaks off in the middle of the picture.
    let (_, picture) = DOCUMENTS[0];
    let head = format!(
        "POST {}/documents?kind=licence HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\n\
         idempotency-key: d\r\ncontent-length: {}\r\n\r\n",
        draft.path,
        draft.session,
        picture.len()
    );
    let mut broken = TcpStream::connect(draft.site.address()).await.unwrap();
    broken.write_all(head.as_bytes()).await.unwrap();
    broken.write_all(&picture[..picture.len() / 2]).await.unwrap();
    broken.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = broken.read_to_end(&mut answer).await;
    // Nobody is left to be answered; a client that still listens is told.
    if !answer.is_empty() {
        watch.refused(&answered(&answer), 400, "truncated", "body");
    }
    drop(broken);
    assert_eq!(draft.site.get("", "/healthz").await.status, 200);
    watch.unchanged();
}

#[tokio::test]
async fn an_oversized_upload() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    let (_, picture) = DOCUMENTS[0];
    let mut large = picture.to_vec();
    large.resize(starpay_app::UPLOAD_BYTES_MAX + 1, 0);
    watch.refused(&draft.upload(large).await, 413, "too_large", "body");
    let long = format!("{{\"fields\":{{\"shop.name\":\"{}\"}}}}", "面".repeat(64 * 1024));
    watch.refused(&draft.patch(long, draft.version).await, 413, "too_large", "body");
}

#[tokio::test]
async fn more_documents_than_are_kept() {
    const MIB: usize = 1024 * 1024;
    let draft = Draft::new().await;
    let (site, [(_, first), (_, second), ..]) = (&draft.site, DOCUMENTS) else { panic!("no specimens") };
    assert_eq!(draft.upload(first.to_vec()).await.status, 201);
    // One byte less than the second picture has left: none of it is kept.
    let room = 128 * MIB - second.len();
    site.poke(&format!("UPDATE document SET byte_count = {}", room + 1));
    let watch = Watch::over(site);
    watch.refused(&draft.upload(second.to_vec()).await, 413, "documents_too_large", "body");
    site.poke(&format!("UPDATE document SET byte_count = {room}"));
    assert_eq!(draft.upload(second.to_vec()).await.status, 201);

    site.poke(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 58) INSERT INTO document \
         SELECT randomblob(16), merchant_id, application_id, kind, media_type, 1000, width, height, \
         randomblob(32), object_key, outcome, profile, created_at FROM n, (SELECT * FROM document LIMIT 1)",
    );
    let watch = Watch::over(site);
    let (_, third) = DOCUMENTS[2];
    watch.refused(&draft.upload(third.to_vec()).await, 413, "too_many_documents", "body");

    // Another application has its own room, as far as the merchant's own goes.
    let given_up = site.post(&draft.session, "w", &format!("{}/withdraw", draft.path), &json!({})).await;
    assert_eq!(given_up.status, 200, "{}", given_up.text);
    let other = json!({"subject_type": "micro", "business_no": "A-2"});
    let other = site.post(&draft.session, "other", "/api/v1/applications", &other).await.json();
    let path = format!("/api/v1/applications/{}", other["id"].as_str().unwrap());
    let other = Draft { site: draft.site, session: draft.session, path, version: 1 };
    let site = &other.site;
    site.poke(&format!("UPDATE document SET byte_count = {}", 512 * MIB / 60));
    let watch = Watch::over(site);
    watch.refused(&other.upload(third.to_vec()).await, 413, "merchant_storage_full", "body");
    site.poke("UPDATE document SET byte_count = 1000");
    assert_eq!(other.upload(third.to_vec()).await.status, 201);
}

#[tokio::test]
async fn more_applications_than_are_kept() {
    let site = Site::new().on_a_socket().await;
    let session = site.merchant(MOBILE).await;
    let wanted = json!({"subject_type": "micro"});
    let made = site.post(&session, "first", "/api/v1/applications", &wanted).await.json();
    let path = format!("/api/v1/applications/{}/withdraw", made["id"].as_str().unwrap());
    assert_eq!(site.post(&session, "given-up", &path, &json!({})).await.status, 200);
    // Two hundred and ninety-nine more that were given up.
    site.poke(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 299) \
         INSERT INTO application (id, merchant_id, state, version, facts, created_at, updated_at, business_no, form) \
         SELECT randomblob(16), merchant_id, state, version, facts, created_at, updated_at, 'A-' || i, form \
         FROM n, (SELECT * FROM application LIMIT 1)",
    );
    let watch = Watch::over(&site);
    let refused = site.post(&session, "one-more", "/api/v1/applications", &wanted).await;
    watch.refused(&refused, 413, "too_many_applications", "subject_type");
}

#[tokio::test]
async fn an_image_bomb() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    // Sixty thousand pixels each way in less than a hundred bytes.
    let bomb = "89504e470d0a1a0a0000000d494844520000ea600000ea6008020000000fb0e2150000000849444154789c030000000001480689d20000000049454e44ae426082";
    let refused = draft.upload(hex::decode(bomb).unwrap()).await;
    watch.refused(&refused, 413, "image_too_large", "documents.licence");
}

#[tokio::test]
async fn invalid_utf8() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    let mut body = "{\"fields\":{\"shop.name\":\"星光".as_bytes().to_vec();
    body.extend_from_slice(b"\xe5\xb0\"}}");
    let refused = draft.patch(body, draft.version).await;
    watch.refused(&refused, 400, "utf8_invalid", "body");
    assert_eq!(refused.json()["error"]["position"], json!({"line": 1, "column": 27}));
}

#[tokio::test]
async fn a_wrong_check_digit() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    for (field, value, code) in [
        ("licence.uscc", "92440399MA5DEM039G", "checksum"),
        ("principal.id_number", "440399200002291127", "checksum"),
        ("settlement.card_number", "6200000000000014", "luhn"),
    ] {
        let refused = draft.fill(field, value).await;
        watch.refused(&refused, 400, "validation_failed", field);
        let wrong = &refused.json()["error"]["fields"];
        assert_eq!(wrong.as_array().map(Vec::len), Some(1), "{wrong}");
        assert_eq!((&wrong[0]["field"], &wrong[0]["code"]), (&json!(field), &json!(code)));
        assert!(!wrong[0]["remedy"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn under_eighteen() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    // Seventeen on the day of this test.
    let refused = draft.fill("principal.id_number", "440399200901010019").await;
    watch.refused(&refused, 400, "validation_failed", "principal.id_number");
    assert_eq!(refused.json()["error"]["fields"][0]["code"], "under_18");
}

#[tokio::test]
async fn a_used_or_expired_code_to_sign_in() {
    let site = Site::new().on_a_socket().await;
    let started = site.post("", "first", "/api/v1/contacts", &json!({"mobile": MOBILE})).await.json();
    let code = site.get("", "/dev/outbox.json").await.json()["data"][0]["code"].clone();
    let path = format!("/api/v1/contacts/{}/verify", started["contact_id"].as_str().unwrap());
    let body = json!({"code": code});
    assert_eq!(site.post("", "used", &path, &body).await.status, 200);
    // Nothing but the try is kept: whoever knows the code must not guess the key it was used under.
    let used_again = site.post("", "used-again", &path, &body).await;
    assert_eq!(used_again.refusal(), (400, "code_invalid".to_owned()), "{}", used_again.text);
    assert_eq!(used_again.json()["error"]["tries_left"], 4, "{}", used_again.text);

    site.clock.advance_ms(1);
    site.post("", "second", "/api/v1/contacts", &json!({"mobile": MOBILE})).await;
    let sent = site.get("", "/dev/outbox.json").await.json();
    let code = sent["data"].as_array().unwrap().last().unwrap()["code"].clone();
    site.clock.advance_ms(10 * 60_000);
    let watch = Watch::over(&site);
    let refused = site.post("", "late", &path, &json!({"code": code})).await;
    watch.refused(&refused, 400, "code_expired", "code");
    // Who never had it does not learn that there was one.
    let other = if code == "000000" { "000001" } else { "000000" };
    let refused = site.post("", "guess", &path, &json!({"code": other})).await;
    watch.refused(&refused, 400, "code_invalid", "code");
}

#[tokio::test]
async fn an_expired_activation_code() {
    let shop = Shop::delivered().await;
    let (_, code) = shop.code().await;
    shop.site.wait_hours(73).await;
    let mut terminal = Terminal::new();
    let watch = Watch::over(&shop.site);
    watch.refused(&terminal.show(&shop.site, &code).await, 409, "activation_code_expired", "code");
}

#[tokio::test]
async fn a_used_activation_code() {
    let shop = Shop::delivered().await;
    let (first, code) = shop.code().await;
    assert_eq!(Terminal::new().show(&shop.site, &code).await.status, 201);
    // Used, and its activation given up: it opens nothing a second time, to nobody.
    shop.done(&shop.owner, &format!("/api/v1/activations/{first}/abort"), &json!({})).await;
    let watch = Watch::over(&shop.site);
    let refused = Terminal::new().show(&shop.site, &code).await;
    watch.refused(&refused, 409, "activation_code_expired", "code");
    // A newer code voids the one before it.
    let again = json!({"serial": SERIAL});
    let asked = shop.site.post(&shop.owner, "again", "/api/v1/activations", &again).await.json();
    let second = shop.newest("activation_code").await;
    let path = format!("/api/v1/activations/{}/reissue", asked["id"].as_str().unwrap());
    shop.done(&shop.owner, &path, &json!({})).await;
    let watch = Watch::over(&shop.site);
    let refused = Terminal::new().show(&shop.site, &second).await;
    watch.refused(&refused, 400, "activation_code_invalid", "code");
}

#[tokio::test]
async fn a_wrong_activation_code() {
    let shop = Shop::delivered().await;
    let (_, code) = shop.code().await;
    let watch = Watch::over(&shop.site);
    let mut thief = Terminal::new();
    thief.address = Some("203.0.113.1");
    // What no code looks like is told so, and costs nothing.
    for slip in ["", "不是激活码", "0000-00000", "00000-000000", "UUUUU-UUUUU"] {
        let refused = thief.show(&shop.site, slip).await;
        watch.refused(&refused, 400, "activation_code_format", "code");
        assert!(refused.json()["error"].get("tries_left").is_none(), "{}", refused.text);
    }
    for wrong in ["0000000000", "11111-11111", "22222-22222", "00000-00000", "ZZZZZ-ZZZZZ"] {
        let refused = thief.show(&shop.site, wrong).await;
        watch.refused(&refused, 400, "activation_code_invalid", "code");
    }
    let paused = thief.show(&shop.site, &code).await;
    watch.refused(&paused, 423, "activation_code_locked", "code");
    assert_eq!(paused.header("retry-after"), "600");
    assert_eq!(paused.json()["error"]["retry_after_s"], 600);
    // Nobody else is.
    let mut terminal = Terminal::new();
    terminal.address = Some("198.51.100.7");
    assert_eq!(terminal.show(&shop.site, &code).await.status, 201);
}

#[tokio::test]
async fn a_cloned_serial() {
    let shop = Shop::delivered().await;
    let (_, code) = shop.code().await;
    let mut terminal = Terminal::new();
    assert_eq!(terminal.show(&shop.site, &code).await.status, 201);
    let watch = Watch::over(&shop.site);
    let refused = Terminal::new().show(&shop.site, &code).await;
    watch.refused(&refused, 403, "device_auth_rejected", "sign_key");
    // The first one goes on as if nothing had been.
    assert_eq!(terminal.status(&shop.site).await["state"], "claimed");
    assert_eq!(terminal.show(&shop.site, &code).await.status, 200);
}

#[tokio::test]
async fn a_replayed_nonce() {
    let shop = Shop::delivered().await;
    let (_, code) = shop.code().await;
    let mut terminal = Terminal::new();
    let claim = terminal.claim(&shop.site, &code);
    assert_eq!(terminal.send(&shop.site, &claim).await.status, 201);
    let watch = Watch::over(&shop.site);
    watch.refused(&terminal.send(&shop.site, &claim).await, 409, "nonce_replayed", "Starpay-Nonce");
    terminal.show(&shop.site, &code).await;
    let look = terminal.said(&shop.site, "GET", "/terminal/v1/activations/current", &Value::Null);
    assert_eq!(terminal.send(&shop.site, &look).await.status, 200);
    let watch = Watch::over(&shop.site);
    watch.refused(&terminal.send(&shop.site, &look).await, 409, "nonce_replayed", "Starpay-Nonce");
}

#[tokio::test]
async fn an_envelope_key_that_is_no_secret() {
    let shop = Shop::delivered().await;
    let (_, code) = shop.code().await;
    let terminal = Terminal::new();
    let watch = Watch::over(&shop.site);
    let mut small = [0; 32];
    for first in [0, 1] {
        small[0] = first;
        let mut body = terminal.claim_body(&code);
        body["envelope_key"] = json!(wire::base64url(&small));
        let said = terminal.said(&shop.site, "POST", "/terminal/v1/claims", &body);
        watch.refused(&terminal.send(&shop.site, &said).await, 400, "pattern", "envelope_key");
    }
}

#[tokio::test]
async fn the_same_idempotency_key_with_another_body() {
    let draft = Draft::new().await;
    let watch = Watch::over(&draft.site);
    let other = json!({"subject_type": "micro", "business_no": "A-2"});
    let refused = draft.site.post(&draft.session, "start", "/api/v1/applications", &other).await;
    watch.refused(&refused, 422, "idempotency_mismatch", "Idempotency-Key");
    let first = json!({"subject_type": "sole_proprietor", "business_no": "A-1"});
    let again = draft.site.post(&draft.session, "start", "/api/v1/applications", &first).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"));
    watch.unchanged();
}

#[tokio::test]
async fn a_stale_version() {
    let draft = Draft::new().await;
    let body = json!({"fields": {"shop.name": "星光小面馆"}}).to_string();
    assert_eq!(draft.patch(body, draft.version).await.status, 200);
    let watch = Watch::over(&draft.site);
    let other = json!({"fields": {"shop.name": "月光小面馆"}}).to_string();
    watch.refused(&draft.patch(other, draft.version).await, 409, "stale_version", "If-Match");
    let withdraw = bearer("POST", &format!("{}/withdraw", draft.path), &draft.session)
        .header("Idempotency-Key", "w")
        .header("If-Match", format!("\"{}\"", draft.version));
    let refused = draft.site.send(withdraw.body(Body::empty()).unwrap()).await;
    watch.refused(&refused, 409, "stale_version", "If-Match");
}

#[tokio::test]
async fn an_illegal_transition() {
    let shop = Shop::delivered().await;
    let rows = shop.site.get(&shop.owner, "/api/v1/applications").await.json();
    let path = format!("/api/v1/applications/{}", rows["data"][0]["id"].as_str().unwrap());
    let shipment = format!("/api/v1/shipments/{}", shop.only("shipments").await);
    let (_, code) = shop.code().await;
    let mut terminal = Terminal::new();
    terminal.show(&shop.site, &code).await;
    let [warehouse, courier] = [shop.site.key_of("warehouse").await, shop.site.key_of("courier").await];
    let watch = Watch::over(&shop.site);
    let legal = |refused: &Answer, state: &str, events: Value| {
        watch.refused(refused, 409, "illegal_transition", "state");
        let error = &refused.json()["error"];
        assert_eq!((&error["state"], &error["legal"]), (&json!(state), &events), "{error}");
    };
    // Opened long since: there is nothing the merchant could do with it any more.
    let submitted = shop.site.post(&shop.owner, "s", &format!("{path}/submit"), &json!({})).await;
    legal(&submitted, "ready", json!([]));
    let packed = json!({"serial": SERIAL, "seal": "SEAL-2"});
    let packed = shop.site.post(&warehouse, "p", &format!("{shipment}/pack"), &packed).await;
    legal(&packed, "received", json!([]));
    let lost = shop.site.post(&courier, "l", &format!("{shipment}/track"), &json!({"status": "lost"})).await;
    legal(&lost, "received", json!([]));
    // A step out of turn: the one that is in turn is named, and only that.
    let early =
        terminal.ask(&shop.site, "POST", "/sign-in", &json!({"key_version": 1, "amount_fen": 0})).await;
    legal(&early, "claimed", json!(["identity"]));
}
