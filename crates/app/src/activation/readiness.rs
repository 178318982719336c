//! Steps 3 to 6: fits, is connected, stands where it should, and keeps the merchant's own file.

use super::contradicts;
use crate::application::document::documents_of;
use crate::device::{DeviceModel, MODELS};
use crate::error::{Error, ErrorKind};
use crate::form::Form;
use crate::platform::Platform;
use crate::step::{Loaded, Step};
use crate::view::{
    BackupAcknowledgement, BackupDocument, CompatibilityReport, LocationReport, NetworkReport, TerminalStatus,
};
use crate::{Action, Actor};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use starpay_domain::activation::{Activation, ActivationEvent, Step as Stage};
use starpay_domain::device::Device;
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{ActivationId, DocumentId, MerchantId, StoreId, TypedId};
use starpay_domain::machine::Machine;
use starpay_domain::place::{Place, distance_m};
use starpay_domain::registration::Registration;
use starpay_keys::{constant_time_eq, wire};
use starpay_store::{aggregate, store_place};

/// How a terminal may have found its place.
const LOCATION_SOURCES: [&str; 4] = ["gnss", "cell", "wifi", "fixed"];
/// Legs of the network self-test, in order.
const LEGS: [&str; 6] = ["resolve", "connect", "tls", "http", "clock", "throughput"];
/// Longest time of a leg that is believed.
const LEG_MS_MAX: i64 = 10 * 60 * 1000;
/// Longest note on a leg, in characters.
const LEG_DETAIL_CHARS_MAX: usize = 200;
/// Longest version of a firmware; it is written down with the event.
const FIRMWARE_BYTES_MAX: usize = 64;
/// How far from its shop a terminal may be activated (R-153: a terminal that moves is stopped).
const DISTANCE_M_MAX: u32 = 500;
/// The most that a poor fix may add to it.
const ACCURACY_M_COUNTED: u32 = 200;
/// The poorest fix that is one at all.
const ACCURACY_M_MAX: i64 = 100_000;

/// The document handed out in step 6, so that a second download is the same.
#[derive(Serialize, Deserialize)]
struct KeptBackup {
    document: String,
    sha256: String,
}

impl Platform {
    /// Step 3: model, firmware, storage and positioning against the catalogue.
    ///
    /// # Errors
    /// `device_incompatible` naming the field; `illegal_transition`.
    pub async fn report_compatibility(
        &self,
        actor: &Actor,
        id: ActivationId,
        report: CompatibilityReport,
    ) -> Result<TerminalStatus, Error> {
        self.take(actor, id, Stage::Compatible, move |step, found| {
            let model = step.model_of(&found)?;
            let fixed = step.is_fixed_shop(found.merchant)?;
            fits(model, &report, fixed)?;
            let event = ActivationEvent::ConfirmCompatible {
                model: report.model.clone(),
                firmware: report.firmware.clone(),
            };
            step.go_on(found, event).map(Ok)
        })
        .await
    }

    /// Step 4: the terminal's own network test.
    ///
    /// # Errors
    /// `network_leg_failed` naming the leg; `illegal_transition`.
    pub async fn report_network(
        &self,
        actor: &Actor,
        id: ActivationId,
        report: NetworkReport,
    ) -> Result<TerminalStatus, Error> {
        let (slowest_leg, slowest_ms) = slowest(&report)?;
        self.take(actor, id, Stage::NetworkOk, move |step, found| {
            let event = ActivationEvent::PassNetwork { slowest_leg: slowest_leg.to_owned(), slowest_ms };
            step.go_on(found, event).map(Ok)
        })
        .await
    }

    /// Step 5: the terminal stands where the shop is.
    ///
    /// # Errors
    /// `location_too_far` (T501), `location_unknown` for a position typed in by hand where the
    /// terminal can find its own, `range`, `choice`, `illegal_transition`.
    pub async fn report_location(
        &self,
        actor: &Actor,
        id: ActivationId,
        report: LocationReport,
    ) -> Result<TerminalStatus, Error> {
        let stands = Place::new(report.latitude_e6, report.longitude_e6)
            .ok_or_else(|| Error::invalid("range", "latitude_e6"))?;
        if !(0..=ACCURACY_M_MAX).contains(&report.accuracy_m) {
            return Err(Error::invalid("range", "accuracy_m"));
        }
        let accuracy_m = u32::try_from(report.accuracy_m).unwrap_or(u32::MAX);
        if !LOCATION_SOURCES.contains(&report.source.as_str()) {
            return Err(Error::choice("source", LOCATION_SOURCES.iter().copied()));
        }
        self.take(actor, id, Stage::Located, move |step, found| {
            if report.source == "fixed" && !step.may_be_fixed(&found)? {
                return Err(contradicts("location_unknown", "source"));
            }
            let place = store_place::get(step.tx, found.machine.store().uuid(), found.merchant.uuid())?;
            let shop = Place::new(place.latitude_e6, place.longitude_e6)
                .ok_or_else(|| Error::internal("a stored shop is not on the earth"))?;
            let distance_m = distance_m(shop, stands);
            if distance_m > DISTANCE_M_MAX.saturating_add(accuracy_m.min(ACCURACY_M_COUNTED)) {
                return Err(contradicts("location_too_far", "latitude_e6"));
            }
            let event = ActivationEvent::Locate { source: report.source.clone(), accuracy_m, distance_m };
            step.go_on(found, event).map(Ok)
        })
        .await
    }

    /// Step 6, first half: the merchant's own file, to be kept on the terminal.
    ///
    /// # Errors
    /// `illegal_transition` before the terminal is located.
    pub async fn backup_document(&self, actor: &Actor, id: ActivationId) -> Result<BackupDocument, Error> {
        actor.may(Action::TerminalSpeak)?;
        self.apply(actor, move |step| {
            let found = step.own_activation(id)?;
            if let Some(kept) = step.kept::<KeptBackup>(&found, "backup")? {
                return Ok(answer(&kept));
            }
            if found.machine.state() != Stage::Located.as_str() {
                return Err(found.machine.illegal("back_up").into());
            }
            let document = step.merchant_file(&found)?.to_string();
            let sha256 = hex::encode(Sha256::digest(&document));
            let kept = KeptBackup { document, sha256 };
            step.keep(&found, "backup", &kept)?;
            Ok(answer(&kept))
        })
        .await
    }

    /// Step 6, second half: kept. A merchant who is not ready yet makes the terminal wait here.
    ///
    /// # Errors
    /// `backup_mismatch`, `illegal_transition`.
    pub async fn acknowledge_backup(
        &self,
        actor: &Actor,
        id: ActivationId,
        said: BackupAcknowledgement,
    ) -> Result<TerminalStatus, Error> {
        self.take(actor, id, Stage::BackedUp, move |step, found| {
            let kept = step.kept::<KeptBackup>(&found, "backup")?;
            match kept.filter(|kept| constant_time_eq(kept.sha256.as_bytes(), said.sha256.as_bytes())) {
                Some(kept) => step.go_on(found, ActivationEvent::BackUp { sha256: kept.sha256 }).map(Ok),
                None => Err(contradicts("backup_mismatch", "sha256")),
            }
        })
        .await
    }
}

fn answer(kept: &KeptBackup) -> BackupDocument {
    BackupDocument { document: wire::base64url(kept.document.as_bytes()), sha256: kept.sha256.clone() }
}

fn fits(model: &DeviceModel, report: &CompatibilityReport, fixed_shop: bool) -> Result<(), Error> {
    let not = |field: &str| Err(contradicts("device_incompatible", field));
    if report.model != model.name {
        return not("model");
    }
    match (version(&report.firmware), version(model.firmware_min)) {
        (Some(has), Some(needs)) if has >= needs => {}
        _ => return not("firmware"),
    }
    if report.free_kib < model.free_kib_min {
        return not("free_kib");
    }
    if !report.positioning && !fixed_shop {
        return not("positioning");
    }
    Ok(())
}

/// `1.10.2` as numbers, zeros at the end dropped, so that it is above `1.9` and equal to `1.10.2.0`.
fn version(text: &str) -> Option<Vec<u32>> {
    if text.len() > FIRMWARE_BYTES_MAX {
        return None;
    }
    let mut parts = text.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
    while parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}

/// All six legs, once each, all good; answers the slowest.
fn slowest(report: &NetworkReport) -> Result<(&'static str, u32), Error> {
    let strange = |leg: &crate::view::Leg| {
        !LEGS.contains(&leg.leg.as_str()) || leg.detail.chars().count() > LEG_DETAIL_CHARS_MAX
    };
    if report.legs.iter().any(strange) {
        return Err(Error::choice("legs", LEGS.iter().copied()));
    }
    let mut slowest = (LEGS[0], 0);
    for name in LEGS {
        let mut said = report.legs.iter().filter(|leg| leg.leg == name);
        let ms = match (said.next(), said.next()) {
            (Some(leg), None) if leg.ok && (0..=LEG_MS_MAX).contains(&leg.ms) => leg.ms,
            _ => return Err(contradicts("network_leg_failed", name)),
        };
        let ms = u32::try_from(ms).unwrap_or(u32::MAX);
        if ms >= slowest.1 {
            slowest = (name, ms);
        }
    }
    Ok(slowest)
}

impl Step<'_> {
    fn model_of(&mut self, found: &Loaded<Activation>) -> Result<&'static DeviceModel, Error> {
        let name: String = self.device_seen(found)?.column("model")?;
        MODELS
            .iter()
            .find(|model| model.name == name)
            .ok_or_else(|| Error::new(ErrorKind::Unprocessable, "device_incompatible").about("model"))
    }

    /// A model without positioning stands at a fixed place. A virtual terminal has no
    /// satellites either; those exist in the sandbox only.
    fn may_be_fixed(&mut self, found: &Loaded<Activation>) -> Result<bool, Error> {
        let virtual_ones = self.shared.deployment.mode == crate::Mode::Sandbox;
        Ok(virtual_ones || !self.model_of(found)?.positioning && self.is_fixed_shop(found.merchant)?)
    }

    fn is_fixed_shop(&mut self, merchant: MerchantId) -> Result<bool, Error> {
        Ok(self.governing_form(merchant)?.is_some_and(|(_, form)| form.get(Field::ShopFixed) == Some("true")))
    }

    /// What the merchant takes along: who is registered where under which numbers, what was
    /// signed, which documents were handed in. Personal numbers are masked, pictures are named by
    /// their digest.
    fn merchant_file(&mut self, found: &Loaded<Activation>) -> Result<Json, Error> {
        let merchant = found.merchant;
        let device: Loaded<Device> = self.device_seen(found)?;
        let (serial, model): (String, String) = (device.column("serial")?, device.column("model")?);
        let (mut fields, mut documents, mut registrations) = (serde_json::Map::new(), Vec::new(), Vec::new());
        let mut agreement = Json::Null;
        if let Some((application, form)) = self.governing_form(merchant)? {
            for (field, value) in form.filled() {
                fields.insert(field.as_str().to_owned(), Form::shown(field, value).into());
            }
            for row in documents_of(self, application.id, merchant)? {
                documents.push(json!({
                    "id": DocumentId::from_uuid(row.id).to_string(),
                    "kind": row.kind,
                    "digest": hex::encode(row.digest),
                }));
            }
            let (application, owner) = (application.id.uuid(), merchant.uuid());
            for row in aggregate::registration::list_by_application(self.tx, application, owner)? {
                let known: Loaded<Registration> = self.load(row)?;
                registrations.push(json!({
                    "channel": known.column::<String>("channel")?,
                    "state": known.machine.state(),
                    "merchant_no": known.column::<Option<String>>("merchant_no")?,
                    "terminal_no": known.column::<Option<String>>("terminal_no")?,
                }));
            }
            if let Some(row) = aggregate::agreement::latest_of_application(self.tx, application, owner)? {
                let hash: Vec<u8> = aggregate::AGREEMENT.column(&row, "document_hash")?;
                agreement = json!({"state": row.state, "sha256": hex::encode(hash)});
            }
        }
        Ok(json!({
            "made_at": self.at.to_string(),
            "activation_id": found.id.to_string(),
            "merchant_id": merchant.to_string(),
            "store_id": StoreId::from_uuid(found.machine.store().uuid()).to_string(),
            "merchant_name": self.shop_name(found)?,
            "serial": serial,
            "model": model,
            "fields": fields,
            "documents": documents,
            "registrations": registrations,
            "agreement": agreement,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Leg;

    #[test]
    fn firmware_is_compared_by_numbers() {
        assert!(version("1.10.0") > version("1.9.9"));
        assert_eq!(version("2.1"), version("2.1.0"));
        assert_eq!(version("2.x"), None);
        assert_eq!(version(""), None);
        assert_eq!(version(&format!("2{}", ".0".repeat(1000))), None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let model = &DeviceModel { name: "M", firmware_min: "1.2.0", free_kib_min: 10, positioning: true };
        let good = CompatibilityReport {
            model: "M".to_owned(),
            firmware: "1.10".to_owned(),
            printer: true,
            positioning: true,
            free_kib: 10,
        };
        let field =
            |report: CompatibilityReport, fixed| fits(model, &report, fixed).err().and_then(|e| e.field);
        assert_eq!(field(good.clone(), false), None);
        assert_eq!(
            field(CompatibilityReport { model: "N".to_owned(), ..good.clone() }, true).as_deref(),
            Some("model")
        );
        assert_eq!(
            field(CompatibilityReport { firmware: "1.1.9".to_owned(), ..good.clone() }, true).as_deref(),
            Some("firmware")
        );
        assert_eq!(
            field(CompatibilityReport { free_kib: 9, ..good.clone() }, true).as_deref(),
            Some("free_kib")
        );
        let blind = CompatibilityReport { positioning: false, ..good };
        assert_eq!(field(blind.clone(), false).as_deref(), Some("positioning"));
        assert_eq!(field(blind, true), None);
    }

    #[test]
    fn all_six_legs_are_needed_once_each() {
        let leg = |name: &str, ok| Leg { leg: name.to_owned(), ok, ms: 7, detail: String::new() };
        let report = |legs: Vec<Leg>| NetworkReport { legs };
        let all: Vec<Leg> = LEGS.iter().map(|name| leg(name, true)).collect();
        assert_eq!(slowest(&report(all.clone())).unwrap(), ("throughput", 7));
        for (index, name) in LEGS.iter().enumerate() {
            let mut missing = all.clone();
            missing.remove(index);
            let mut broken = all.clone();
            broken[index].ok = false;
            let mut twice = all.clone();
            twice.push(leg(name, true));
            for legs in [missing, broken, twice] {
                assert_eq!(slowest(&report(legs)).unwrap_err().field.as_deref(), Some(*name));
            }
        }
        let mut strange = all;
        strange.push(leg("satellite", true));
        assert_eq!(slowest(&report(strange)).unwrap_err().code, "choice");
    }
}
