//! `kill -9`, the whole process group, at random moments: the same journey finishes, and nothing
//! has happened twice: not in the database, not to the people who get messages, not in the books
//! of the counterparts.

use serde_json::Value;
use starpay_e2e::demo::{Demo, Engine, READY_WITHIN, is_active, steps};
use starpay_e2e::effects::Effects;
use starpay_e2e::group::Group;
use starpay_e2e::random::Seeded;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What an undisturbed journey leaves, and how long it takes.
struct Undisturbed {
    took: Duration,
    effects: Effects,
    outbox: Value,
    folder: tempfile::TempDir,
}

fn undisturbed() -> &'static Undisturbed {
    static ONCE: OnceLock<Undisturbed> = OnceLock::new();
    ONCE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let demo = Demo::new(folder.path(), Engine::Sqlite);
        let started = Instant::now();
        let mut group = demo.start();
        demo.wait_until_active(&mut group);
        let took = started.elapsed();
        let (effects, outbox) = finish(&demo, &mut group, folder.path());
        Undisturbed { took, effects, outbox, folder }
    })
}

/// Lets a journey that is over hand out its last messages, stops it, and counts what it left.
fn finish(demo: &Demo, group: &mut Group, data: &Path) -> (Effects, Value) {
    let outbox = demo.wait_until_sent(group);
    group.ask_to_stop();
    assert!(group.wait(READY_WITHIN).is_some(), "the demo stops when asked");
    (Effects::of(data, &outbox), outbox)
}

/// Kills one journey at a random moment, starts it again, and compares what it left.
fn survives(seed: u64) {
    let Undisturbed { took, effects: expected, .. } = undisturbed();
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let after = Duration::from_millis(Seeded::new(seed).below(u64::try_from(took.as_millis()).unwrap()));
    let mut group = demo.start_once();
    std::thread::sleep(after);
    group.kill();
    let last = group.output().last().cloned().unwrap_or_default();
    let place = format!("seed {seed}, killed after {after:?} of {took:?}, last line {last}");
    let mut group = demo.start();
    demo.wait_until_active(&mut group);
    assert!(steps(&group).last().is_some_and(is_active), "{place}: {:?}", group.output());
    let (found, _) = finish(&demo, &mut group, folder.path());
    assert_eq!(found.unlike(expected), [], "{place}");
    let chain = Command::new(starpay_e2e::group::starpay())
        .args(["audit", "chain", "--data"])
        .arg(folder.path().join("platform"))
        .output()
        .unwrap();
    assert!(chain.status.success(), "{place}: {}", String::from_utf8_lossy(&chain.stderr));
}

/// Rows of a second effect to plant, by table and the effect they would be.
const PLANTED_ROWS: &[(&str, &str, &str)] = &[
    ("check_result", "kind = 'identity'", "row check_result identity match"),
    ("document", "kind = 'licence'", "row document licence"),
    ("message", "template = 'sign_code'", "row message sms sign_code sent"),
    ("outbox", "topic = 'message'", "row outbox message done"),
];

/// Entries of a second effect to plant, by book.
const PLANTED_ENTRIES: &[&str] = &["email", "parcel", "registration", "signature", "sms"];

#[test]
fn an_effect_that_happened_twice_is_noticed() {
    let Undisturbed { effects: expected, outbox, folder, .. } = undisturbed();
    let scratch = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").arg("-r").arg(folder.path().join("platform")).arg(scratch.path()).status();
    assert!(copied.unwrap().success());
    assert_eq!(Effects::of(scratch.path(), outbox).unlike(expected), []);

    let database = rusqlite::Connection::open(scratch.path().join("platform/starpay.db")).unwrap();
    for (table, row, _) in PLANTED_ROWS {
        let plant = format!(
            "CREATE TEMP TABLE twice AS SELECT * FROM {table} WHERE {row} LIMIT 1;
             UPDATE twice SET id = randomblob(16);
             INSERT INTO {table} SELECT * FROM twice;
             DROP TABLE twice"
        );
        database.execute_batch(&plant).unwrap();
    }
    for book in PLANTED_ENTRIES {
        std::fs::write(scratch.path().join("platform/sandbox").join(book).join("planted"), "{}").unwrap();
    }
    let mut outbox = outbox.clone();
    let messages = outbox.get_mut("data").and_then(Value::as_array_mut).unwrap();
    messages.push(messages.last().cloned().unwrap());

    let found = Effects::of(scratch.path(), &outbox);
    let unlike: Vec<&str> = found.unlike(expected).into_iter().map(|(name, _, _)| name).collect();
    let books = PLANTED_ENTRIES.iter().map(|book| format!("book {book}"));
    let rows = PLANTED_ROWS.iter().map(|(_, _, effect)| (*effect).to_owned());
    let planted: Vec<String> = books.chain(rows).collect();
    assert!(planted.iter().all(|name| unlike.contains(&name.as_str())), "{unlike:?}");
    let others: Vec<&&str> = unlike.iter().filter(|name| !planted.contains(&(**name).to_owned())).collect();
    assert!(matches!(others[..], [sent] if sent.starts_with("message ")), "{others:?}");
}

// Twenty moments in four tests, so that two run at a time.

#[test]
fn a_killed_journey_finishes_without_a_duplicate_moments_1_to_5() {
    (1..=5).for_each(survives);
}

#[test]
fn a_killed_journey_finishes_without_a_duplicate_moments_6_to_10() {
    (6..=10).for_each(survives);
}

#[test]
fn a_killed_journey_finishes_without_a_duplicate_moments_11_to_15() {
    (11..=15).for_each(survives);
}

#[test]
fn a_killed_journey_finishes_without_a_duplicate_moments_16_to_20() {
    (16..=20).for_each(survives);
}
