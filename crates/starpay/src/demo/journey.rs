//! The journey as the first page shows it, read from the merchant's events: nothing is recorded
//! for the page.

use futures_util::future::BoxFuture;
use starpay_app::view::{EventView, Page, RequirementView};
use starpay_app::{Actor, Platform, Role};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_text::Language;
use starpay_web::page::JourneySource;
use starpay_web::page::journey::{
    Change, Face, JourneyStep, JourneyView, OpenRequirement, Phase, Progress, Receipt, Stage, TerminalFace,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

use super::identity::NOODLE_SHOP;

/// Events read for the page; a journey has fewer than a hundred.
const EVENTS_MAX: u32 = 100;

/// Machine, event, step, part, and who acts where the event's actor is only a job.
const STEPS: &[(&str, &str, &str, Phase, &str)] = &[
    ("application", "opened", "application_started", Phase::Apply, "applicant"),
    ("application", "edit", "application_filled", Phase::Apply, "applicant"),
    ("application", "submit", "application_submitted", Phase::Apply, "applicant"),
    ("application", "checks_passed", "checks_passed", Phase::Verify, "platform"),
    ("visit", "book", "visit_booked", Phase::Verify, "merchant"),
    ("visit", "start", "visit_started", Phase::Verify, "field_verifier"),
    ("visit", "finish", "visit_done", Phase::Verify, "field_verifier"),
    ("application", "claim", "review_started", Phase::Verify, "reviewer"),
    ("application", "approve", "application_approved", Phase::Verify, "reviewer"),
    ("agreement", "sign", "agreement_signed", Phase::Sign, "legal_representative"),
    ("registration", "send", "registration_sent", Phase::Sign, "platform"),
    ("registration", "accept", "registered", Phase::Sign, "registry"),
    ("application", "registered", "merchant_ready", Phase::Sign, "platform"),
    ("shipment", "confirm_address", "address_confirmed", Phase::Ship, "merchant"),
    ("shipment", "pack", "shipment_prepared", Phase::Ship, "warehouse"),
    ("shipment", "dispatch", "shipped", Phase::Ship, "warehouse"),
    ("shipment", "deliver", "delivered", Phase::Ship, "courier"),
    ("shipment", "confirm_receipt", "received", Phase::Ship, "merchant"),
    ("activation", "opened", "code_issued", Phase::Activate, "platform"),
    ("activation", "claim", "claimed", Phase::Activate, "terminal"),
    ("activation", "prove_identity", "identity_proven", Phase::Activate, "terminal"),
    ("activation", "confirm_compatible", "compatible", Phase::Activate, "terminal"),
    ("activation", "pass_network", "network_ok", Phase::Activate, "terminal"),
    ("activation", "locate", "located", Phase::Activate, "terminal"),
    ("activation", "back_up", "backed_up", Phase::Activate, "terminal"),
    ("activation", "load_keys", "keys_loaded", Phase::Activate, "terminal"),
    ("activation", "apply_config", "config_applied", Phase::Activate, "terminal"),
    ("activation", "sign_in", "signed_in", Phase::Activate, "terminal"),
    ("activation", "set_pin", "pin_set", Phase::Activate, "merchant"),
    ("activation", "pass_test", "tested", Phase::Activate, "terminal"),
    ("activation", "activate", "active", Phase::Activate, "platform"),
];

/// Steps of an activation, the last one `active`.
const ACTIVATION_STEPS: u32 = 13;

/// What the page asks.
pub(crate) struct DemoJourney {
    platform: Platform,
    seen: Mutex<Seen>,
    changes: watch::Receiver<u64>,
}

#[derive(Default)]
struct Seen {
    merchant: Option<MerchantId>,
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
        let changes = platform.changes();
        Self { platform, seen: Mutex::new(Seen::default()), changes }
    }

    /// Whose journey it is.
    pub(crate) fn follow(&self, merchant: &str) {
        self.seen().merchant = MerchantId::parse(merchant);
    }

    /// Looks after every change, so that a visitor who comes late still sees what was missing when.
    pub(crate) async fn watch(&self) {
        let mut changes = self.changes.clone();
        while changes.changed().await.is_ok() {
            self.look().await;
        }
    }

    /// The journey ended.
    pub(crate) fn over(&self, well: bool) {
        self.seen().ended = Some(if well { Ended::Well } else { Ended::Badly });
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self) -> Option<JourneyView> {
        let merchant = self.seen().merchant?;
        let reader = Actor { id: "demo".to_owned(), role: Role::Admin, merchant: None, subject: None };
        let page = Page { cursor: None, limit: Some(EVENTS_MAX) };
        let events = self.platform.timeline(&reader, merchant, page).await.ok()?.data;
        let open = self.platform.requirements(&reader, merchant, Language::ZhCn).await.ok()?.requirements;
        Some(self.view(&events, &open))
    }

    fn view(&self, events: &[EventView], open: &[RequirementView]) -> JourneyView {
        let mut steps = steps(events);
        let (cleared, ended) = {
            let mut seen = self.seen();
            let open_now = u32::try_from(open.len()).unwrap_or(u32::MAX);
            for step in steps.iter_mut().filter(|step| step.progress == Progress::Done) {
                step.open_after = Some(*seen.open_after.entry(step.code.clone()).or_insert(open_now));
            }
            for requirement in open {
                if !seen.open_once.contains(&requirement.code) {
                    seen.open_once.push(requirement.code.clone());
                }
            }
            let still = |code: &String| open.iter().any(|requirement| requirement.code == *code);
            (seen.open_once.iter().filter(|code| !still(code)).cloned().collect(), seen.ended)
        };
        let active = steps.iter().any(|step| step.code == "active" && step.progress == Progress::Done);
        let stage = match (active, ended, steps.is_empty()) {
            (true, _, _) => Stage::Finished,
            (false, Some(Ended::Badly), _) => Stage::Stopped,
            (false, _, true) => Stage::Waiting,
            (false, Some(Ended::Well) | None, false) => Stage::Running,
        };
        JourneyView {
            merchant_name: "星光小面馆".to_owned(),
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
    fn snapshot(&self) -> BoxFuture<'_, JourneyView> {
        Box::pin(async move {
            match self.look().await {
                Some(view) => view,
                None => JourneyView { stage: Stage::Waiting, ..self.view(&[], &[]) },
            }
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
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
            actor: (*actor).to_owned(),
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
        .filter(|row| row.0 == "activation")
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
