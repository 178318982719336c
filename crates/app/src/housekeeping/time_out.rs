//! The table of time-outs: which event ends a state whose time is over, what its facts are, and
//! what depends on it.
//!
//! *How long* and *by which event* stands in the machine's own table of owners. A time-out with an
//! event that has no row here does not pass the test below.

use super::deadline::{Candidate, Pass, Passed};
use crate::error::{Error, ErrorKind};
use crate::job::Work;
use crate::message::{News, Template};
use crate::step::{Loaded, Step, Stored};
use starpay_domain::activation::Activation;
use starpay_domain::agreement::{Agreement, AgreementEvent};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::capability::Capability;
use starpay_domain::device::{Device, DeviceEvent};
use starpay_domain::device_auth::{DeviceAuth, DeviceAuthEvent};
use starpay_domain::fact::FactValue;
use starpay_domain::id::{DeviceAuthId, DeviceId, MerchantId, TypedId};
use starpay_domain::key_slot::{KeySlot, KeySlotEvent};
use starpay_domain::machine::Machine;
use starpay_domain::party::{Owner, Party, Then};
use starpay_domain::reason::ReasonCode;
use starpay_domain::registration::{Registration, RegistrationEvent};
use starpay_domain::shipment::{Shipment, ShipmentEvent};
use starpay_domain::visit::Visit;
use starpay_store::Value;
use starpay_store::aggregate::limit::{self, Telling};
use starpay_store::aggregate::{self, Table};
use uuid::Uuid;

/// Where a released device goes.
const PLACE: &str = "warehouse";

/// Every machine with a table, its time-outs, and whoever is told of what merely stays.
pub(super) static MACHINES: [Watched; 10] = [
    watched::<Application>(&[("expire", |step, late| {
        ended(step, late, |step, found: Loaded<Application>| {
            step.end_application(found, ApplicationEvent::Expire {}).map(drop)
        })
    })]),
    watched::<Agreement>(&[("expire", |step, late| {
        ended(step, late, |step, found: Loaded<Agreement>| {
            step.advance(found, AgreementEvent::Expire {}).map(drop)
        })
    })]),
    watched::<Visit>(&[]),
    watched::<Registration>(&[("give_up_waiting", |step, late| ended(step, late, send_again))]),
    watched::<Shipment>(&[("cancel", |step, late| ended(step, late, cancel))]),
    watched::<Device>(&[("release", release)]),
    watched::<Activation>(&[("expire", |step, late| {
        ended(step, late, |step, found: Loaded<Activation>| step.expire_activation(found).map(drop))
    })]),
    watched::<DeviceAuth>(&[("reject", reject)]),
    watched::<KeySlot>(&[("fail", |step, late| ended(step, late, fail))]),
    watched::<Capability>(&[]),
];

/// A machine whose states are watched.
pub(super) struct Watched {
    pub(super) table: &'static Table,
    pub(super) owners: &'static [Owner],
    /// What each event that ends a state does.
    ends: &'static [(&'static str, Pass)],
    /// What is done where the state stays.
    tell: Pass,
}

const fn watched<M: Stored>(ends: &'static [(&'static str, Pass)]) -> Watched {
    Watched { table: M::TABLE, owners: M::OWNERS, ends, tell: tell::<M> }
}

impl Watched {
    /// What passes on a row that is late.
    pub(super) fn pass(&self, then: Then) -> Result<Pass, Error> {
        match then {
            Then::Remind | Then::Escalate => Ok(self.tell),
            Then::Apply(event) => self
                .ends
                .iter()
                .find(|(named, _)| *named == event)
                .map(|(_, pass)| *pass)
                .ok_or_else(|| Error::internal(format!("{} has no time-out {event}", self.table.name))),
        }
    }
}

/// Ends a state, if it is late still.
fn ended<M: Stored>(
    step: &mut Step<'_>,
    late: &Candidate,
    end: fn(&mut Step<'_>, Loaded<M>) -> Result<(), Error>,
) -> Result<Passed, Error> {
    match step.lock_late::<M>(late)? {
        Some(found) => end(step, found).map(|()| Passed::Ended),
        None => Ok(Passed::NotNow),
    }
}

/// No answer came: the report is sent again.
fn send_again(step: &mut Step<'_>, found: Loaded<Registration>) -> Result<(), Error> {
    let pending = step.advance(found, RegistrationEvent::GiveUpWaiting {})?;
    step.order(Work::SendRegistration { registration: pending.id }, pending.merchant)
}

/// A returned parcel whose address nobody corrected is not sent at all.
fn cancel(step: &mut Step<'_>, found: Loaded<Shipment>) -> Result<(), Error> {
    let by = step.actor.id.clone();
    let reason = "the address was not corrected in time".to_owned();
    step.advance(found, ShipmentEvent::Cancel { by, reason }).map(drop)
}

/// A key that the device did not confirm does not count; an old one goes on working. Its version is
/// used up all the same: the device may have installed it.
fn fail(step: &mut Step<'_>, found: Loaded<KeySlot>) -> Result<(), Error> {
    step.advance(found, KeySlotEvent::Fail { reason: ReasonCode::T301 }).map(drop)
}

/// A reserved device that never left goes back to the shelf, out of its parcel, and is nobody's.
fn release(step: &mut Step<'_>, late: &Candidate) -> Result<Passed, Error> {
    let seen = step.get::<Device>(DeviceId::from_uuid(late.row.id))?;
    let Device::Reserved { shipment, .. } = seen.machine else { return Ok(Passed::NotNow) };
    // The parcel first, as whoever packs it and hands it over does.
    let parcel = match shipment {
        Some(id) => unless_erased(step.lock::<Shipment>(id))?,
        None => None,
    };
    let Some(mut device) = step.lock_late::<Device>(late)? else { return Ok(Passed::NotNow) };
    let reason = "it was not handed over in time".to_owned();
    if let Some(mut parcel) = parcel
        && matches!(&parcel.machine, Shipment::ReadyToShip { device: packed, .. } if *packed == device.id)
    {
        parcel.set("device_id", Value::Null);
        step.advance(parcel, ShipmentEvent::Unpack { reason: reason.clone() })?;
    }
    device.set("bound_merchant_id", Value::Null);
    device.set("bound_store_id", Value::Null);
    step.advance(device, DeviceEvent::Release { place: PLACE.to_owned(), reason })?;
    Ok(Passed::Ended)
}

/// Keys that were shown and never proved are not trusted any more; nor does an activation that
/// was claimed with them go on: its owner may ask for another code.
fn reject(step: &mut Step<'_>, late: &Candidate) -> Result<Passed, Error> {
    let id = DeviceAuthId::from_uuid(late.row.id);
    let Some(seen) = unless_erased(step.get::<DeviceAuth>(id))? else { return Ok(Passed::NotNow) };
    let device: Uuid = seen.column("device_id")?;
    // The activation first, as the terminal that speaks does.
    let activation = match aggregate::activation::latest_of_device(step.tx, device)? {
        Some(row) => unless_erased(step.lock::<Activation>(TypedId::from_uuid(row.id)))?,
        None => None,
    };
    let Some(auth) = step.lock_late::<DeviceAuth>(late)? else { return Ok(Passed::NotNow) };
    let by = step.actor.id.clone();
    step.advance(auth, DeviceAuthEvent::Reject { by, reason: "not proved in time".to_owned() })?;
    if let Some(activation) = activation
        && activation.machine.device_auth() == Some(id)
        && activation.machine.legal_events().contains(&"expire")
    {
        step.expire_activation(activation)?;
    }
    Ok(Passed::Ended)
}

/// Nothing instead of what an erased merchant's key would be needed for.
fn unless_erased<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The state stays: its owner is reminded once, or stands on the list of what is overdue.
fn tell<M: Stored>(step: &mut Step<'_>, late: &Candidate) -> Result<Passed, Error> {
    let Some(found) = step.lock_late::<M>(late)? else { return Ok(Passed::NotNow) };
    if limit::tell(step.tx, M::TABLE, late.row.id, late.row.merchant_id, step.at)? == Telling::Again {
        return Ok(Passed::NotNow);
    }
    if late.owner.party == Party::Merchant
        && let Some(merchant) = merchant_of(&found)
    {
        match step.tell(merchant, Template::Reminder, News::default()) {
            // Erased meanwhile: there is nobody to remind.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            told => told?,
        }
    }
    Ok(Passed::Told)
}

/// Whose it is; a device says so in its facts.
fn merchant_of<M: Stored>(found: &Loaded<M>) -> Option<MerchantId> {
    if found.merchant.uuid().is_nil() {
        let facts = found.machine.facts();
        return MerchantId::from_fact(facts.get("merchant").map(String::as_str));
    }
    Some(found.merchant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_domain::party::Limit;
    use std::collections::BTreeSet;

    /// The events by which a machine's owners' table ends states.
    fn named(owners: &[Owner]) -> BTreeSet<&'static str> {
        let limits = owners.iter().filter_map(|owner| match owner.limit {
            Limit::Within(_, then) | Limit::Until(_, then) => Some(then),
            Limit::Unlimited(_) => None,
        });
        limits
            .filter_map(|then| match then {
                Then::Apply(event) => Some(event),
                Then::Remind | Then::Escalate => None,
            })
            .collect()
    }

    #[test]
    fn every_time_out_has_its_row_and_every_row_its_time_out() {
        let mut fired = 0;
        for watched in &MACHINES {
            let rows: Vec<&str> = watched.ends.iter().map(|(event, _)| *event).collect();
            let distinct: BTreeSet<&str> = rows.iter().copied().collect();
            assert_eq!(distinct.len(), rows.len(), "{}: an event stands twice", watched.table.name);
            assert_eq!(distinct, named(watched.owners), "{}", watched.table.name);
            fired += rows.len();
        }
        assert_eq!(fired, 8);
    }

    #[test]
    fn every_table_of_the_store_is_watched() {
        let watched: BTreeSet<&str> = MACHINES.iter().map(|watched| watched.table.name).collect();
        let stored: BTreeSet<&str> = aggregate::TABLES.iter().map(|table| table.name).collect();
        assert_eq!(watched, stored);
    }
}
