//! One step of a terminal: done already (answered again), in order (taken), or refused.

use super::{completed, expires_at};
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::{Loaded, PLATFORM, Step};
use crate::view::TerminalStatus;
use crate::{Action, Actor};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device::{Device, DeviceEvent};
use starpay_domain::id::{ActivationId, DeviceAuthId, DeviceId, TypedId};
use starpay_domain::machine::Machine;
use starpay_domain::requirement::{before_keys, open_requirements};
use starpay_store::aggregate;
use uuid::Uuid;

/// Where an activation stands before a step.
pub(super) enum Turn {
    /// The step is done: only the status is wanted.
    Done(Loaded<Activation>),
    /// It is this step's turn.
    Now(Loaded<Activation>),
    /// The session is over. That was written down and must be committed.
    Over(Error),
}

/// What a step's body answers. A refusal inside is committed with what it wrote (a counted
/// failure); an error outside leaves nothing behind.
pub(super) type Outcome = Result<Loaded<Activation>, Error>;

impl Platform {
    /// The activation of the keys that speak: for a terminal that lost its journal.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn current_activation(&self, actor: &Actor) -> Result<TerminalStatus, Error> {
        actor.may(Action::TerminalSpeak)?;
        let device = actor.subject.as_deref().and_then(DeviceId::parse).ok_or_else(Error::not_found)?;
        let id = self
            .look(actor, move |step| {
                let row = aggregate::activation::latest_of_device(step.tx, device.uuid())?;
                Ok(ActivationId::from_uuid(row.ok_or_else(Error::not_found)?.id))
            })
            .await?;
        self.terminal_status(actor, id).await
    }

    /// Where an activation stands. One that waits goes on here as soon as nothing is missing.
    ///
    /// # Errors
    /// `not_found`, also for another terminal's.
    pub async fn terminal_status(&self, actor: &Actor, id: ActivationId) -> Result<TerminalStatus, Error> {
        actor.may(Action::TerminalSpeak)?;
        // Most polls change nothing: they must not wait for the writer.
        let seen = self
            .look(actor, move |step| {
                let found = step.own_seen(id)?;
                if step.is_to_move(&found)? { Ok(None) } else { step.status(&found).map(Some) }
            })
            .await?;
        if let Some(status) = seen {
            return Ok(status);
        }
        self.apply(actor, move |step| {
            let found = step.own_activation(id)?;
            let found = step.expire_if_over(found)?;
            let found = step.wait_or_resume(found)?;
            step.mark_activating(&found)?;
            step.status(&found)
        })
        .await
    }

    /// Takes one step.
    pub(super) async fn take<F>(
        &self,
        actor: &Actor,
        id: ActivationId,
        stage: Stage,
        run: F,
    ) -> Result<TerminalStatus, Error>
    where
        F: Fn(&mut Step<'_>, Loaded<Activation>) -> Result<Outcome, Error> + Send + 'static,
    {
        actor.may(Action::TerminalSpeak)?;
        self.apply(actor, move |step| {
            let found = match step.turn(id, stage)? {
                Turn::Done(found) => return step.status(&found).map(Ok),
                Turn::Over(refusal) => return Ok(Err(refusal)),
                Turn::Now(found) => found,
            };
            match run(step, found)? {
                Ok(moved) => step.status(&moved).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
        .await?
        .map_err(|refusal| refusal.seen_by(actor))
    }
}

impl Step<'_> {
    /// Whether it is this step's turn. Locks the activation.
    pub(super) fn turn(&mut self, id: ActivationId, stage: Stage) -> Result<Turn, Error> {
        let found = self.own_activation(id)?;
        let before = found.version;
        let mut found = self.expire_if_over(found)?;
        if found.version != before {
            return Ok(Turn::Over(found.machine.illegal(event_of(stage)).into()));
        }
        if completed(&found.machine).contains(&stage) {
            return Ok(Turn::Done(found));
        }
        if found.machine.state() == "waiting" {
            found = self.wait_or_resume(found)?;
        }
        let underway = found.machine.state() == found.machine.last_step().as_str();
        if !underway || found.machine.next_step() != Some(stage) {
            return Err(found.machine.illegal(event_of(stage)).into());
        }
        self.mark_activating(&found)?;
        let device = self.device_seen(&found)?;
        if device.machine.merchant() != Some(found.merchant) || !may_take(&device.machine, stage) {
            return Err(blocked());
        }
        Ok(Turn::Now(found))
    }

    /// The terminal of an activation, as it stands.
    pub(super) fn device_seen(&mut self, found: &Loaded<Activation>) -> Result<Loaded<Device>, Error> {
        let device: Uuid = found.column("device_id")?;
        let row = aggregate::get(self.tx, &aggregate::DEVICE, device, PLATFORM)?;
        self.load(row)
    }

    /// The activation of the terminal that speaks, locked. Somebody else's does not exist.
    pub(super) fn own_activation(&mut self, id: ActivationId) -> Result<Loaded<Activation>, Error> {
        let found = self.lock::<Activation>(id)?;
        self.refuse_foreign(found)
    }

    /// As [`Step::own_activation`], without the lock.
    pub(super) fn own_seen(&mut self, id: ActivationId) -> Result<Loaded<Activation>, Error> {
        let found = self.get::<Activation>(id)?;
        self.refuse_foreign(found)
    }

    fn refuse_foreign(&self, found: Loaded<Activation>) -> Result<Loaded<Activation>, Error> {
        let auth: Option<Uuid> = found.column("device_auth_id")?;
        let speaks = auth.map(|auth| DeviceAuthId::from_uuid(auth).to_string());
        if speaks.as_deref() == Some(&self.actor.id) { Ok(found) } else { Err(Error::not_found()) }
    }

    /// Ends a code or a session whose time is over.
    pub(super) fn expire_if_over(&mut self, found: Loaded<Activation>) -> Result<Loaded<Activation>, Error> {
        if self.is_over(&found) { self.expire_activation(found) } else { Ok(found) }
    }

    /// Ends an activation; its terminal can be activated anew.
    pub(crate) fn expire_activation(
        &mut self,
        found: Loaded<Activation>,
    ) -> Result<Loaded<Activation>, Error> {
        let expired = self.advance(found, ActivationEvent::Expire {})?;
        let device = self.device_of(&expired)?;
        if matches!(&device.machine, Device::Activating { activation, .. } if *activation == expired.id) {
            self.advance(device, DeviceEvent::EndActivation { reason: "expired".to_owned() })?;
        }
        Ok(expired)
    }

    fn is_over(&self, found: &Loaded<Activation>) -> bool {
        let past = expires_at(&found.machine).is_some_and(|end| end <= self.at);
        past && found.machine.legal_events().contains(&"expire")
    }

    /// Whether looking at an activation would change it.
    fn is_to_move(&mut self, found: &Loaded<Activation>) -> Result<bool, Error> {
        if self.is_over(found) {
            return Ok(true);
        }
        if found.machine.device_auth().is_some() && self.device_seen(found)?.machine.state() == "delivered" {
            return Ok(true);
        }
        if found.machine.state() != "waiting" {
            return Ok(false);
        }
        let situation = self.situation(found.merchant)?;
        Ok(before_keys(&open_requirements(&situation, self.at)).is_empty())
    }
}

/// Before its keys a terminal may still be on its way into the books (the courier's report can be
/// late); from the keys on it must be the merchant's terminal in use.
fn may_take(device: &Device, stage: Stage) -> bool {
    let early = stage < Stage::KeysLoaded;
    serves(device) || early && matches!(device, Device::Dispatched { .. } | Device::Delivered { .. })
}

/// The device states in which a terminal is served.
pub(super) const fn serves(device: &Device) -> bool {
    matches!(device, Device::Activating { .. } | Device::Active { .. })
}

/// The terminal's keys are good, the terminal itself is not to be used.
pub(super) fn blocked() -> Error {
    Error::new(ErrorKind::Forbidden, "device_blocked").about("serial")
}

/// The event that completes a step.
const fn event_of(stage: Stage) -> &'static str {
    match stage {
        Stage::CodeIssued => "reissue",
        Stage::Claimed => "claim",
        Stage::IdentityProven => "prove_identity",
        Stage::Compatible => "confirm_compatible",
        Stage::NetworkOk => "pass_network",
        Stage::Located => "locate",
        Stage::BackedUp => "back_up",
        Stage::KeysLoaded => "load_keys",
        Stage::ConfigApplied => "apply_config",
        Stage::SignedIn => "sign_in",
        Stage::PinSet => "set_pin",
        Stage::Tested => "pass_test",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_domain::activation::EDGES;

    #[test]
    fn every_step_is_named_by_the_event_that_leads_to_it() {
        for stage in Stage::ALL {
            let leads = EDGES.iter().any(|edge| edge.event == event_of(*stage) && edge.to == stage.as_str());
            assert!(leads, "{}", stage.as_str());
        }
    }
}
