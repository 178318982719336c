//! The undisturbed journey.

use starpay_e2e::database::Database;
use starpay_e2e::demo::{Demo, Engine, Step, is_active, without_times};
use std::collections::BTreeSet;

/// Everyone who must have acted for the journey to be one.
const CAST: &[&str] = &[
    "applicant",
    "courier",
    "field_verifier",
    "legal_representative",
    "platform",
    "registry",
    "reviewer",
    "terminal",
    "warehouse",
];

fn assert_whole(steps: &[Step]) {
    assert!(steps.iter().all(|step| step.ok), "{steps:?}");
    assert!(steps.last().is_some_and(is_active), "{steps:?}");
    let actors: BTreeSet<&str> = steps.iter().map(|step| step.actor.as_str()).collect();
    assert!(CAST.iter().all(|party| actors.contains(party)), "{actors:?}");
}

#[test]
fn both_engines_play_the_same_steps_to_an_active_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = Demo::new(&folder.path().join("sqlite"), Engine::Sqlite).run_once_json();
    assert_whole(&embedded);
    let database = Database::create();
    let postgres = Engine::Postgres(database.url());
    let served = Demo::new(&folder.path().join("postgres"), postgres).run_once_json();
    assert_eq!(without_times(&served), without_times(&embedded));
}

#[test]
fn the_demo_goes_on_serving_after_the_journey_and_stops_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::new(folder.path(), Engine::Sqlite);
    let mut group = demo.start();
    demo.wait_until_active(&mut group);
    let page = demo.client().get("/");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("已激活"), "the first page shows the end of the journey");
    group.ask_to_stop();
    let status = group.wait(starpay_e2e::demo::READY_WITHIN);
    assert!(status.is_some_and(|status| status.success()), "{status:?}: {:?}", group.errors());
}
