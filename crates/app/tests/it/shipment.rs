//! 发货: what is ordered at the carrier, and what its reports do to the terminal inside.

use crate::world::{Far, SERIAL, World, page};
use starpay_app::port::{AdapterName, Answer, Carrier, ParcelRequest, PortError, Simulated, TrackingEvent};
use starpay_app::view::{AddressConfirmation, HandOver, PackShipment, Receipt, ShipmentView, TrackReport};
use starpay_app::{Error, IdempotencyKey, Role};
use starpay_domain::id::ShipmentId;
use starpay_store::Engine;
use std::sync::{Arc, Mutex};

/// Remembers what was ordered; the first answer may be lost on the way.
#[derive(Default)]
struct Orders {
    references: Mutex<Vec<String>>,
    lose: Mutex<usize>,
}

impl Orders {
    fn seen(&self) -> Vec<String> {
        self.references.lock().unwrap().clone()
    }
}

impl Carrier for Orders {
    fn adapter(&self) -> AdapterName {
        AdapterName { name: "orders", simulated: Simulated::Sandbox }
    }

    fn carrier(&self) -> &'static str {
        "sandbox"
    }

    fn order(&self, parcel: ParcelRequest) -> Answer<'_, String> {
        self.references.lock().unwrap().push(parcel.reference.clone());
        let mut lose = self.lose.lock().unwrap();
        let lost = *lose > 0;
        *lose = lose.saturating_sub(1);
        Box::pin(async move {
            match lost {
                true => Err(PortError::Unavailable { adapter: "orders", why: "no answer".to_owned() }),
                false => Ok(parcel.reference),
            }
        })
    }

    fn track(&self, _: String) -> Answer<'_, Vec<TrackingEvent>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

async fn world(far: Far) -> (World, Arc<Orders>, ShipmentId) {
    let orders = Arc::new(Orders::default());
    let port = Arc::clone(&orders);
    let world = World::on(Engine::Sqlite, far, move |ports| ports.carrier = port).await;
    let id = world.shipment(&world.owner().await).await;
    (world, orders, id)
}

async fn hand_over(world: &World, id: ShipmentId, key: &str) -> Result<ShipmentView, Error> {
    let handed = HandOver { carrier: "sandbox".to_owned(), tracking_no: None };
    let key = Some(IdempotencyKey::parse(key).unwrap());
    let reply = world.platform.hand_over_shipment(&world.staff(Role::Warehouse), key, id, handed).await;
    reply.map(|reply| reply.value)
}

async fn track(world: &World, id: ShipmentId, status: &str) -> Result<ShipmentView, Error> {
    let said = TrackReport { status: status.to_owned() };
    let reply = world.platform.track_report(&world.staff(Role::Courier), None, id, said).await;
    reply.map(|reply| reply.value)
}

async fn pack(world: &World, id: ShipmentId) {
    let packed = PackShipment { serial: SERIAL.to_owned(), seal: "SEAL-2".to_owned() };
    world.platform.pack_shipment(&world.staff(Role::Warehouse), None, id, packed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parcel_is_ordered_for_what_cannot_go() {
    let (world, orders, id) = world(Far::Registered).await;
    assert_eq!(hand_over(&world, id, "early").await.unwrap_err().code, "illegal_transition");
    assert_eq!(orders.seen(), Vec::<String>::new());
    // Packed, ordered, answer lost: the same parcel is asked for again.
    world.pack(&world.owner().await).await;
    // A carrier that takes no orders of ours is named by its parcel's number, or not at all.
    let elsewhere = HandOver { carrier: "fedex".to_owned(), tracking_no: None };
    let desk = world.staff(Role::Warehouse);
    let refused = world.platform.hand_over_shipment(&desk, None, id, elsewhere).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), ("choice", Some("carrier")));
    assert_eq!((refused.choices, orders.seen()), (vec!["sandbox".to_owned()], Vec::new()));
    *orders.lose.lock().unwrap() = 1;
    assert_eq!(hand_over(&world, id, "once").await.unwrap_err().code, "unavailable");
    let shipped = hand_over(&world, id, "once").await.unwrap();
    let seen = orders.seen();
    assert_eq!((seen.len(), &seen[0]), (2, &seen[1]));
    assert_eq!(shipped.tracking_no.as_ref(), Some(&seen[0]));
    // Gone: asking again repeats the answer or is refused, and orders nothing.
    assert_eq!(hand_over(&world, id, "once").await.unwrap().tracking_no, shipped.tracking_no);
    assert_eq!(hand_over(&world, id, "late").await.unwrap_err().code, "illegal_transition");
    assert_eq!(orders.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_is_another_parcel() {
    let (world, orders, id) = world(Far::Packed).await;
    let first = hand_over(&world, id, "first").await.unwrap().tracking_no.unwrap();
    track(&world, id, "undeliverable").await.unwrap();
    track(&world, id, "returned").await.unwrap();
    let corrected =
        AddressConfirmation { address: Some("广东省深圳市样例区样例路101号".to_owned()) };
    world.platform.confirm_address(&world.owner().await, None, id, corrected).await.unwrap();
    pack(&world, id).await;
    let second = hand_over(&world, id, "second").await.unwrap().tracking_no.unwrap();
    assert_ne!(first, second);
    assert_eq!(orders.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_merchant_sees_their_parcels_number_when_they_have_it_in_hand() {
    for seal_intact in [true, false] {
        let (world, _, id) = world(Far::Packed).await;
        let owner = world.owner().await;
        let ordered = hand_over(&world, id, "once").await.unwrap().tracking_no;
        assert!(ordered.is_some());
        let number = async || {
            let seen = world.platform.shipments(&owner, None, page()).await.unwrap().data.remove(0);
            (seen.state, seen.tracking_no)
        };
        assert_eq!(number().await, ("shipped".to_owned(), ordered.clone()));
        track(&world, id, "delivered").await.unwrap();
        assert_eq!(number().await, ("delivered".to_owned(), ordered.clone()));
        let receipt = Receipt { serial: SERIAL.to_owned(), seal_intact };
        let answered = world.platform.confirm_receipt(&owner, None, id, receipt).await.unwrap().value;
        let state = if seal_intact { "received" } else { "damaged" };
        assert_eq!((answered.state.as_str(), &answered.tracking_no), (state, &ordered));
        assert_eq!(number().await, (state.to_owned(), ordered));
    }
}
