//! 终端设备: one machine with one serial, from the shelf to the scrap heap.
//!
//! One device has at most one live merchant (一机一户): from the moment it is reserved its state
//! carries `merchant` and `store`, and the only way back to the shelf from a shop is through
//! `reassigning`, which ends when the closure of the old registration has been reported.

use crate::id::{ActivationId, MerchantId, ShipmentId, StoreId};
use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Outside, Owned, Owner, Party, Then, owner};
use crate::term::Term;

crate::text_enum! {
    /// Where a device goes once the old merchant's closure has been reported.
    pub enum Afterwards {
        /// Back on the shelf.
        Stock "stock",
        /// To the workshop.
        Repair "repair",
        /// Out of use.
        Retire "retire",
    }
}

crate::facts_enum! {
    /// The state of a device, with its facts.
    pub enum Device {
        /// 在库.
        InStock "in_stock" { since: Timestamp, place: String },
        /// 已预留.
        Reserved "reserved" { since: Timestamp, merchant: MerchantId, store: StoreId, shipment: Option<ShipmentId> },
        /// 已发出.
        Dispatched "dispatched" { since: Timestamp, merchant: MerchantId, store: StoreId, shipment: ShipmentId },
        /// 已送达.
        Delivered "delivered" { since: Timestamp, merchant: MerchantId, store: StoreId },
        /// 激活中.
        Activating "activating" { since: Timestamp, merchant: MerchantId, store: StoreId, activation: ActivationId },
        /// 已激活.
        Active "active" { since: Timestamp, merchant: MerchantId, store: StoreId, activation: ActivationId },
        /// 已停用.
        Suspended "suspended" {
            since: Timestamp, merchant: MerchantId, store: StoreId, activation: ActivationId, by: String, reason: String,
        },
        /// 寄存: at a service provider or branch.
        Consigned "consigned" { since: Timestamp, holder: String },
        /// 换绑中: the old merchant's closure is being reported.
        Reassigning "reassigning" { since: Timestamp, merchant: MerchantId, reason: String, afterwards: Afterwards },
        /// 丢失.
        Lost "lost" { since: Timestamp, merchant: MerchantId, store: StoreId, by: String },
        /// 拆机报警.
        Tampered "tampered" { since: Timestamp, merchant: MerchantId, store: StoreId, detail: String },
        /// 维修.
        Repair "repair" { since: Timestamp, reason: String },
        /// 报废.
        Retired "retired" { since: Timestamp, by: String, reason: String },
    }
}

crate::facts_enum! {
    /// What moves a device.
    pub enum DeviceEvent {
        /// Set aside for a shop.
        Reserve "reserve" { merchant: MerchantId, store: StoreId, shipment: Option<ShipmentId> },
        /// No longer set aside.
        Release "release" { place: String, reason: String },
        /// Given to the carrier.
        Dispatch "dispatch" { shipment: ShipmentId },
        /// Delivered by the carrier.
        Deliver "deliver" {},
        /// Given to the merchant in person.
        HandOver "hand_over" { by: String },
        /// Came back unused.
        ComeBack "come_back" { place: String },
        /// Left at a service provider or branch.
        Consign "consign" { holder: String },
        /// Fetched from there.
        TakeBack "take_back" { place: String },
        /// An activation began.
        StartActivation "start_activation" { activation: ActivationId },
        /// The activation ended without success.
        EndActivation "end_activation" { reason: String },
        /// The activation succeeded.
        Activate "activate" {},
        /// Switched off for now.
        Suspend "suspend" { by: String, reason: String },
        /// Switched on again.
        Resume "resume" { by: String },
        /// Taken from its merchant.
        Unbind "unbind" { by: String, reason: String, afterwards: Afterwards },
        /// The closure of the old registration was reported.
        ReportClosure "report_closure" { reference: String, place: String },
        /// Lost or stolen.
        ReportLost "report_lost" { by: String },
        /// Turned up at its merchant's: its keys are gone, so it must be activated again.
        Find "find" { by: String },
        /// It says that it was opened.
        ReportTampered "report_tampered" { detail: String },
        /// To the workshop.
        SendToRepair "send_to_repair" { reason: String },
        /// Repaired and tested.
        FinishRepair "finish_repair" { place: String },
        /// Out of use for good.
        Retire "retire" { by: String, reason: String },
    }
}

/// Every legal move of a device.
pub const EDGES: &[Edge] = &[
    edge("in_stock", "reserve", "reserved"),
    edge("in_stock", "consign", "consigned"),
    edge("in_stock", "send_to_repair", "repair"),
    edge("in_stock", "retire", "retired"),
    edge("consigned", "reserve", "reserved"),
    edge("consigned", "take_back", "in_stock"),
    edge("consigned", "retire", "retired"),
    edge("reserved", "release", "in_stock"),
    edge("reserved", "dispatch", "dispatched"),
    edge("reserved", "hand_over", "delivered"),
    edge("dispatched", "deliver", "delivered"),
    edge("dispatched", "come_back", "in_stock"),
    edge("dispatched", "report_lost", "lost"),
    edge("dispatched", "report_tampered", "tampered"),
    edge("delivered", "start_activation", "activating"),
    edge("delivered", "come_back", "in_stock"),
    edge("delivered", "unbind", "reassigning"),
    edge("delivered", "report_lost", "lost"),
    edge("delivered", "report_tampered", "tampered"),
    edge("activating", "activate", "active"),
    edge("activating", "end_activation", "delivered"),
    edge("activating", "unbind", "reassigning"),
    edge("activating", "report_lost", "lost"),
    edge("activating", "report_tampered", "tampered"),
    edge("active", "suspend", "suspended"),
    edge("active", "unbind", "reassigning"),
    edge("active", "report_lost", "lost"),
    edge("active", "report_tampered", "tampered"),
    edge("suspended", "resume", "active"),
    edge("suspended", "unbind", "reassigning"),
    edge("suspended", "report_lost", "lost"),
    edge("suspended", "report_tampered", "tampered"),
    edge("reassigning", "report_closure", "in_stock"),
    edge("reassigning", "report_closure", "repair"),
    edge("reassigning", "report_closure", "retired"),
    edge("lost", "find", "delivered"),
    edge("lost", "unbind", "reassigning"),
    edge("tampered", "unbind", "reassigning"),
    edge("repair", "finish_repair", "in_stock"),
    edge("repair", "retire", "retired"),
];

const STOCK: Party = Party::Us(Desk::Logistics);

impl Owned for Device {
    const OWNERS: &'static [Owner] = &[
        owner("in_stock", STOCK, Limit::Unlimited("a shelf is where it may stay")),
        owner("reserved", STOCK, Limit::Within(Term::Reservation, Then::Apply("release"))),
        owner(
            "dispatched",
            Party::ThirdParty(Outside::Carrier),
            Limit::Unlimited("the shipment has the carrier's own date"),
        ),
        owner("delivered", Party::Merchant, Limit::Within(Term::FirstUse, Then::Remind)),
        owner("activating", Party::Device, Limit::Unlimited("the activation has its own deadline")),
        owner("active", Party::Merchant, Limit::Unlimited("it lasts as long as the merchant trades")),
        owner("suspended", Party::Us(Desk::Risk), Limit::Within(Term::SuspensionReview, Then::Escalate)),
        owner("consigned", STOCK, Limit::Within(Term::ConsignmentCount, Then::Remind)),
        owner("reassigning", Party::Us(Desk::Operations), Limit::Within(Term::Closure, Then::Escalate)),
        owner("lost", Party::Us(Desk::Risk), Limit::Within(Term::IncidentClosure, Then::Escalate)),
        owner("tampered", Party::Us(Desk::Risk), Limit::Within(Term::IncidentClosure, Then::Escalate)),
        owner("repair", STOCK, Limit::Within(Term::Repair, Then::Escalate)),
    ];
}

crate::machine!(Device, DeviceEvent, "device", EDGES, apply);

impl Device {
    /// The merchant that holds it now: at most one, and none on the shelf.
    #[must_use]
    pub const fn merchant(&self) -> Option<MerchantId> {
        match self {
            Self::Reserved { merchant, .. }
            | Self::Dispatched { merchant, .. }
            | Self::Delivered { merchant, .. }
            | Self::Activating { merchant, .. }
            | Self::Active { merchant, .. }
            | Self::Suspended { merchant, .. }
            | Self::Reassigning { merchant, .. }
            | Self::Lost { merchant, .. }
            | Self::Tampered { merchant, .. } => Some(*merchant),
            Self::InStock { .. } | Self::Consigned { .. } | Self::Repair { .. } | Self::Retired { .. } => {
                None
            }
        }
    }

    /// The shop it stands in or is meant for.
    #[must_use]
    pub const fn store(&self) -> Option<StoreId> {
        match self {
            Self::Reserved { store, .. }
            | Self::Dispatched { store, .. }
            | Self::Delivered { store, .. }
            | Self::Activating { store, .. }
            | Self::Active { store, .. }
            | Self::Suspended { store, .. }
            | Self::Lost { store, .. }
            | Self::Tampered { store, .. } => Some(*store),
            Self::InStock { .. }
            | Self::Consigned { .. }
            | Self::Reassigning { .. }
            | Self::Repair { .. }
            | Self::Retired { .. } => None,
        }
    }
}

use Device as S;
use DeviceEvent as E;

fn apply(state: Device, event: DeviceEvent, at: Timestamp) -> Result<Device, Illegal> {
    match event {
        E::Reserve { .. }
        | E::Release { .. }
        | E::Dispatch { .. }
        | E::Deliver {}
        | E::HandOver { .. }
        | E::ComeBack { .. }
        | E::Consign { .. }
        | E::TakeBack { .. } => supply(state, event, at),
        E::StartActivation { .. }
        | E::EndActivation { .. }
        | E::Activate {}
        | E::Suspend { .. }
        | E::Resume { .. }
        | E::Unbind { .. }
        | E::ReportClosure { .. } => operate(state, event, at),
        E::ReportLost { .. }
        | E::Find { .. }
        | E::ReportTampered { .. }
        | E::SendToRepair { .. }
        | E::FinishRepair { .. }
        | E::Retire { .. } => mishap(state, event, at),
    }
}

fn supply(state: Device, event: DeviceEvent, at: Timestamp) -> Result<Device, Illegal> {
    match (state, event) {
        (S::InStock { .. } | S::Consigned { .. }, E::Reserve { merchant, store, shipment }) => {
            Ok(S::Reserved { since: at, merchant, store, shipment })
        }
        (S::InStock { .. }, E::Consign { holder }) => Ok(S::Consigned { since: at, holder }),
        (S::Consigned { .. }, E::TakeBack { place })
        | (S::Reserved { .. }, E::Release { place, .. })
        | (S::Dispatched { .. } | S::Delivered { .. }, E::ComeBack { place }) => {
            Ok(S::InStock { since: at, place })
        }
        (S::Reserved { merchant, store, .. }, E::Dispatch { shipment }) => {
            Ok(S::Dispatched { since: at, merchant, store, shipment })
        }
        (S::Reserved { merchant, store, .. }, E::HandOver { .. })
        | (S::Dispatched { merchant, store, .. }, E::Deliver {}) => {
            Ok(S::Delivered { since: at, merchant, store })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

fn operate(state: Device, event: DeviceEvent, at: Timestamp) -> Result<Device, Illegal> {
    match (state, event) {
        (S::Delivered { merchant, store, .. }, E::StartActivation { activation }) => {
            Ok(S::Activating { since: at, merchant, store, activation })
        }
        (S::Activating { merchant, store, .. }, E::EndActivation { .. }) => {
            Ok(S::Delivered { since: at, merchant, store })
        }
        (S::Activating { merchant, store, activation, .. }, E::Activate {})
        | (S::Suspended { merchant, store, activation, .. }, E::Resume { .. }) => {
            Ok(S::Active { since: at, merchant, store, activation })
        }
        (S::Active { merchant, store, activation, .. }, E::Suspend { by, reason }) => {
            Ok(S::Suspended { since: at, merchant, store, activation, by, reason })
        }
        (
            S::Delivered { merchant, .. }
            | S::Activating { merchant, .. }
            | S::Active { merchant, .. }
            | S::Suspended { merchant, .. }
            | S::Lost { merchant, .. }
            | S::Tampered { merchant, .. },
            E::Unbind { reason, afterwards, .. },
        ) => Ok(S::Reassigning { since: at, merchant, reason, afterwards }),
        (S::Reassigning { reason, afterwards, .. }, E::ReportClosure { place, .. }) => Ok(match afterwards {
            Afterwards::Stock => S::InStock { since: at, place },
            Afterwards::Repair => S::Repair { since: at, reason },
            Afterwards::Retire => S::Retired { since: at, by: "closure".to_owned(), reason },
        }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

fn mishap(state: Device, event: DeviceEvent, at: Timestamp) -> Result<Device, Illegal> {
    match (state, event) {
        (
            S::Dispatched { merchant, store, .. }
            | S::Delivered { merchant, store, .. }
            | S::Activating { merchant, store, .. }
            | S::Active { merchant, store, .. }
            | S::Suspended { merchant, store, .. },
            E::ReportLost { by },
        ) => Ok(S::Lost { since: at, merchant, store, by }),
        (
            S::Dispatched { merchant, store, .. }
            | S::Delivered { merchant, store, .. }
            | S::Activating { merchant, store, .. }
            | S::Active { merchant, store, .. }
            | S::Suspended { merchant, store, .. },
            E::ReportTampered { detail },
        ) => Ok(S::Tampered { since: at, merchant, store, detail }),
        (S::Lost { merchant, store, .. }, E::Find { .. }) => Ok(S::Delivered { since: at, merchant, store }),
        (S::InStock { .. }, E::SendToRepair { reason }) => Ok(S::Repair { since: at, reason }),
        (S::Repair { .. }, E::FinishRepair { place }) => Ok(S::InStock { since: at, place }),
        (S::InStock { .. } | S::Consigned { .. } | S::Repair { .. }, E::Retire { by, reason }) => {
            Ok(S::Retired { since: at, by, reason })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, id, picks, stroll};
    use proptest::prelude::*;

    impl Walk for Device {
        const EVENTS: &'static [&'static str] = DeviceEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::InStock { since: NOON, place: "A1".into() }]
        }
        fn events() -> Vec<DeviceEvent> {
            let (by, place, reason) = ("staff:w".to_owned(), "A1".to_owned(), "r".to_owned());
            let mut events = vec![
                E::Reserve { merchant: id(1), store: id(2), shipment: Some(id(3)) },
                E::Reserve { merchant: id(4), store: id(5), shipment: None },
                E::Release { place: place.clone(), reason: reason.clone() },
                E::Dispatch { shipment: id(3) },
                E::Deliver {},
                E::HandOver { by: by.clone() },
                E::ComeBack { place: place.clone() },
                E::Consign { holder: "branch-1".into() },
                E::TakeBack { place: place.clone() },
                E::StartActivation { activation: id(6) },
                E::EndActivation { reason: "expired".into() },
                E::Activate {},
                E::Suspend { by: by.clone(), reason: reason.clone() },
                E::Resume { by: by.clone() },
                E::ReportClosure { reference: "c1".into(), place: place.clone() },
                E::ReportLost { by: by.clone() },
                E::Find { by: by.clone() },
                E::ReportTampered { detail: "case switch".into() },
                E::SendToRepair { reason: reason.clone() },
                E::FinishRepair { place },
                E::Retire { by: by.clone(), reason: reason.clone() },
            ];
            events.extend(Afterwards::ALL.iter().map(|afterwards| E::Unbind {
                by: by.clone(),
                reason: reason.clone(),
                afterwards: *afterwards,
            }));
            events
        }
    }

    #[test]
    fn device_follows_its_edges() {
        check::<Device>();
    }

    proptest! {
        #[test]
        fn a_device_changes_its_merchant_only_on_the_shelf(picks in picks()) {
            let mut before = None;
            for (_, state) in stroll::<Device>(&picks) {
                let now = state.merchant();
                prop_assert!(before.is_none() || now.is_none() || before == now, "{:?} to {:?}", before, now);
                before = now;
            }
        }

        #[test]
        fn an_active_device_reaches_the_shelf_only_after_closure_was_reported(picks in picks()) {
            let mut closure_owed = false;
            for (event, state) in stroll::<Device>(&picks) {
                closure_owed |= state.name() == "active";
                closure_owed &= !matches!(event, DeviceEvent::ReportClosure { .. });
                prop_assert!(!(closure_owed && state.name() == "in_stock"), "{:?}", state);
            }
        }
    }
}
