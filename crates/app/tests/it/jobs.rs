//! 作业: many at once but never too many, one thing's work in order, and a stop that loses nothing.

use crate::support::{Stand, admin, jobs, on_both};
use crate::world::{Far, World, page};
use starpay_app::port::{
    AdapterName, Answer, Carrier, ClearingRegistry, ParcelRequest, PortError, RegistrationAnswer,
    RegistrationRequest, Simulated, Sms, SmsSender, TrackingEvent, TrackingStatus,
};
use starpay_app::view::WorkView;
use starpay_app::{IdempotencyKey, Platform, Replayed, WorkQueue, WorkState};
use starpay_domain::id::{JobId, TypedId, new_v7};
use starpay_domain::instant::Timestamp;
use starpay_store::work::{self, Depth, JOB, NewWork, OUTBOX, Queue};
use starpay_store::{Engine, StoreError, event};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

/// A provider of ours whose every SMS takes as long as the test wants.
struct SlowSms {
    /// One permit lets one SMS through.
    gate: Semaphore,
    under_way: AtomicUsize,
    most: AtomicUsize,
    sent: Mutex<BTreeMap<String, usize>>,
    reachable: Mutex<bool>,
}

impl SlowSms {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(permits),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            sent: Mutex::default(),
            reachable: Mutex::new(true),
        })
    }

    async fn until(&self, under_way: usize) {
        while self.under_way.load(Ordering::SeqCst) < under_way {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl SmsSender for SlowSms {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "slow-sms", simulated: Simulated::Sandbox }
    }

    fn send(&self, sms: Sms) -> Answer<'_, String> {
        Box::pin(async move {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let _left = Left(&self.under_way);
            self.gate.acquire().await.unwrap().forget();
            if !*self.reachable.lock().unwrap() {
                return Err(PortError::Unavailable { adapter: "slow-sms", why: "no route".to_owned() });
            }
            *self.sent.lock().unwrap().entry(sms.reference.clone()).or_default() += 1;
            Ok(sms.reference)
        })
    }
}

struct Left<'c>(&'c AtomicUsize);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One round: claims once, finishes it, stops.
async fn round(platform: &Platform, name: &str) {
    platform.run_jobs_once(name.to_owned()).await;
}

async fn depth(platform: &Platform, queue: &'static Queue) -> Depth {
    platform.db().read(move |tx| work::depth(tx, queue)).await.map_err(|error: StoreError| error).unwrap()
}

fn new_work(number: u8, topic: &str, subject: Uuid, due_at: Timestamp) -> NewWork {
    NewWork {
        id: new_v7(due_at, [number; 10]),
        merchant_id: Uuid::nil(),
        topic: topic.to_owned(),
        subject,
        version: 0,
        payload: Vec::new(),
        dedup: None,
        due_at,
        created_at: due_at,
    }
}

async fn put(platform: &Platform, row: NewWork) {
    let put = platform.db().write(move |tx| work::put(tx, &JOB, &row)).await;
    put.map_err(|error: StoreError| error).unwrap();
}

async fn dead(platform: &Platform, queue: WorkQueue) -> Vec<WorkView> {
    platform.work_list(&admin(), queue, WorkState::Dead, page()).await.unwrap().data
}

#[test]
fn many_messages_are_on_their_way_at_once_and_never_too_many() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let sms = SlowSms::new(0);
        let port = Arc::clone(&sms);
        let stand = Stand::changed(engine, move |ports| ports.sms = port);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            for number in 0..20 {
                stand.shop(&format!("154000002{number:02}")).await;
            }
            let (stop, stopped) = watch::channel(false);
            let platform = stand.platform.clone();
            let runner = tokio::spawn(async move { platform.run_jobs("a".to_owned(), stopped).await });
            sms.until(16).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(sms.under_way.load(Ordering::SeqCst), 16, "a named limit");
            // As soon as one is done the next one starts: nobody waits for the slowest.
            sms.gate.add_permits(1);
            while sms.sent.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            sms.until(16).await;
            sms.gate.add_permits(100);
            while depth(&stand.platform, &OUTBOX).await.waiting > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stop.send_replace(true);
            runner.await.unwrap();
            assert_eq!(sms.most.load(Ordering::SeqCst), 16);
            let sent = sms.sent.lock().unwrap().clone();
            assert_eq!((sent.len(), sent.values().max()), (20, Some(&1)), "each once");
        });
        stand.platform.db().close();
    }
}

/// A carrier that counts how often it is asked about one parcel at the same time.
#[derive(Default)]
struct WatchfulCarrier {
    under_way: AtomicUsize,
    most: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

impl Carrier for WatchfulCarrier {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "watchful", simulated: Simulated::Sandbox }
    }

    fn carrier(&self) -> &'static str {
        "sandbox"
    }

    fn order(&self, parcel: ParcelRequest) -> Answer<'_, String> {
        Box::pin(async move { Ok(parcel.reference) })
    }

    fn track(&self, tracking_no: String) -> Answer<'_, Vec<TrackingEvent>> {
        Box::pin(async move {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            self.asked.lock().unwrap().push(tracking_no);
            Ok(vec![TrackingEvent { status: TrackingStatus::InTransit, at: Timestamp::from_micros(0) }])
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_things_work_is_done_one_after_the_other() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let carrier = Arc::new(WatchfulCarrier::default());
        let port = Arc::clone(&carrier);
        let world = World::on(engine, Far::Shipped, move |ports| ports.carrier = port).await;
        let shipment = world.shipment(&world.owner().await).await;
        let now = starpay_app::port::Clock::now(&*world.clock);
        for number in 1..=6 {
            put(&world.platform, new_work(number, "track_shipment", shipment.uuid(), now)).await;
        }
        round(&world.platform, "a").await;
        assert_eq!(carrier.most.load(Ordering::SeqCst), 1);
        world.platform.db().close();
    }
}

/// A carrier and a registry without webhooks: they say "not yet" so many times, and then decide.
struct Hesitant {
    not_yet: usize,
    asked: Mutex<BTreeMap<String, usize>>,
}

impl Hesitant {
    fn new(not_yet: usize) -> Arc<Self> {
        Arc::new(Self { not_yet, asked: Mutex::default() })
    }

    /// Whether it decides now.
    fn decides(&self, about: &str) -> bool {
        let mut asked = self.asked.lock().unwrap();
        let count = asked.entry(about.to_owned()).or_default();
        *count += 1;
        *count > self.not_yet
    }

    fn answer(&self, reference: &str) -> RegistrationAnswer {
        let network_ref = format!("REG-{reference}");
        if !self.decides(reference) {
            return RegistrationAnswer::Pending { network_ref };
        }
        RegistrationAnswer::Registered {
            network_ref,
            merchant_no: "999584058120001".to_owned(),
            terminal_no: "A0000001".to_owned(),
        }
    }
}

impl Carrier for Hesitant {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "hesitant", simulated: Simulated::Sandbox }
    }

    fn carrier(&self) -> &'static str {
        "sandbox"
    }

    fn order(&self, parcel: ParcelRequest) -> Answer<'_, String> {
        Box::pin(async move { Ok(parcel.reference) })
    }

    fn track(&self, tracking_no: String) -> Answer<'_, Vec<TrackingEvent>> {
        let decided = self.decides(&tracking_no);
        let status = if decided { TrackingStatus::Delivered } else { TrackingStatus::InTransit };
        Box::pin(async move { Ok(vec![TrackingEvent { status, at: Timestamp::from_micros(0) }]) })
    }
}

impl ClearingRegistry for Hesitant {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "hesitant", simulated: Simulated::Sandbox }
    }

    fn submit(&self, request: RegistrationRequest) -> Answer<'_, RegistrationAnswer> {
        let answer = self.answer(&request.reference);
        Box::pin(async move { Ok(answer) })
    }

    fn query(&self, reference: String) -> Answer<'_, Option<RegistrationAnswer>> {
        let answer = self.answer(&reference);
        Box::pin(async move { Ok(Some(answer)) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_is_asked_after_until_it_arrives() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let carrier = Hesitant::new(3);
        let port = Arc::clone(&carrier);
        let world = World::on(engine, Far::Shipped, move |ports| ports.carrier = port).await;
        let (owner, asked) = (world.owner().await, || carrier.asked.lock().unwrap()["SBX1"]);
        for wanted in 1..=4 {
            world.clock.advance_ms(6000);
            round(&world.platform, "a").await;
            round(&world.platform, "a").await;
            assert_eq!(asked(), wanted, "asked again after a while, and not at once");
        }
        let seen = world.platform.shipments(&owner, None, page()).await.unwrap().data;
        assert_eq!(seen[0].state, "delivered");
        world.clock.advance_ms(6000);
        round(&world.platform, "a").await;
        assert_eq!(asked(), 4, "and no more once it is known");
        world.platform.db().close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_asked_until_it_decides() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        // Sending is the first time.
        let registry = Hesitant::new(4);
        let port = Arc::clone(&registry);
        let world = World::on(engine, Far::Reported, move |ports| ports.clearing = port).await;
        let owner = world.owner().await;
        for wanted in 2..=5 {
            world.clock.advance_ms(6000);
            round(&world.platform, "a").await;
            let asked: Vec<usize> = registry.asked.lock().unwrap().values().copied().collect();
            assert_eq!(asked, [wanted, wanted], "both channels");
        }
        let seen = world.platform.registrations(&owner, None, page()).await.unwrap().data;
        assert!(seen.iter().all(|row| row.state == "registered"), "{seen:?}");
        world.platform.db().close();
    }
}

#[test]
fn a_stop_gives_back_what_cannot_be_finished() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let sms = SlowSms::new(0);
        let port = Arc::clone(&sms);
        let stand = Stand::changed(engine, move |ports| ports.sms = port);
        // The patience of the stop passes at once where nothing else is to be done.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            for number in 0..3 {
                stand.shop(&format!("154000003{number:02}")).await;
            }
            let (stop, stopped) = watch::channel(false);
            let platform = stand.platform.clone();
            let runner = tokio::spawn(async move { platform.run_jobs("a".to_owned(), stopped).await });
            sms.until(3).await;
            stop.send_replace(true);
            runner.await.unwrap();
            assert_eq!(sms.under_way.load(Ordering::SeqCst), 0, "broken off");
            assert_eq!(depth(&stand.platform, &OUTBOX).await, Depth { waiting: 3, dead: 0 });
            sms.gate.add_permits(100);
            // Another runner has them at once, not when a lease ends.
            tokio::time::resume();
            round(&stand.platform, "b").await;
            assert_eq!(depth(&stand.platform, &OUTBOX).await.waiting, 0);
        });
        let sent = sms.sent.lock().unwrap().clone();
        assert_eq!((sent.len(), sent.values().max()), (3, Some(&1)));
        stand.platform.db().close();
    }
}

#[test]
fn a_runner_that_is_to_stop_claims_nothing_more() {
    let sms = SlowSms::new(100);
    let port = Arc::clone(&sms);
    let stand = Stand::changed(Engine::Sqlite, move |ports| ports.sms = port);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        stand.shop("15400000001").await;
        let before = depth(&stand.platform, &OUTBOX).await;
        assert!(before.waiting > 0);
        let (_stop, stopped) = watch::channel(true);
        stand.platform.run_jobs("a".to_owned(), stopped).await;
        assert_eq!(depth(&stand.platform, &OUTBOX).await, before);
        assert_eq!(sms.most.load(Ordering::SeqCst), 0, "a message was sent");
        round(&stand.platform, "a").await;
        assert_eq!(depth(&stand.platform, &OUTBOX).await.waiting, 0);
    });
    stand.platform.db().close();
}

#[test]
fn a_stop_finishes_what_is_under_way() {
    let sms = SlowSms::new(0);
    let port = Arc::clone(&sms);
    let stand = Stand::changed(Engine::Sqlite, move |ports| ports.sms = port);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        stand.shop("15400000001").await;
        let (stop, stopped) = watch::channel(false);
        let platform = stand.platform.clone();
        let runner = tokio::spawn(async move { platform.run_jobs("a".to_owned(), stopped).await });
        sms.until(1).await;
        stop.send_replace(true);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!runner.is_finished());
        sms.gate.add_permits(1);
        runner.await.unwrap();
        assert_eq!(depth(&stand.platform, &OUTBOX).await.waiting, 0);
    });
    stand.platform.db().close();
}

#[test]
fn a_lost_lease_disturbs_nothing_else() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let sms = SlowSms::new(0);
        let port = Arc::clone(&sms);
        let stand = Stand::changed(engine, move |ports| ports.sms = port);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            stand.shop("15400000001").await;
            stand.shop("15400000002").await;
            let (stop, stopped) = watch::channel(false);
            let platform = stand.platform.clone();
            let runner = tokio::spawn(async move { platform.run_jobs("a".to_owned(), stopped).await });
            sms.until(2).await;
            // Somebody else took one over: its fencing token moved on.
            let taken = format!(
                "UPDATE outbox SET token = token + 1, owner = 'b', lease_until = {} \
                 WHERE id = (SELECT id FROM outbox ORDER BY id LIMIT 1)",
                i64::MAX
            );
            stand.poke(&taken);
            sms.gate.add_permits(2);
            while depth(&stand.platform, &OUTBOX).await.waiting > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stop.send_replace(true);
            runner.await.unwrap();
            assert_eq!(depth(&stand.platform, &OUTBOX).await, Depth { waiting: 1, dead: 0 });
        });
        stand.platform.db().close();
    }
}

#[test]
fn the_work_that_repeats_itself_is_done_and_never_given_up() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        round(&stand.platform, "a").await;
        let sequence = stand.platform.sign_root(&jobs()).await.unwrap().sequence;
        assert_eq!(sequence, None, "the stop signed what there was");
        stand.wait_days(181);
        round(&stand.platform, "a").await;
        assert_eq!(stand.platform.application(&admin(), shop.application).await.unwrap().state, "expired");
        // It fails again and again (a file stands where the next root belongs), and still waits.
        stand.shop("15400000002").await;
        let waiting = depth(&stand.platform, &JOB).await.waiting;
        assert_eq!(waiting, 3);
        std::fs::write(stand.path("files/roots/000000000003.jsonl"), b"{}").unwrap();
        stand.poke("UPDATE job SET attempts = 1000, due_at = 0 WHERE state = 'waiting'");
        round(&stand.platform, "a").await;
        assert_eq!(depth(&stand.platform, &JOB).await, Depth { waiting: 3, dead: 0 });
        let listed =
            stand.platform.work_list(&admin(), WorkQueue::Job, WorkState::Waiting, page()).await.unwrap();
        let failed = listed.data.iter().find(|row| row.topic == "sign_root").unwrap();
        assert_eq!((failed.attempts, failed.merchant_id.as_deref()), (1001, None));
        assert!(failed.last_error.as_deref().unwrap().contains("000000000003"), "{failed:?}");
        stand
    });
}

#[test]
fn given_up_work_is_seen_and_revived_by_somebody_who_is_named() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let sms = SlowSms::new(1000);
        let port = Arc::clone(&sms);
        let stand = Stand::changed(engine, move |ports| ports.sms = port);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let shop = stand.shop("15400000001").await;
            *sms.reachable.lock().unwrap() = false;
            assert!(dead(&stand.platform, WorkQueue::Outbox).await.is_empty());
            stand.poke("UPDATE outbox SET attempts = 39");
            round(&stand.platform, "a").await;
            let seen = dead(&stand.platform, WorkQueue::Outbox).await;
            assert_eq!((seen.len(), seen[0].attempts, seen[0].topic.as_str()), (1, 40, "message"));
            assert!(seen[0].subject.as_deref().unwrap().starts_with("msg_"), "{seen:?}");
            assert!(seen[0].last_error.as_deref().unwrap().contains("no route"), "{seen:?}");
            assert_eq!(depth(&stand.platform, &OUTBOX).await.dead, 1);

            let id = JobId::parse(&seen[0].id).unwrap();
            let refused = stand.platform.revive_work(&shop.actor, None, id).await.unwrap_err();
            assert_eq!(refused.code, "forbidden");
            let listed = stand.platform.work_list(&shop.actor, WorkQueue::Job, WorkState::Dead, page()).await;
            assert_eq!(listed.unwrap_err().code, "forbidden");
            *sms.reachable.lock().unwrap() = true;
            let key = IdempotencyKey::parse("revive-1");
            let revived = stand.platform.revive_work(&admin(), key.clone(), id).await.unwrap();
            assert_eq!((revived.value.state.as_str(), revived.value.attempts), ("waiting", 0));
            let again = stand.platform.revive_work(&admin(), key, id).await.unwrap();
            assert_eq!(again.replayed, Replayed::Yes);
            let once_more = stand.platform.revive_work(&admin(), None, id).await.unwrap_err();
            assert_eq!(once_more.code, "work_not_dead");
            round(&stand.platform, "a").await;
            assert_eq!(depth(&stand.platform, &OUTBOX).await, Depth { waiting: 0, dead: 0 });

            // Who did it stands in the chain.
            let deeds = stand
                .platform
                .db()
                .read(move |tx| event::list_of_aggregate(tx, id.uuid(), Uuid::nil(), 0, 10))
                .await
                .map_err(|error: StoreError| error)
                .unwrap();
            let [deed] = &deeds[..] else { panic!("{deeds:?}") };
            assert_eq!((deed.event.name.as_str(), deed.event.kind.as_str()), ("revive", "job"));
            assert_eq!(
                (deed.event.actor_kind.as_str(), deed.event.actor_id.as_deref()),
                ("admin", Some("ak_test"))
            );
            let report = stand.platform.verify_chain(&admin()).await.unwrap();
            assert!(report.clean, "{:?}", report.findings);
        });
        stand.platform.db().close();
    }
}

#[test]
fn work_that_takes_its_runner_with_it_is_given_up_in_the_end() {
    let sms = SlowSms::new(1000);
    let port = Arc::clone(&sms);
    let stand = Stand::changed(Engine::Sqlite, move |ports| ports.sms = port);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        stand.shop("15400000001").await;
        // Claimed forty times, and no try ever came to an end.
        stand.poke("UPDATE outbox SET attempts = 40");
        round(&stand.platform, "a").await;
        assert!(sms.sent.lock().unwrap().is_empty(), "not once more");
        let seen = dead(&stand.platform, WorkQueue::Outbox).await;
        assert!(seen[0].last_error.as_deref().unwrap().contains("broke off"), "{seen:?}");
    });
    stand.platform.db().close();
}

#[test]
fn work_that_was_ordered_again_meanwhile_is_not_revived_beside_it() {
    on_both(|stand| async move {
        round(&stand.platform, "a").await;
        stand.poke("UPDATE job SET state = 'dead' WHERE topic = 'sweep' AND state = 'waiting'");
        round(&stand.platform, "a").await;
        let seen = dead(&stand.platform, WorkQueue::Job).await;
        let id = JobId::parse(&seen[0].id).unwrap();
        let refused = stand.platform.revive_work(&admin(), None, id).await.unwrap_err();
        assert_eq!(refused.code, "work_waiting");
        let unknown = JobId::from_uuid(Uuid::from_u128(7));
        assert_eq!(stand.platform.revive_work(&admin(), None, unknown).await.unwrap_err().code, "not_found");
        stand
    });
}
