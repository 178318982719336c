//! The cases of `vectors.json`: which kind is run by which function.
//!
//! An unknown kind is *not run*, never passed.

mod chip;
mod crypto;
mod messages;
mod ordered;
#[cfg(test)]
mod tests;

use super::Tally;
use serde_json::{Map, Value};
use starpay_keys::envelope::{Envelope, EnvelopeKey, Suite};
use starpay_keys::kcv;
use starpay_keys::key_block::{self, ProtectionKey};

/// The lists of the file; only the first has kinds.
const LISTS: [&str; 3] = ["crypto", "messages", "captures"];

/// Why a case did not pass.
enum Stop {
    /// It ran and gave something else.
    Differs(String),
    /// It cannot be run, or not all it expects can be compared.
    NotRun(String),
}

/// What a case's inputs came to: the fields it can be asked for, or a refusal with its reason.
type Outcome = Result<Vec<(&'static str, String)>, String>;

/// Answers what the inputs come to; a `Stop` when they cannot be read.
type Runner = fn(&Map<String, Value>) -> Result<Outcome, Stop>;

const KINDS: &[(&str, Runner)] = &[
    ("dukpt-aes128", chip::dukpt_aes128),
    ("emv-arqc-arpc", chip::arqc_arpc),
    ("emv-field55", chip::field_55),
    ("hpke-x25519-aes128gcm", hpke),
    ("kcv-tdes", kcv_tdes),
    ("key-block-x9143", key_block_x9143),
    ("mac-aes-cmac", crypto::mac_aes_cmac),
    ("mac-sm4-cbc", crypto::mac_sm4_cbc),
    ("mac-unionpay-ecb-sm4", crypto::mac_ecb_sm4),
    ("mac-unionpay-ecb-tdes", crypto::mac_ecb_tdes),
    ("mac-x919-pad1", crypto::mac_x919_zeros),
    ("mac-x919-pad2", crypto::mac_x919_eighty),
    ("mac-x99", crypto::mac_x99),
    ("pin-block-iso0-tdes", crypto::pin_iso0),
    ("pin-block-iso4-aes", crypto::pin_iso4),
    ("pin-block-sm4", crypto::pin_sm4),
    ("pin-block-x98-no-pan-tdes", crypto::pin_without_pan),
    ("sm4-ecb", crypto::sm4_ecb),
    ("track2-full-sm4", crypto::track_whole_sm4),
    ("track2-full-tdes", crypto::track_whole_tdes),
    ("track2-tdb-tdes", crypto::track_tail_tdes),
    ("working-key-sm4", crypto::working_key_sm4),
    ("working-key-tdes", crypto::working_key_tdes),
];

/// Expected fields that are numbers, not texts.
const COUNTS: [&str; 2] = ["field35_len", "length"];

/// Parses a file, keeping the order of chip data's tags.
pub(super) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).map(|ordered::Ordered(file)| file)
}

/// Runs every case whose kind is known and counts the others as not run.
pub(crate) fn run(file: &Value, tally: &mut Tally) {
    if LISTS.iter().all(|list| file.get(list).is_none()) {
        tally.malformed("none of crypto, messages and captures is there");
    }
    for list in LISTS {
        match file.get(list) {
            None => {}
            Some(Value::Array(cases)) => {
                for (at, case) in cases.iter().enumerate() {
                    run_case(list, at, case, tally);
                }
            }
            Some(_) => tally.malformed(format!("{list} is not a list")),
        }
    }
}

fn run_case(list: &str, at: usize, case: &Value, tally: &mut Tally) {
    let Some(id) = case.get("id").and_then(Value::as_str) else {
        return tally.malformed(format!("{list}[{at}] has no id"));
    };
    if list != "crypto" {
        return run_message(list, id, case, tally);
    }
    let Some(kind) = case.get("kind").and_then(Value::as_str) else {
        return tally.malformed(format!("{list}[{at}] has no kind"));
    };
    let Some((_, runner)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        return tally.not_run(kind, id, "no rule for this kind");
    };
    let (Some(Value::Object(input)), Some(Value::Object(expected))) =
        (case.get("input"), case.get("expected"))
    else {
        return tally.malformed(format!("{list}[{at}] ({id}) has no input or no expected object"));
    };
    match runner(input).and_then(|outcome| compare(expected, &outcome)) {
        Ok(()) => tally.record(kind, id, Ok(())),
        Err(Stop::Differs(why)) => tally.record(kind, id, Err(why)),
        Err(Stop::NotRun(why)) => tally.not_run(kind, id, why),
    }
}

/// A message or capture.
fn run_message(list: &str, id: &str, case: &Value, tally: &mut Tally) {
    let Some(case) = case.as_object() else {
        return tally.malformed(format!("{list} ({id}) is not an object"));
    };
    match messages::run(case) {
        Ok(()) => tally.record(list, id, Ok(())),
        Err(Stop::Differs(why)) => tally.record(list, id, Err(why)),
        Err(Stop::NotRun(why)) => tally.not_run(list, id, why),
    }
}

/// Compares every expected field. `error` means that the inputs must be refused.
fn compare(expected: &Map<String, Value>, outcome: &Outcome) -> Result<(), Stop> {
    if expected.is_empty() {
        return Err(Stop::NotRun("the case expects nothing".to_owned()));
    }
    if expected.contains_key("error") {
        if let Some(other) = expected.keys().find(|name| *name != "error") {
            return Err(Stop::NotRun(format!("expects both an error and {other}")));
        }
        return match outcome {
            Err(_) => Ok(()),
            Ok(_) => Err(Stop::Differs("expected to be refused, but was accepted".to_owned())),
        };
    }
    let given = outcome.as_ref().map_err(|why| Stop::Differs(format!("refused: {why}")))?;
    // First every field must be comparable, so that a case is never half compared.
    let mut pairs = Vec::new();
    for (name, expected) in expected {
        let given = given.iter().find(|(known, _)| known == name);
        let expected = match expected {
            Value::Number(count) if COUNTS.contains(&name.as_str()) => Some(count.to_string()),
            other => other.as_str().map(ToOwned::to_owned),
        };
        let (Some((_, given)), Some(expected)) = (given, expected) else {
            return Err(Stop::NotRun(format!("nothing to compare expected {name} with")));
        };
        pairs.push((name, expected, given));
    }
    match pairs.iter().find(|(_, expected, given)| !expected.eq_ignore_ascii_case(given)) {
        // Neither side is printed: it may be a key.
        Some((name, _, _)) => Err(Stop::Differs(format!("{name} differs"))),
        None => Ok(()),
    }
}

/// What a refusal says.
fn refused(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn text<'a>(input: &'a Map<String, Value>, name: &str) -> Result<&'a str, Stop> {
    input
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Stop::NotRun(format!("input {name} is missing or not a text")))
}

fn bytes(input: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Stop> {
    hex::decode(text(input, name)?).map_err(|_| Stop::NotRun(format!("input {name} is not hex")))
}

fn array<const N: usize>(input: &Map<String, Value>, name: &str) -> Result<[u8; N], Stop> {
    bytes(input, name)?.try_into().map_err(|_| Stop::NotRun(format!("input {name} does not have {N} bytes")))
}

/// ANSI X9.143 key blocks: unwrap and compare header and key.
fn key_block_x9143(input: &Map<String, Value>) -> Result<Outcome, Stop> {
    let protection = bytes(input, "kbpk")?;
    let block = text(input, "key_block")?;
    // The block's version says of which cipher the protection key is.
    let protection = if block.starts_with(['D', 'd']) {
        ProtectionKey::aes(&protection)
    } else {
        ProtectionKey::tdes(&protection)
    };
    let opened = protection.and_then(|protection| key_block::unwrap(&protection, block));
    Ok(opened
        .map(|opened| {
            let header = &opened.header;
            vec![
                ("version", header.version.code().to_string()),
                ("usage", header.usage.to_string()),
                ("algorithm", header.algorithm.code().to_string()),
                ("mode", header.mode.code().to_string()),
                ("key_version", header.key_version.to_string()),
                ("exportability", header.exportability.code().to_string()),
                ("key", hex::encode(opened.expose_key())),
            ]
        })
        .map_err(|error| error.to_string()))
}

/// RFC 9180 base mode: open, and check that the given public key belongs to the private one.
fn hpke(input: &Map<String, Value>) -> Result<Outcome, Stop> {
    let key = EnvelopeKey::from_bytes(array(input, "device_sk")?);
    if input.contains_key("device_pk") && key.public_key().to_bytes() != array(input, "device_pk")? {
        return Ok(Err("device_pk is not the public key of device_sk".to_owned()));
    }
    let envelope = Envelope { enc: array(input, "enc")?, ct: bytes(input, "ct")? };
    for info in readings(text(input, "info")?) {
        for aad in readings(text(input, "aad")?) {
            if let Ok(plain) = key.open(Suite::Aes128Gcm, &info, &aad, &envelope) {
                return Ok(Ok(vec![("plaintext", hex::encode(plain))]));
            }
        }
    }
    Ok(Err("the envelope does not open".to_owned()))
}

/// `info` and `aad` stand as text or as hex. Only the right reading opens the envelope.
fn readings(text: &str) -> Vec<Vec<u8>> {
    let mut readings = vec![text.as_bytes().to_vec()];
    readings.extend(hex::decode(text).ok().filter(|bytes| !bytes.is_empty()));
    readings
}

/// TDES check values of four and three bytes.
fn kcv_tdes(input: &Map<String, Value>) -> Result<Outcome, Stop> {
    let value = kcv::tdes(&bytes(input, "tmk")?);
    Ok(value
        .map(|value| vec![("kcv8", hex::encode(value)), ("kcv6", kcv::six_digits(&value))])
        .map_err(|error| error.to_string()))
}
