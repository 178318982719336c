//! What brings the terminal into the shop and makes it work: parcel, device, activation, operators.

use super::decision::Progress;
use super::list::{Entry, List};
use super::{DueStatus, RequirementCode as R};
use crate::activation::{Activation, Step};
use crate::capability::CapabilityKind;
use crate::device::Device;
use crate::party::{Desk, Outside, Party};
use crate::reason::ReasonCode;
use crate::shipment::Shipment;

const NOW: DueStatus = DueStatus::CurrentlyDue;
const LATER: DueStatus = DueStatus::EventuallyDue;

/// Adds what keeps the terminal from working.
pub(super) fn add(list: &mut List<'_>) {
    add_delivery(list);
    add_device(list);
    add_activation(list);
}

/// Whether the merchant holds a device that came by another way than a parcel.
fn in_hand(device: Option<&Device>) -> bool {
    match device {
        Some(
            Device::Delivered { .. }
            | Device::Activating { .. }
            | Device::Active { .. }
            | Device::Suspended { .. },
        ) => true,
        None
        | Some(
            Device::InStock { .. }
            | Device::Reserved { .. }
            | Device::Dispatched { .. }
            | Device::Consigned { .. }
            | Device::Reassigning { .. }
            | Device::Lost { .. }
            | Device::Tampered { .. }
            | Device::Repair { .. }
            | Device::Retired { .. },
        ) => false,
    }
}

fn add_delivery(list: &mut List<'_>) {
    let situation = list.situation;
    let Some(shipment) = &situation.shipment else {
        if !in_hand(situation.device.as_ref()) {
            add_road(list, R::AddressUnconfirmed, may_ship(list));
        }
        return;
    };
    match shipment {
        Shipment::Received { seal_intact: true, .. } => {}
        Shipment::Received { seal_intact: false, .. } => list.push(Entry::new(R::DeviceUnusable, NOW)),
        Shipment::Cancelled { .. } => add_road(list, R::AddressUnconfirmed, may_ship(list)),
        Shipment::Pending { confirmed_at, .. } => {
            let next = if confirmed_at.is_some() { R::DeviceUnpacked } else { R::AddressUnconfirmed };
            add_road(list, next, may_ship(list));
        }
        Shipment::ReadyToShip { .. } | Shipment::Shipped { .. } => add_road(list, R::DeviceInTransit, NOW),
        Shipment::Delivered { .. } => add_road(list, R::ReceiptUnconfirmed, NOW),
        Shipment::Undeliverable { .. } => {
            let carrier = Party::ThirdParty(Outside::Carrier);
            list.push_timed(Entry::new(R::DeliveryFailed, NOW).awaiting(carrier), shipment);
            add_road(list, R::DeviceUnpacked, LATER);
        }
        Shipment::Returned { .. } => {
            let entry = Entry::new(R::DeliveryFailed, NOW).awaiting(Party::Merchant);
            list.push_timed(entry.at("delivery.address"), shipment);
            add_road(list, R::DeviceUnpacked, LATER);
        }
        Shipment::LostInTransit { .. } | Shipment::Damaged { .. } => {
            list.push(Entry::new(R::DeliveryFailed, NOW));
            add_road(list, R::DeviceUnpacked, LATER);
        }
    }
}

/// When a device may be sent: once the agreement is signed. Registration may go on meanwhile.
fn may_ship(list: &List<'_>) -> DueStatus {
    if Progress::of(list.situation.application.as_ref()) >= Progress::Signed { NOW } else { LATER }
}

/// The rest of the parcel's road, from `next` on; only the first piece can be due now.
fn add_road(list: &mut List<'_>, next: R, status: DueStatus) {
    let road = [R::AddressUnconfirmed, R::DeviceUnpacked, R::DeviceInTransit, R::ReceiptUnconfirmed];
    for code in road.into_iter().skip_while(|code| *code != next) {
        if code != next {
            list.push(Entry::new(code, LATER));
            continue;
        }
        let entry = Entry::new(code, status);
        match &list.situation.shipment {
            Some(packed @ Shipment::ReadyToShip { .. }) => {
                list.push_timed(entry.awaiting(Party::Us(Desk::Logistics)), packed);
            }
            Some(shipment) if status == NOW => list.push_timed(entry, shipment),
            None | Some(_) => list.push(entry),
        }
    }
}

fn add_device(list: &mut List<'_>) {
    let Some(device) = list.situation.device.as_ref() else { return };
    match device {
        Device::Suspended { .. } => {
            list.push_timed(Entry::new(R::DeviceUnusable, NOW).awaiting(Party::Us(Desk::Risk)), device);
        }
        Device::Lost { .. } | Device::Tampered { .. } => {
            let entry = Entry::new(R::DeviceUnusable, NOW).awaiting(Party::Us(Desk::Risk));
            list.push_timed(entry.because(&[ReasonCode::T004]), device);
        }
        Device::Reassigning { .. } => {
            let entry = Entry::new(R::DeviceUnusable, NOW).awaiting(Party::Us(Desk::Operations));
            list.push_timed(entry.because(&[ReasonCode::T003]), device);
        }
        Device::Repair { .. } => list.push_timed(Entry::new(R::DeviceUnusable, NOW), device),
        Device::Retired { .. } => list.push(Entry::new(R::DeviceUnusable, NOW)),
        Device::InStock { .. }
        | Device::Reserved { .. }
        | Device::Dispatched { .. }
        | Device::Delivered { .. }
        | Device::Activating { .. }
        | Device::Active { .. }
        | Device::Consigned { .. } => {}
    }
}

fn add_activation(list: &mut List<'_>) {
    let situation = list.situation;
    let code = |status| Entry::new(R::ActivationUnstarted, status).at(Step::Claimed.as_str());
    match &situation.activation {
        None => {
            list.push(code(if in_hand(situation.device.as_ref()) { NOW } else { LATER }));
            add_pin(list, LATER);
            list.push(Entry::new(R::ActivationUnfinished, LATER));
        }
        Some(session) => {
            match session {
                Activation::CodeIssued { .. } => list.push_timed(code(NOW), session),
                Activation::Aborted { .. } => list.push(code(NOW)),
                Activation::Expired { .. } => {
                    list.push(Entry::new(R::ActivationExpired, NOW).because(&[ReasonCode::T102]));
                }
                Activation::Failed { step, code, .. } => {
                    let entry = Entry::new(R::ActivationFailed, NOW).at(step.as_str()).because(&[*code]);
                    list.push_timed(entry, session);
                }
                Activation::Claimed { .. }
                | Activation::IdentityProven { .. }
                | Activation::Compatible { .. }
                | Activation::NetworkOk { .. }
                | Activation::Located { .. }
                | Activation::BackedUp { .. }
                | Activation::KeysLoaded { .. }
                | Activation::ConfigApplied { .. }
                | Activation::SignedIn { .. }
                | Activation::PinSet { .. }
                | Activation::Tested { .. }
                | Activation::FirstTxnPending { .. }
                | Activation::Active { .. }
                | Activation::Waiting { .. } => {}
            }
            add_rest(list, session);
        }
    }
}

fn add_pin(list: &mut List<'_>, status: DueStatus) {
    if list.situation.operators_with_pin == 0 {
        list.push(Entry::new(R::OperatorPinUnset, status).at(Step::PinSet.as_str()));
    }
}

/// The steps still to go, as one entry that names the next.
fn add_rest(list: &mut List<'_>, session: &Activation) {
    let unfinished = |status| {
        let entry = Entry::new(R::ActivationUnfinished, status);
        match session.next_step() {
            Some(step) => entry.at(step.as_str()),
            None => entry,
        }
    };
    match session {
        Activation::Active { .. } => {}
        Activation::CodeIssued { .. }
        | Activation::Aborted { .. }
        | Activation::Expired { .. }
        | Activation::Failed { .. }
        | Activation::Waiting { .. } => {
            add_pin(list, LATER);
            list.push(unfinished(LATER));
        }
        Activation::SignedIn { .. } => {
            add_pin(list, NOW);
            list.push_timed(unfinished(LATER), session);
        }
        Activation::Tested { .. } => {
            add_pin(list, LATER);
            list.push_timed(unfinished(NOW).awaiting(Party::Us(Desk::Operations)), session);
        }
        Activation::FirstTxnPending { .. } => {
            // The terminal takes money already: only the word 已激活 waits.
            list.push(unfinished(NOW).awaiting(Party::Merchant).blocking(&[CapabilityKind::Activate]));
        }
        Activation::Claimed { .. }
        | Activation::IdentityProven { .. }
        | Activation::Compatible { .. }
        | Activation::NetworkOk { .. }
        | Activation::Located { .. }
        | Activation::BackedUp { .. }
        | Activation::KeysLoaded { .. }
        | Activation::ConfigApplied { .. }
        | Activation::PinSet { .. } => {
            add_pin(list, LATER);
            list.push_timed(unfinished(NOW), session);
        }
    }
}
