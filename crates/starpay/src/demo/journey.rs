//! The journey as the first page shows it, read from the merchant's events: nothing is recorded
//! for the page.

use starpay_app::view::{EventView, Page, RequirementView};
use starpay_app::{Actor, Platform, Role};
use starpay_domain::field::FormField;
use starpay_domain::id::{MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_text::Language;
use starpay_web::page::JourneySource;
use starpay_web::page::journey::{
    Change, Face, JourneyStep, JourneyView, OpenRequirement, Phase, Progress, Receipt, Snapshot, Stage,
    TerminalFace,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, watch};

use super::identity::NOODLE_SHOP;

/// Events read at a time.
const EVENTS_A_PAGE: u32 = 100;
/// Events read for the page; a journey has about a hundred.
const EVENTS_MAX: usize = 5_000;

/// Machine, event, step, part, and who acts: said before it happened, and where the event's actor
/// is only a job. Otherwise the page says who acted in the event's own word.
const STEPS: &[(&str, &str, &str, Phase, &str)] = &[
    ("application", "opened", "application_started", Phase::Apply, "applicant"),
    ("application", "edit", "application_filled", Phase::Apply, "applicant"),
    ("application", "submit", "application_submitted", Phase::Apply, "applicant"),
    ("application", "checks_passed", "checks_passed", Phase::Verify, "platform"),
    ("visit", "book", "visit_booked", Phase::Verify, "applicant"),
    ("visit", "start", "visit_started", Phase::Verify, "field_verifier"),
    ("visit", "finish", "visit_done", Phase::Verify, "field_verifier"),
    ("application", "claim", "review_started", Phase::Verify, "reviewer"),
    ("application", "approve", "application_approved", Phase::Verify, "reviewer"),
    ("agreement", "sign", "agreement_signed", Phase::Sign, "signer"),
    ("registration", "send", "registration_sent", Phase::Sign, "platform"),
    ("registration", "accept", "registered", Phase::Sign, "registry"),
    ("application", "registered", "merchant_ready", Phase::Sign, "registry"),
    ("shipment", "confirm_address", "address_confirmed", Phase::Ship, "applicant"),
    ("shipment", "pack", "shipment_prepared", Phase::Ship, "warehouse"),
    ("shipment", "dispatch", "shipped", Phase::Ship, "warehouse"),
    ("shipment", "deliver", "delivered", Phase::Ship, "courier"),
    ("shipment", "confirm_receipt", "received", Phase::Ship, "applicant"),
    ("activation", "opened", "code_issued", Phase::Activate, "applicant"),
    ("activation", "claim", "claimed", Phase::Activate, "terminal"),
    ("activation", "prove_identity", "identity_proven", Phase::Activate, "terminal"),
    ("activation", "confirm_compatible", "compatible", Phase::Activate, "terminal"),
    ("activation", "pass_network", "network_ok", Phase::Activate, "terminal"),
    ("activation", "locate", "located", Phase::Activate, "terminal"),
    ("activation", "back_up", "backed_up", Phase::Activate, "terminal"),
    ("activation", "load_keys", "keys_loaded", Phase::Activate, "terminal"),
    ("activation", "apply_config", "config_applied", Phase::Activate, "terminal"),
    ("activation", "sign_in", "signed_in", Phase::Activate, "terminal"),
    ("activation", "set_pin", "pin_set", Phase::Activate, "terminal"),
    ("activation", "pass_test", "tested", Phase::Activate, "terminal"),
    ("activation", "activate", "active", Phase::Activate, "terminal"),
];

/// Steps that a terminal counts: its code is issued before the first, and after the last the
/// platform turns it active.
const ACTIVATION_STEPS: u32 = 11;

/// What the page asks.
pub(crate) struct DemoJourney {
    platform: Platform,
    seen: Mutex<Seen>,
    /// Somebody told us something that no event says.
    told: Notify,
    shown: watch::Sender<Arc<Snapshot>>,
}

#[derive(Default)]
struct Seen {
    merchant: Option<MerchantId>,
    /// What the merchant's sign says; empty until the form does.
    merchant_name: String,
    /// Requirement codes that were open once, in the order in which they were met.
    open_once: Vec<String>,
    /// How many requirements were open when a step was first seen done.
    open_after: BTreeMap<String, u32>,
    ended: Option<Ended>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
}

impl DemoJourney {
    pub(crate) fn new(platform: Platform) -> Self {
        let mut seen = Seen::default();
        let nothing = seen.view(&[], &[]);
        let shown = watch::Sender::new(Arc::new(Snapshot::new(0, nothing)));
        Self { platform, seen: Mutex::new(seen), told: Notify::new(), shown }
    }

    /// Whose journey it is.
    pub(crate) fn follow(&self, merchant: &str) {
        self.seen().merchant = MerchantId::parse(merchant);
        self.told.notify_one();
    }

    /// Looks after every change, once for all visitors, so that one who comes late still sees what
    /// was missing when.
    pub(crate) async fn watch(&self) {
        let mut changes = self.platform.changes();
        loop {
            self.look().await;
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = self.told.notified() => {}
            }
        }
    }

    /// The journey ended.
    pub(crate) fn over(&self, well: bool) {
        self.seen().ended = Some(if well { Ended::Well } else { Ended::Badly });
        self.told.notify_one();
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the journey, and shows it when it looks different.
    async fn look(&self) {
        let Some((events, open)) = self.read().await else { return };
        let name = self.name().await;
        let view = {
            let mut seen = self.seen();
            // A read that failed is no news: the name that is known stays.
            if let Some(name) = name {
                seen.merchant_name = name;
            }
            seen.view(&events, &open)
        };
        self.shown.send_if_modified(|shown| {
            let differs = *shown.view() != view;
            if differs {
                *shown = Arc::new(Snapshot::new(shown.version() + 1, view));
            }
            differs
        });
    }

    async fn read(&self) -> Option<(Vec<EventView>, Vec<RequirementView>)> {
        let merchant = self.seen().merchant?;
        let reader =
            Actor { id: "demo".to_owned(), role: Role::Admin, merchant: None, subject: None, request: None };
        let events = self.events(&reader, merchant).await?;
        let open = self.platform.requirements(&reader, merchant, Language::ZhCn).await.ok()?.requirements;
        Some((events, open))
    }

    /// What the merchant's newest application calls the shop, as the merchant reads it: a look of our
    /// own staff would be recorded as one.
    async fn name(&self) -> Option<String> {
        let merchant = self.seen().merchant?;
        let owner = Actor {
            id: "demo".to_owned(),
            role: Role::Applicant,
            merchant: Some(merchant),
            subject: None,
            request: None,
        };
        let page = Page { cursor: None, limit: Some(EVENTS_A_PAGE) };
        let found = self.platform.applications(&owner, None, page).await.ok()?.data;
        let fields = found.into_iter().next_back()?.fields;
        let name = fields.into_iter().find(|field| field.name == FormField::ShopName.as_str());
        name.map(|field| field.value)
    }

    /// Everything that happened until the terminal was active.
    async fn events(&self, reader: &Actor, merchant: MerchantId) -> Option<Vec<EventView>> {
        let mut events: Vec<EventView> = Vec::new();
        let mut page = Page { cursor: None, limit: Some(EVENTS_A_PAGE) };
        loop {
            let found = self.platform.timeline(reader, merchant, page.clone()).await.ok()?;
            events.extend(found.data);
            let end =
                events.iter().position(|event| event.aggregate == "activation" && event.event == "activate");
            if let Some(end) = end {
                events.truncate(end + 1);
                return Some(events);
            }
            page.cursor = found.next_cursor;
            if page.cursor.is_none() || events.len() >= EVENTS_MAX {
                return Some(events);
            }
        }
    }
}

impl Seen {
    fn view(&mut self, events: &[EventView], open: &[RequirementView]) -> JourneyView {
        let mut steps = steps(events);
        let open_now = u32::try_from(open.len()).unwrap_or(u32::MAX);
        for step in steps.iter_mut().filter(|step| step.progress == Progress::Done) {
            step.open_after = Some(*self.open_after.entry(step.code.clone()).or_insert(open_now));
        }
        for requirement in open {
            if !self.open_once.contains(&requirement.code) {
                self.open_once.push(requirement.code.clone());
            }
        }
        let still = |code: &String| open.iter().any(|requirement| requirement.code == *code);
        let cleared = self.open_once.iter().filter(|code| !still(code)).cloned().collect();
        let active = steps.iter().any(|step| step.code == "active" && step.progress == Progress::Done);
        let stage = match (active, self.ended, steps.is_empty()) {
            (true, _, _) => Stage::Finished,
            (false, Some(Ended::Badly), _) => Stage::Stopped,
            (false, _, true) => Stage::Waiting,
            (false, Some(Ended::Well) | None, false) => Stage::Running,
        };
        JourneyView {
            merchant_name: self.merchant_name.clone(),
            stage,
            terminal: terminal(events),
            steps,
            requirements: open.iter().map(requirement).collect(),
            cleared,
            elapsed_ms: elapsed_ms(events),
        }
    }
}

impl JourneySource for DemoJourney {
    fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.shown.subscribe()
    }
}

/// The steps that happened, each from the event before it, and those that follow.
fn steps(events: &[EventView]) -> Vec<JourneyStep> {
    let mut states: BTreeMap<&str, &str> = BTreeMap::new();
    let mut last = events.first().and_then(|event| Timestamp::parse(&event.at));
    let mut done: Vec<JourneyStep> = Vec::new();
    for event in events {
        let at = Timestamp::parse(&event.at);
        let from = states.insert(&event.aggregate_id, &event.state);
        let row = STEPS.iter().find(|row| row.0 == event.aggregate && row.1 == event.event);
        let Some((_, _, code, phase, actor)) = row else { continue };
        let took_ms = match (at, last) {
            (Some(at), Some(last)) => u64::try_from((at.micros() - last.micros()) / 1000).unwrap_or(0),
            _ => 0,
        };
        last = at.or(last);
        let step = JourneyStep {
            code: (*code).to_owned(),
            phase: *phase,
            actor: if event.actor == Role::System.as_str() { *actor } else { &event.actor }.to_owned(),
            change: Some(Change {
                machine: event.aggregate.clone(),
                from: from.map(str::to_owned),
                to: event.state.clone(),
            }),
            took_ms,
            progress: Progress::Done,
            open_after: None,
        };
        match done.iter_mut().find(|known| known.code == *code) {
            // Uploads, a second channel: the same step goes on.
            Some(known) => known.took_ms += took_ms,
            None => done.push(step),
        }
    }
    if done.is_empty() {
        return done;
    }
    let coming =
        STEPS.iter().filter(|row| !done.iter().any(|step| step.code == row.2)).map(|row| JourneyStep {
            code: row.2.to_owned(),
            phase: row.3,
            actor: row.4.to_owned(),
            change: None,
            took_ms: 0,
            progress: Progress::Next,
            open_after: None,
        });
    let mut coming: Vec<JourneyStep> = coming.collect();
    if let Some(first) = coming.first_mut() {
        first.progress = Progress::Now;
    }
    done.extend(coming);
    done
}

fn terminal(events: &[EventView]) -> TerminalFace {
    let of_activation: Vec<&EventView> =
        events.iter().filter(|event| event.aggregate == "activation").collect();
    let reached = of_activation.last().map(|event| event.state.clone());
    let claimed = of_activation.iter().any(|event| event.event == "claim");
    let done = STEPS
        .iter()
        .filter(|row| row.0 == "activation" && !matches!(row.1, "opened" | "activate"))
        .filter(|row| of_activation.iter().any(|event| event.event == row.1))
        .count();
    let face = match reached.as_deref() {
        Some("active") => Face::Active,
        Some("waiting") => Face::Waiting,
        Some(_) if claimed => Face::Inactive,
        Some(_) | None => Face::Off,
    };
    let printed = of_activation.iter().find(|event| event.event == "pass_test");
    let receipt = printed
        .and_then(|event| Timestamp::parse(&event.at))
        .map(|at| Receipt { number: "000001".to_owned(), at: at.beijing_text() });
    TerminalFace {
        face,
        model: NOODLE_SHOP.model.to_owned(),
        serial: NOODLE_SHOP.serial.to_owned(),
        reached,
        done: u32::try_from(done).unwrap_or(ACTIVATION_STEPS),
        total: ACTIVATION_STEPS,
        receipt: if face == Face::Active { receipt } else { None },
    }
}

fn requirement(open: &RequirementView) -> OpenRequirement {
    let (party, desk) = match open.awaiting.split_once(':') {
        Some((party, desk)) => (party.to_owned(), Some(desk.to_owned())),
        None => (open.awaiting.clone(), None),
    };
    OpenRequirement {
        code: open.code.clone(),
        field: open.field.clone(),
        party,
        desk,
        blocks: open.impact.clone(),
        expected_wait_s: open.expected_wait_s.and_then(|seconds| u64::try_from(seconds).ok()),
    }
}

fn elapsed_ms(events: &[EventView]) -> u64 {
    let at = |event: Option<&EventView>| event.and_then(|event| Timestamp::parse(&event.at));
    match (at(events.first()), at(events.last())) {
        (Some(first), Some(last)) => u64::try_from((last.micros() - first.micros()) / 1000).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::{migrate, wiring};
    use starpay_adapters::sandbox::Pace;
    use starpay_app::view::{NewApplication, PatchApplication, StartContact, VerifyContact};
    use starpay_domain::id::{ApplicationId, ContactId};
    use std::net::SocketAddr;
    use std::time::Duration;

    /// A merchant who changes one field so often, and then gives up.
    async fn dither(platform: &Platform, edits: usize) -> String {
        let wanted = StartContact { mobile: "15400000001".to_owned(), email: None };
        let started = platform.start_contact(None, wanted).await.unwrap();
        let code = platform.dev_outbox().await.unwrap().pop().unwrap().code;
        let contact = ContactId::parse(&started.contact_id).unwrap();
        let session = platform.verify_contact(None, contact, VerifyContact { code }).await.unwrap();
        let owner = platform.authenticate(&session.token).await.unwrap();
        let wanted = NewApplication { subject_type: "sole_proprietor".to_owned(), business_no: None };
        let begun = platform.start_application(&owner, None, wanted).await.unwrap().value;
        let id = ApplicationId::parse(&begun.id).unwrap();
        for number in 0..edits {
            let fields = BTreeMap::from([("shop.name".to_owned(), format!("星光小面馆{number}"))]);
            platform.patch_application(&owner, id, None, PatchApplication { fields }).await.unwrap();
        }
        platform.withdraw_application(&owner, None, id, None).await.unwrap();
        session.merchant_id
    }

    /// A journey in which everything was done by the same party.
    fn done_by(actor: &str) -> Vec<EventView> {
        let event = |row: &(&str, &str, &str, Phase, &str)| EventView {
            id: String::new(),
            aggregate: row.0.to_owned(),
            aggregate_id: row.0.to_owned(),
            event: row.1.to_owned(),
            state: row.2.to_owned(),
            actor: actor.to_owned(),
            at: "2026-11-23T02:42:08.123456Z".to_owned(),
        };
        STEPS.iter().map(event).collect()
    }

    #[test]
    fn the_page_says_who_acted_as_the_timeline_does() {
        for role in Role::ALL.iter().filter(|role| **role != Role::System) {
            let shown = steps(&done_by(role.as_str()));
            assert!(shown.iter().all(|step| step.actor == role.as_str()), "{}", role.as_str());
        }
        let by_jobs = steps(&done_by(Role::System.as_str()));
        let to_come = steps(&done_by("applicant")[..1]);
        for (row, (done, coming)) in STEPS.iter().zip(by_jobs.iter().zip(&to_come)) {
            assert_eq!((done.actor.as_str(), coming.code.as_str()), (row.4, row.2));
            assert_eq!(coming.actor, row.4, "{}", row.2);
            let known = row.4 == "platform" || Role::ALL.iter().any(|role| role.as_str() == row.4);
            assert!(known, "{}: no event says {}", row.2, row.4);
        }
    }

    #[test]
    fn a_long_journey_is_read_whole_and_once_for_all_who_watch() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::sandbox(folder.path(), SocketAddr::from(([127, 0, 0, 1], 0)));
        config.make_data_folder().unwrap();
        migrate::migrate(&config).unwrap();
        let assembled = wiring::assemble(&config, Pace::Immediate).unwrap();
        crate::serve::runtime().unwrap().block_on(async {
            let platform = assembled.platform.clone();
            let merchant = dither(&platform, 130).await;
            let journey = Arc::new(DemoJourney::new(platform.clone()));
            let reader = Actor {
                id: "demo".to_owned(),
                role: Role::Admin,
                merchant: None,
                subject: None,
                request: None,
            };
            let events = journey.events(&reader, MerchantId::parse(&merchant).unwrap()).await.unwrap();
            assert!(events.len() > 130, "{}", events.len());
            assert_eq!(events.last().unwrap().event, "withdraw");

            let (mut one, mut other) = (journey.snapshots(), journey.snapshots());
            assert_eq!(one.borrow().view().stage, Stage::Waiting);
            let watcher = tokio::spawn({
                let journey = Arc::clone(&journey);
                async move { journey.watch().await }
            });
            journey.follow(&merchant);
            one.changed().await.unwrap();
            other.changed().await.unwrap();
            assert_eq!(one.borrow().view().stage, Stage::Running);
            assert_eq!(one.borrow().view().merchant_name, "星光小面馆129", "as the merchant wrote it last");
            assert!(Arc::ptr_eq(&one.borrow(), &other.borrow()), "nobody has it read for himself alone");
            // What is not shown is no news: another merchant's day.
            let wanted = StartContact { mobile: "15400000002".to_owned(), email: None };
            platform.start_contact(None, wanted).await.unwrap();
            let news = tokio::time::timeout(Duration::from_millis(300), one.changed()).await;
            assert!(news.is_err(), "version {}", one.borrow().version());
            // How it ended stands in no event, and is told all the same.
            journey.over(false);
            one.changed().await.unwrap();
            assert_eq!((one.borrow().view().stage, one.borrow().version()), (Stage::Stopped, 2));
            watcher.abort();
        });
        assembled.platform.db().close();
    }
}
