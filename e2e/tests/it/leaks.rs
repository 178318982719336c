//! After the demo, its own exact secrets stand nowhere: not in the database or its log, not in
//! the stored files, not in what was printed, not in what anybody is answered, signed in or not.

use serde_json::Value;
use starpay_e2e::database::Database;
use starpay_e2e::demo::{Demo, Engine, READY_WITHIN};
use starpay_e2e::group::Group;
use starpay_e2e::held::Held;
use starpay_e2e::secrets::{Finding, Scan, Secret};
use starpay_e2e::walk::{self, Seen};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Pages that stand in no API document. Left out is only `/dev/outbox` with its JSON, which is
/// labelled as the place where the sandbox shows what it would have sent.
const PAGES: &[&str] =
    &["/", "/en", "/favicon.svg", "/api/openapi.json", "/healthz", "/readyz", "/no-such-page"];

/// Routes that none of the demo's parties may read: an administrator's.
const NOBODYS: &[&str] = &[
    "/api/v1/access-keys",
    "/api/v1/audit/chain",
    "/api/v1/audit/files",
    "/api/v1/merchants/{id}/looks",
    "/api/v1/work",
    "/metrics",
];

/// Who sees the person behind the shop: themselves, the desks that decide on them, and their own
/// terminal, which keeps the merchant's copy of what was signed.
const SEES_PERSONS: &[&str] = &["applicant", "signer", "field_verifier", "reviewer", "terminal"];

/// Messages whose code opens something.
const CODES: &[&str] = &["one_time_code", "sign_link", "sign_code", "activation_code"];

/// The demo's invented merchant: what nobody is ever shown whole.
fn numbers() -> Vec<Secret> {
    vec![
        Secret::text("ID number", "440399200002291128"),
        Secret::text("settlement card", "6200000000000013"),
        Secret::text("settlement card as typed", "6200 0000 0000 0013"),
        Secret::text("operator PIN", "739164"),
        Secret::text("mobile number", "15400000001"),
    ]
}

/// What [`SEES_PERSONS`] are shown of the person, and nobody else is.
fn personal() -> Vec<Secret> {
    vec![
        Secret::text("principal's name", "林样例"),
        Secret::text("e-mail address", "lin@example.test"),
        Secret::text("shop's address", "广东省深圳市样例区样例路99号"),
    ]
}

/// Every code and link the demo sent, with its template, as its outbox shows them.
fn sent_codes(outbox: &Value) -> Vec<(String, String)> {
    let messages = outbox.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |message: &Value, field: &str| {
        message.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let all = messages.iter().map(|message| (text(message, "template"), text(message, "code")));
    let codes: Vec<(String, String)> =
        all.filter(|(template, _)| CODES.contains(&template.as_str())).collect();
    assert!(CODES.iter().all(|wanted| codes.iter().any(|(template, _)| template == wanted)), "{messages:?}");
    codes
}

/// As they are sent and as they are typed.
fn written(codes: &[(String, String)]) -> Vec<Secret> {
    let forms = |(template, code): &(String, String)| {
        [Secret::text(template, code), Secret::text(template, &code.replace('-', ""))]
    };
    codes.iter().flat_map(forms).collect()
}

/// What one run was searched for, and what was found.
struct Searched {
    findings: Vec<Finding>,
    answers: Vec<Seen>,
}

/// Plays the journey, searches while it serves and after it stopped.
fn leaks(data: &Path, engine: Engine, dump: impl Fn() -> Vec<u8>) -> Searched {
    let demo = Demo::new(data, engine.clone());
    let mut group = demo.start();
    demo.wait_until_active(&mut group);
    let codes = sent_codes(&demo.wait_until_sent(&mut group));
    let mut held = Held::of(data, &engine);
    let links = codes.iter().filter(|(template, _)| template == "sign_link");
    held.tokens.extend(links.map(|(_, link)| ("signer".to_owned(), link.clone())));
    let secrets = [numbers(), written(&codes), held.secrets.clone()].concat();
    let known = Scan::new(&secrets);
    let all = Scan::new(&[secrets, personal()].concat());

    let mut findings = printed(&group, &all);
    for page in PAGES {
        let seen = demo.client().get(page);
        assert_eq!(seen.status, if *page == "/no-such-page" { 404 } else { 200 }, "{page}");
        findings.extend(all.bytes(page, &seen.body));
    }
    findings.extend(all.bytes("/journey/events", &demo.client().first_of("/journey/events")));
    let answers = walk::answers(&demo.client(), &held);
    for seen in &answers {
        let may_see = SEES_PERSONS.contains(&seen.party.as_str()) && seen.status < 400;
        let scan = if may_see { &known } else { &all };
        findings.extend(scan.bytes(&seen.place(), &seen.bytes));
    }
    // While it runs the write-ahead log is full; after it stopped, everything is in its place.
    findings.extend(all.path(data));
    group.ask_to_stop();
    assert!(group.wait(READY_WITHIN).is_some(), "the demo stops when asked");
    findings.extend(all.path(data));
    findings.extend(all.bytes("dump", &dump()));
    let is_own = |finding: &Finding| {
        Held::file_of(&finding.secret)
            .is_some_and(|file| finding.place == data.join(file).display().to_string())
    };
    findings.retain(|finding| !is_own(finding));
    assert!(all.bytes_searched() > 100_000, "{} bytes were searched", all.bytes_searched());
    Searched { findings, answers }
}

/// Everything the demo printed.
fn printed(group: &Group, scan: &Scan) -> Vec<Finding> {
    let mut findings = scan.bytes("standard output", group.output().join("\n").as_bytes());
    findings.extend(scan.bytes("standard error", group.errors().join("\n").as_bytes()));
    findings
}

/// Each route was answered to somebody who may read it, and what they are shown can be found.
fn assert_thorough(answers: &[Seen]) {
    let of = |wanted: fn(&Seen) -> bool| -> BTreeSet<&str> {
        answers.iter().filter(|seen| wanted(seen)).map(|seen| seen.route.as_str()).collect()
    };
    let (asked, answered) = (of(|_| true), of(|seen| seen.status == 200));
    assert_eq!(asked.difference(&answered).copied().collect::<Vec<_>>(), NOBODYS);
    // What some must see is there to be found: the search for it in others' answers is no empty one.
    for secret in personal() {
        let (name, scan) = (format!("{secret:?}"), Scan::new(&[secret]));
        let shown = |seen: &&Seen| !scan.bytes(&seen.place(), &seen.bytes).is_empty();
        assert!(answers.iter().any(|seen| shown(&seen)), "nobody was shown {name}");
    }
    let business_no = Scan::new(&[Secret::text("business number", "DEMO-0001")]);
    let shown_to: BTreeSet<&str> = answers
        .iter()
        .filter(|seen| !business_no.bytes(&seen.place(), &seen.bytes).is_empty())
        .map(|seen| seen.party.as_str())
        .collect();
    assert_eq!(shown_to.into_iter().collect::<Vec<_>>(), ["applicant", "field_verifier", "reviewer"]);
}

#[test]
fn the_embedded_demo_leaks_nothing_and_a_planted_secret_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let searched = leaks(&data, Engine::Sqlite, Vec::new);
    assert_eq!(searched.findings, []);
    assert_thorough(&searched.answers);
    fs::write(data.join("planted"), hex::decode("440399200002291128").unwrap()).unwrap();
    let planted = Scan::new(&numbers()).path(&data);
    assert_eq!(planted.len(), 1, "{planted:?}");
    assert_eq!((planted[0].secret.as_str(), planted[0].written), ("ID number", "BCD"));
}

#[test]
fn the_demo_on_postgresql_leaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create();
    let searched = leaks(folder.path(), Engine::Postgres(database.url()), || database.dump());
    assert_eq!(searched.findings, []);
    assert_thorough(&searched.answers);
}
