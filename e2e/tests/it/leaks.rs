//! After the demo, its own exact secrets stand nowhere: not in the database or its log, not in
//! the stored files, not in what was printed, not in what strangers are answered.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use starpay_e2e::database::Database;
use starpay_e2e::demo::{Demo, Engine, READY_WITHIN};
use starpay_e2e::group::Group;
use starpay_e2e::secrets::{Finding, Scan, Secret};
use std::fs;
use std::path::Path;

/// What a stranger can ask for. `/dev/outbox` is labelled as the place where codes are shown.
const OPEN_PAGES: &[&str] = &["/", "/?lang=en", "/healthz", "/readyz", "/metrics", "/api/openapi.json"];

/// Where the data folder keeps the master key of the software keystore.
const MASTER_KEY: &str = "master.key";

/// The demo's invented merchant, exactly.
fn identity() -> Vec<Secret> {
    vec![
        Secret::text("ID number", "440399200002291128"),
        Secret::text("settlement card", "6200000000000013"),
        Secret::text("settlement card as typed", "6200 0000 0000 0013"),
        Secret::text("principal's name", "林样例"),
        Secret::text("operator PIN", "739164"),
        Secret::text("mobile number", "15400000001"),
        Secret::text("e-mail address", "lin@example.test"),
    ]
}

/// Every code and link the demo sent, as its outbox shows them.
fn sent_codes(demo: &Demo) -> Vec<Secret> {
    let outbox = demo.client().get("/dev/outbox.json").json();
    let messages = outbox.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let codes: Vec<Secret> = messages
        .iter()
        .filter_map(|message| message.get("code").and_then(Value::as_str))
        .enumerate()
        .map(|(index, code)| Secret::text(&format!("code {index} of the outbox"), code))
        .collect();
    assert!(codes.len() >= 3, "one-time code, signing and activation code were sent: {outbox}");
    codes
}

/// The master key, as its file writes it and as the bytes it stands for.
fn master_key(data: &Path) -> Vec<Secret> {
    let written = fs::read(data.join(MASTER_KEY)).unwrap();
    let trimmed = written.trim_ascii();
    let decoded = [hex::decode(trimmed).ok(), BASE64_STANDARD.decode(trimmed).ok()];
    let forms = std::iter::once(trimmed.to_vec()).chain(decoded.into_iter().flatten());
    forms.map(|form| Secret::bytes("master key", &form)).collect()
}

/// Everything the demo printed and everything a stranger is answered.
fn words(demo: &Demo, group: &Group, scan: &Scan) -> Vec<Finding> {
    let mut findings = scan.bytes("standard output", group.output().join("\n").as_bytes());
    findings.extend(scan.bytes("standard error", group.errors().join("\n").as_bytes()));
    for page in OPEN_PAGES {
        let answer = demo.client().get(page);
        assert_eq!(answer.status, 200, "{page}");
        findings.extend(scan.bytes(page, &answer.body));
    }
    findings
}

/// Plays the journey, searches while it serves and after it stopped.
fn leaks(data: &Path, engine: Engine, dump: impl Fn() -> Vec<u8>) -> Vec<Finding> {
    let demo = Demo::new(data, engine);
    let mut group = demo.start();
    demo.wait_until_active(&mut group);
    let scan = Scan::new(&[identity(), sent_codes(&demo), master_key(data)].concat());
    let mut findings = words(&demo, &group, &scan);
    // While it runs the write-ahead log is full; after it stopped, everything is in its place.
    findings.extend(scan.path(data));
    group.ask_to_stop();
    assert!(group.wait(READY_WITHIN).is_some(), "the demo stops when asked");
    findings.extend(scan.path(data));
    findings.extend(scan.bytes("dump", &dump()));
    // The key stands in its own file, and nowhere else.
    let own_file = data.join(MASTER_KEY).display().to_string();
    findings.retain(|finding| !(finding.place == own_file && finding.secret == "master key"));
    assert!(scan.bytes_searched() > 100_000, "{} bytes were searched", scan.bytes_searched());
    findings
}

#[test]
fn the_embedded_demo_leaks_nothing_and_a_planted_secret_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(leaks(&data, Engine::Sqlite, Vec::new), []);
    fs::write(data.join("planted"), hex::decode("440399200002291128").unwrap()).unwrap();
    let planted = Scan::new(&identity()).path(&data);
    assert_eq!(planted.len(), 1, "{planted:?}");
    assert_eq!((planted[0].secret.as_str(), planted[0].written), ("ID number", "BCD"));
}

#[test]
fn the_demo_on_postgresql_leaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create();
    let findings = leaks(folder.path(), Engine::Postgres(database.url()), || database.dump());
    assert_eq!(findings, []);
}
