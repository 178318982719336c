//! After the demo, its own exact secrets stand nowhere: not in the database or its log, not in
//! the stored files, not in what was printed, not in what strangers are answered.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use starpay_e2e::database::Database;
use starpay_e2e::demo::{Demo, Engine, READY_WITHIN};
use starpay_e2e::group::Group;
use starpay_e2e::secrets::{Finding, Scan, Secret};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What a stranger can ask for. Left out are `/dev/outbox`, which is labelled as the place where
/// codes are shown, and the OpenAPI document, whose checked-in examples are the demo's numbers.
const OPEN_PAGES: &[&str] = &["/", "/?lang=en", "/healthz", "/readyz"];

/// Messages whose code opens something.
const CODES: &[&str] = &["one_time_code", "sign_link", "sign_code", "activation_code"];

/// Keys and tokens that have one file of their own, below the demo's folder, and must stand
/// nowhere else.
const OWN_FILES: &[(&str, &str)] =
    &[("master key", "platform/master.key"), ("terminal's element key", "terminal/element.key")];

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
    let text = |message: &Value, field: &str| {
        message.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut codes = Vec::new();
    for message in &messages {
        let (template, code) = (text(message, "template"), text(message, "code"));
        if CODES.contains(&template.as_str()) {
            codes.push(Secret::text(&template, &code));
            codes.push(Secret::text(&template, &code.replace('-', "")));
        }
    }
    let templates: BTreeSet<String> = messages.iter().map(|message| text(message, "template")).collect();
    assert!(CODES.iter().all(|template| templates.contains(*template)), "{templates:?}");
    codes
}

/// The key in each of [`OWN_FILES`], as the file writes it and as the bytes it stands for.
fn keys(data: &Path) -> Vec<Secret> {
    let forms = |(name, file): &(&str, &str)| -> Vec<Secret> {
        let written = fs::read(data.join(file)).unwrap();
        let trimmed = written.trim_ascii();
        let decoded = [hex::decode(trimmed).ok(), BASE64_STANDARD.decode(trimmed).ok()];
        let all = [written.clone()].into_iter().chain(decoded.into_iter().flatten());
        all.map(|form| Secret::bytes(name, form.trim_ascii())).collect()
    };
    OWN_FILES.iter().flat_map(forms).collect()
}

/// The applicant's session, which the demo's applicant keeps in a file of its own.
fn session(data: &Path) -> Secret {
    let kept: Value =
        serde_json::from_slice(&fs::read(data.join("parties/applicant.json")).unwrap()).unwrap();
    Secret::text("session", kept.get("token").and_then(Value::as_str).unwrap())
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
    let scan = Scan::new(&[identity(), sent_codes(&demo), keys(data), vec![session(data)]].concat());
    let mut findings = words(&demo, &group, &scan);
    // While it runs the write-ahead log is full; after it stopped, everything is in its place.
    findings.extend(scan.path(data));
    group.ask_to_stop();
    assert!(group.wait(READY_WITHIN).is_some(), "the demo stops when asked");
    findings.extend(scan.path(data));
    findings.extend(scan.bytes("dump", &dump()));
    let own = |finding: &Finding| {
        let stands_in = |file: &str| finding.place == data.join(file).display().to_string();
        let session = finding.secret == "session" && stands_in("parties/applicant.json");
        session || OWN_FILES.iter().any(|(name, file)| finding.secret == *name && stands_in(file))
    };
    findings.retain(|finding| !own(finding));
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
