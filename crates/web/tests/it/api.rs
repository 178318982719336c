//! What the API does beyond refusing: repeats, pages, versions.

use crate::site::{Site, admin, bearer};
use axum::body::Body;
use http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_repeated_post_gets_the_first_answer_and_can_be_looked_up() {
    let site = Site::new();
    let warehouse = site.key_of("warehouse").await;
    let device = json!({"serial": "99990004STAR00000001", "model": "STAR-A1"});
    let first = site.post(&warehouse, "stock-1", "/api/v1/devices", &device).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (StatusCode::CREATED, ""));
    let again = site.post(&warehouse, "stock-1", "/api/v1/devices", &device).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(again.text, first.text);

    let other = json!({"serial": "99990004STAR00000002", "model": "STAR-A1"});
    let mixed_up = site.post(&warehouse, "stock-1", "/api/v1/devices", &other).await;
    assert_eq!(mixed_up.refusal(), (422, "idempotency_mismatch".to_owned()));
    assert_eq!(site.get(&admin(), "/api/v1/devices").await.json()["data"].as_array().unwrap().len(), 1);

    let found = site.get(&warehouse, "/api/v1/idempotency/stock-1").await.json();
    assert_eq!(found["data"][0]["route"], "device.stock");
    assert_eq!(found["data"][0]["answer"], first.json());
    assert_eq!(site.get(&warehouse, "/api/v1/idempotency/never").await.json(), json!({"data": []}));
    let stranger = site.key_of("courier").await;
    assert_eq!(site.get(&stranger, "/api/v1/idempotency/stock-1").await.json(), json!({"data": []}));
}

#[tokio::test]
async fn who_looked_is_read_with_the_request_it_was() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let wanted = json!({"subject_type": "micro"});
    let made = site.post(&session, "first", "/api/v1/applications", &wanted).await.json();
    let (id, merchant) = (made["id"].as_str().unwrap(), made["merchant_id"].as_str().unwrap());
    let desk = site.key_of("support").await;
    let request = bearer("GET", &format!("/api/v1/applications/{id}"), &desk);
    let request = request.header("X-Request-Id", "desk-7.look-1").body(Body::empty()).unwrap();
    assert_eq!(site.send(request).await.status, StatusCode::OK);
    let looks = format!("/api/v1/merchants/{merchant}/looks");
    let found = site.get(&admin(), &looks).await.json();
    let look = &found["data"][0];
    assert_eq!((&look["role"], &look["request_id"]), (&json!("support"), &json!("desk-7.look-1")));
    assert_eq!(look["what"], format!("{id}: contact.mobile"));
    assert!(look["actor"].as_str().unwrap().starts_with("ak_"), "{found}");
    assert_eq!(found["data"].as_array().unwrap().len(), 1, "the merchant's own is nobody's business");
    for stranger in [&desk, &session] {
        assert_eq!(site.get(stranger, &looks).await.refusal(), (403, "forbidden".to_owned()));
    }
    assert_eq!(site.get("", &looks).await.refusal(), (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_list_is_walked_page_by_page() {
    let site = Site::new();
    for number in 1..=5 {
        let device = json!({"serial": format!("99990004STAR0000000{number}"), "model": "STAR-A1"});
        let made = site.post(&admin(), &format!("d{number}"), "/api/v1/devices", &device).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for expected in [2, 2, 1] {
        let page = site.get(&admin(), &format!("/api/v1/devices?limit=2&cursor={cursor}")).await.json();
        let rows = page["data"].as_array().unwrap();
        assert_eq!(rows.len(), expected);
        seen.extend(rows.iter().map(|row| row["serial"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert!(cursor.is_empty());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let page = site.get(&admin(), "/api/v1/devices?limit=2").await.json();
    let elsewhere = format!("/api/v1/shipments?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(site.get(&admin(), &elsewhere).await.refusal(), (400, "cursor_invalid".to_owned()));
}

#[tokio::test]
async fn a_merchant_too_sees_only_the_state_asked_for() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let wanted = json!({"subject_type": "sole_proprietor"});
    let mut given_up = Vec::new();
    for number in 0..4 {
        let made = site.post(&session, &format!("a{number}"), "/api/v1/applications", &wanted).await.json();
        let id = made["id"].as_str().unwrap().to_owned();
        if number < 3 {
            let path = format!("/api/v1/applications/{id}/withdraw");
            let withdrawn = site.post(&session, &format!("w{number}"), &path, &json!({})).await;
            assert_eq!(withdrawn.json()["state"], "withdrawn", "{}", withdrawn.text);
            given_up.push(id);
        } else {
            let drafts = site.get(&session, "/api/v1/applications?state=draft").await.json();
            assert_eq!((drafts["data"].as_array().unwrap().len(), &drafts["data"][0]["id"]), (1, &json!(id)));
        }
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for expected in [2, 1] {
        let path = format!("/api/v1/applications?state=withdrawn&limit=2&cursor={cursor}");
        let page = site.get(&session, &path).await.json();
        let rows = page["data"].as_array().unwrap();
        assert_eq!(rows.len(), expected, "{page}");
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert!(cursor.is_empty());
    seen.sort();
    given_up.sort();
    assert_eq!(seen, given_up);
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_overwritten() {
    let site = Site::new();
    let session = site.merchant("15400000001").await;
    let me = site.get(&session, "/api/v1/me").await.json();
    assert_eq!(me["role"], "applicant");
    let wanted = json!({"subject_type": "sole_proprietor", "business_no": "A-1"});
    let started = site.post(&session, "a", "/api/v1/applications", &wanted).await.json();
    let (id, version) = (started["id"].as_str().unwrap(), started["version"].as_i64().unwrap());
    let path = format!("/api/v1/applications/{id}");
    let patch = |seen: String| {
        let request = bearer("PATCH", &path, &session).header("Content-Type", "application/json");
        let body = json!({"fields": {"licence.uscc": "92440399MA5DEM039F"}}).to_string();
        site.send(request.header("If-Match", seen).body(Body::from(body)).unwrap())
    };
    let done = patch(format!("\"{version}\"")).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(patch(format!("\"{version}\"")).await.refusal(), (409, "stale_version".to_owned()));
    assert_eq!(patch("latest".to_owned()).await.refusal(), (400, "version_missing".to_owned()));

    let approve =
        site.post(&site.key_of("reviewer").await, "x", &format!("{path}/approve"), &json!({})).await;
    assert_eq!(approve.refusal(), (409, "illegal_transition".to_owned()));
    // Nothing a reviewer can do with a draft; its owner is told what they can.
    let error = &approve.json()["error"];
    assert_eq!((&error["state"], &error["legal"]), (&json!("draft"), &json!([])), "{}", approve.text);
    let view = site.get(&session, &path).await.json();
    assert_eq!(view["allowed"], json!(["edit", "submit", "withdraw"]));
    let reviewers = site.get(&site.key_of("reviewer").await, &path).await.json();
    assert_eq!(reviewers["allowed"], json!([]));
    let report = site.post(&site.key_of("reviewer").await, "y", &format!("{path}/report"), &json!({})).await;
    assert_eq!(report.json()["error"]["legal"], json!([]), "{}", report.text);
    let merchant = me["merchant_id"].as_str().unwrap();
    let why = site.get(&session, &format!("/api/v1/merchants/{merchant}/requirements")).await.json();
    assert!(!why["requirements"].as_array().unwrap().is_empty());
    let timeline = site.get(&session, &format!("/api/v1/merchants/{merchant}/timeline")).await.json();
    assert!(!timeline["data"].as_array().unwrap().is_empty());
    let stranger = site.merchant("15400000002").await;
    assert_eq!(site.get(&stranger, &path).await.refusal(), (404, "not_found".to_owned()));
}

/// Every example body of the document, sent as it stands, is read: what refuses it is the state of
/// the thing, never the form of the body.
#[tokio::test]
async fn every_example_reads() {
    let site = Site::new();
    let document = site.get("", "/api/openapi.json").await.json();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if content.is_null() {
                continue;
            }
            let example = &content["example"];
            assert!(example.is_object(), "{method} {path} has no example");
            // A terminal's body is read behind its signature: tests/it/terminal.rs.
            if path.starts_with("/terminal/") {
                continue;
            }
            let id = "0190a1b2c3d47e5f8a6b7c8d9e0f1a2b";
            let prefix = path.split('/').nth(3).map_or("", |name| match name {
                "registrations" => "reg",
                "applications" => "app",
                "shipments" => "shp",
                other => &other[..3],
            });
            let request =
                bearer(&method.to_uppercase(), &path.replace("{id}", &format!("{prefix}_{id}")), &admin())
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", path.as_str());
            let answer = site.send(request.body(Body::from(example.to_string())).unwrap()).await;
            let code = if answer.status.is_success() { String::new() } else { answer.refusal().1 };
            let misread = [
                "body_empty",
                "json_invalid",
                "unknown_field",
                "field_required",
                "field_type",
                "json_required",
            ];
            assert!(!misread.contains(&code.as_str()), "{method} {path}: {}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried}");
}
