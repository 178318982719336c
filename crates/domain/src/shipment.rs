//! 发货单: one device on its way to one shop.
//!
//! `address` refers to a version of the sealed delivery address, `seal` is the number of the
//! tamper-evident seal, `attempt` counts dispatches. The activation code never travels with the
//! parcel, so whoever finds one cannot use the device. A lost or damaged device is replaced by a
//! new shipment.

use crate::id::DeviceId;
use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Outside, Owned, Owner, Party, Then, owner};
use crate::term::Term;

crate::facts_enum! {
    /// The state of a shipment, with its facts.
    pub enum Shipment {
        /// 待备货.
        Pending "pending" { since: Timestamp, address: String, confirmed_at: Option<Timestamp>, attempt: u32 },
        /// 待发货.
        ReadyToShip "ready_to_ship" {
            since: Timestamp, address: String, confirmed_at: Option<Timestamp>, attempt: u32,
            device: DeviceId, serial: String, seal: String,
        },
        /// 已发货.
        Shipped "shipped" {
            since: Timestamp, address: String, attempt: u32, device: DeviceId, serial: String, seal: String,
            carrier: String, tracking_no: String, expected_at: Timestamp,
        },
        /// 已送达.
        Delivered "delivered" {
            since: Timestamp, attempt: u32, device: DeviceId, serial: String, seal: String,
            carrier: String, tracking_no: String,
        },
        /// 已签收: the merchant confirmed seal and serial.
        Received "received" {
            since: Timestamp, device: DeviceId, serial: String, seal_intact: bool, by: String,
            tracking_no: Option<String>,
        },
        /// 已取消.
        Cancelled "cancelled" { since: Timestamp, by: String, reason: String },
        /// 无法投递.
        Undeliverable "undeliverable" {
            since: Timestamp, attempt: u32, device: DeviceId, serial: String,
            carrier: String, tracking_no: String, reason: String,
        },
        /// 已退回.
        Returned "returned" { since: Timestamp, attempt: u32, device: DeviceId, serial: String, reason: String },
        /// 运输丢失.
        LostInTransit "lost_in_transit" {
            since: Timestamp, device: DeviceId, serial: String, carrier: String, tracking_no: String, claim: Option<String>,
        },
        /// 破损.
        Damaged "damaged" {
            since: Timestamp, device: DeviceId, serial: String, by: String, seal_intact: bool,
            tracking_no: Option<String>,
        },
    }
}

crate::facts_enum! {
    /// What moves a shipment.
    pub enum ShipmentEvent {
        /// The merchant confirmed the address.
        ConfirmAddress "confirm_address" { address: String },
        /// The warehouse packed and sealed a device.
        Pack "pack" { device: DeviceId, serial: String, seal: String },
        /// The packed device was taken out again.
        Unpack "unpack" { reason: String },
        /// Handed to the carrier.
        Dispatch "dispatch" { carrier: String, tracking_no: String, expected_at: Timestamp },
        /// The carrier moved the expected day.
        Delay "delay" { expected_at: Timestamp },
        /// The carrier delivered it.
        Deliver "deliver" {},
        /// The merchant has it in hand, with this serial and this seal.
        ConfirmReceipt "confirm_receipt" { serial: String, seal_intact: bool, by: String },
        /// The carrier could not deliver it.
        FailDelivery "fail_delivery" { reason: String },
        /// It came back to the warehouse.
        TakeBack "take_back" {},
        /// It is sent again, to a corrected address.
        Reopen "reopen" { address: String },
        /// The carrier lost it.
        ReportLost "report_lost" { claim: Option<String> },
        /// It arrived broken, or with a broken seal.
        ReportDamaged "report_damaged" { by: String, seal_intact: bool },
        /// Not sent at all.
        Cancel "cancel" { by: String, reason: String },
    }
}

/// Every legal move of a shipment.
pub const EDGES: &[Edge] = &[
    edge("pending", "confirm_address", "pending"),
    edge("pending", "pack", "ready_to_ship"),
    edge("pending", "cancel", "cancelled"),
    edge("ready_to_ship", "unpack", "pending"),
    edge("ready_to_ship", "dispatch", "shipped"),
    edge("shipped", "delay", "shipped"),
    edge("shipped", "deliver", "delivered"),
    edge("shipped", "confirm_receipt", "received"),
    edge("shipped", "fail_delivery", "undeliverable"),
    edge("shipped", "report_lost", "lost_in_transit"),
    edge("shipped", "report_damaged", "damaged"),
    edge("delivered", "confirm_receipt", "received"),
    edge("delivered", "report_damaged", "damaged"),
    edge("delivered", "report_lost", "lost_in_transit"),
    edge("undeliverable", "take_back", "returned"),
    edge("undeliverable", "report_lost", "lost_in_transit"),
    edge("returned", "reopen", "pending"),
    edge("returned", "cancel", "cancelled"),
];

impl Owned for Shipment {
    const OWNERS: &'static [Owner] = &[
        owner("pending", Party::Us(Desk::Logistics), Limit::Within(Term::Packing, Then::Escalate)),
        owner("ready_to_ship", Party::Us(Desk::Logistics), Limit::Within(Term::Collection, Then::Escalate)),
        owner("shipped", Party::ThirdParty(Outside::Carrier), Limit::Until("expected_at", Then::Escalate)),
        owner("delivered", Party::Merchant, Limit::Within(Term::Receipt, Then::Remind)),
        owner(
            "undeliverable",
            Party::ThirdParty(Outside::Carrier),
            Limit::Within(Term::ReturnTransit, Then::Escalate),
        ),
        owner("returned", Party::Merchant, Limit::Within(Term::AddressCorrection, Then::Apply("cancel"))),
    ];
}

crate::machine!(Shipment, ShipmentEvent, "shipment", EDGES, apply);

impl Shipment {
    /// A shipment to this version of the delivery address.
    #[must_use]
    pub const fn begin(address: String, at: Timestamp) -> Self {
        Self::Pending { since: at, address, confirmed_at: None, attempt: 1 }
    }
}

use Shipment as S;
use ShipmentEvent as E;

fn apply(state: Shipment, event: ShipmentEvent, at: Timestamp) -> Result<Shipment, Illegal> {
    match (state, event) {
        (S::Pending { since, attempt, .. }, E::ConfirmAddress { address }) => {
            Ok(S::Pending { since, address, confirmed_at: Some(at), attempt })
        }
        (S::Pending { address, confirmed_at, attempt, .. }, E::Pack { device, serial, seal }) => {
            Ok(S::ReadyToShip { since: at, address, confirmed_at, attempt, device, serial, seal })
        }
        (S::ReadyToShip { address, confirmed_at, attempt, .. }, E::Unpack { .. }) => {
            Ok(S::Pending { since: at, address, confirmed_at, attempt })
        }
        (
            S::ReadyToShip { address, attempt, device, serial, seal, .. },
            E::Dispatch { carrier, tracking_no, expected_at },
        ) => Ok(S::Shipped {
            since: at,
            address,
            attempt,
            device,
            serial,
            seal,
            carrier,
            tracking_no,
            expected_at,
        }),
        (
            S::Shipped { since, address, attempt, device, serial, seal, carrier, tracking_no, .. },
            E::Delay { expected_at },
        ) => Ok(S::Shipped {
            since,
            address,
            attempt,
            device,
            serial,
            seal,
            carrier,
            tracking_no,
            expected_at,
        }),
        (S::Shipped { attempt, device, serial, seal, carrier, tracking_no, .. }, E::Deliver {}) => {
            Ok(S::Delivered { since: at, attempt, device, serial, seal, carrier, tracking_no })
        }
        (
            S::Shipped { device, tracking_no, .. } | S::Delivered { device, tracking_no, .. },
            E::ConfirmReceipt { serial, seal_intact, by },
        ) => Ok(S::Received { since: at, device, serial, seal_intact, by, tracking_no: Some(tracking_no) }),
        (S::Shipped { attempt, device, serial, carrier, tracking_no, .. }, E::FailDelivery { reason }) => {
            Ok(S::Undeliverable { since: at, attempt, device, serial, carrier, tracking_no, reason })
        }
        (state, event) => mishap(state, event, at),
    }
}

/// What goes wrong on the road, and the way back.
fn mishap(state: Shipment, event: ShipmentEvent, at: Timestamp) -> Result<Shipment, Illegal> {
    match (state, event) {
        (
            S::Shipped { device, serial, carrier, tracking_no, .. }
            | S::Delivered { device, serial, carrier, tracking_no, .. }
            | S::Undeliverable { device, serial, carrier, tracking_no, .. },
            E::ReportLost { claim },
        ) => Ok(S::LostInTransit { since: at, device, serial, carrier, tracking_no, claim }),
        (
            S::Shipped { device, serial, tracking_no, .. } | S::Delivered { device, serial, tracking_no, .. },
            E::ReportDamaged { by, seal_intact },
        ) => Ok(S::Damaged { since: at, device, serial, by, seal_intact, tracking_no: Some(tracking_no) }),
        (S::Undeliverable { attempt, device, serial, reason, .. }, E::TakeBack {}) => {
            Ok(S::Returned { since: at, attempt, device, serial, reason })
        }
        (S::Returned { attempt, .. }, E::Reopen { address }) => {
            Ok(S::Pending { since: at, address, confirmed_at: Some(at), attempt: attempt.saturating_add(1) })
        }
        (S::Pending { .. } | S::Returned { .. }, E::Cancel { by, reason }) => {
            Ok(S::Cancelled { since: at, by, reason })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check, id, picks, stroll};
    use proptest::prelude::*;

    impl Walk for Shipment {
        const EVENTS: &'static [&'static str] = ShipmentEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::begin("addr-1".into(), NOON)]
        }
        fn events() -> Vec<ShipmentEvent> {
            let serial = "99990004STAR00000001".to_owned();
            vec![
                E::ConfirmAddress { address: "addr-2".into() },
                E::Pack { device: id(1), serial: serial.clone(), seal: "S-1".into() },
                E::Unpack { reason: "scratched".into() },
                E::Dispatch {
                    carrier: "sandbox".into(),
                    tracking_no: "T1".into(),
                    expected_at: NOON.plus_seconds(86_400),
                },
                E::Delay { expected_at: NOON.plus_seconds(172_800) },
                E::Deliver {},
                E::ConfirmReceipt { serial: serial.clone(), seal_intact: true, by: "con_1".into() },
                E::ConfirmReceipt { serial, seal_intact: false, by: "con_1".into() },
                E::FailDelivery { reason: "moved".into() },
                E::TakeBack {},
                E::Reopen { address: "addr-3".into() },
                E::ReportLost { claim: None },
                E::ReportDamaged { by: "con_1".into(), seal_intact: false },
                E::Cancel { by: "con_1".into(), reason: "withdrawn".into() },
            ]
        }
    }

    #[test]
    fn shipment_follows_its_edges() {
        check::<Shipment>();
    }

    #[test]
    fn a_parcel_in_hand_keeps_its_number() {
        let serial = "99990004STAR00000001".to_owned();
        let shipped = S::Shipped {
            since: NOON,
            address: "addr-1".into(),
            attempt: 1,
            device: id(1),
            serial: serial.clone(),
            seal: "S-1".into(),
            carrier: "sandbox".into(),
            tracking_no: "T1".into(),
            expected_at: NOON,
        };
        let delivered = shipped.clone().apply(E::Deliver {}, NOON).unwrap();
        let by = "con_1".to_owned();
        for on_the_way in [shipped, delivered] {
            for event in [
                E::ConfirmReceipt { serial: serial.clone(), seal_intact: true, by: by.clone() },
                E::ReportDamaged { by: by.clone(), seal_intact: false },
            ] {
                let facts = on_the_way.clone().apply(event, NOON).unwrap().facts();
                assert_eq!(facts.get("tracking_no").map(String::as_str), Some("T1"));
            }
        }
        // One received before the number was kept still reads.
        let mut facts = S::Received {
            since: NOON,
            device: id(1),
            serial,
            seal_intact: true,
            by,
            tracking_no: Some("T1".into()),
        }
        .facts();
        facts.remove("tracking_no");
        assert!(matches!(S::restore("received", &facts), Ok(S::Received { tracking_no: None, .. })));
    }

    proptest! {
        #[test]
        fn an_address_once_confirmed_stays_confirmed(picks in picks()) {
            let mut confirmed = false;
            for (event, state) in stroll::<Shipment>(&picks) {
                confirmed |= matches!(event, ShipmentEvent::ConfirmAddress { .. } | ShipmentEvent::Reopen { .. });
                if let Shipment::Pending { confirmed_at, .. } | Shipment::ReadyToShip { confirmed_at, .. } = &state {
                    prop_assert_eq!(confirmed_at.is_some(), confirmed);
                }
            }
        }
    }
}
