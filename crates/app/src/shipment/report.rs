//! What is reported of a parcel, and what follows for the terminal inside.

use crate::error::Error;
use crate::step::{Loaded, Step};
use starpay_domain::device::{Device, DeviceEvent};
use starpay_domain::shipment::{Shipment, ShipmentEvent};
use starpay_store::Value;

/// What a report does to the shipment and to the terminal inside. A terminal that contradicts the
/// report refuses it: the two never drift apart in silence.
pub(super) fn moved(
    step: &mut Step<'_>,
    found: Loaded<Shipment>,
    event: ShipmentEvent,
) -> Result<Loaded<Shipment>, Error> {
    let mut device = step.packed_device(&found)?;
    let after = inside(&event, &device.machine, &step.actor.id);
    let moved = step.advance(found, event)?;
    if let Some(after) = after {
        if matches!(after, DeviceEvent::ComeBack { .. }) {
            device.set("bound_merchant_id", Value::Null);
            device.set("bound_store_id", Value::Null);
        }
        step.advance(device, after)?;
    }
    Ok(moved)
}

/// What a shipment's event means for the terminal inside; nothing where it says nothing about the
/// terminal, and where the terminal is so already.
fn inside(event: &ShipmentEvent, device: &Device, by: &str) -> Option<DeviceEvent> {
    use Device as D;
    use ShipmentEvent as E;
    match (event, device) {
        (
            E::Deliver {} | E::ConfirmReceipt { .. },
            D::Delivered { .. } | D::Activating { .. } | D::Active { .. } | D::Suspended { .. },
        )
        | (E::ReportLost { .. }, D::Lost { .. })
        | (E::ReportDamaged { .. }, D::Tampered { .. })
        | (E::TakeBack {}, D::InStock { .. }) => None,
        (E::Deliver {} | E::ConfirmReceipt { .. }, _) => Some(DeviceEvent::Deliver {}),
        (E::ReportLost { .. }, _) => Some(DeviceEvent::ReportLost { by: by.to_owned() }),
        // Whoever opened the parcel may have opened the terminal: it gets no keys.
        (E::ReportDamaged { .. }, _) => {
            Some(DeviceEvent::ReportTampered { detail: "the parcel's seal was broken".to_owned() })
        }
        (E::TakeBack {}, _) => Some(DeviceEvent::ComeBack { place: "warehouse".to_owned() }),
        // These have their own say over the terminal, or none.
        (
            E::ConfirmAddress { .. }
            | E::Pack { .. }
            | E::Unpack { .. }
            | E::Dispatch { .. }
            | E::Delay { .. }
            | E::FailDelivery { .. }
            | E::Reopen { .. }
            | E::Cancel { .. },
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_domain::id::{ActivationId, MerchantId, ShipmentId, StoreId, TypedId};
    use starpay_domain::instant::Timestamp;
    use starpay_domain::machine::Machine;
    use uuid::Uuid;

    /// A terminal in each state that it can come to with a shipment's merchant, and on the shelf.
    fn devices() -> Vec<Device> {
        let id = Uuid::from_u128(7);
        let (since, merchant, store) =
            (Timestamp::from_micros(0), MerchantId::from_uuid(id), StoreId::from_uuid(id));
        let (shipment, activation, text) =
            (ShipmentId::from_uuid(id), ActivationId::from_uuid(id), String::new);
        vec![
            Device::InStock { since, place: text() },
            Device::Dispatched { since, merchant, store, shipment },
            Device::Delivered { since, merchant, store },
            Device::Activating { since, merchant, store, activation },
            Device::Active { since, merchant, store, activation },
            Device::Suspended { since, merchant, store, activation, by: text(), reason: text() },
            Device::Lost { since, merchant, store, by: text() },
            Device::Tampered { since, merchant, store, detail: text() },
            Device::Repair { since, reason: text() },
        ]
    }

    #[test]
    fn a_report_moves_the_terminal_finds_it_there_or_is_refused() {
        let received = ShipmentEvent::ConfirmReceipt {
            serial: String::new(),
            seal_intact: true,
            by: "con_1".to_owned(),
        };
        let damaged = ShipmentEvent::ReportDamaged { by: "con_1".to_owned(), seal_intact: false };
        // State by state, in the order above: moves, is there already, refuses.
        let cases = [
            (ShipmentEvent::Deliver {}, "RMTTTTRRR"),
            (received, "RMTTTTRRR"),
            (ShipmentEvent::ReportLost { claim: None }, "RMMMMMTRR"),
            (damaged, "RMMMMMRTR"),
            (ShipmentEvent::TakeBack {}, "TMMRRRRRR"),
            (ShipmentEvent::FailDelivery { reason: String::new() }, "TTTTTTTTT"),
        ];
        for (event, wanted) in cases {
            let seen: String = devices()
                .into_iter()
                .map(|device| match inside(&event, &device, "ak_1") {
                    None => 'T',
                    Some(after) if device.legal_events().contains(&after.name()) => 'M',
                    Some(_) => 'R',
                })
                .collect();
            assert_eq!(seen, wanted, "{}", event.name());
        }
    }
}
