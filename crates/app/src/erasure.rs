//! 删除: a merchant's data is destroyed with the keys that it lies under.
//!
//! Nothing brings it back, so nobody does it by a slip: whoever erases names the merchant a second
//! time and says why. Before the keys go, the terminals' own machines are moved along: an identity is
//! rejected, keys are revoked, an activation is given up, and a terminal in the shop is taken from its
//! merchant, to be retired once the closure of its registration was reported. What lies on our shelf
//! goes back to it; what the carrier has, nobody can follow any more: it counts as lost.

use crate::actor::{Action, Actor};
use crate::error::Error;
use crate::platform::Platform;
use crate::step::{Loaded, PLATFORM, Step, deed};
use serde::{Deserialize, Serialize};
use starpay_domain::activation::{Activation, ActivationEvent};
use starpay_domain::device::{Afterwards, Device, DeviceEvent};
use starpay_domain::device_auth::{DeviceAuth, DeviceAuthEvent};
use starpay_domain::id::{
    ActivationId, ApplicationId, DeviceAuthId, DeviceId, KeySlotId, MerchantId, TypedId,
};
use starpay_domain::key_slot::{KeySlot, KeySlotEvent};
use starpay_domain::machine::Machine;
use starpay_store::aggregate::{self, application as applications, limit};
use starpay_store::{Value, access_key, data_key, merchant};
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 200;
/// Rows read at once.
const ROWS: i64 = 100;
/// Where a terminal goes that never left.
const SHELF: &str = "warehouse";

/// An erasure, as whoever wants it says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// The merchant's id once more.
    pub confirm: String,
    /// Why. Kept beside who did it, readable: no personal data belongs in it.
    pub reason: String,
}

/// A thing of the merchant, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// An application's id, a terminal's serial.
    pub name: String,
    /// Its state.
    pub state: String,
}

/// What an erasure would destroy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasurePlan {
    /// `mer_…`
    pub merchant_id: String,
    /// The merchant's applications, oldest first, at most a hundred.
    pub applications: Vec<Standing>,
    /// The terminals that the merchant holds, oldest first.
    pub terminals: Vec<Standing>,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureReport {
    /// `mer_…`
    pub merchant_id: String,
    /// Data keys destroyed.
    pub keys_destroyed: u64,
    /// Sign-in contacts whose number was removed.
    pub contacts_cleared: u64,
    /// The terminals that the merchant held, and how they stand now.
    pub terminals: Vec<Standing>,
}

impl Platform {
    /// What an erasure would destroy. Nothing is changed.
    ///
    /// # Errors
    /// `forbidden`, `not_found`; `already_erased`.
    pub async fn erasure_plan(&self, actor: &Actor, id: MerchantId) -> Result<ErasurePlan, Error> {
        actor.may(Action::Administer)?;
        self.look(actor, move |step| {
            refuse_erased(step, id)?;
            let found = aggregate::list_by_merchant(step.tx, &aggregate::APPLICATION, id.uuid(), None, ROWS)?;
            let applications = found
                .rows
                .into_iter()
                .map(|row| Standing { name: ApplicationId::from_uuid(row.id).to_string(), state: row.state })
                .collect();
            let mut terminals = Vec::new();
            for device in step.terminals_of(id)? {
                terminals.push(standing(&device)?);
            }
            Ok(ErasurePlan { merchant_id: id.to_string(), applications, terminals })
        })
        .await
    }

    /// Erases a merchant: destroys their data keys and the numbers they signed in with, ends their
    /// sessions, links and keys, and takes their terminals away. Nothing sealed for them can be opened
    /// again, by anybody; their event chains still verify.
    ///
    /// # Errors
    /// `forbidden`, `not_found`; `confirm_mismatch` when the id is not said twice; `length` for the
    /// reason; `already_erased`, as nothing is done twice.
    pub async fn erase_merchant(
        &self,
        actor: &Actor,
        id: MerchantId,
        wanted: Erasure,
    ) -> Result<ErasureReport, Error> {
        actor.may(Action::Administer)?;
        let reason = wanted.reason.trim().to_owned();
        let report = self
            .apply(actor, move |step| {
                refuse_erased(step, id)?;
                if wanted.confirm.trim() != id.to_string() {
                    return Err(Error::invalid("confirm_mismatch", "confirm"));
                }
                if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
                    return Err(Error::invalid("length", "reason"));
                }
                merchant::lock(step.tx, id.uuid())?;
                let terminals = step.take_terminals(id, &reason)?;
                let contacts_cleared = step.clear_contacts(id)?;
                limit::forget_of_merchant(step.tx, id.uuid())?;
                applications::forget_subjects(step.tx, id.uuid())?;
                let credentials_ended = access_key::revoke_of_merchant(step.tx, id.uuid(), step.at)?;
                let keys_destroyed = data_key::destroy(step.tx, id.uuid(), step.at)?;
                if keys_destroyed == 0 {
                    return Err(Error::conflict("already_erased"));
                }
                let said = [
                    ("reason", reason.clone()),
                    ("keys_destroyed", keys_destroyed.to_string()),
                    ("contacts_cleared", contacts_cleared.to_string()),
                    ("credentials_ended", credentials_ended.to_string()),
                    ("terminals_taken", terminals.len().to_string()),
                ];
                step.record_deed(MerchantId::PREFIX, id.uuid(), "erase", "erased", &deed(said))?;
                Ok(ErasureReport { merchant_id: id.to_string(), keys_destroyed, contacts_cleared, terminals })
            })
            .await?;
        self.shared.vault.forget(id.uuid());
        Ok(report)
    }
}

/// Refuses who is no merchant, and one whose keys are gone.
fn refuse_erased(step: &mut Step<'_>, id: MerchantId) -> Result<(), Error> {
    if id.uuid() == PLATFORM || merchant::find(step.tx, id.uuid())?.is_none() {
        return Err(Error::not_found());
    }
    match data_key::find_current(step.tx, id.uuid())? {
        Some(key) if key.destroyed_at.is_none() => Ok(()),
        Some(_) | None => Err(Error::conflict("already_erased")),
    }
}

fn standing(device: &Loaded<Device>) -> Result<Standing, Error> {
    Ok(Standing { name: device.column("serial")?, state: device.machine.state().to_owned() })
}

impl Step<'_> {
    fn terminals_of(&mut self, merchant: MerchantId) -> Result<Vec<Loaded<Device>>, Error> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = aggregate::device::list_by_bound_merchant(self.tx, merchant.uuid(), after, ROWS)?;
            for row in page.rows {
                found.push(self.load::<Device>(row)?);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Ends what each terminal of the merchant is trusted with, and takes it away.
    fn take_terminals(&mut self, merchant: MerchantId, reason: &str) -> Result<Vec<Standing>, Error> {
        let mut taken = Vec::new();
        for seen in self.terminals_of(merchant)? {
            // The activation first, as the terminal that speaks does.
            self.end_activation(seen.id, merchant, reason)?;
            self.end_keys(seen.id, merchant, reason)?;
            let row = aggregate::lock(self.tx, &aggregate::DEVICE, seen.id.uuid(), PLATFORM)?;
            let device = self.load::<Device>(row)?;
            taken.push(standing(&self.take(device, reason)?)?);
        }
        Ok(taken)
    }

    fn end_activation(&mut self, device: DeviceId, merchant: MerchantId, reason: &str) -> Result<(), Error> {
        let latest = aggregate::activation::latest_of_device(self.tx, device.uuid())?;
        let Some(row) = latest.filter(|row| row.merchant_id == merchant.uuid()) else { return Ok(()) };
        let found = self.lock::<Activation>(ActivationId::from_uuid(row.id))?;
        if found.machine.legal_events().contains(&"abort") {
            let by = self.actor.id.clone();
            self.advance(found, ActivationEvent::Abort { by, reason: reason.to_owned() })?;
        }
        Ok(())
    }

    /// The terminal's identity is believed no more, and its keys open nothing.
    fn end_keys(&mut self, device: DeviceId, merchant: MerchantId, reason: &str) -> Result<(), Error> {
        let mut sets: Vec<Uuid> = Vec::new();
        for row in [
            aggregate::device_auth::find_accepted(self.tx, device.uuid())?,
            aggregate::device_auth::latest_of_device(self.tx, device.uuid())?,
        ] {
            if let Some(row) = row.filter(|row| row.merchant_id == merchant.uuid())
                && !sets.contains(&row.id)
            {
                sets.push(row.id);
            }
        }
        for id in sets {
            let mut auth = self.lock::<DeviceAuth>(DeviceAuthId::from_uuid(id))?;
            if auth.machine.legal_events().contains(&"reject") {
                auth.set("certificate_serial", Value::Null);
                let by = self.actor.id.clone();
                self.advance(auth, DeviceAuthEvent::Reject { by, reason: reason.to_owned() })?;
            }
        }
        for row in aggregate::key_slot::list_by_device(self.tx, device.uuid(), merchant.uuid())? {
            let slot = self.lock::<KeySlot>(KeySlotId::from_uuid(row.id))?;
            if slot.machine.legal_events().contains(&"revoke") {
                self.advance(slot, KeySlotEvent::Revoke { reason: reason.to_owned() })?;
            }
        }
        Ok(())
    }

    fn take(&mut self, mut device: Loaded<Device>, reason: &str) -> Result<Loaded<Device>, Error> {
        let (by, reason) = (self.actor.id.clone(), reason.to_owned());
        let event = match &device.machine {
            Device::Reserved { .. } => {
                device.set("bound_merchant_id", Value::Null);
                device.set("bound_store_id", Value::Null);
                DeviceEvent::Release { place: SHELF.to_owned(), reason }
            }
            Device::Dispatched { .. } => DeviceEvent::ReportLost { by },
            Device::Delivered { .. }
            | Device::Activating { .. }
            | Device::Active { .. }
            | Device::Suspended { .. }
            | Device::Lost { .. }
            | Device::Tampered { .. } => DeviceEvent::Unbind { by, reason, afterwards: Afterwards::Retire },
            Device::Reassigning { .. }
            | Device::InStock { .. }
            | Device::Consigned { .. }
            | Device::Repair { .. }
            | Device::Retired { .. } => return Ok(device),
        };
        self.advance(device, event)
    }
}
