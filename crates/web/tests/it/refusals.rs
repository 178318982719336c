//! Every refusal in the same form, and nothing half-read.

use crate::site::{Answer, Site, admin, bearer};
use axum::body::{Body, Bytes};
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use starpay_app::port::Clock as _;

async fn contact(site: &Site, body: impl Into<Body>) -> Answer {
    let request = bearer("POST", "/api/v1/contacts", "").header("Content-Type", "application/json");
    site.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_path_or_method_that_is_not_there_is_refused_in_the_usual_form() {
    let site = Site::new();
    let missing = site.get("", "/api/v1/nowhere?mobile=15400000001").await;
    assert_eq!(missing.refusal(), (404, "not_found".to_owned()));
    assert!(!missing.text.contains("15400000001"));
    let wrong = site.send(bearer("PUT", "/api/v1/me", "").body(Body::empty()).unwrap()).await;
    assert_eq!(wrong.refusal(), (405, "method_not_allowed".to_owned()));
    assert_eq!(wrong.header("allow"), "GET,HEAD");
    let error = &wrong.json()["error"];
    for field in ["message", "remedy", "doc", "request_id"] {
        assert!(!error[field].as_str().unwrap().is_empty(), "{field}");
    }
}

#[tokio::test]
async fn the_words_follow_the_reader_and_the_doc_link_leads_to_them() {
    let site = Site::new();
    let chinese = site.send(http::Request::get("/api/v1/me").body(Body::empty()).unwrap()).await;
    assert_eq!(chinese.header("content-language"), "zh-CN");
    assert_eq!(chinese.header("www-authenticate"), "Bearer");
    let english = site.get("", "/api/v1/me").await;
    assert_eq!(english.header("content-language"), "en");
    let refused = english.json()["error"].clone();
    assert_ne!(refused["message"], chinese.json()["error"]["message"]);
    let doc = site.get("", refused["doc"].as_str().unwrap()).await.json();
    assert_eq!((&doc["message"], &doc["remedy"]), (&refused["message"], &refused["remedy"]));
    assert_eq!(site.get("", "/api/v1/errors/no_such_code").await.refusal().0, 404);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_field_and_place() {
    let site = Site::new();
    for (body, code, field) in [
        (&b"{\"mobile\":\"154\xff\"}"[..], "utf8_invalid", "body"),
        (b"", "body_empty", "body"),
        (b"{\"mobile\":", "json_invalid", "body"),
        (b"{\"mobile\":\"15400000001\",\"sms\":true}", "unknown_field", "sms"),
        (b"{}", "field_required", "mobile"),
        (b"{\"mobile\":15400000001}", "field_type", "mobile"),
    ] {
        let refused = contact(&site, Bytes::from_static(body)).await;
        assert_eq!(refused.refusal(), (400, code.to_owned()));
        let error = &refused.json()["error"];
        assert_eq!(error["field"], field);
        assert!(error["position"]["line"].as_u64().unwrap() >= 1, "{error}");
    }
    let refused = contact(&site, r#"{"mobile":15400000001}"#).await;
    let error = &refused.json()["error"];
    assert_eq!(error["expected"], "text");
    assert!(error["remedy"].as_str().unwrap().contains("double quotes"), "{error}");
    assert!(!refused.text.contains("15400000001"), "{}", refused.text);
    let plain = bearer("POST", "/api/v1/contacts", "").body(Body::from("mobile=15400000001")).unwrap();
    assert_eq!(site.send(plain).await.refusal(), (415, "json_required".to_owned()));
    let wrong = contact(&site, r#"{"mobile":"25400000001"}"#).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("mobile")));
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_refused_before_it_is_all_there() {
    let site = Site::new();
    let big = format!("{{\"mobile\":\"{}\"}}", "1".repeat(70 * 1024));
    assert_eq!(contact(&site, big).await.refusal(), (413, "too_large".to_owned()));

    let session = site.merchant("15400000001").await;
    let application = json!({"subject_type": "sole_proprietor"});
    let started = site.post(&session, "a", "/api/v1/applications", &application).await;
    let id = started.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/applications/{id}/documents?kind=licence");
    // An endless upload: it must be refused while it still comes.
    let endless =
        futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 65_536])));
    let request = bearer("POST", &path, &session).header("Idempotency-Key", "d");
    let refused = site.send(request.body(Body::from_stream(endless)).unwrap()).await;
    assert_eq!(refused.refusal(), (413, "too_large".to_owned()));
    // A connection that breaks off.
    let broken = futures_util::stream::iter([
        Ok(Bytes::from_static(b"\x89PNG")),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    let request = bearer("POST", &path, &session).header("Idempotency-Key", "d");
    let refused = site.send(request.body(Body::from_stream(broken)).unwrap()).await;
    assert_eq!(refused.refusal(), (400, "truncated".to_owned()));
    let view = site.get(&session, &format!("/api/v1/applications/{id}")).await.json();
    assert_eq!(view["documents"], json!([]), "nothing half-written");
}

#[tokio::test]
async fn a_form_with_wrong_values_is_refused_whole_and_names_each() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let application = json!({"subject_type": "sole_proprietor"});
    let started = site.post(&session, "a", "/api/v1/applications", &application).await.json();
    let path = format!("/api/v1/applications/{}", started["id"].as_str().unwrap());
    let fields = json!({
        "shop.name": "星光小面馆",
        "licence.uscc": "92440399MA5DEM039G",
        // Seventeen on the day of this test.
        "principal.id_number": "440399200901010019",
        "settlement.kind": "cash",
    });
    let request = bearer("PATCH", &path, &session)
        .header("Accept-Language", "en")
        .header("If-Match", started["version"].to_string())
        .header("Content-Type", "application/json");
    let body = json!({"fields": fields}).to_string();
    let refused = site.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(refused.refusal(), (400, "validation_failed".to_owned()), "{}", refused.text);
    let error = &refused.json()["error"];
    assert!(!error["remedy"].as_str().unwrap().is_empty());
    let wrong = |field: &str| {
        let named = error["fields"].as_array().unwrap().iter().find(|wrong| wrong["field"] == field);
        named.map(|wrong| wrong["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(wrong("licence.uscc").as_deref(), Some("checksum"));
    assert_eq!(wrong("principal.id_number").as_deref(), Some("under_18"));
    assert_eq!(wrong("shop.name"), None);
    let kind = error["fields"].as_array().unwrap().iter().find(|wrong| wrong["field"] == "settlement.kind");
    assert_eq!(kind.unwrap()["choices"], json!(["own_card", "corporate", "other_holder"]));
    let kind = json!({"subject_type": "individual"});
    let refused = site.post(&session, "b", "/api/v1/applications", &kind).await;
    assert_eq!(refused.refusal(), (400, "choice".to_owned()), "{}", refused.text);
    let choices = &refused.json()["error"]["choices"];
    assert_eq!(*choices, json!(["micro", "sole_proprietor", "enterprise", "other_org"]));

    // Sixty thousand pixels each way in less than a hundred bytes.
    let bomb = hex::decode(
        "89504e470d0a1a0a0000000d494844520000ea600000ea6008020000000fb0e2150000000849444154789c030000000001480689d20000000049454e44ae426082",
    );
    let request = bearer("POST", &format!("{path}/documents?kind=licence"), &session);
    let request = request.header("Idempotency-Key", "bomb").header("Content-Type", "image/png");
    let refused = site.send(request.body(Body::from(bomb.unwrap())).unwrap()).await;
    assert_eq!(refused.refusal(), (413, "image_too_large".to_owned()), "{}", refused.text);
    assert_eq!(refused.json()["error"]["field"], "documents.licence");
    assert_eq!(site.get(&session, &path).await.json(), started, "nothing half-written");
}

#[tokio::test]
async fn queries_and_ids_are_checked() {
    let site = Site::new();
    for (path, status, code, field) in [
        ("/api/v1/devices?limit=0", 400, "limit_invalid", "limit"),
        ("/api/v1/devices?cursor=forged", 400, "cursor_invalid", "cursor"),
        ("/api/v1/visits?application_id=app_1", 400, "query_invalid", "application_id"),
        ("/api/v1/visits?application=app_1", 400, "unknown_parameter", "application"),
        ("/api/v1/applications?state=melted", 400, "choice", "state"),
        ("/api/v1/devices/dev_1", 404, "not_found", "id"),
        ("/api/v1/idempotency/has%20space", 400, "idempotency_key_invalid", "key"),
    ] {
        let refused = site.get(&admin(), path).await;
        assert_eq!(refused.refusal(), (status, code.to_owned()), "{path}");
        assert_eq!(refused.json()["error"]["field"], field, "{path}");
    }
}

#[tokio::test]
async fn a_panic_is_an_answer_and_a_request_has_a_name() {
    async fn broken() -> &'static str {
        panic!("a bug on purpose")
    }
    let site = Site::with_pages(starpay_web::without_pages().route("/broken", get(broken)));
    let request = bearer("GET", "/broken", "").header("X-Request-Id", "order-4711.a");
    let answer = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.refusal(), (500, "internal".to_owned()));
    assert_eq!(answer.header("x-request-id"), "order-4711.a");
    assert_eq!(answer.json()["error"]["request_id"], "order-4711.a");
    assert!(!answer.text.contains("purpose"));
    assert!(site.get("", "/healthz").await.header("x-request-id").starts_with("req_"));
}

/// A terminal sets its clock by it, and a sandbox's may be weeks ahead of the computer's.
#[tokio::test]
async fn every_answer_has_the_date_of_the_platforms_clock() {
    let site = Site::new();
    for path in ["/healthz", "/api/v1/me", "/nowhere"] {
        assert_eq!(site.get("", path).await.header("date"), site.clock.now().http_date(), "{path}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_what_not_to_do() {
    let site = Site::new();
    for path in ["/healthz", "/api/v1/me", "/nowhere", "/api/openapi.json"] {
        let answer = site.get("", path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("content-security-policy"), starpay_web::DATA_POLICY, "{path}");
    }
    assert_eq!(site.get("", "/api/v1/me").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_refusal_of_the_role_says_whose_business_it_is() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let device = json!({"serial": "99990004STAR00000001", "model": "STAR-A1"});
    let refused = site.post(&session, "stock", "/api/v1/devices", &device).await;
    assert_eq!(refused.refusal(), (403, "forbidden".to_owned()));
    let error = &refused.json()["error"];
    assert_eq!(error["roles"], json!(["warehouse", "admin"]));
    assert!(error["remedy"].as_str().unwrap().contains("Warehouse, Administrator"), "{error}");
    // Whatever is refused for another reason names no roles.
    let missing = site.get(&session, "/api/v1/devices/dev_00000000000000000000000000000000").await;
    assert_eq!((missing.refusal().0, missing.json()["error"].get("roles")), (404, None));
}

#[tokio::test]
async fn a_strangers_key_counts_for_its_number() {
    let site = Site::new();
    let ask = async |mobile: &str, email: Option<&str>| {
        let wanted = json!({"mobile": mobile, "email": email});
        site.post("", "ask", "/api/v1/contacts", &wanted).await
    };
    let first = ask("15400000001", None).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    assert_eq!(ask("15400000001", None).await.json(), first.json());
    let mixed_up = ask("15400000001", Some("lin@example.test")).await;
    assert_eq!(mixed_up.refusal(), (422, "idempotency_mismatch".to_owned()));
    assert_eq!(mixed_up.json()["error"]["field"], "Idempotency-Key");
    let other = ask("15400000002", None).await;
    assert_eq!(other.status, StatusCode::CREATED, "{}", other.text);
    assert_ne!(other.json()["contact_id"], first.json()["contact_id"]);
}

/// The `error` of a refusal.
fn error(answer: &Answer) -> serde_json::Value {
    answer.json()["error"].clone()
}

fn says(error: &serde_json::Value, words: &str, part: &str) {
    assert!(error[words].as_str().unwrap().contains(part), "{part}: {error}");
}

#[tokio::test]
async fn a_refused_patch_says_that_nothing_of_it_was_saved() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let application = json!({"subject_type": "sole_proprietor"});
    let started = site.post(&session, "a", "/api/v1/applications", &application).await.json();
    let path = format!("/api/v1/applications/{}", started["id"].as_str().unwrap());
    let patch = async |body: serde_json::Value| {
        let request = bearer("PATCH", &path, &session).header("Content-Type", "application/json");
        site.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let fields = json!({"shop.name": "星光小面馆", "licence.uscc": "92440399MA5DEM03", "business.monthly_volume_fen": "30,000.00"});
    let refused = error(&patch(json!({"fields": fields})).await);
    says(&refused, "message", "Nothing of this request was saved.");
    let wrong = |name: &str| {
        refused["fields"].as_array().unwrap().iter().find(|wrong| wrong["field"] == name).cloned().unwrap()
    };
    says(&wrong("licence.uscc"), "message", "It should have 18 characters, but it has 16.");
    says(&wrong("business.monthly_volume_fen"), "remedy", "in fen");
    // A field that is one, beside `fields` and not inside.
    let refused = patch(json!({"licence.uscc": "92440399MA5DEM039F"})).await;
    assert_eq!(refused.refusal(), (400, "field_misplaced".to_owned()));
    assert_eq!(error(&refused)["field"], "licence.uscc");
    says(&error(&refused), "remedy", "inside the object “fields”");
    says(&error(&refused), "message", "Nothing of this request was saved.");
    let unknown = patch(json!({"fields": {}, "colour": "red"})).await;
    assert_eq!(unknown.refusal(), (400, "unknown_field".to_owned()));
    // What is over says so, and what is left to do.
    site.post(&session, "w", &format!("{path}/withdraw"), &json!({})).await;
    let over = site.post(&session, "s", &format!("{path}/submit"), &json!({})).await;
    assert_eq!(over.refusal(), (409, "illegal_transition".to_owned()), "{}", over.text);
    says(&error(&over), "message", "Withdrawn");
    says(&error(&over), "remedy", "start a new one");
}

#[tokio::test]
async fn an_upload_as_a_form_is_told_how_to_send_it() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let application = json!({"subject_type": "sole_proprietor"});
    let started = site.post(&session, "a", "/api/v1/applications", &application).await.json();
    let path = format!("/api/v1/applications/{}/documents", started["id"].as_str().unwrap());
    let upload = async |query: &str, kind: &str| {
        let request = bearer("POST", &format!("{path}{query}"), &session).header("Idempotency-Key", "d");
        let request = request.header("Content-Type", kind);
        site.send(request.body(Body::from("--x\r\n\r\nfile\r\n--x--")).unwrap()).await
    };
    let form = upload("?kind=licence", "multipart/form-data; boundary=x").await;
    assert_eq!(form.refusal(), (415, "form_upload".to_owned()), "{}", form.text);
    says(&error(&form), "remedy", "not -F");
    let which = upload("", "image/png").await;
    assert_eq!(which.refusal(), (400, "choice".to_owned()), "{}", which.text);
    assert!(error(&which)["choices"].as_array().unwrap().contains(&json!("licence")), "{}", which.text);
}

#[tokio::test]
async fn the_last_wrong_code_says_that_another_one_is_needed() {
    let site = Site::new();
    let started = site.post("", "c", "/api/v1/contacts", &json!({"mobile": "15400000001"})).await.json();
    let code = site.get("", "/dev/outbox.json").await.json()["data"][0]["code"].clone();
    let path = format!("/api/v1/contacts/{}/verify", started["contact_id"].as_str().unwrap());
    let verify = async |code: &str| site.post("", "v", &path, &json!({"code": code})).await;
    // A slip is no try.
    assert_eq!(verify("12345").await.refusal(), (400, "code_format".to_owned()));
    let other = if code == "000000" { "000001" } else { "000000" };
    for left in (0..5).rev() {
        let wrong = verify(other).await;
        assert_eq!(wrong.refusal(), (400, "code_invalid".to_owned()));
        assert_eq!(error(&wrong)["tries_left"], left);
        let void = error(&wrong)["remedy"].as_str().unwrap().contains("This code is void");
        assert_eq!(void, left == 0, "{}", wrong.text);
    }
    let locked = verify(other).await;
    assert_eq!(locked.refusal(), (423, "code_locked".to_owned()));
    says(&error(&locked), "remedy", "no need to wait");
    // Too many codes: the seconds stand in the body and in the sentence.
    let mut asked = None;
    for number in 0..12 {
        let answer =
            site.post("", &format!("n{number}"), "/api/v1/contacts", &json!({"mobile": "15400000001"})).await;
        asked = Some(answer);
    }
    let limited = asked.unwrap();
    assert_eq!(limited.refusal(), (429, "rate_limited".to_owned()), "{}", limited.text);
    let seconds = error(&limited)["retry_after_s"].as_i64().unwrap();
    assert_eq!(limited.header("retry-after"), seconds.to_string());
    says(&error(&limited), "remedy", &format!("Wait {seconds} seconds."));
}
