//! Messages and captures: decode, compare every field, build again byte for byte, check the
//! message authentication code.

use super::{PROSE, Stop, message_mac};
use serde_json::{Map, Value};
use starpay_iso8583::frame::LENGTH_BYTES;
use starpay_iso8583::spec::{Encoding, Kind};
use starpay_iso8583::unionpay::SignInKeys;
use starpay_iso8583::{Draft, FieldRef, Limits, Link, Message, UNIONPAY_POS, Value as Given};

/// Keys of a case that say something to compare; the others tell where it comes from.
const COMPARED: [&str; 5] = ["hex", "length", "fields", "mac", "field62_parts"];
const TOLD: [&str; 7] =
    ["id", "produced_by", "cross_checked", "confidence", "reencodes_identically", "direction", "name"];

/// Runs one case.
pub(super) fn run(case: &Map<String, Value>, keys: &Map<String, Value>) -> Result<(), Stop> {
    let known = |key: &str| COMPARED.contains(&key) || TOLD.contains(&key) || PROSE.contains(&key);
    if let Some(other) = case.keys().find(|key| !known(key)) {
        return Err(Stop::NotRun(format!("nothing to compare {other} with")));
    }
    let bytes = super::bytes(case, "hex")?;
    let fields = case.get("fields").and_then(Value::as_object);
    let fields = fields.ok_or_else(|| Stop::NotRun("fields is missing or not an object".to_owned()))?;
    let frame = Link::UNIONPAY_POS.whole(&bytes).map_err(differs)?;
    let message = Message::read(&UNIONPAY_POS, frame.message()).map_err(differs)?;
    if let Some(length) = case.get("length").filter(|length| !length.is_null()) {
        let length = super::count(length).ok_or_else(|| Stop::NotRun("length is not a number".to_owned()))?;
        if length != bytes.len().saturating_sub(LENGTH_BYTES) {
            return Err(Stop::Differs("length differs".to_owned()));
        }
    }
    let mut header = frame.tpdu().map(|tpdu| tpdu.bytes().to_vec()).unwrap_or_default();
    header.extend_from_slice(frame.header());
    for (name, expected) in fields {
        let expected =
            expected.as_str().ok_or_else(|| Stop::NotRun(format!("field {name} is not a text")))?;
        let is_same = match name.as_str() {
            "h" => expected.eq_ignore_ascii_case(&hex::encode(&header)),
            "t" => expected == message.mti().to_string(),
            "p" => expected.eq_ignore_ascii_case(&format!("{:016X}", message.bitmap().primary())),
            number => match number.parse() {
                Ok(number) => message.field(number).is_some_and(|field| says(&field, expected)),
                Err(_) => return Err(Stop::NotRun(format!("no rule for field {name}"))),
            },
        };
        if !is_same {
            return Err(Stop::Differs(format!("field {name} differs")));
        }
    }
    if let Some(extra) = message.fields().find(|field| !fields.contains_key(&field.number().to_string())) {
        return Err(Stop::Differs(format!("field {} is not expected", extra.number())));
    }
    built_again(&message, fields, &bytes)?;
    message_mac::compare(case, keys, &message)?;
    parts(case, &message)
}

fn differs(error: starpay_iso8583::Error) -> Stop {
    Stop::Differs(error.to_string())
}

/// Whether a field says what is expected: packed digits and bytes in hexadecimal, text as text.
/// Fields that hold either are written either way.
fn says(field: &FieldRef<'_>, expected: &str) -> bool {
    if matches!(field.spec().encoding(), Encoding::Binary) {
        let as_bytes = expected.eq_ignore_ascii_case(&field.expose());
        let as_text = field.spec().kind() == Kind::Mixed && field.text().is_ok_and(|text| text == expected);
        return as_bytes || as_text;
    }
    match field.spec().encoding() {
        Encoding::Bcd | Encoding::Nibble => field.expose() == packed(expected),
        Encoding::Ascii | Encoding::Gbk | Encoding::Binary | Encoding::Hex => field.expose() == expected,
    }
}

/// Packed digits as we write them: a track's separator is the digit D.
fn packed(digits: &str) -> String {
    digits.to_ascii_uppercase().replace('=', "D")
}

/// Builds the message twice: from what was decoded, and from what is expected.
fn built_again(message: &Message<'_>, fields: &Map<String, Value>, bytes: &[u8]) -> Result<(), Stop> {
    let link = Link::UNIONPAY_POS;
    let envelope = link.whole(bytes).map_err(differs)?.envelope();
    let mut again = Vec::new();
    link.write(envelope, &mut again, |out| message.reencode(out)).map_err(differs)?;
    if again != bytes {
        return Err(Stop::Differs("built from its decoded fields, the message differs".to_owned()));
    }
    let mut draft = Draft::new(&UNIONPAY_POS, message.mti()).limits(Limits::Tolerated);
    for field in message.fields() {
        let Some(text) = fields.get(&field.number().to_string()).and_then(Value::as_str) else { continue };
        let (decoded, digits);
        let value = match field.spec().encoding() {
            Encoding::Bcd | Encoding::Nibble => {
                digits = packed(text);
                Given::Digits(&digits)
            }
            Encoding::Ascii | Encoding::Gbk => Given::Text(text),
            Encoding::Binary | Encoding::Hex if text.eq_ignore_ascii_case(&field.expose()) => {
                decoded = hex::decode(text).unwrap_or_default();
                Given::Bytes(&decoded)
            }
            Encoding::Binary | Encoding::Hex => Given::Text(text),
        };
        draft.set(field.number(), value).map_err(differs)?;
    }
    let mut again = Vec::new();
    link.write(envelope, &mut again, |out| draft.write(out)).map_err(differs)?;
    if again == bytes {
        Ok(())
    } else {
        Err(Stop::Differs("built from its fields, the message differs".to_owned()))
    }
}

/// Compares the working keys' places in field 62.
fn parts(case: &Map<String, Value>, message: &Message<'_>) -> Result<(), Stop> {
    let parts = match case.get("field62_parts") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(parts)) => parts,
        Some(_) => return Err(Stop::NotRun("field62_parts is not an object".to_owned())),
    };
    let keys = SignInKeys::read(message).map_err(differs)?;
    let keys = keys.ok_or_else(|| Stop::Differs("there is no field 62".to_owned()))?;
    for (name, expected) in parts.iter().filter(|(name, _)| !PROSE.contains(&name.as_str())) {
        let given = match name.as_str() {
            "pik_cryptogram" => Some(keys.pin.cryptogram()),
            "pik_kcv" => Some(keys.pin.check_value()),
            "mak_slot" => Some(keys.mac.slot()),
            "mak_cryptogram" => Some(keys.mac.cryptogram()),
            "mak_kcv" => Some(keys.mac.check_value()),
            "tdk_cryptogram" => keys.track.map(|key| key.cryptogram()),
            "tdk_kcv" => keys.track.map(|key| key.check_value()),
            other => return Err(Stop::NotRun(format!("nothing to compare field62_parts.{other} with"))),
        };
        let is_same = expected
            .as_str()
            .zip(given)
            .is_some_and(|(expected, given)| expected.eq_ignore_ascii_case(&hex::encode(given)));
        if !is_same {
            return Err(Stop::Differs(format!("field62_parts.{name} differs")));
        }
    }
    Ok(())
}
