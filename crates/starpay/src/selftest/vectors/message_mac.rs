//! A message's authentication code: what it covers, its stages, its characters.

use super::{Found, PROSE, Stop, compare_each, crypto, has, optional_text, text};
use serde_json::{Map, Value};
use starpay_iso8583::Message;
use starpay_keys::mac::{FIELD_64_BYTES, unionpay_ecb_sm4, unionpay_ecb_tdes};
use starpay_keys::working_key::{Sm4Mak, TdesMak};

/// The names under which a case says which key it is.
const KEY: [&str; 3] = ["mak", "key", "mak_name"];

/// The names under which a case says what is covered.
const COVERED: [&str; 3] = ["mab", "input", "data"];

/// Compares what a case says of the code, and computes it anew where the key is known. Keys are
/// given themselves or by their name in the file's `test_keys`.
pub(super) fn compare(
    case: &Map<String, Value>,
    keys: &Map<String, Value>,
    message: &Message<'_>,
) -> Result<(), Stop> {
    let by_name;
    let stated = match case.get("mac") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(stated)) => stated,
        Some(Value::String(name)) if keys.contains_key(name) => {
            by_name = Map::from_iter([("mak".to_owned(), Value::from(name.as_str()))]);
            &by_name
        }
        Some(Value::String(_)) => return Err(Stop::NotRun("mac names no key of test_keys".to_owned())),
        Some(_) => return Err(Stop::NotRun("mac is not an object".to_owned())),
    };
    let key = Key::read(stated, keys)?;
    let Some((covered, code)) = message.authenticated() else {
        return Err(Stop::Differs("there is no message authentication code".to_owned()));
    };
    let field_64 = hex::decode(code.expose().as_bytes()).unwrap_or_default();
    let mut found = match &key {
        Some(key) => {
            let (stages, computed) = key.stages(covered).map_err(Stop::Differs)?;
            if computed.as_slice() != field_64 {
                return Err(Stop::Differs("the message authentication code differs".to_owned()));
            }
            stages
        }
        None => vec![
            ("mac_ascii", Found::characters(code.ascii().unwrap_or_default())),
            ("field64", Found::bytes(&field_64)),
        ],
    };
    found.extend(COVERED.map(|name| (name, Found::bytes(covered))));
    let told = |name: &str| name == "algorithm" || KEY.contains(&name) || PROSE.contains(&name);
    let mut expected = stated.iter().filter(|(name, _)| !told(name)).peekable();
    if expected.peek().is_none() && key.is_none() {
        return Err(Stop::NotRun("mac says nothing to compare".to_owned()));
    }
    if let Some(name) = COVERED.into_iter().find(|name| has(stated, name)) {
        super::bytes(stated, name)?;
    }
    compare_each(expected, &found)
}

/// The MAC key of a case, by its cipher.
enum Key {
    Tdes(Vec<u8>),
    Sm4(Vec<u8>),
}

/// What is computed on the way, and what field 64 must be.
type Stages = (Vec<(&'static str, Found)>, [u8; FIELD_64_BYTES]);

impl Key {
    fn read(stated: &Map<String, Value>, keys: &Map<String, Value>) -> Result<Option<Self>, Stop> {
        let algorithm = optional_text(stated, "algorithm")?.unwrap_or_default();
        let Some(place) = KEY.into_iter().find(|name| has(stated, name)) else {
            cipher(algorithm, "")?;
            return Ok(None);
        };
        let given = text(stated, place)?;
        let (name, bytes) = if keys.contains_key(given) {
            (given, super::bytes(keys, given)?)
        } else {
            ("", super::bytes(stated, place)?)
        };
        Ok(Some(match cipher(algorithm, name)? {
            Cipher::Tdes => Self::Tdes(bytes),
            Cipher::Sm4 => Self::Sm4(bytes),
        }))
    }

    fn stages(&self, covered: &[u8]) -> Result<Stages, String> {
        match self {
            Self::Tdes(key) => {
                let mac = unionpay_ecb_tdes(&TdesMak::from_bytes(key).map_err(super::refused)?, covered);
                Ok((crypto::stages(&mac), mac.field_64()))
            }
            Self::Sm4(key) => {
                let mac = unionpay_ecb_sm4(&Sm4Mak::from_bytes(key).map_err(super::refused)?, covered);
                Ok((crypto::stages(&mac), mac.field_64()))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Cipher {
    Tdes,
    Sm4,
}

/// The cipher, by the algorithm's name, else by the key's; every word must be understood.
fn cipher(algorithm: &str, key: &str) -> Result<Cipher, Stop> {
    let mut cipher = if key.to_lowercase().contains("sm4") { Cipher::Sm4 } else { Cipher::Tdes };
    let algorithm = algorithm.to_lowercase();
    for word in algorithm.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        match word {
            "unionpay" | "cup" | "pos" | "ecb" | "mac" => {}
            "des" | "tdes" | "3des" | "tdea" => cipher = Cipher::Tdes,
            "sm4" => cipher = Cipher::Sm4,
            _ => return Err(Stop::NotRun(format!("no rule for the algorithm {algorithm}"))),
        }
    }
    Ok(cipher)
}
