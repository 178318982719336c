//! `kill -9`, the whole process group, at random moments: the same journey finishes, and nothing
//! has happened twice.

use starpay_e2e::demo::{Demo, Engine, is_active};
use starpay_e2e::random::Seeded;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Tables whose rows are effects: one too many is a merchant, a parcel or a key too many.
const EFFECTS: &[&str] = &[
    "merchant",
    "store_place",
    "contact",
    "application",
    "document",
    "visit",
    "agreement",
    "registration",
    "shipment",
    "device",
    "activation",
    "device_auth",
    "key_slot",
    "settlement_account",
    "operator",
];

/// What an undisturbed journey leaves, and how long it takes.
struct Undisturbed {
    took: Duration,
    effects: BTreeMap<&'static str, i64>,
}

fn undisturbed() -> &'static Undisturbed {
    static ONCE: OnceLock<Undisturbed> = OnceLock::new();
    ONCE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let steps = Demo::new(folder.path(), Engine::Sqlite).run_once_json();
        assert!(steps.last().is_some_and(is_active), "{steps:?}");
        Undisturbed { took: started.elapsed(), effects: effects(folder.path()) }
    })
}

fn effects(data: &Path) -> BTreeMap<&'static str, i64> {
    let database = rusqlite::Connection::open(data.join("platform/starpay.db")).unwrap();
    let count = |table: &&'static str| {
        let statement = format!("SELECT COUNT(*) FROM {table}");
        (*table, database.query_row(&statement, [], |row| row.get(0)).unwrap())
    };
    EFFECTS.iter().map(count).collect()
}

/// Kills one journey at a random moment, starts it again, and compares what it left.
fn survives(seed: u64) {
    let Undisturbed { took, effects: expected } = undisturbed();
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let after = Duration::from_millis(Seeded::new(seed).below(u64::try_from(took.as_millis()).unwrap()));
    let mut group = demo.start_once();
    std::thread::sleep(after);
    group.kill();
    let last = group.output().last().cloned().unwrap_or_default();
    let place = format!("seed {seed}, killed after {after:?} of {took:?}, last line {last}");
    let steps = demo.run_once_json();
    assert!(steps.last().is_some_and(is_active), "{place}: {steps:?}");
    assert_eq!(&effects(folder.path()), expected, "{place}");
    let chain = Command::new(starpay_e2e::group::starpay())
        .args(["audit", "chain", "--data"])
        .arg(folder.path().join("platform"))
        .output()
        .unwrap();
    assert!(chain.status.success(), "{place}: {}", String::from_utf8_lossy(&chain.stderr));
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
