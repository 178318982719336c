//! 发货: the terminal's way to the shop. The activation code never travels with the parcel, so
//! whoever finds one cannot use it.

mod report;

use self::report::moved;
use crate::error::Error;
use crate::job::Work;
use crate::message::{News, Template};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::port::ParcelRequest;
use crate::port::TrackingStatus;
use crate::step::{Loaded, PLATFORM, Step};
use crate::view::{
    AddressConfirmation, HandOver, List, PackShipment, Page, Receipt, ShipmentView, TrackReport,
};
use crate::{Action, Actor, Scope};
use secrecy::SecretString;
use starpay_domain::application::Application;
use starpay_domain::device::{Device, DeviceEvent};
use starpay_domain::id::{ApplicationId, MerchantId, ShipmentId, StoreId, TypedId};
use starpay_domain::identifier::TerminalSerial;
use starpay_domain::machine::Machine;
use starpay_domain::shipment::{Shipment, ShipmentEvent};
use starpay_domain::term::Term;
use starpay_store::aggregate::shipment as rows;
use starpay_store::{Page as Found, Value, aggregate, store_place};
use uuid::Uuid;

/// Longest address, in characters.
const ADDRESS_CHARS_MAX: usize = 200;
/// Longest name, number or seal of a carrier or warehouse, in characters.
pub(crate) const LABEL_CHARS_MAX: usize = 64;

impl Platform {
    /// Shipments: of one application, a merchant's own, those handed to the carrier that asks, or
    /// all for staff.
    ///
    /// # Errors
    /// `validation_failed` for a cursor that is not one of ours.
    pub async fn shipments(
        &self,
        actor: &Actor,
        application: Option<ApplicationId>,
        page: Page,
    ) -> Result<List<ShipmentView>, Error> {
        actor.may(Action::ShipmentView)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let found = match application {
                Some(application) => {
                    let owner = step.get::<Application>(application)?.merchant;
                    let latest = rows::latest_of_application(step.tx, application.uuid(), owner.uuid())?;
                    Found { rows: latest.into_iter().collect(), next: None }
                }
                None if step.actor.scope() == Scope::Carrier => {
                    let own = step.actor.subject.clone().unwrap_or_default();
                    rows::list_by_carrier(step.tx, &own, after, limit)?
                }
                None => step.page_of::<Shipment>(after, limit)?,
            };
            crate::paging::write(found, |row| {
                let found: Loaded<Shipment> = step.load(row)?;
                refuse_other_carrier(step, &found)?;
                view(&found)
            })
        })
        .await
    }

    /// The merchant confirms, or corrects, where the parcel goes. One that came back is sent again.
    ///
    /// # Errors
    /// `illegal_transition`, `length`.
    pub async fn confirm_address(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ShipmentId,
        given: AddressConfirmation,
    ) -> Result<Reply<ShipmentView>, Error> {
        actor.may(Action::ShipmentConfirm)?;
        if let Some(address) = &given.address {
            label(address, "address", ADDRESS_CHARS_MAX)?;
        }
        self.command(
            actor,
            Call::new("shipment.confirm-address", key, (id.to_string(), given.clone())),
            move |step| {
                let mut found = step.lock::<Shipment>(id)?;
                if let Some(address) = &given.address {
                    let sealed =
                        step.seal(found.merchant.uuid(), &address_context(id), address.trim().as_bytes())?;
                    found.set("address", Value::Bytes(sealed));
                }
                // The fact is which edition of the sealed address was confirmed.
                let address = found.version.to_string();
                let event = match &found.machine {
                    Shipment::Returned { .. } => {
                        found.set("device_id", Value::Null);
                        found.set("carrier", Value::Null);
                        ShipmentEvent::Reopen { address }
                    }
                    _ => ShipmentEvent::ConfirmAddress { address },
                };
                view(&step.advance(found, event)?)
            },
        )
        .await
    }

    /// The warehouse packs a terminal: from now on it is this merchant's and nobody else's.
    ///
    /// # Errors
    /// `serial_unknown`, `device_taken`, `address_unconfirmed`, `illegal_transition`.
    pub async fn pack_shipment(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ShipmentId,
        given: PackShipment,
    ) -> Result<Reply<ShipmentView>, Error> {
        actor.may(Action::ShipmentPack)?;
        let serial =
            TerminalSerial::parse(&given.serial).map_err(|error| Error::identifier(error, "serial"))?;
        label(&given.seal, "seal", LABEL_CHARS_MAX)?;
        self.command(actor, Call::new("shipment.pack", key, (id.to_string(), given.clone())), move |step| {
            let mut found = step.lock::<Shipment>(id)?;
            if let Shipment::Pending { confirmed_at: None, .. } = &found.machine {
                return Err(Error::conflict("address_unconfirmed").about("address"));
            }
            let mut device = step.device_by_serial(serial.as_str())?;
            let merchant = found.merchant;
            let store = step.store_of(merchant)?;
            let event = ShipmentEvent::Pack {
                device: device.id,
                serial: serial.as_str().to_owned(),
                seal: given.seal.clone(),
            };
            found.set("device_id", Value::Bytes(device.id.uuid().as_bytes().to_vec()));
            let packed = step.advance(found, event)?;
            if device.machine.merchant().is_some_and(|holder| holder != merchant) {
                return Err(Error::conflict("device_taken").about("serial"));
            }
            device.set("bound_merchant_id", Value::Bytes(merchant.uuid().as_bytes().to_vec()));
            device.set("bound_store_id", Value::Bytes(store.uuid().as_bytes().to_vec()));
            step.advance(device, DeviceEvent::Reserve { merchant, store, shipment: Some(id) })?;
            view(&packed)
        })
        .await
    }

    /// The warehouse hands the parcel to the carrier. Without a tracking number it is ordered there,
    /// if it may go at all.
    ///
    /// # Errors
    /// `choice` for a carrier at which we cannot order: its parcels need their number;
    /// `illegal_transition`; `stale_version` when it was packed anew meanwhile; `unavailable` while
    /// the carrier cannot be reached.
    pub async fn hand_over_shipment(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ShipmentId,
        given: HandOver,
    ) -> Result<Reply<ShipmentView>, Error> {
        actor.may(Action::ShipmentPack)?;
        label(&given.carrier, "carrier", LABEL_CHARS_MAX)?;
        let ordered = match &given.tracking_no {
            Some(number) => {
                label(number, "tracking_no", LABEL_CHARS_MAX)?;
                Some(Ordered { tracking_no: number.clone(), packing: None })
            }
            None => {
                let ours = self.shared.ports.carrier.carrier();
                if given.carrier.trim() != ours {
                    return Err(Error::choice("carrier", [ours]));
                }
                self.order_parcel(actor, id).await?
            }
        };
        self.command(
            actor,
            Call::new("shipment.hand-over", key, (id.to_string(), given.clone())),
            move |step| {
                let mut found = step.lock::<Shipment>(id)?;
                let Some(Ordered { tracking_no, packing }) = &ordered else {
                    return Err(found.machine.illegal("dispatch").into());
                };
                if packing.is_some_and(|packing| packing != found.version) {
                    return Err(Error::conflict("stale_version"));
                }
                let merchant = found.merchant;
                let carrier = given.carrier.trim().to_owned();
                found.set("carrier", Value::Text(carrier.clone()));
                let event = ShipmentEvent::Dispatch {
                    carrier,
                    tracking_no: tracking_no.clone(),
                    expected_at: step.at.plus_seconds(step.terms().seconds(Term::Transit)),
                };
                let shipped = step.advance(found, event)?;
                let device = step.packed_device(&shipped)?;
                step.advance(device, DeviceEvent::Dispatch { shipment: id })?;
                step.tell(merchant, Template::Shipped, News { code: tracking_no, ..News::default() })?;
                step.order(Work::TrackShipment { shipment: id }, merchant)?;
                view(&shipped)
            },
        )
        .await
    }

    /// The carrier reports.
    ///
    /// # Errors
    /// `illegal_transition`, `choice`.
    pub async fn track_report(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ShipmentId,
        given: TrackReport,
    ) -> Result<Reply<ShipmentView>, Error> {
        actor.may(Action::ShipmentTrack)?;
        let event = match given.status.as_str() {
            "delivered" => ShipmentEvent::Deliver {},
            "undeliverable" => ShipmentEvent::FailDelivery { reason: "reported by the carrier".to_owned() },
            "returned" => ShipmentEvent::TakeBack {},
            "lost" => ShipmentEvent::ReportLost { claim: None },
            _ => return Err(Error::choice("status", ["delivered", "undeliverable", "returned", "lost"])),
        };
        self.command(actor, Call::new("shipment.track", key, (id.to_string(), given.clone())), move |step| {
            let found = step.lock::<Shipment>(id)?;
            refuse_other_carrier(step, &found)?;
            view(&moved(step, found, event.clone())?)
        })
        .await
    }

    /// Asks the carrier, when its webhook has not told us.
    pub(crate) async fn track_shipment(&self, actor: &Actor, id: ShipmentId) -> Result<(), Error> {
        let tracking_no = self
            .look(actor, move |step| match step.get::<Shipment>(id)?.machine {
                Shipment::Shipped { tracking_no, .. } => Ok(Some(tracking_no)),
                _ => Ok(None),
            })
            .await?;
        let Some(tracking_no) = tracking_no else { return Ok(()) };
        let events = self.shared.ports.carrier.track(tracking_no).await?;
        let last = events.last().map(|event| event.status);
        self.apply(actor, move |step| {
            let found = step.lock::<Shipment>(id)?;
            if found.machine.state() != "shipped" {
                return Ok(());
            }
            let event = match last {
                Some(TrackingStatus::Delivered) => ShipmentEvent::Deliver {},
                Some(TrackingStatus::Undeliverable) => {
                    ShipmentEvent::FailDelivery { reason: "reported by the carrier".to_owned() }
                }
                Some(TrackingStatus::Lost) => ShipmentEvent::ReportLost { claim: None },
                Some(TrackingStatus::InTransit) | None => {
                    return step.order(Work::TrackShipment { shipment: id }, found.merchant);
                }
            };
            moved(step, found, event).map(|_| ())
        })
        .await
    }

    /// The merchant has it in hand. With a broken seal the shipment is damaged and the terminal
    /// counts as tampered with: it cannot be activated.
    ///
    /// # Errors
    /// `serial_mismatch`: the terminal in hand is not the one that was sent; `illegal_transition`.
    pub async fn confirm_receipt(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ShipmentId,
        given: Receipt,
    ) -> Result<Reply<ShipmentView>, Error> {
        actor.may(Action::ShipmentConfirm)?;
        let serial =
            TerminalSerial::parse(&given.serial).map_err(|error| Error::identifier(error, "serial"))?;
        self.command(
            actor,
            Call::new("shipment.receive", key, (id.to_string(), given.clone())),
            move |step| {
                let found = step.lock::<Shipment>(id)?;
                let by = step.actor.id.clone();
                let device = step.packed_device(&found)?;
                if !given.seal_intact {
                    let damaged = ShipmentEvent::ReportDamaged { by, seal_intact: false };
                    return view(&moved(step, found, damaged)?);
                }
                let sent: String = device.column("serial")?;
                if sent != serial.as_str() {
                    return Err(Error::conflict("serial_mismatch").about("serial"));
                }
                let event = ShipmentEvent::ConfirmReceipt { serial: sent, seal_intact: true, by };
                view(&moved(step, found, event)?)
            },
        )
        .await
    }

    /// Orders a packed shipment's parcel at the carrier; `None` for one that is not packed (any more).
    async fn order_parcel(&self, actor: &Actor, id: ShipmentId) -> Result<Option<Ordered>, Error> {
        let parcel = self
            .look(actor, move |step| {
                let found = step.get::<Shipment>(id)?;
                let Shipment::ReadyToShip { device, .. } = found.machine else { return Ok(None) };
                if !step.get::<Device>(device)?.machine.legal_events().contains(&"dispatch") {
                    return Ok(None);
                }
                let sealed: Vec<u8> = found.column("address")?;
                let address = step.open(found.merchant.uuid(), &address_context(id), &sealed)?;
                let (_, contact) = step.contact_of(found.merchant)?;
                let parcel = ParcelRequest {
                    // A shipment's version stands still while it is packed: what is packed anew, or
                    // sent again after it came back, is another parcel.
                    reference: format!("{id}.{}", found.version),
                    address: SecretString::from(String::from_utf8_lossy(&address).into_owned()),
                    mobile: SecretString::from(contact.mobile),
                };
                Ok(Some((parcel, found.version)))
            })
            .await?;
        let Some((parcel, packing)) = parcel else { return Ok(None) };
        let tracking_no = self.shared.ports.carrier.order(parcel).await?;
        Ok(Some(Ordered { tracking_no, packing: Some(packing) }))
    }
}

/// A parcel at the carrier.
#[derive(Clone)]
struct Ordered {
    tracking_no: String,
    /// The version of the packed shipment it was ordered for.
    packing: Option<i64>,
}

/// To a carrier, parcels that were not handed to it do not exist.
fn refuse_other_carrier(step: &Step<'_>, found: &Loaded<Shipment>) -> Result<(), Error> {
    let carrier: Option<String> = found.column("carrier")?;
    step.actor.handles(Scope::Carrier, carrier.as_deref())
}

impl Step<'_> {
    /// The terminal packed in a shipment.
    fn packed_device(&mut self, found: &Loaded<Shipment>) -> Result<Loaded<Device>, Error> {
        let device: Option<Uuid> = found.column("device_id")?;
        let device = device.ok_or_else(|| found.machine.illegal("move"))?;
        let row = aggregate::lock(self.tx, &aggregate::DEVICE, device, PLATFORM)?;
        self.load(row)
    }

    /// The terminal with this serial, locked.
    pub(crate) fn device_by_serial(&mut self, serial: &str) -> Result<Loaded<Device>, Error> {
        let row = aggregate::device::lock_by_serial(self.tx, serial)?
            .ok_or_else(|| Error::invalid("serial_unknown", "serial"))?;
        self.load(row)
    }

    /// The merchant's shop.
    pub(crate) fn store_of(&mut self, merchant: MerchantId) -> Result<StoreId, Error> {
        let place = store_place::list_by_merchant(self.tx, merchant.uuid(), None, 1)?
            .rows
            .pop()
            .ok_or_else(|| Error::internal("a registered merchant has no shop"))?;
        Ok(StoreId::from_uuid(place.id))
    }
}

/// A name as people give it: seen, and not too long.
pub(crate) fn label(text: &str, field: &str, chars_max: usize) -> Result<(), Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid("field_required", field));
    }
    if text.chars().count() > chars_max || text.chars().any(crate::form::unseen) {
        return Err(Error::invalid("length", field));
    }
    Ok(())
}

/// The context a delivery address is sealed with.
pub(crate) fn address_context(id: ShipmentId) -> String {
    format!("address|{id}")
}

fn view(found: &Loaded<Shipment>) -> Result<ShipmentView, Error> {
    let application: Uuid = found.column("application_id")?;
    let (serial, tracking_no, confirmed) = match &found.machine {
        Shipment::Pending { confirmed_at, .. } => (None, None, confirmed_at.is_some()),
        Shipment::ReadyToShip { serial, .. } => (Some(serial), None, true),
        Shipment::Shipped { serial, tracking_no, .. }
        | Shipment::Delivered { serial, tracking_no, .. }
        | Shipment::Undeliverable { serial, tracking_no, .. }
        | Shipment::LostInTransit { serial, tracking_no, .. } => (Some(serial), Some(tracking_no), true),
        Shipment::Received { serial, tracking_no, .. } | Shipment::Damaged { serial, tracking_no, .. } => {
            (Some(serial), tracking_no.as_ref(), true)
        }
        Shipment::Returned { serial, .. } => (Some(serial), None, true),
        Shipment::Cancelled { .. } => (None, None, false),
    };
    Ok(ShipmentView {
        id: found.id.to_string(),
        application_id: ApplicationId::from_uuid(application).to_string(),
        merchant_id: found.merchant.to_string(),
        state: found.machine.state().to_owned(),
        address_confirmed: confirmed,
        serial: serial.cloned(),
        tracking_no: tracking_no.cloned(),
        version: found.version,
    })
}
