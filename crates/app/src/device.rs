//! 终端: taken into stock once per serial (一机一码), bound to one merchant at a time (一机一户).

use crate::activation::renewal;
use crate::error::{Error, ErrorKind};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{Loaded, PLATFORM, Step};
use crate::view::{CertificateView, DeviceView, List, NewDevice, Page};
use crate::{Action, Actor};
use starpay_domain::device::Device;
use starpay_domain::device_auth::DeviceAuth;
use starpay_domain::id::{DeviceId, MerchantId, TypedId};
use starpay_domain::identifier::TerminalSerial;
use starpay_domain::machine::Machine;
use starpay_store::aggregate::AggregateRow;
use starpay_store::{Value, aggregate};
use starpay_text::{Language, fl, texts};
use std::collections::HashMap;
use uuid::Uuid;

/// A model of the catalogue and what it must bring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceModel {
    /// Name, as devices report it.
    pub(crate) name: &'static str,
    /// Oldest firmware that speaks this protocol.
    pub(crate) firmware_min: &'static str,
    /// Free storage that an activation needs.
    pub(crate) free_kib_min: i64,
    /// Whether it can find its position; one that cannot only stands at a fixed place.
    pub(crate) positioning: bool,
}

/// The catalogue.
pub(crate) const MODELS: &[DeviceModel] = &[
    DeviceModel { name: "STAR-A1", firmware_min: "1.0.0", free_kib_min: 1024, positioning: true },
    DeviceModel { name: "STAR-T2", firmware_min: "2.1.0", free_kib_min: 512, positioning: false },
];

impl Platform {
    /// Takes a terminal into stock.
    ///
    /// # Errors
    /// `validation_failed` for the serial, `choice` for an unknown model, `serial_known` when the
    /// serial is in the books already.
    pub async fn stock_device(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        given: NewDevice,
    ) -> Result<Reply<DeviceView>, Error> {
        actor.may(Action::DeviceStock)?;
        let serial =
            TerminalSerial::parse(&given.serial).map_err(|error| Error::identifier(error, "serial"))?;
        let model = MODELS
            .iter()
            .find(|model| model.name == given.model)
            .ok_or_else(|| Error::choice("model", MODELS.iter().map(|model| model.name)))?;
        self.command(actor, Call::new("device.stock", key, given.clone()), move |step| {
            if aggregate::device::find_by_serial(step.tx, serial.as_str())?.is_some() {
                return Err(Error::conflict("serial_known").about("serial"));
            }
            let id: DeviceId = step.new_id();
            let machine = Device::InStock { since: step.at, place: "warehouse".to_owned() };
            let columns = vec![
                Value::Text(serial.as_str().to_owned()),
                Value::Text(model.name.to_owned()),
                Value::Null,
                Value::Null,
                Value::Null,
            ];
            let owner = MerchantId::from_uuid(PLATFORM);
            let stocked = step.create(id, owner, machine, columns)?;
            view(step, &stocked)
        })
        .await
    }

    /// A terminal.
    ///
    /// # Errors
    /// `not_found`, also for somebody else's.
    pub async fn device(&self, actor: &Actor, id: DeviceId) -> Result<DeviceView, Error> {
        actor.may(Action::DeviceView)?;
        self.look(actor, move |step| {
            let found: Loaded<Device> = step.get(id)?;
            if step.actor.merchant.is_some() && found.machine.merchant() != step.actor.merchant {
                return Err(Error::not_found());
            }
            view(step, &found)
        })
        .await
    }

    /// Terminals: a merchant's own, or all for staff.
    ///
    /// # Errors
    /// `validation_failed` for a cursor that is not one of ours.
    pub async fn devices(&self, actor: &Actor, page: Page) -> Result<List<DeviceView>, Error> {
        actor.may(Action::DeviceView)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let owner = step.actor.merchant.map(TypedId::uuid);
            let found = match owner {
                Some(owner) => aggregate::device::list_by_bound_merchant(step.tx, owner, after, limit)?,
                None => aggregate::list_all(step.tx, &aggregate::DEVICE, after, limit)?,
            };
            let accepted = aggregate::device_auth::list_accepted_of_page(step.tx, owner, after, limit)?;
            let mut accepted: HashMap<Uuid, AggregateRow> = accepted
                .into_iter()
                .map(|row| Ok((aggregate::DEVICE_AUTH.column(&row, "device_id")?, row)))
                .collect::<Result<_, Error>>()?;
            crate::paging::write(found, |row| {
                let found: Loaded<Device> = step.load(row)?;
                let accepted = accepted.remove(&found.id.uuid());
                shown(step, &found, accepted)
            })
        })
        .await
    }
}

/// What a terminal's screen and its owner's page say: 已激活 or 未激活.
pub(crate) fn status_text(device: &Device, language: Language) -> String {
    match device {
        Device::Active { .. } => fl!(texts(language), "terminal-active"),
        _ => fl!(texts(language), "terminal-inactive"),
    }
}

/// A terminal as the API shows it.
pub(crate) fn view(step: &mut Step<'_>, found: &Loaded<Device>) -> Result<DeviceView, Error> {
    let accepted = aggregate::device_auth::find_accepted(step.tx, found.id.uuid())?;
    shown(step, found, accepted)
}

/// A terminal, with the keys it is accepted under.
fn shown(
    step: &mut Step<'_>,
    found: &Loaded<Device>,
    accepted: Option<AggregateRow>,
) -> Result<DeviceView, Error> {
    Ok(DeviceView {
        id: found.id.to_string(),
        serial: found.column("serial")?,
        model: found.column("model")?,
        state: found.machine.state().to_owned(),
        status_text: status_text(&found.machine, step.language),
        certificate: accepted.map_or(Ok(None), |row| certificate(step, row))?,
        version: found.version,
    })
}

/// The certificate of accepted keys. Those of an erased merchant open no more.
fn certificate(step: &mut Step<'_>, accepted: AggregateRow) -> Result<Option<CertificateView>, Error> {
    match step.load::<DeviceAuth>(accepted) {
        Ok(auth) => Ok(renewal::view(&auth.machine, step)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
