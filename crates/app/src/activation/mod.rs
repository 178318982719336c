//! 激活: a terminal becomes one that can take money.
//!
//! * this file: the merchant's side (codes) and what both sides see of an activation
//! * `signed_request`: who a terminal is, request by request
//! * `stage`: one step: done already, in turn, or refused
//! * `claim`: the code (step 1), `tries`: how often it may be tried
//! * `identity`: the keys (step 2)
//! * `readiness`: compatibility, network, place, backup (steps 3 to 6)
//! * `provisioning`: keys and certificate (step 7)
//! * `commissioning`: configuration, sign-in, PINs, test (steps 8 to 11)
//! * `operator`: PINs afterwards
//! * `renewal`: the certificate afterwards
//!
//! The protocol is `docs/protocol/terminal-control.md`.

mod claim;
mod commissioning;
mod identity;
mod operator;
mod provisioning;
mod readiness;
pub(crate) mod renewal;
mod signed_request;
mod stage;
mod tries;

pub use signed_request::{ShownCertificate, SignedRequest};

use crate::error::{Error, ErrorKind, Legal};
use crate::form::masked;
use crate::message::{Notice, Template};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::requirement::waiting_for;
use crate::step::{Loaded, PLATFORM, Step};
use crate::vault::domain_of;
use crate::view::{ActivationRequest, ActivationView, StepFailure, TerminalReceipt, TerminalStatus};
use crate::{Action, Actor};
use serde::{Serialize, de::DeserializeOwned};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device::{Device, DeviceEvent};
use starpay_domain::id::{ActivationId, DeviceId, StoreId, TypedId};
use starpay_domain::identifier::{ActivationCode, TerminalSerial};
use starpay_domain::instant::Timestamp;
use starpay_domain::machine::Machine;
use starpay_domain::requirement::{before_keys, open_requirements};
use starpay_domain::term::Term;
use starpay_store::aggregate::AggregateRow;
use starpay_store::{Value, activation_exchange, aggregate, store_place};
use starpay_text::Language;
use uuid::Uuid;

impl Platform {
    /// Issues an activation code and sends it to the owner's mobile; it is in no answer.
    ///
    /// # Errors
    /// `serial_unknown` (also for somebody else's terminal), `device_not_ready` before the parcel
    /// arrived or once it is active, `activation_open` when a code is out already (names that
    /// activation), `rate_limited`.
    pub async fn request_activation(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        wanted: ActivationRequest,
    ) -> Result<Reply<ActivationView>, Error> {
        actor.may(Action::ActivationManage)?;
        let merchant = actor.merchant.ok_or_else(Error::forbidden)?;
        let serial =
            TerminalSerial::parse(&wanted.serial).map_err(|error| Error::identifier(error, "serial"))?;
        self.command(actor, Call::new("activation.request", key, wanted.clone()), move |step| {
            let device = step.device_by_serial(serial.as_str())?;
            if device.machine.merchant() != Some(merchant) {
                return Err(Error::invalid("serial_unknown", "serial"));
            }
            // What is under way first: a terminal in the middle of it is not one that was not delivered.
            if let Some(row) = aggregate::activation::latest_of_device(step.tx, device.id.uuid())?
                && !matches!(row.state.as_str(), "active" | "expired" | "failed" | "aborted")
            {
                return Err(under_way(step, row)?);
            }
            if !matches!(device.machine.state(), "dispatched" | "delivered") {
                return Err(Error::conflict("device_not_ready").about("serial"));
            }
            let store =
                device.machine.store().ok_or_else(|| Error::internal("a bound device has no shop"))?;
            let id: ActivationId = step.new_id();
            let (code, hash) = new_code(step)?;
            let expires_at = step.at.plus_seconds(step.terms().seconds(Term::ActivationCode));
            let machine =
                Activation::CodeIssued { since: step.at, device: device.id, store, expires_at, issue: 1 };
            let columns = vec![
                Value::Bytes(device.id.uuid().as_bytes().to_vec()),
                Value::Bytes(store.uuid().as_bytes().to_vec()),
                Value::Bytes(hash),
                Value::Int(expires_at.micros()),
                Value::Null,
            ];
            let opened = step.create(id, merchant, machine, columns)?;
            send_code(step, &opened, &code, serial.as_str())?;
            view(step, &opened)
        })
        .await
    }

    /// Issues another code; the old one is void.
    ///
    /// # Errors
    /// `illegal_transition`; `activation_open` when a later activation of the terminal is under
    /// way; `rate_limited`.
    pub async fn reissue_activation(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ActivationId,
    ) -> Result<Reply<ActivationView>, Error> {
        actor.may(Action::ActivationManage)?;
        self.command(actor, Call::new("activation.reissue", key, id.to_string()), move |step| {
            let mut found = step.lock::<Activation>(id)?;
            // One terminal, one activation: an expired one does not come back beside a later one.
            let device: Uuid = found.column("device_id")?;
            if let Some(latest) = aggregate::activation::latest_of_device(step.tx, device)?
                && latest.id != id.uuid()
            {
                return Err(under_way(step, latest)?);
            }
            let (code, hash) = new_code(step)?;
            let expires_at = step.at.plus_seconds(step.terms().seconds(Term::ActivationCode));
            found.set("code_hash", Value::Bytes(hash));
            found.set("code_expires_at", Value::Int(expires_at.micros()));
            let reissued = step.advance(found, ActivationEvent::Reissue { expires_at })?;
            let device = step.device_of(&reissued)?;
            let serial: String = device.column("serial")?;
            send_code(step, &reissued, &code, &serial)?;
            view(step, &reissued)
        })
        .await
    }

    /// Gives an activation up; the terminal can be activated anew.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub async fn abort_activation(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ActivationId,
    ) -> Result<Reply<ActivationView>, Error> {
        actor.may(Action::ActivationManage)?;
        self.command(actor, Call::new("activation.abort", key, id.to_string()), move |step| {
            let found = step.lock::<Activation>(id)?;
            let by = step.actor.id.clone();
            let aborted = step
                .advance(found, ActivationEvent::Abort { by, reason: "given up by the owner".to_owned() })?;
            let device = step.device_of(&aborted)?;
            if device.machine.state() == "activating" {
                step.advance(device, DeviceEvent::EndActivation { reason: "aborted".to_owned() })?;
            }
            view(step, &aborted)
        })
        .await
    }

    /// An activation, as its owner and the desks see it: exact, where a stranger is told little.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn activation(&self, actor: &Actor, id: ActivationId) -> Result<ActivationView, Error> {
        actor.may(Action::ActivationView)?;
        self.look(actor, move |step| {
            let found = step.get::<Activation>(id)?;
            view(step, &found)
        })
        .await
    }
}

/// A refusal because of an activation of the terminal that is there already: which one, and what can
/// be done with it.
fn under_way(step: &mut Step<'_>, row: AggregateRow) -> Result<Error, Error> {
    let refused = Error::conflict("activation_open").about("serial");
    if step.actor.merchant.is_some_and(|merchant| merchant.uuid() != row.merchant_id) {
        return Ok(refused);
    }
    let open: Loaded<Activation> = step.load(row)?;
    Ok(Error {
        existing: Some(open.id.to_string()),
        legal: Some(Legal {
            machine: Activation::NAME,
            state: open.machine.state().to_owned(),
            events: open.machine.legal_events(),
        }),
        ..refused
    })
}

/// A fresh code and its keyed hash. The hash is all that is kept.
fn new_code(step: &mut Step<'_>) -> Result<(ActivationCode, Vec<u8>), Error> {
    let code = ActivationCode::from_random(step.draw());
    let hash = step.shared.vault.code_hash(domain_of::ACTIVATION_CODE, code.expose());
    Ok((code, hash))
}

fn send_code(
    step: &mut Step<'_>,
    found: &Loaded<Activation>,
    code: &ActivationCode,
    serial: &str,
) -> Result<(), Error> {
    step.count_merchant_code("activation-code", found.merchant)?;
    let (_, contact) = step.contact_of(found.merchant)?;
    let grouped = zeroize::Zeroizing::new(code.expose_grouped());
    let mut notice = Notice::sms(Some(found.merchant), Template::ActivationCode, &contact.mobile, &grouped);
    notice.serial = serial;
    step.notify(&notice)?;
    step.keep_home(found, serial)
}

impl Step<'_> {
    /// The terminal of an activation, locked.
    fn device_of(&mut self, found: &Loaded<Activation>) -> Result<Loaded<Device>, Error> {
        let device: Uuid = found.column("device_id")?;
        let row = aggregate::lock(self.tx, &aggregate::DEVICE, device, PLATFORM)?;
        self.load(row)
    }

    /// Keeps what was said in a step.
    fn keep(&mut self, found: &Loaded<Activation>, part: &str, said: &impl Serialize) -> Result<(), Error> {
        let (id, merchant) = (found.id.uuid(), found.merchant.uuid());
        let sealed = self.seal(merchant, &exchange_context(found.id, part), &serde_json::to_vec(said)?)?;
        let at = self.at;
        Ok(activation_exchange::put(self.tx, id, merchant, part, &sealed, at)?)
    }

    /// What was said in a step.
    fn kept<T: DeserializeOwned>(
        &mut self,
        found: &Loaded<Activation>,
        part: &str,
    ) -> Result<Option<T>, Error> {
        let (id, merchant) = (found.id.uuid(), found.merchant.uuid());
        let Some(sealed) = activation_exchange::find(self.tx, id, merchant, part)? else { return Ok(None) };
        let plain = self.open(merchant, &exchange_context(found.id, part), &sealed)?;
        Ok(Some(serde_json::from_slice(&plain)?))
    }

    /// Moves an activation on, and lets it wait, or go on, by what the merchant still lacks.
    fn go_on(
        &mut self,
        found: Loaded<Activation>,
        event: ActivationEvent,
    ) -> Result<Loaded<Activation>, Error> {
        let moved = self.advance(found, event)?;
        self.wait_or_resume(moved)
    }

    /// Keys are for merchants who lack nothing that comes before them. A terminal that came first
    /// waits, and goes on by itself.
    fn wait_or_resume(&mut self, found: Loaded<Activation>) -> Result<Loaded<Activation>, Error> {
        let waiting = found.machine.state() == "waiting";
        if !waiting && found.machine.state() != "backed_up" {
            return Ok(found);
        }
        let situation = self.situation(found.merchant)?;
        let open = open_requirements(&situation, self.at);
        let codes: Vec<_> = before_keys(&open).into_iter().map(|requirement| requirement.code).collect();
        if waiting && codes.is_empty() {
            let expires_at = self.at.plus_seconds(self.terms().seconds(Term::ActivationSession));
            return self.advance(found, ActivationEvent::Resume { expires_at });
        }
        if !waiting && !codes.is_empty() {
            return self.advance(found, ActivationEvent::Wait { requirements: codes });
        }
        Ok(found)
    }

    /// A delivered terminal is being activated from the claim on, with the firmware it named there.
    fn mark_activating(&mut self, found: &Loaded<Activation>) -> Result<(), Error> {
        if found.machine.device_auth().is_none() {
            return Ok(());
        }
        let mut device = self.device_of(found)?;
        if device.machine.state() == "delivered" {
            if let Some(claim) = self.kept::<claim::KeptClaim>(found, "claim")? {
                device.set("firmware", Value::Text(claim.firmware));
            }
            self.advance(device, DeviceEvent::StartActivation { activation: found.id })?;
        }
        Ok(())
    }

    /// What the terminal is told after every step.
    fn status(&mut self, found: &Loaded<Activation>) -> Result<TerminalStatus, Error> {
        let device = self.device_seen(found)?;
        let waiting = match &found.machine {
            Activation::Waiting { .. } => {
                let situation = self.situation(found.merchant)?;
                let open = open_requirements(&situation, self.at);
                before_keys(&open).into_iter().map(|open| waiting_for(open, self.language)).collect()
            }
            _ => Vec::new(),
        };
        let done = completed(&found.machine);
        let turn = !matches!(
            found.machine,
            Activation::Waiting { .. }
                | Activation::Active { .. }
                | Activation::Expired { .. }
                | Activation::Aborted { .. }
                | Activation::FirstTxnPending { .. }
        );
        let next = done.last().copied().and_then(Stage::next).filter(|_| turn);
        let receipt = match &found.machine {
            Activation::Active { .. } => self.kept::<TerminalReceipt>(found, "receipt")?,
            _ => None,
        };
        let merchant_name = self.shop_name(found)?;
        let certificate = self.auth_seen(found)?.and_then(|auth| renewal::view(&auth.machine, self));
        Ok(TerminalStatus {
            activation_id: found.id.to_string(),
            device_id: device.id.to_string(),
            state: found.machine.state().to_owned(),
            status_text: crate::device::status_text(&device.machine, self.language),
            next_step: next.map(|stage| stage.request().to_owned()),
            completed: names(&done, &found.machine),
            waiting,
            merchant_name,
            expires_at: expires_at(&found.machine).map(|at| at.to_string()),
            failure: failure(&found.machine, self.language),
            receipt,
            certificate,
        })
    }

    fn shop_name(&mut self, found: &Loaded<Activation>) -> Result<String, Error> {
        let store: Uuid = found.column("store_id")?;
        let row = store_place::get(self.tx, store, found.merchant.uuid())?;
        let context = format!("store|{}", StoreId::from_uuid(store));
        let profile = self.open(found.merchant.uuid(), &context, &row.profile)?;
        let profile: serde_json::Value = serde_json::from_slice(&profile)?;
        Ok(profile.get("name").and_then(|name| name.as_str()).unwrap_or_default().to_owned())
    }
}

/// Well formed, but not what it should be.
fn contradicts(code: &'static str, field: &str) -> Error {
    Error::new(ErrorKind::Unprocessable, code).about(field)
}

/// Whole seconds until a lock ends, rounded up: whoever waits that long does not come too early.
fn wait_seconds(until: Timestamp, at: Timestamp) -> i64 {
    until.micros().saturating_sub(at.micros()).saturating_add(999_999).div_euclid(1_000_000).max(1)
}

fn exchange_context(id: ActivationId, part: &str) -> String {
    format!("exchange|{id}|{part}")
}

/// The stages done, in order.
fn completed(machine: &Activation) -> Vec<Stage> {
    let last = match machine {
        Activation::Waiting { resume_at, .. } => Some(*resume_at),
        Activation::Expired { last, .. }
        | Activation::Failed { last, .. }
        | Activation::Aborted { last, .. } => Some(*last),
        Activation::Active { .. } | Activation::FirstTxnPending { .. } => Some(Stage::Tested),
        _ => Stage::parse(machine.state()),
    };
    last.map_or_else(Vec::new, |last| last.up_to().to_vec())
}

fn names(done: &[Stage], machine: &Activation) -> Vec<String> {
    let mut names: Vec<String> = done.iter().map(|stage| stage.as_str().to_owned()).collect();
    if matches!(machine, Activation::Active { .. }) {
        names.push("active".to_owned());
    }
    names
}

fn expires_at(machine: &Activation) -> Option<Timestamp> {
    machine.facts().get("expires_at").and_then(|micros| micros.parse().ok()).map(Timestamp::from_micros)
}

fn failure(machine: &Activation, language: Language) -> Option<StepFailure> {
    let Activation::Failed { step, code, .. } = machine else { return None };
    let advice = starpay_text::reason(language, code.merchant_code())?;
    Some(StepFailure {
        step: step.request().to_owned(),
        code: code.merchant_code().to_owned(),
        message: advice.message,
        remedy: advice.remedy,
    })
}

fn view(step: &mut Step<'_>, found: &Loaded<Activation>) -> Result<ActivationView, Error> {
    let device = step.device_seen(found)?;
    let (_, contact) = step.contact_of(found.merchant)?;
    let issued = matches!(found.machine, Activation::CodeIssued { .. });
    let code_expires_at: Timestamp = found.column("code_expires_at")?;
    let serial: String = device.column("serial")?;
    let code_frozen = issued && step.is_frozen(found, &serial)?;
    Ok(ActivationView {
        id: found.id.to_string(),
        device_id: DeviceId::from_uuid(device.id.uuid()).to_string(),
        serial,
        state: found.machine.state().to_owned(),
        completed: names(&completed(&found.machine), &found.machine),
        code_expires_at: issued.then(|| code_expires_at.to_string()),
        code_sent_to: issued.then(|| masked(&contact.mobile, 3, 4)),
        code_frozen,
        version: found.version,
    })
}
