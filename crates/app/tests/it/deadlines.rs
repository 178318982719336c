//! 到期: every time-out ends its state, not a second early and exactly once, on both engines.

use crate::support::{admin, erasure, jobs, on_both};
use crate::world::{Far, SERIAL, World, page};
use starpay_app::port::{
    AdapterName, Answer, ClearingRegistry, Clock, RegistrationAnswer, RegistrationRequest, Simulated,
};
use starpay_app::view::{AddressConfirmation, InfoRequest, NewApplication, Page, Receipt, TrackReport};
use starpay_app::{DeadlineSummary, Platform, Role};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_store::{Engine, StoreError, event};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A registry that takes every report and never decides.
#[derive(Default)]
struct SilentRegistry(Mutex<Vec<String>>);

impl ClearingRegistry for SilentRegistry {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "silent", simulated: Simulated::Sandbox }
    }

    fn submit(&self, request: RegistrationRequest) -> Answer<'_, RegistrationAnswer> {
        self.0.lock().unwrap().push(request.reference);
        Box::pin(async { Ok(RegistrationAnswer::Pending { network_ref: "N-1".to_owned() }) })
    }

    fn query(&self, reference: String) -> Answer<'_, Option<RegistrationAnswer>> {
        let known = self.0.lock().unwrap().contains(&reference);
        let pending = RegistrationAnswer::Pending { network_ref: "N-1".to_owned() };
        Box::pin(async move { Ok(known.then_some(pending)) })
    }
}

async fn pass(platform: &Platform) -> DeadlineSummary {
    let done = platform.pass_deadlines(&jobs()).await.unwrap();
    assert_eq!(done.failed, 0);
    done
}

/// Lets a time-out come: nothing a second before; then two rounds at once end so many states
/// together, and a third finds nothing.
async fn comes_due(world: &World, since: Timestamp, seconds: i64, ends: u64) {
    let due = since.plus_seconds(seconds);
    world.clock.advance_to(due.plus_seconds(-1));
    assert_eq!(pass(&world.platform).await.ended, 0, "a second early");
    world.clock.advance_to(due);
    let (one, other) = (world.platform.clone(), world.platform.clone());
    let (one, other) = tokio::join!(
        tokio::spawn(async move { pass(&one).await }),
        tokio::spawn(async move { pass(&other).await })
    );
    assert_eq!(one.unwrap().ended + other.unwrap().ended, ends, "each once, whoever does it");
    assert_eq!(pass(&world.platform).await.ended, 0);
    assert!(world.platform.verify_chain(&admin()).await.unwrap().clean);
}

/// The names of a merchant's events of one machine, in order.
async fn events(world: &World, kind: &str) -> Vec<String> {
    let merchant = world.owner().await.merchant.unwrap();
    let (staff, mut names, mut cursor) = (world.staff(Role::Support), Vec::new(), None);
    loop {
        let wanted = Page { cursor, limit: Some(100) };
        let page = world.platform.timeline(&staff, merchant, wanted).await.unwrap();
        names.extend(page.data.into_iter().filter(|one| one.aggregate == kind).map(|one| one.event));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return names;
        }
    }
}

/// The names of the events of one aggregate of the platform's own.
async fn deeds(platform: &Platform, id: Uuid) -> Vec<String> {
    let rows = platform.db().read(move |tx| event::list_of_aggregate(tx, id, Uuid::nil(), 0, 100)).await;
    rows.map_err(|error: StoreError| error).unwrap().into_iter().map(|row| row.event.name).collect()
}

async fn device(world: &World) -> (Uuid, String) {
    let found = world.platform.devices(&world.staff(Role::Support), page()).await.unwrap().data;
    let device = found.into_iter().find(|device| device.serial == SERIAL).unwrap();
    (starpay_domain::id::DeviceId::parse(&device.id).unwrap().uuid(), device.state)
}

async fn application(world: &World) -> (ApplicationId, String) {
    let found = world.platform.applications(&world.owner().await, None, page()).await.unwrap().data;
    (ApplicationId::parse(&found[0].id).unwrap(), found[0].state.clone())
}

async fn shipment_state(world: &World) -> String {
    world.platform.shipments(&world.owner().await, None, page()).await.unwrap().data[0].state.clone()
}

async fn track(world: &World, status: &str) {
    let id = world.shipment(&world.owner().await).await;
    let report = TrackReport { status: status.to_owned() };
    world.platform.track_report(&world.staff(Role::Courier), None, id, report).await.unwrap();
}

async fn count(events: Vec<String>, name: &str) -> usize {
    events.iter().filter(|event| *event == name).count()
}

#[test]
fn a_draft_ends_after_half_a_year_counted_from_its_last_edit() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        stand.wait_days(179);
        assert_eq!(pass(&stand.platform).await.ended, 0);
        let young = stand.shop("15400000002").await;
        let state = async |of: &crate::support::Shop| {
            stand.platform.application(&admin(), of.application).await.unwrap().state
        };
        stand.wait_days(2);
        assert_eq!(pass(&stand.platform).await.ended, 1);
        assert_eq!(pass(&stand.platform).await.ended, 0);
        assert_eq!((state(&shop).await, state(&young).await), ("expired".to_owned(), "draft".to_owned()));
        assert!(stand.platform.verify_chain(&admin()).await.unwrap().clean);
        stand
    });
}

#[test]
fn rows_older_than_their_index_are_set_right_and_not_ended_early() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let limit_at = format!("SELECT 1 / (SELECT count(*) FROM application WHERE limit_at = {})", 7);
        stand.poke("UPDATE application SET limit_at = 7");
        stand.poke(&limit_at);
        assert_eq!(pass(&stand.platform).await, DeadlineSummary::default());
        stand.poke(&limit_at.replace("= 7", "> 1767225600000000"));
        stand.wait_days(180);
        assert_eq!(pass(&stand.platform).await.ended, 1);
        assert_eq!(stand.platform.application(&admin(), shop.application).await.unwrap().state, "expired");
        stand
    });
}

#[test]
fn whoever_acts_while_the_time_is_over_and_the_rounds_never_both_succeed() {
    on_both(|stand| async move {
        let mut shops = Vec::new();
        for number in 0..12 {
            shops.push(stand.shop(&format!("154000001{number:02}")).await);
        }
        stand.wait_days(180);
        let rounds: Vec<_> = (0..2)
            .map(|_| {
                let platform = stand.platform.clone();
                tokio::spawn(async move { pass(&platform).await.ended })
            })
            .collect();
        let people: Vec<_> = shops
            .iter()
            .map(|shop| {
                let (platform, actor, id) = (stand.platform.clone(), shop.actor.clone(), shop.application);
                let actor = starpay_app::Actor { role: Role::Integrator, ..actor };
                tokio::spawn(async move { platform.withdraw_application(&actor, None, id, None).await })
            })
            .collect();
        let (mut ended, mut withdrawn) = (0, 0);
        for round in rounds {
            ended += round.await.unwrap();
        }
        for person in people {
            match person.await.unwrap() {
                Ok(_) => withdrawn += 1,
                Err(error) => assert_eq!(error.code, "illegal_transition"),
            }
        }
        assert_eq!(ended + withdrawn, 12, "{ended} ended, {withdrawn} withdrawn");
        for shop in &shops {
            let seen = stand.platform.timeline(&admin(), shop.merchant, page()).await.unwrap().data;
            let last = seen.iter().filter(|event| ["withdraw", "expire"].contains(&event.event.as_str()));
            assert_eq!(last.count(), 1);
        }
        assert!(stand.platform.verify_chain(&admin()).await.unwrap().clean);
        stand
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_nobody_makes_ends_the_application() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (id, _) = application(&world).await;
        let wanted =
            InfoRequest { fields: vec!["licence.name".to_owned()], reasons: vec!["A101".to_owned()] };
        let since = world.clock.now();
        world.platform.request_info(&world.staff(Role::Reviewer), None, id, wanted).await.unwrap();
        comes_due(&world, since, 30 * DAY, 1).await;
        assert_eq!(application(&world).await.1, "expired");
        assert_eq!(count(events(&world, "application").await, "expire").await, 1);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_that_nobody_signs_ends_with_its_application() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Offered, |_| ()).await;
        let since = world.clock.now();
        // Both are due; the application comes first and takes its agreement with it.
        comes_due(&world, since, 30 * DAY, 1).await;
        assert_eq!(application(&world).await.1, "expired");
        assert_eq!(events(&world, "agreement").await, ["opened", "expire"]);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_an_answer_is_sent_again() {
    for engine in ENGINES {
        let registry = Arc::new(SilentRegistry::default());
        let port = Arc::clone(&registry);
        let world = World::on(engine, Far::Reported, move |ports| ports.clearing = port).await;
        let since = world.clock.now();
        let states = async || {
            let rows = world.platform.registrations(&world.owner().await, None, page()).await.unwrap().data;
            rows.into_iter().map(|row| row.state).collect::<Vec<_>>()
        };
        assert_eq!(states().await, ["sent", "sent"]);
        comes_due(&world, since, 2 * HOUR, 2).await;
        assert_eq!(states().await, ["pending", "pending"]);
        world.run_jobs().await;
        assert_eq!(states().await, ["sent", "sent"]);
        let asked: BTreeSet<String> = registry.0.lock().unwrap().iter().cloned().collect();
        assert_eq!(asked.len(), 4, "a new report each: {asked:?}");
        let seen = events(&world, "registration").await;
        assert_eq!(seen.iter().filter(|event| *event == "give_up_waiting").count(), 2);
        assert_eq!(seen.iter().filter(|event| *event == "send").count(), 4, "each was sent again once");
        // The answer counts whenever it comes, and then nothing waits any more.
        world.register(&world.owner().await).await;
        assert_eq!(states().await, ["registered", "registered"]);
        world.clock.advance_to(world.clock.now().plus_seconds(HOUR * 3));
        assert_eq!(pass(&world.platform).await.ended, 0);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_parcel_is_cancelled_unless_its_address_is_corrected() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Shipped, |_| ()).await;
        track(&world, "undeliverable").await;
        track(&world, "returned").await;
        let owner = world.owner().await;
        let id = world.shipment(&owner).await;
        // In time, at the last second: it is sent again.
        world.clock.advance_to(world.clock.now().plus_seconds(30 * DAY - 1));
        let address =
            AddressConfirmation { address: Some("广东省深圳市样例区样例路100号".to_owned()) };
        world.platform.confirm_address(&owner, None, id, address).await.unwrap();
        world.clock.advance_to(world.clock.now().plus_seconds(1));
        assert_eq!(pass(&world.platform).await.ended, 0);
        assert_eq!(
            (shipment_state(&world).await.as_str(), device(&world).await.1.as_str()),
            ("pending", "in_stock")
        );

        let world = World::on(engine, Far::Shipped, |_| ()).await;
        track(&world, "undeliverable").await;
        track(&world, "returned").await;
        let since = world.clock.now();
        comes_due(&world, since, 30 * DAY, 1).await;
        assert_eq!(shipment_state(&world).await, "cancelled");
        assert_eq!(count(events(&world, "shipment").await, "cancel").await, 1);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_terminal_that_never_leaves_goes_back_to_the_shelf() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Packed, |_| ()).await;
        let since = world.clock.now();
        assert_eq!(device(&world).await.1, "reserved");
        comes_due(&world, since, 14 * DAY, 1).await;
        let (id, state) = device(&world).await;
        assert_eq!((state.as_str(), shipment_state(&world).await.as_str()), ("in_stock", "pending"));
        assert_eq!(deeds(&world.platform, id).await, ["opened", "reserve", "release"]);
        // It is nobody's: the same parcel may take it again.
        let (owner, warehouse) = (world.owner().await, world.staff(Role::Warehouse));
        assert!(world.platform.devices(&owner, page()).await.unwrap().data.is_empty());
        let packed = starpay_app::view::PackShipment { serial: SERIAL.to_owned(), seal: "SEAL-2".to_owned() };
        let id = world.shipment(&owner).await;
        world.platform.pack_shipment(&warehouse, None, id, packed).await.unwrap();
        assert_eq!(device(&world).await.1, "reserved");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_merchants_terminal_comes_back_and_nothing_of_theirs_stays_late() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Packed, |_| ()).await;
        let merchant = world.owner().await.merchant.unwrap();
        world.platform.erase_merchant(&admin(), merchant, erasure(merchant)).await.unwrap();
        assert_eq!(device(&world).await.1, "in_stock", "it never left the shelf");
        world.platform.db().close();

        let world = World::on(engine, Far::Shipped, |_| ()).await;
        let merchant = world.owner().await.merchant.unwrap();
        world.clock.advance_to(world.clock.now().plus_seconds(5 * DAY));
        assert_eq!(pass(&world.platform).await.told, 1);
        world.platform.erase_merchant(&admin(), merchant, erasure(merchant)).await.unwrap();
        assert_eq!(device(&world).await.1, "lost", "nobody can follow its parcel any more");
        assert_eq!(world.platform.waiting().await.unwrap().overdue, 0);
        world.clock.advance_to(world.clock.now().plus_seconds(400 * DAY));
        assert_eq!(pass(&world.platform).await.ended, 0);
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_a_session_end_and_the_terminal_can_begin_anew() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Shipped, |_| ()).await;
        world.receive().await;
        let since = world.clock.now();
        let (first, _) = world.ask_for_code().await;
        comes_due(&world, since, 72 * HOUR, 1).await;
        let staff = world.staff(Role::Support);
        let state = async |id| world.platform.activation(&staff, id).await.unwrap().state;
        assert_eq!(state(first).await, "expired");
        let (second, code) = world.ask_for_code().await;
        let mut terminal = world.terminal();
        let since = world.clock.now();
        terminal.claim(&code).await.unwrap();
        terminal.step("identity").await.unwrap();
        assert_eq!(device(&world).await.1, "activating");
        comes_due(&world, since, 7 * DAY, 1).await;
        assert_eq!((state(second).await.as_str(), device(&world).await.1.as_str()), ("expired", "delivered"));
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_shown_and_never_proved_are_rejected() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Shipped, |_| ()).await;
        world.receive().await;
        let (id, code) = world.ask_for_code().await;
        let mut terminal = world.terminal();
        let since = world.clock.now();
        terminal.claim(&code).await.unwrap();
        comes_due(&world, since, DAY, 1).await;
        let staff = world.staff(Role::Support);
        let request = terminal.signed("GET", "/terminal/v1/activations/current", b"");
        let refused = world.platform.authenticate_terminal(&request).await.unwrap_err();
        assert_eq!(refused.code, "device_auth_rejected");
        // Its activation does not hang: the owner asks for a code, and new keys come in by it.
        assert_eq!(world.platform.activation(&staff, id).await.unwrap().state, "expired");
        assert_eq!(device(&world).await.1, "delivered");
        assert_eq!(events(&world, "device_auth").await, ["opened", "reject"]);
        let (_, code) = world.ask_for_code().await;
        assert_eq!(terminal.claim(&code).await.unwrap_err().code, "device_auth_rejected");
        let mut other = world.terminal();
        other.claim(&code).await.unwrap();
        // Proved in time: nothing is rejected any more.
        other.step("identity").await.unwrap();
        world.clock.advance_to(world.clock.now().plus_seconds(DAY));
        assert_eq!(pass(&world.platform).await.ended, 0);
        world.platform.db().close();
    }
}

#[test]
fn keys_that_the_factory_told_are_rejected_when_nobody_brings_them() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for engine in ENGINES {
        let world = runtime.block_on(async {
            let world = World::on(engine, Far::Shipped, |_| ()).await;
            world.receive().await;
            let (id, code) = world.ask_for_code().await;
            world.terminal().claim(&code).await.unwrap();
            world.platform.abort_activation(&world.owner().await, None, id).await.unwrap();
            world
        });
        // The factory's list is not read yet: the facts of both states are the same.
        world.poke("UPDATE device_auth SET state = 'preauthorised'");
        runtime.block_on(async {
            let since = world.clock.now().plus_seconds(-1);
            let due = since.plus_seconds(30 * DAY - 1);
            world.clock.advance_to(due);
            assert_eq!(pass(&world.platform).await.ended, 0);
            world.clock.advance_to(due.plus_seconds(2));
            let (one, other) = tokio::join!(pass(&world.platform), pass(&world.platform));
            assert_eq!(one.ended + other.ended, 1);
            assert_eq!(events(&world, "device_auth").await, ["opened", "reject"]);
            world.platform.db().close();
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_confirmed_fails_and_the_terminal_asks_again() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Shipped, |_| ()).await;
        world.receive().await;
        let (id, code) = world.ask_for_code().await;
        let mut terminal = world.terminal();
        terminal.claim(&code).await.unwrap();
        terminal.until("keys").await;
        let since = world.clock.now();
        terminal.load([1; 16]).await.unwrap();
        comes_due(&world, since, HOUR, 1).await;
        assert_eq!(events(&world, "key_slot").await, ["opened", "load", "fail"]);
        let late = terminal.confirm(terminal.confirmation()).await.unwrap_err();
        assert_eq!(late.code, "key_version_stale");
        terminal.step("keys").await.unwrap();
        assert_eq!(terminal.key_version(), 2);
        world.clock.advance_ms(1);

        // A second activation of the same terminal rotates; the first key works until then, and
        // goes on working when the second is not confirmed.
        world.platform.abort_activation(&world.owner().await, None, id).await.unwrap();
        let (_, code) = world.ask_for_code().await;
        terminal.claim(&code).await.unwrap();
        terminal.until("keys").await;
        let since = world.clock.now();
        terminal.load([2; 16]).await.unwrap();
        comes_due(&world, since, HOUR, 1).await;
        let seen = events(&world, "key_slot").await;
        assert_eq!(seen[seen.len() - 2..], ["rotate", "fail"]);
        terminal.step("keys").await.unwrap();
        assert_eq!(terminal.key_version(), 4, "a version is never used twice");
        world.clock.advance_to(world.clock.now().plus_seconds(2 * HOUR));
        assert_eq!(pass(&world.platform).await.ended, 0, "confirmed in time");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_that_nobody_clears_up_ends() {
    for engine in ENGINES {
        let world = World::on(engine, Far::InReview, |_| ()).await;
        let (_, id) = world.freeze_another().await;
        let since = world.clock.now();
        comes_due(&world, since, 15 * DAY, 1).await;
        let seen = world.platform.application(&world.staff(Role::Reviewer), id).await.unwrap();
        assert_eq!(seen.state, "expired");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_merely_stays_is_told_once_and_listed_until_it_is_done() {
    for engine in ENGINES {
        let world = World::on(engine, Far::Shipped, |_| ()).await;
        let (support, owner) = (world.staff(Role::Support), world.owner().await);
        let late = async || world.platform.overdue(&support, page()).await.unwrap().data;
        let handed_over = world.clock.now();
        // The carrier is late: nobody is written to, a supervisor sees it.
        let due = handed_over.plus_seconds(5 * DAY);
        world.clock.advance_to(due.plus_seconds(-1));
        assert_eq!((pass(&world.platform).await.told, late().await.len()), (0, 0));
        world.clock.advance_to(due);
        let (one, other) = tokio::join!(pass(&world.platform), pass(&world.platform));
        assert_eq!((one.told + other.told, pass(&world.platform).await.told), (1, 0));
        let seen = late().await;
        assert_eq!((seen[0].aggregate.as_str(), seen[0].state.as_str()), ("shipment", "shipped"));
        assert_eq!(
            (seen[0].waits_for.as_str(), seen[0].due_at.clone()),
            ("third_party:carrier", due.to_string())
        );
        assert_eq!(seen[0].merchant_id, owner.merchant.map(|merchant| merchant.to_string()));
        assert_eq!(world.platform.waiting().await.unwrap().overdue, 1);
        assert_eq!(world.count("reminder").await, 0);
        // It arrives, and now the merchant is late: they are reminded, once, two ways.
        track(&world, "delivered").await;
        assert!(late().await.is_empty());
        world.clock.advance_to(world.clock.now().plus_seconds(7 * DAY));
        let (one, other) = tokio::join!(pass(&world.platform), pass(&world.platform));
        assert_eq!(one.told + other.told, 1);
        assert_eq!((world.count("reminder").await, late().await[0].waits_for.as_str()), (2, "merchant"));
        world.clock.advance_to(world.clock.now().plus_seconds(7 * DAY));
        assert_eq!((pass(&world.platform).await.told, world.count("reminder").await), (0, 2));
        let id = world.shipment(&owner).await;
        let receipt = Receipt { serial: SERIAL.to_owned(), seal_intact: true };
        world.platform.confirm_receipt(&owner, None, id, receipt).await.unwrap();
        assert!(late().await.is_empty());
        assert_eq!(world.platform.overdue(&owner, page()).await.unwrap_err().code, "forbidden");
        world.platform.db().close();
    }
}

#[test]
fn the_live_application_counts_however_many_were_withdrawn() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let mut last = shop.application;
        for _ in 0..3 {
            stand.clock.advance_to(stand.clock.now().plus_seconds(1));
            stand.platform.withdraw_application(&shop.actor, None, last, None).await.unwrap();
            let wanted = NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
            let begun = stand.platform.start_application(&shop.actor, None, wanted).await.unwrap().value;
            last = ApplicationId::parse(&begun.id).unwrap();
        }
        let asks_for_licence = async || {
            let language = starpay_text::Language::En;
            let view = stand.platform.requirements(&admin(), shop.merchant, language).await.unwrap();
            view.requirements.iter().any(|one| one.field.as_deref() == Some("licence.uscc"))
        };
        assert!(asks_for_licence().await);
        stand.clock.advance_to(stand.clock.now().plus_seconds(1));
        stand.platform.withdraw_application(&shop.actor, None, last, None).await.unwrap();
        let wanted = NewApplication { subject_type: "micro".to_owned(), business_no: None };
        stand.platform.start_application(&shop.actor, None, wanted).await.unwrap();
        assert!(!asks_for_licence().await, "a 小微 has no licence: the one that lives is meant");
        stand
    });
}
