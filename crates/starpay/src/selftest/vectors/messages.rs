//! Messages and captures: decode, compare every field, build again byte for byte, compute the
//! message authentication code.

use super::Stop;
use serde_json::{Map, Value};
use starpay_iso8583::frame::LENGTH_BYTES;
use starpay_iso8583::spec::{Encoding, Kind};
use starpay_iso8583::unionpay::SignInKeys;
use starpay_iso8583::{Draft, FieldRef, Limits, Link, Message, UNIONPAY_POS, Value as Given};
use starpay_keys::mac::{unionpay_ecb_sm4, unionpay_ecb_tdes};
use starpay_keys::working_key::{Sm4Mak, TdesMak};

/// Keys of a case that say something to compare; the others tell where it comes from.
const COMPARED: [&str; 5] = ["hex", "length", "fields", "mac", "field62_parts"];
const TOLD: [&str; 9] = [
    "id",
    "title",
    "produced_by",
    "notes",
    "cross_checked",
    "confidence",
    "source",
    "reencodes_identically",
    "status",
];

/// Runs one case.
pub(super) fn run(case: &Map<String, Value>) -> Result<(), Stop> {
    if let Some(other) =
        case.keys().find(|key| !COMPARED.contains(&key.as_str()) && !TOLD.contains(&key.as_str()))
    {
        return Err(Stop::NotRun(format!("nothing to compare {other} with")));
    }
    let bytes = super::bytes(case, "hex")?;
    let fields = case.get("fields").and_then(Value::as_object);
    let fields = fields.ok_or_else(|| Stop::NotRun("fields is missing or not an object".to_owned()))?;
    let frame = Link::UNIONPAY_POS.whole(&bytes).map_err(differs)?;
    let message = Message::read(&UNIONPAY_POS, frame.message()).map_err(differs)?;
    let announced = bytes.len().saturating_sub(LENGTH_BYTES) as u64;
    if case.get("length").is_some_and(|length| length.as_u64() != Some(announced)) {
        return Err(Stop::Differs("length differs".to_owned()));
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
    covered(case, &message)?;
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
    field.expose() == expected
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
        let decoded;
        let value = match field.spec().encoding() {
            Encoding::Bcd | Encoding::Nibble => Given::Digits(text),
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

/// Compares what the authentication code covers and the code's characters, then computes it anew.
fn covered(case: &Map<String, Value>, message: &Message<'_>) -> Result<(), Stop> {
    let Some(mac) = case.get("mac").and_then(Value::as_object) else { return Ok(()) };
    let Some((input, code)) = message.authenticated() else {
        return Err(Stop::Differs("there is no message authentication code".to_owned()));
    };
    let field_64 = hex::decode(code.expose().as_bytes()).unwrap_or_default();
    for (name, expected) in mac {
        let expected = expected.as_str().ok_or_else(|| Stop::NotRun(format!("mac.{name} is not a text")))?;
        let given = match name.as_str() {
            "mab" => hex::encode(input),
            "mac_ascii" => code.ascii().unwrap_or_default().to_owned(),
            "mak" | "algorithm" => continue,
            other => return Err(Stop::NotRun(format!("nothing to compare mac.{other} with"))),
        };
        if !expected.eq_ignore_ascii_case(&given) {
            return Err(Stop::Differs(format!("mac.{name} differs")));
        }
    }
    let key = super::bytes(mac, "mak")?;
    let verified = match mac.get("algorithm").and_then(Value::as_str) {
        None => TdesMak::from_bytes(&key).map(|mak| unionpay_ecb_tdes(&mak, input).verify(&field_64)),
        Some("SM4 ECB") => {
            Sm4Mak::from_bytes(&key).map(|mak| unionpay_ecb_sm4(&mak, input).verify(&field_64))
        }
        Some(other) => return Err(Stop::NotRun(format!("no rule for the algorithm {other}"))),
    };
    match verified {
        Ok(outcome) => outcome.map_err(|error| Stop::Differs(error.to_string())),
        Err(error) => Err(Stop::Differs(error.to_string())),
    }
}

/// Compares the working keys' places in field 62.
fn parts(case: &Map<String, Value>, message: &Message<'_>) -> Result<(), Stop> {
    let Some(parts) = case.get("field62_parts").and_then(Value::as_object) else { return Ok(()) };
    let keys = SignInKeys::read(message).map_err(differs)?;
    let keys = keys.ok_or_else(|| Stop::Differs("there is no field 62".to_owned()))?;
    for (name, expected) in parts {
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
