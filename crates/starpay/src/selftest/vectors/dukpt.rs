//! DUKPT keys: as far down from the base key as the inputs reach.

use super::{Found, Input, Outcome, Readings, Stop, bytes, optional_array, optional_bytes, refused};
use starpay_keys::dukpt::{BaseDerivationKey, InitialKey, KeyType, Ksn, Usage};

/// AES-128 DUKPT, from the base key or from a terminal's initial key. Without a key serial number
/// there is only the initial key, without a usage no working key. Where the base key is a longer AES
/// key, a case means a working key of AES-128 or one as long as it.
pub(super) fn aes_128(input: &Input) -> Result<Readings, Stop> {
    let (base, given) = (optional_bytes(input, "bdk")?, optional_bytes(input, "initial_key")?);
    let (id, serial) = (optional_array::<8>(input, "ikid")?, optional_bytes(input, "ksn")?);
    if base.is_none() && given.is_none() {
        bytes(input, "bdk")?;
    }
    if id.is_none() && serial.is_none() {
        bytes(input, "ksn")?;
    }
    let usage = match optional_array(input, "usage")?.map(u16::from_be_bytes) {
        Some(number) => {
            Some(Usage::from_number(number).ok_or_else(|| Stop::NotRun(format!("no usage {number:04X}")))?)
        }
        None => None,
    };
    let read = |key_type: KeyType| -> Outcome {
        let serial = serial.as_deref().map(Ksn::parse).transpose().map_err(refused)?;
        let of_serial = serial.map(|serial| serial.initial_key_id());
        if id.zip(of_serial).is_some_and(|(id, of_serial)| id != of_serial) {
            return Err("the key serial number is not of this initial key".to_owned());
        }
        let id = id.or(of_serial).ok_or_else(|| "no initial key id".to_owned())?;
        let initial = match &base {
            Some(base) => BaseDerivationKey::from_bytes(base).and_then(|base| base.initial_key(id)),
            None => InitialKey::from_bytes(given.as_deref().unwrap_or_default(), id),
        }
        .map_err(refused)?;
        if given.as_deref().is_some_and(|given| given != initial.expose()) {
            return Err("initial_key is not of this base key".to_owned());
        }
        let mut found = vec![("initial_key", Found::bytes(initial.expose()))];
        if let Some(serial) = serial {
            let keys = initial.transaction(serial.counter()).map_err(refused)?;
            found.push(("intermediate_key", Found::bytes(keys.expose_intermediate())));
            if let Some(usage) = usage {
                let working = keys.derive(usage, key_type).map_err(refused)?;
                found.push(("working_key", Found::bytes(&*working)));
            }
        }
        Ok(found)
    };
    let longer = match base.as_ref().or(given.as_ref()).map(Vec::len) {
        Some(24) => Some(KeyType::Aes192),
        Some(32) => Some(KeyType::Aes256),
        _ => None,
    };
    Ok([Some(KeyType::Aes128), longer].into_iter().flatten().map(read).collect())
}
