//! Chip cryptograms and chip data.

use super::padding::{self, Told};
use super::{
    Found, Input, Outcome, Readings, Stop, bytes, found, has, optional_array, optional_bytes, optional_text,
    refused, text,
};
use serde_json::Value;
use starpay_keys::emv::{CRYPTOGRAM_TAGS, CardKey, Cryptogram, IssuerKey, SessionKey, SessionKeyForm};
use starpay_keys::mac::Padding;
use starpay_keys::pan::Pan;

/// Both forms of a session key and both paddings: what a case may leave open.
const FORMS: [SessionKeyForm; 2] = [SessionKeyForm::EmvCommon, SessionKeyForm::Pboc];
const PADDINGS: [Padding; 2] = [Padding::EightyThenZeros, Padding::Zeros];

/// The names under which a case gives the response code.
const RESPONSE_CODE: [&str; 5] = ["arc", "response_code", "arpc_rc", "rc", "code"];

/// What the issuer says to the card.
enum Answer {
    /// ARPC method 1: a response code.
    Code([u8; 2]),
    /// ARPC method 2: a card status update (CSU).
    Update([u8; 4]),
}

impl Answer {
    /// Without a word the issuer approves.
    fn read(input: &Input) -> Result<Self, Stop> {
        if let Some(update) = optional_array(input, "csu")? {
            return Ok(Self::Update(update));
        }
        let Some(name) = RESPONSE_CODE.into_iter().find(|name| has(input, name)) else {
            return Ok(Self::Code(*b"00"));
        };
        let code = text(input, name)?;
        let written = hex::decode(code).ok().filter(|bytes| bytes.len() == 2);
        written
            .unwrap_or_else(|| code.as_bytes().to_vec())
            .try_into()
            .map(Self::Code)
            .map_err(|_| Stop::NotRun("the response code does not have two characters".to_owned()))
    }

    /// ARPC and tag 91. Method 2 (EMV book 2, 8.2.2) is the first half of a retail MAC over
    /// cryptogram and update.
    fn to(&self, session: &SessionKey, cryptogram: Cryptogram) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::Code(code) => {
                let tag_91 = session.issuer_authentication_data(cryptogram, *code).to_vec();
                (session.answer(cryptogram, *code).0.to_vec(), tag_91)
            }
            Self::Update(update) => {
                let said = [cryptogram.0.as_slice(), update.as_slice()].concat();
                let mac = session.cryptogram(&said, Padding::EightyThenZeros);
                let arpc: Vec<u8> = mac.0.into_iter().take(4).collect();
                let tag_91 = [arpc.as_slice(), update.as_slice()].concat();
                (arpc, tag_91)
            }
        }
    }
}

/// A cryptogram and the issuer's answer, from as far up as the inputs begin. Keys given on the
/// way must be the ones derived.
pub(super) fn arqc_arpc(input: &Input) -> Result<Readings, Stop> {
    let data = cryptogram_data(input)?;
    let paddings = match &data {
        Some(data) => paddings(input, data)?,
        None => Vec::new(),
    };
    let given = optional_array(input, "arqc")?.map(Cryptogram);
    let answer = Answer::read(input)?;
    let (card, sessions) = match keys(input)? {
        Ok(keys) => keys,
        Err(why) => return Ok(vec![Err(why)]),
    };
    let card = card.map(|card| *card.expose());
    let mut readings = Vec::new();
    for session in &sessions {
        let made = paddings.iter().zip(&data).map(|(padding, data)| session.cryptogram(data, *padding));
        let made: Vec<Cryptogram> = if data.is_some() { made.collect() } else { given.into_iter().collect() };
        if made.is_empty() {
            readings.push(Ok(shown(card, Some(session), None)));
        }
        for cryptogram in made {
            readings.push(if given.is_some_and(|given| given != cryptogram) {
                Err("arqc is not of this data".to_owned())
            } else {
                Ok(shown(card, Some(session), Some((cryptogram, &answer))))
            });
        }
    }
    if sessions.is_empty() {
        readings.push(Ok(shown(card, None, None)));
    }
    Ok(readings)
}

fn shown(
    card: Option<[u8; 16]>,
    session: Option<&SessionKey>,
    cryptogram: Option<(Cryptogram, &Answer)>,
) -> Vec<(&'static str, Found)> {
    let mut found = Vec::new();
    found.extend(card.map(|card| ("icc_mk", Found::bytes(card))));
    found.extend(session.map(|session| ("session_key", Found::bytes(session.expose()))));
    if let Some((session, (cryptogram, answer))) = session.zip(cryptogram) {
        let (arpc, tag_91) = answer.to(session, cryptogram);
        found.push(("arqc", Found::bytes(cryptogram.0)));
        found.push(("arpc", Found::bytes(arpc)));
        found.push(("tag91", Found::bytes(tag_91)));
    }
    found
}

/// The padding the case names, or both when it names none.
fn paddings(input: &Input, data: &[u8]) -> Result<Vec<Padding>, Stop> {
    let Some(words) = optional_text(input, "padding")? else { return Ok(PADDINGS.to_vec()) };
    match padding::read(words) {
        Some(Told::One(padding)) => Ok(vec![padding]),
        Some(Told::Unpadded) if data.len().is_multiple_of(8) => Ok(vec![Padding::Zeros]),
        Some(Told::Unpadded) | None => Err(Stop::NotRun(format!("no rule for padding \"{words}\""))),
    }
}

/// The card's key, if it is known, and the session keys that can be meant.
type Keys = (Option<CardKey>, Vec<SessionKey>);

fn keys(input: &Input) -> Result<Result<Keys, String>, Stop> {
    let fields = input.get("ac_fields").and_then(Value::as_object);
    let in_fields = fields.map(|fields| optional_array(fields, "9F36")).transpose()?.flatten();
    let stated = optional_array(input, "atc")?;
    if stated.zip(in_fields).is_some_and(|(stated, in_fields)| stated != in_fields) {
        return Ok(Err("atc differs from ac_fields".to_owned()));
    }
    let counter = stated.or(in_fields).map(u16::from_be_bytes);
    let given = optional_bytes(input, "session_key")?;
    let card = match card_key(input)? {
        Ok(card) => card,
        Err(why) => return Ok(Err(why)),
    };
    if card.is_none() && given.is_none() {
        return Err(Stop::NotRun("neither a card's key nor a session key".to_owned()));
    }
    let derived = card.iter().zip(counter);
    let mut derived: Vec<SessionKey> =
        derived.flat_map(|(card, counter)| FORMS.map(|form| card.session_key(form, counter))).collect();
    let Some(given) = given else { return Ok(Ok((card, derived))) };
    if derived.is_empty() {
        return Ok(SessionKey::from_bytes(&given).map(|session| (card, vec![session])).map_err(refused));
    }
    derived.retain(|derived| is_same_key(derived.expose(), &given));
    if derived.is_empty() {
        return Ok(Err("session_key is of neither form".to_owned()));
    }
    Ok(Ok((card, derived)))
}

/// The card's key from the issuer's, or as given; nothing when neither is.
fn card_key(input: &Input) -> Result<Result<Option<CardKey>, String>, Stop> {
    let given = optional_bytes(input, "icc_mk")?;
    let is_derived =
        has(input, "imk") && (has(input, "pan") || !has(input, "session_key") && given.is_none());
    if !is_derived {
        return Ok(given.map(|given| CardKey::from_bytes(&given)).transpose().map_err(refused));
    }
    let (issuer, pan) = (bytes(input, "imk")?, text(input, "pan")?);
    // Without a sequence number it is 00 (EMV book 2, A1.4).
    let sequence_number = optional_text(input, "psn")?
        .unwrap_or("00")
        .parse()
        .map_err(|_| Stop::NotRun("psn is not a card sequence number".to_owned()))?;
    Ok((|| {
        let pan = Pan::parse(pan).map_err(refused)?;
        let issuer = IssuerKey::from_bytes(&issuer).map_err(refused)?;
        let card = issuer.card_key(&pan, sequence_number).map_err(refused)?;
        if given.is_some_and(|given| !is_same_key(card.expose(), &given)) {
            return Err("icc_mk is not the card's key".to_owned());
        }
        Ok(Some(card))
    })())
}

/// The same DES key, whatever its parity bits are.
fn is_same_key(derived: &[u8], given: &[u8]) -> bool {
    derived.len() == given.len() && derived.iter().zip(given).all(|(one, other)| one & 0xFE == other & 0xFE)
}

/// What the cryptogram is over, if it is given. Given whole and in fields, both must be the same.
fn cryptogram_data(input: &Input) -> Result<Option<Vec<u8>>, Stop> {
    let whole = optional_bytes(input, "ac_data")?;
    let fields = match input.get("ac_fields") {
        None | Some(Value::Null) => return Ok(whole),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(Stop::NotRun("ac_fields is not an object".to_owned())),
    };
    let mut joined = Vec::new();
    for tag in CRYPTOGRAM_TAGS {
        joined.extend(bytes(fields, &format!("{tag:02X}"))?);
    }
    joined.extend(bytes(fields, "9F10cvr")?);
    match whole {
        Some(whole) if whole != joined => Err(Stop::Differs("ac_data differs from ac_fields".to_owned())),
        Some(_) | None => Ok(Some(joined)),
    }
}

/// Field 55 from its tags, or its tags from field 55.
pub(super) fn field_55(input: &Input) -> Result<Outcome, Stop> {
    let field = optional_bytes(input, "field55")?;
    let tags = match input.get("tags") {
        None | Some(Value::Null) if field.is_some() => None,
        Some(Value::Object(tags)) => {
            let tags = found::elements(tags);
            Some(tags.ok_or_else(|| Stop::NotRun("a tag or its value is not hex".to_owned()))?)
        }
        _ => return Err(Stop::NotRun("input tags is missing or not an object".to_owned())),
    };
    Ok((|| {
        let read = field.as_deref().map(found::outermost).transpose().map_err(refused)?;
        let tags = match (tags, read) {
            (Some(tags), Some(read)) if !found::same_tags(&tags, &read) => {
                return Err("field55 has other tags".to_owned());
            }
            (Some(tags), _) => tags,
            (None, read) => read.unwrap_or_default(),
        };
        let written = found::written(&tags).map_err(refused)?;
        if found::outermost(&written).map_err(refused)? != tags {
            return Err("what was written reads otherwise".to_owned());
        }
        let length = field.map_or(written.len(), |field| field.len());
        Ok(vec![
            ("tags", Found::Tags(tags.clone())),
            ("field55", Found::ChipData(tags)),
            ("length", Found::Count(length)),
        ])
    })())
}
