//! Signed requests: nothing a terminal says is believed before key, clock, nonce and body hold.

use crate::device::{Said, Terminal};
use crate::shop::Shop;
use crate::site::Site;
use axum::body::Body;
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_signature_covers_the_whole_request() {
    let (site, terminal) = (Site::new(), Terminal::new());
    let said = terminal.claim(&site, "0000000000");
    let mut forged = terminal.sign(&said);
    *forged.body_mut() = Body::from(said.body.replace("STAR-A1", "STAR-A2"));
    assert_eq!(site.send(forged).await.refusal(), (401, "signature_invalid".to_owned()));

    let elsewhere = Said { path: "/terminal/v1/claims?again=1".to_owned(), ..said.clone() };
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
    let late = Said { timestamp: 1_700_000_000_000, ..terminal.claim(&site, "0000000000") };
    assert_eq!(terminal.send(&site, &late).await.refusal(), (401, "clock_skew".to_owned()));
    let stranger = Said {
        path: "/terminal/v1/operators/verify".to_owned(),
        body: json!({"number": "01", "pin": {"enc": "", "ct": ""}}).to_string(),
        ..terminal.claim(&site, "0000000000")
    };
    assert_eq!(terminal.send(&site, &stranger).await.refusal(), (401, "device_unknown".to_owned()));
}

#[tokio::test]
async fn a_wrong_code_says_little_and_its_request_cannot_be_replayed() {
    let (site, terminal) = (Site::new(), Terminal::new());
    let said = terminal.claim(&site, "0000000000");
    let refused = terminal.send(&site, &said).await;
    assert_eq!(refused.refusal(), (400, "activation_code_invalid".to_owned()), "{}", refused.text);
    assert_eq!(terminal.send(&site, &said).await.refusal(), (409, "nonce_replayed".to_owned()));
    let Value::Object(mut body) = terminal.claim_body("0000000000") else { panic!("no object") };
    body.insert("colour".to_owned(), json!("red"));
    let odd = terminal.said(&site, "POST", "/terminal/v1/claims", &Value::Object(body));
    let refused = terminal.send(&site, &odd).await;
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

#[tokio::test]
async fn a_terminal_is_answered_in_its_own_language() {
    let shop = Shop::shipped().await;
    let mut terminal = Terminal::new();
    let (_, code) = shop.code().await;
    let claimed = terminal.show(&shop.site, &code).await.json();
    assert_eq!(claimed["status_text"], "Not active", "{claimed}");
    // The parcel is not confirmed yet: before its keys the terminal waits, and says for what.
    terminal.prepare(&shop.site).await;
    let english = terminal.status(&shop.site).await;
    assert_eq!(english["state"], "waiting");
    terminal.language = Some("zh-CN,en;q=0.5");
    let chinese = terminal.status(&shop.site).await;
    terminal.language = None;
    assert_eq!(terminal.status(&shop.site).await, chinese);
    assert_eq!((&chinese["status_text"], &english["status_text"]), (&json!("未激活"), &json!("Not active")));
    let words = |status: &Value| -> Vec<String> {
        let waiting = status["waiting"].as_array().unwrap().iter();
        waiting
            .flat_map(|open| ["message", "remedy", "who"].map(|name| open[name].as_str().unwrap().to_owned()))
            .collect()
    };
    let (english, chinese) = (words(&english), words(&chinese));
    assert!(!english.is_empty() && english.len() == chinese.len());
    assert!(
        english.iter().all(|word| word.is_ascii() && !word.replace(": ", "").contains(':')),
        "{english:?}"
    );
    assert!(chinese.iter().all(|word| !word.is_ascii()), "{chinese:?}");
    // The desk's own list follows its reader as well.
    let devices = shop.site.get(&shop.owner, "/api/v1/devices").await.json();
    assert_eq!(devices["data"][0]["status_text"], "Not active", "{devices}");
}
