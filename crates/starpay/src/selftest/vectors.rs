//! The cases of `vectors.json`: which kind is run by which function.
//!
//! An unknown kind is *not run*, never passed.

mod chip;
mod crypto;
mod dukpt;
mod found;
mod message_mac;
#[cfg(test)]
mod message_tests;
mod messages;
mod padding;
mod pin;
#[cfg(test)]
mod reduced_tests;
#[cfg(test)]
mod tests;
mod track;

use super::Tally;
use found::Found;
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
type Outcome = Result<Vec<(&'static str, Found)>, String>;

/// The inputs of a case.
type Input = Map<String, Value>;

/// Answers what the inputs come to; a `Stop` when they cannot be read.
#[derive(Clone, Copy)]
enum Runner {
    /// The inputs have one meaning.
    One(fn(&Input) -> Result<Outcome, Stop>),
    /// What is not given leaves several meanings open; what is expected decides.
    Open(fn(&Input) -> Result<Readings, Stop>),
}

/// What the inputs come to, in each of their meanings.
type Readings = Vec<Outcome>;

use Runner::{One, Open};

const KINDS: &[(&str, Runner)] = &[
    ("dukpt-aes128", Open(dukpt::aes_128)),
    ("emv-arqc-arpc", Open(chip::arqc_arpc)),
    ("emv-field55", One(chip::field_55)),
    ("hpke-x25519-aes128gcm", One(hpke)),
    ("kcv-tdes", One(kcv_tdes)),
    ("key-block-x9143", One(key_block_x9143)),
    ("mac-aes-cmac", One(crypto::mac_aes_cmac)),
    ("mac-sm4-cbc", One(crypto::mac_sm4_cbc)),
    ("mac-unionpay-ecb-sm4", One(crypto::mac_ecb_sm4)),
    ("mac-unionpay-ecb-tdes", One(crypto::mac_ecb_tdes)),
    ("mac-x919-pad1", One(crypto::mac_x919_zeros)),
    ("mac-x919-pad2", One(crypto::mac_x919_eighty)),
    ("mac-x99", One(crypto::mac_x99)),
    ("pin-block-iso0-tdes", One(pin::iso0_tdes)),
    ("pin-block-iso4-aes", One(pin::iso4_aes)),
    ("pin-block-sm4", One(pin::sixteen_sm4)),
    ("pin-block-x98-no-pan-tdes", One(pin::without_pan_tdes)),
    ("sm4-ecb", One(crypto::sm4_ecb)),
    ("track2-full-sm4", One(track::whole_sm4)),
    ("track2-full-tdes", One(track::whole_tdes)),
    ("track2-tdb-tdes", Open(track::tail_tdes)),
    ("working-key-sm4", One(crypto::working_key_sm4)),
    ("working-key-tdes", One(crypto::working_key_tdes)),
];

/// Keys that explain and expect nothing.
const PROSE: [&str; 8] = ["comment", "comments", "note", "notes", "title", "source", "status", "description"];

/// Parses a file.
pub(super) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// Runs every case whose kind is known and counts the others as not run.
pub(crate) fn run(file: &Value, tally: &mut Tally) {
    if LISTS.iter().all(|list| file.get(list).is_none()) {
        tally.malformed("none of crypto, messages and captures is there");
    }
    let none = Map::new();
    let keys = file.get("test_keys").and_then(Value::as_object).unwrap_or(&none);
    for list in LISTS {
        match file.get(list) {
            None => {}
            Some(Value::Array(cases)) => {
                for (at, case) in cases.iter().enumerate() {
                    run_case(list, at, case, keys, tally);
                }
            }
            Some(_) => tally.malformed(format!("{list} is not a list")),
        }
    }
}

fn run_case(list: &str, at: usize, case: &Value, keys: &Map<String, Value>, tally: &mut Tally) {
    let Some(id) = case.get("id").and_then(Value::as_str) else {
        return tally.malformed(format!("{list}[{at}] has no id"));
    };
    if list != "crypto" {
        return run_message(list, id, case, keys, tally);
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
    let readings = match runner {
        One(run) => run(input).map(|outcome| vec![outcome]),
        Open(run) => run(input),
    };
    match readings.and_then(|readings| decide(expected, &readings)) {
        Ok(()) => tally.record(kind, id, Ok(())),
        Err(Stop::Differs(why)) => tally.record(kind, id, Err(why)),
        Err(Stop::NotRun(why)) => tally.not_run(kind, id, why),
    }
}

/// A message or capture.
fn run_message(list: &str, id: &str, case: &Value, keys: &Map<String, Value>, tally: &mut Tally) {
    let Some(case) = case.as_object() else {
        return tally.malformed(format!("{list} ({id}) is not an object"));
    };
    match messages::run(case, keys) {
        Ok(()) => tally.record(list, id, Ok(())),
        Err(Stop::Differs(why)) => tally.record(list, id, Err(why)),
        Err(Stop::NotRun(why)) => tally.not_run(list, id, why),
    }
}

/// The reading that says all that is expected, or what is wrong with the first.
fn decide(expected: &Map<String, Value>, readings: &[Outcome]) -> Result<(), Stop> {
    // What must be refused must be so in every reading.
    let accepted = readings.iter().find(|reading| has(expected, "error") && reading.is_ok());
    let Some(first) = accepted.or(readings.first()) else {
        return Err(Stop::NotRun("the inputs have no meaning".to_owned()));
    };
    match compare(expected, first) {
        Err(_) if accepted.is_none() && readings.iter().any(|other| compare(expected, other).is_ok()) => {
            Ok(())
        }
        outcome => outcome,
    }
}

/// Compares every expected field. `error` means that the inputs must be refused.
fn compare(expected: &Map<String, Value>, outcome: &Outcome) -> Result<(), Stop> {
    let mut stated = expected.iter().filter(|(name, value)| {
        !(PROSE.contains(&name.as_str()) || name.as_str() == "error" && value.is_null())
    });
    if has(expected, "error") {
        if let Some((other, _)) = stated.find(|(name, _)| *name != "error") {
            return Err(Stop::NotRun(format!("expects both an error and {other}")));
        }
        return match outcome {
            Err(_) => Ok(()),
            Ok(_) => Err(Stop::Differs("expected to be refused, but was accepted".to_owned())),
        };
    }
    let mut stated = stated.peekable();
    if stated.peek().is_none() {
        return Err(Stop::NotRun("the case expects nothing".to_owned()));
    }
    let found = outcome.as_ref().map_err(|why| Stop::Differs(format!("refused: {why}")))?;
    compare_each(stated, found)
}

/// Compares what is stated with what was found. First every field must be comparable, so that a
/// case is never half compared.
fn compare_each<'a>(
    stated: impl Iterator<Item = (&'a String, &'a Value)>,
    found: &[(&'static str, Found)],
) -> Result<(), Stop> {
    let mut differing = None;
    for (name, expected) in stated {
        let found = found.iter().find(|(known, _)| known == name);
        match found.and_then(|(_, found)| found.says(expected)) {
            Some(true) => {}
            Some(false) => differing = differing.or(Some(name)),
            None => return Err(Stop::NotRun(format!("nothing to compare expected {name} with"))),
        }
    }
    // Neither side is printed: it may be a key.
    differing.map_or(Ok(()), |name| Err(Stop::Differs(format!("{name} differs"))))
}

/// What a refusal says.
fn refused(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Whether something is given under this name; `null` is nothing.
fn has(input: &Map<String, Value>, name: &str) -> bool {
    input.get(name).is_some_and(|value| !value.is_null())
}

fn text<'a>(input: &'a Map<String, Value>, name: &str) -> Result<&'a str, Stop> {
    input
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Stop::NotRun(format!("input {name} is missing or not a text")))
}

fn optional_text<'a>(input: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Stop> {
    if has(input, name) { text(input, name).map(Some) } else { Ok(None) }
}

fn bytes(input: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Stop> {
    let digits: String = text(input, name)?.split_ascii_whitespace().collect();
    hex::decode(digits).map_err(|_| Stop::NotRun(format!("input {name} is not hex")))
}

fn optional_bytes(input: &Map<String, Value>, name: &str) -> Result<Option<Vec<u8>>, Stop> {
    if has(input, name) { bytes(input, name).map(Some) } else { Ok(None) }
}

fn array<const N: usize>(input: &Map<String, Value>, name: &str) -> Result<[u8; N], Stop> {
    bytes(input, name)?.try_into().map_err(|_| Stop::NotRun(format!("input {name} does not have {N} bytes")))
}

fn optional_array<const N: usize>(input: &Map<String, Value>, name: &str) -> Result<Option<[u8; N]>, Stop> {
    if has(input, name) { array(input, name).map(Some) } else { Ok(None) }
}

/// A count, as a number or in digits.
fn count(value: &Value) -> Option<usize> {
    match value {
        Value::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        other => usize::try_from(other.as_u64()?).ok(),
    }
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
                ("version", Found::characters(header.version.code())),
                ("usage", Found::characters(header.usage)),
                ("algorithm", Found::characters(header.algorithm.code())),
                ("mode", Found::characters(header.mode.code())),
                ("key_version", Found::characters(header.key_version)),
                ("exportability", Found::characters(header.exportability.code())),
                ("key", Found::bytes(opened.expose_key())),
            ]
        })
        .map_err(|error| error.to_string()))
}

/// RFC 9180 base mode: open, and check that the given public key belongs to the private one.
fn hpke(input: &Map<String, Value>) -> Result<Outcome, Stop> {
    let key = EnvelopeKey::from_bytes(array(input, "device_sk")?);
    if has(input, "device_pk") && key.public_key().to_bytes() != array(input, "device_pk")? {
        return Ok(Err("device_pk is not the public key of device_sk".to_owned()));
    }
    let envelope = Envelope { enc: array(input, "enc")?, ct: bytes(input, "ct")? };
    // Absent, both are empty.
    let (info, aad) = (optional_text(input, "info")?, optional_text(input, "aad")?);
    for info in readings(info.unwrap_or_default()) {
        for aad in readings(aad.unwrap_or_default()) {
            if let Ok(plain) = key.open(Suite::Aes128Gcm, &info, &aad, &envelope) {
                return Ok(Ok(vec![("plaintext", Found::bytes(plain))]));
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
        .map(|value| vec![("kcv8", Found::bytes(value)), ("kcv6", Found::Bytes(kcv::six_digits(&value)))])
        .map_err(|error| error.to_string()))
}
