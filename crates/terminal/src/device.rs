//! The device: what it is and its own keys.
//!
//! The keys are made at the first start, and anew when the platform has rejected them and a new
//! activation code was entered; they never leave the device. They lie in the terminal's
//! folder, sealed under the element's key; the rest of the program can have things signed and
//! opened by them, and never sees them.

use serde::{Deserialize, Serialize};
use starpay_keys::device::DeviceKeys;
use starpay_keys::random::Random;
use starpay_keys::wire;

use crate::folder::Folder;
use crate::{Error, Surroundings};

/// The device's file.
const FILE: &str = "device.sealed";
/// Firmware of the virtual terminal, whatever its model: a number every model in the catalogue takes.
pub const FIRMWARE: &str = "2.1.0";
/// Free memory of the virtual terminal, as it reports it.
pub const FREE_KIB: u32 = 65_536;
/// Longest serial number or model taken.
const NAME_CHARS_MAX: usize = 32;

/// Whether the device's keys were made just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// First start: no platform can know it.
    New,
    /// Started before.
    Known,
}

/// State of the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printer {
    /// Has paper: the virtual terminal prints on its screen, and always has.
    Ready,
    /// Out of paper or missing.
    Missing,
}

/// A device with its keys.
#[derive(Debug, Clone)]
pub struct Device {
    serial: String,
    model: String,
    keys: DeviceKeys,
    sign_key_id: String,
}

/// The device's record in the folder.
#[derive(Serialize, Deserialize)]
struct Record {
    serial: String,
    model: String,
    keys: String,
}

impl Device {
    /// Opens the device of this folder, or makes it at the first start.
    pub(crate) fn open(
        folder: &Folder,
        serial: Option<&str>,
        model: Option<&str>,
        surroundings: &dyn Surroundings,
    ) -> Result<(Self, Age), Error> {
        if let Some(record) = folder.load::<Record>(FILE)? {
            same("serial", serial, &record.serial)?;
            same("model", model, &record.model)?;
            let keys = wire::from_base64url(&record.keys)
                .and_then(|sealed| DeviceKeys::open(folder.element(), &sealed).ok())
                .ok_or_else(|| Error::Keys("the device keys in the folder do not open".to_owned()))?;
            return Ok((Self::with(record.serial, record.model, keys), Age::Known));
        }
        let serial = named("serial", serial)?;
        let model = named("model", model)?;
        let made = Self::with(serial, model, DeviceKeys::generate(surroundings.random()));
        made.keep(folder, surroundings)?;
        Ok((made, Age::New))
    }

    /// Makes another TLS key: the platform certifies none again that was renewed or recalled.
    pub(crate) fn make_tls_key(
        &mut self,
        folder: &Folder,
        surroundings: &dyn Surroundings,
    ) -> Result<(), Error> {
        let keys = self.keys.with_new_tls(surroundings.random());
        let made = Self { keys, ..self.clone() };
        made.keep(folder, surroundings)?;
        *self = made;
        Ok(())
    }

    /// Makes all keys anew: the platform rejected the present ones for good.
    pub(crate) fn make_keys(
        &mut self,
        folder: &Folder,
        surroundings: &dyn Surroundings,
    ) -> Result<(), Error> {
        let made = self.twin(surroundings.random());
        made.keep(folder, surroundings)?;
        *self = made;
        Ok(())
    }

    fn keep(&self, folder: &Folder, surroundings: &dyn Surroundings) -> Result<(), Error> {
        let sealed = self.keys.seal(folder.element(), folder.element_id(), surroundings.random());
        let record =
            Record { serial: self.serial.clone(), model: self.model.clone(), keys: wire::base64url(&sealed) };
        folder.store(FILE, &record, surroundings)
    }

    fn with(serial: String, model: String, keys: DeviceKeys) -> Self {
        let sign_key_id = hex::encode(keys.sign_key().thumbprint());
        Self { serial, model, keys, sign_key_id }
    }

    /// Another device that pretends to be this one: same serial and model, keys of its own.
    pub(crate) fn twin(&self, random: &dyn Random) -> Self {
        Self::with(self.serial.clone(), self.model.clone(), DeviceKeys::generate(random))
    }

    /// Serial number (终端序列号).
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Firmware version.
    #[must_use]
    pub fn firmware(&self) -> &'static str {
        FIRMWARE
    }

    /// State of the printer.
    #[must_use]
    pub fn printer(&self) -> Printer {
        Printer::Ready
    }

    /// How the platform knows this device: SHA-256 of the sign key, hex.
    #[must_use]
    pub fn sign_key_id(&self) -> &str {
        &self.sign_key_id
    }

    /// The sign key's public half, SPKI DER.
    #[must_use]
    pub fn sign_key_der(&self) -> Vec<u8> {
        self.keys.sign_key().spki_der()
    }

    /// The envelope key's public half.
    #[must_use]
    pub fn envelope_key(&self) -> [u8; 32] {
        self.keys.envelope_key().to_bytes()
    }

    /// Signs with the sign key.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.keys.sign(message).to_bytes()
    }

    /// The certificate request for the TLS key; the same until another TLS key is made.
    pub(crate) fn certificate_request(&self) -> Result<Vec<u8>, Error> {
        self.keys.certificate_request(&self.serial).map_err(|error| Error::Keys(error.to_string()))
    }

    /// The keys, for opening what was sealed for them.
    pub(crate) fn keys(&self) -> &DeviceKeys {
        &self.keys
    }
}

/// What the command line says must be what the device is.
fn same(field: &'static str, given: Option<&str>, kept: &str) -> Result<(), Error> {
    match given {
        Some(given) if given != kept => Err(Error::Setting {
            field,
            reason: format!(
                "this folder belongs to the terminal {kept}; a terminal keeps its {field} for life: use another --folder"
            ),
        }),
        Some(_) | None => Ok(()),
    }
}

/// A name that can stand on a type plate.
fn named(field: &'static str, given: Option<&str>) -> Result<String, Error> {
    let given = given.ok_or_else(|| Error::Setting {
        field,
        reason: "is needed the first time this terminal is switched on".to_owned(),
    })?;
    let plain = given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if given.is_empty() || given.len() > NAME_CHARS_MAX || !plain {
        let reason = format!("must be 1 to {NAME_CHARS_MAX} letters, digits and hyphens");
        return Err(Error::Setting { field, reason });
    }
    Ok(given.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::testing::Bench;

    #[test]
    fn a_device_keeps_its_keys_and_its_name() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let folder = Folder::open(home.path(), &bench).unwrap();
        assert!(matches!(
            Device::open(&folder, None, None, &bench),
            Err(Error::Setting { field: "serial", .. })
        ));
        let (first, age) = Device::open(&folder, Some("S1"), Some("STAR-A1"), &bench).unwrap();
        assert_eq!(age, Age::New);
        let (again, age) = Device::open(&folder, None, None, &bench).unwrap();
        assert_eq!(age, Age::Known);
        assert_eq!((again.serial(), again.sign_key_id()), ("S1", first.sign_key_id()));
        assert_eq!(again.certificate_request().unwrap(), first.certificate_request().unwrap());
        assert!(Device::open(&folder, Some("S2"), None, &bench).is_err());
        let twin = again.twin(bench.random());
        assert_eq!(twin.serial(), "S1");
        assert_ne!(twin.sign_key_id(), again.sign_key_id());
    }

    #[test]
    fn names_that_do_not_fit_a_type_plate_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let bench = Bench::default();
        let folder = Folder::open(home.path(), &bench).unwrap();
        for serial in ["", "a b", "终端", "S|1", &"9".repeat(33)] {
            assert!(Device::open(&folder, Some(serial), Some("M"), &bench).is_err(), "{serial}");
        }
    }
}
