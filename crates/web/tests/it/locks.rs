//! No door without its lock: walked over every route there is.

use crate::shop::Shop;
use crate::site::{Site, admin, bearer};
use axum::body::Body;
use serde_json::json;
use starpay_web::{Access, openapi};
use std::cell::RefCell;

/// A path with something plausible in its places.
fn filled(path: &str) -> String {
    let id = "0190a1b2c3d47e5f8a6b7c8d9e0f1a2b";
    let prefix = match path.split('/').nth(3).unwrap_or_default() {
        "contacts" => "con",
        "applications" => "app",
        "visits" => "vis",
        "agreements" => "agr",
        "registrations" => "reg",
        "shipments" => "shp",
        "devices" => "dev",
        "activations" => "act",
        "merchants" => "mer",
        "access-keys" => "ak",
        _ => "x",
    };
    path.replace("{id}", &format!("{prefix}_{id}"))
        .replace("{document}", &format!("doc_{id}"))
        .replace("{key}", "a-key")
        .replace("{code}", "not_found")
}

#[tokio::test]
async fn no_locked_door_opens_to_a_stranger() {
    let site = Site::new();
    let locked = openapi::doors().into_iter().filter(|door| door.access != Access::Open);
    let mut walked = 0;
    for door in locked {
        for token in ["", "sp_test_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "0000"] {
            let request = bearer(&door.method, &filled(&door.path), token).body(Body::empty()).unwrap();
            let (status, code) = site.send(request).await.refusal();
            let expected = match door.access {
                Access::Key => "unauthenticated",
                Access::Device => "signature_invalid",
                Access::Open => unreachable!("open doors are left out"),
            };
            assert_eq!((status, code.as_str()), (401, expected), "{} {}", door.method, door.path);
        }
        walked += 1;
    }
    assert!(walked > 30, "{walked}");
}

#[tokio::test]
async fn no_route_passes_an_unknown_parameter_over() {
    let site = Site::new();
    let listed = openapi::doors().into_iter().map(|door| (door.method, filled(&door.path)));
    let unlisted = ["/api/openapi.json", "/dev/outbox.json"].map(|path| ("GET".to_owned(), path.to_owned()));
    for (method, path) in listed.chain(unlisted) {
        let request = bearer(&method, &format!("{path}?colour=red"), &admin());
        let refused = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.refusal(), (400, "unknown_parameter".to_owned()), "{method} {path}");
        let error = &refused.json()["error"];
        assert_eq!(error["field"], "colour", "{method} {path}");
        assert!(error["remedy"].as_str().unwrap().contains("/api/openapi.json"), "{error}");
    }
}

#[tokio::test]
async fn a_post_that_moves_something_needs_its_key() {
    let site = Site::new();
    for door in openapi::doors().into_iter().filter(|door| door.needs_key) {
        let path = filled(&door.path);
        for (key, expected) in
            [(None, "idempotency_key_missing"), (Some("has space"), "idempotency_key_invalid")]
        {
            let request = bearer(&door.method, &path, &admin());
            let request =
                key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
            let answer = site.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.refusal(), (400, expected.to_owned()), "{} {path}", door.method);
        }
    }
}

#[tokio::test]
async fn a_partner_sees_and_moves_only_its_own() {
    let shop = Shop::shipped().await;
    let site = &shop.site;
    let parcel = shop.only("shipments").await;
    let registration = shop.only("registrations").await;
    let seen = site.get(&shop.owner, "/api/v1/shipments").await.json()["data"][0].clone();
    let application = seen["application_id"].as_str().unwrap();
    let rows = async |token: &str, path: &str| -> usize {
        site.get(token, path).await.json()["data"].as_array().unwrap().len()
    };
    let [own, other] = [site.key_for("courier", "sandbox").await, site.key_for("courier", "swift").await];
    for path in ["/api/v1/shipments".to_owned(), format!("/api/v1/shipments?application_id={application}")] {
        assert_eq!((rows(&own, &path).await, rows(&other, &path).await), (1, 0), "{path}");
    }
    let track = format!("/api/v1/shipments/{parcel}/track");
    let delivered = json!({"status": "delivered"});
    assert_eq!(site.post(&other, "t", &track, &delivered).await.refusal(), (404, "not_found".to_owned()));
    assert_eq!(site.post(&own, "t", &track, &delivered).await.json()["state"], "delivered");

    let clearing = site.key_for("registry", "clearing_institution").await;
    let unionpay = site.key_for("registry", "unionpay").await;
    for path in
        ["/api/v1/registrations".to_owned(), format!("/api/v1/registrations?application_id={application}")]
    {
        assert_eq!((rows(&clearing, &path).await, rows(&unionpay, &path).await), (1, 0), "{path}");
    }
    let answer = format!("/api/v1/registrations/{registration}/answer");
    let refused = json!({"result": "refused", "network_ref": "R", "reason": "no", "field": "shop.mcc"});
    let stranger = site.post(&unionpay, "a", &answer, &refused).await;
    assert_eq!(stranger.refusal(), (404, "not_found".to_owned()));
    // Its own is there, and settled.
    let settled = site.post(&clearing, "a", &answer, &refused).await;
    assert_eq!(settled.refusal(), (409, "illegal_transition".to_owned()), "{}", settled.text);
    assert_eq!(site.get(&own, "/api/v1/me").await.json()["scope"], "sandbox");
}

#[tokio::test]
async fn keys_are_listed_for_administrators_without_their_tokens() {
    let site = Site::new();
    let courier = site.key_for("courier", "sandbox").await;
    let refused = site.get(&courier, "/api/v1/access-keys").await;
    assert_eq!(refused.refusal(), (403, "forbidden".to_owned()));
    assert_eq!(site.get(&courier, "/api/v1/audit/files").await.refusal(), (403, "forbidden".to_owned()));
    let listed = site.get(&admin(), "/api/v1/access-keys?limit=1").await;
    let rows = listed.json()["data"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 1, "{}", listed.text);
    assert!(rows[0]["id"].as_str().unwrap().starts_with("ak_"));
    assert_eq!((&rows[0]["state"], rows[0].get("token")), (&json!("good"), None));
    let wrong = site.get(&admin(), "/api/v1/audit/files?kind=letter").await;
    assert_eq!(wrong.refusal(), (400, "query_invalid".to_owned()));
    assert_eq!(site.get(&admin(), "/api/v1/audit/files?kind=agreement").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_key_is_made_with_the_scope_its_role_needs() {
    let site = Site::new();
    for (role, scope, code) in [
        ("courier", json!(null), "field_required"),
        ("courier", json!("  "), "field_required"),
        ("courier", json!("x".repeat(65)), "length"),
        ("registry", json!(null), "field_required"),
        ("registry", json!("sandbox"), "choice"),
        ("warehouse", json!("sandbox"), "choice"),
    ] {
        let body = json!({"role": role, "label": "test", "scope": scope});
        let refused = site.post(&admin(), role, "/api/v1/access-keys", &body).await;
        assert_eq!(refused.refusal(), (400, code.to_owned()), "{role} {scope}");
        assert_eq!(refused.json()["error"]["field"], "scope");
    }
}

#[tokio::test]
async fn metrics_are_the_administrators() {
    let site = Site::new();
    let reviewer = site.key_of("reviewer").await;
    assert_eq!(site.get(&reviewer, "/metrics").await.refusal(), (403, "forbidden".to_owned()));
    let metrics = site.get(&admin(), "/metrics").await;
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    assert!(metrics.text.contains(r#"route="/api/v1/access-keys",status="201""#), "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"));
}

thread_local! {
    /// What this test's own thread has logged.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the thread it is on.
struct OwnThread;

impl std::io::Write for OwnThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn one_line_a_request_and_no_secret_in_it() {
    // One subscriber for the process: with one per thread, callsites forget who listens.
    tracing_subscriber::fmt().json().with_writer(|| OwnThread).init();
    let site = Site::new();
    let token = site.key_of("warehouse").await;
    LOGGED.with_borrow_mut(Vec::clear);
    let body = serde_json::json!({"serial": "99990004STAR00000001", "model": "STAR-A1"});
    let made = site.post(&token, "k1", "/api/v1/devices", &body).await.json();
    let id = made["id"].as_str().unwrap();
    site.get(&token, &format!("/api/v1/devices/{id}")).await;
    site.get(&token, &format!("/api/v1/devices/{id}?note=13800000000")).await;
    let logged = LOGGED.with_borrow(|logged| String::from_utf8(logged.clone()).unwrap());
    let answered: Vec<&str> = logged.lines().filter(|line| line.contains("request answered")).collect();
    assert_eq!(answered.len(), 3, "{logged}");
    for part in
        [r#""http.route":"/api/v1/devices/{id}""#, r#""actor.kind":"warehouse""#, r#""http.status":200"#]
    {
        assert!(answered[1].contains(part), "{}", answered[1]);
    }
    for secret in [token.as_str(), "13800000000", "99990004STAR00000001", id] {
        assert!(!logged.contains(secret), "{secret} in {logged}");
    }
}
