//! The undisturbed journey.

use starpay_e2e::database::Database;
use starpay_e2e::demo::{Demo, Engine, JOURNEY_WITHIN, Step, is_active, without_times};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

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
    let word = |state: &str| state.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let strange: Vec<&Step> = steps.iter().filter(|step| !word(&step.state)).collect();
    assert!(strange.is_empty(), "a state is one word of a machine: {strange:?}");
    let led_to = |name: &str| steps.iter().find(|step| step.step == name).map(|step| step.state.as_str());
    for (name, state) in [
        ("fill_form", "draft"),
        ("upload_documents", "draft"),
        ("terminal_test", "tested"),
        ("terminal_active", "active"),
    ] {
        assert_eq!(led_to(name), Some(state), "{name}");
    }
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

/// The first page and the merchant's timeline name the same party for the same deed.
fn assert_actors(demo: &Demo) {
    let html = demo.client().get("/en").text();
    let owner = demo.owner();
    let merchant = owner.get("/api/v1/me").json()["merchant_id"].as_str().unwrap().to_owned();
    let events = owner.get(&format!("/api/v1/merchants/{merchant}/timeline?limit=100")).json();
    for (machine, event, title) in [
        ("application", "submit", "Submit the application"),
        ("visit", "finish", "Finish the visit"),
        ("agreement", "sign", "Sign the agreement"),
        ("shipment", "dispatch", "Hand to the courier"),
        ("activation", "opened", "Ask for the activation code"),
        ("activation", "set_pin", "Set the operator PIN at the terminal"),
        ("activation", "activate", "Terminal active"),
    ] {
        let found = events["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["aggregate"] == machine && one["event"] == event);
        let actor = found.unwrap()["actor"].as_str().unwrap();
        let role = match actor {
            "applicant" => "Merchant",
            "field_verifier" => "Field verifier",
            "signer" => "Signer",
            "warehouse" => "Warehouse",
            "terminal" => "Terminal",
            other => panic!("{machine} {event} was done by {other}"),
        };
        let (_, step) = html.split_once(&format!("<p class=\"step-title\">{title}<")).unwrap();
        let (_, shown) = step.split_once("<p class=\"step-actor\">").unwrap();
        assert!(shown.starts_with(&format!("{role}<")), "{title}: {actor} on the timeline");
    }
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
    assert_actors(&demo);
    let visit = demo.owner().get("/api/v1/visits").json()["data"][0].clone();
    let moment = |field: &str| visit[field].as_str().unwrap_or_default().to_owned();
    let (booked_for, started_at) = (moment("booked_for"), moment("started_at"));
    assert!(!booked_for.is_empty() && booked_for <= started_at, "visited before the time booked: {visit}");
    group.ask_to_stop();
    let status = group.wait(starpay_e2e::demo::READY_WITHIN);
    assert!(status.is_some_and(|status| status.success()), "{status:?}: {:?}", group.errors());
}

#[test]
fn the_data_folder_is_named_before_the_first_step() {
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().to_str().unwrap();
    let mut told = Demo::new(folder.path(), Engine::Sqlite).start_for_people();
    let deadline = Instant::now() + JOURNEY_WITHIN;
    let lines = loop {
        let lines = told.output();
        if lines.iter().any(|line| line.contains('✓')) {
            break lines;
        }
        assert!(told.is_running() && Instant::now() < deadline, "{lines:?} {:?}", told.errors());
        std::thread::sleep(Duration::from_millis(20));
    };
    told.kill();
    let before: Vec<&String> = lines.iter().take_while(|line| !line.contains('✓')).collect();
    assert!(before.iter().any(|line| line.contains(named)), "{lines:?}");
}
