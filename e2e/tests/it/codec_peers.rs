//! Messages against other people's code: random ones, built here and read by pyiso8583, built by
//! pyiso8583 and read here, in both dialects. Every field is compared, and every message is built
//! again byte for byte on the side that read it.
//!
//! The other side is `peers/codec.py`, with tables of its own; it says what pyiso8583 cannot express
//! and how that is bridged. A case that fails is named with its seed and number, which draw it again.

use crate::peers::peer;
use serde_json::{Map, Value as Json, json};
use starpay_e2e::random::Seeded;
use starpay_iso8583::spec::{Encoding, Field, Kind, Length};
use starpay_iso8583::{
    Dialect, Draft, Envelope, ISO_1987_ASCII, Limits, Link, Mti, OwnedMessage, Route, Tpdu, UNIONPAY_POS,
    Value, Writer,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::time::Instant;

const SEED: u64 = 20_261_123;

/// Messages of each dialect and direction.
const CASES: u64 = 10_000;

/// Every so many messages, a copy with one byte changed goes along, which must not be accepted.
const ALTERED_EVERY: u64 = 10;

const DIALECTS: [(&str, &Dialect); 2] = [("unionpay", &UNIONPAY_POS), ("iso1987", &ISO_1987_ASCII)];

#[test]
fn what_we_build_pyiso8583_reads_field_for_field() {
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut write = |case: &Json| {
        serde_json::to_writer(&mut file, case).unwrap();
        file.write_all(b"\n").unwrap();
    };
    for (name, dialect) in DIALECTS {
        for number in 0..CASES {
            let mut draw = Draw::of(number);
            let (message, fields) = draw.message(dialect);
            let case = |bytes: &[u8], altered| {
                json!({ "dialect": name, "seed": SEED, "case": number, "hex": hex::encode(bytes),
                    "fields": &fields, "altered": altered })
            };
            write(&case(&message, false));
            if number.is_multiple_of(ALTERED_EVERY) {
                write(&case(&draw.altered(message), true));
            }
        }
    }
    file.into_inner().unwrap();
    let checked: BTreeMap<String, u64> =
        serde_json::from_str(&peer("codec.py", &["check", path.to_str().unwrap()])).unwrap();
    assert_eq!(checked, expected_counts());
    report("built here, read by pyiso8583", began);
}

#[test]
fn what_pyiso8583_builds_we_read_field_for_field() {
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases");
    let mut checked: BTreeMap<String, u64> = BTreeMap::new();
    for (name, dialect) in DIALECTS {
        let arguments = ["make", name, &SEED.to_string(), "0", &CASES.to_string(), path.to_str().unwrap()];
        peer("codec.py", &arguments);
        for line in BufReader::new(File::open(&path).unwrap()).lines() {
            let line = line.unwrap();
            let case: Json = serde_json::from_str(&line).unwrap();
            let number = case["case"].as_u64().unwrap();
            let bytes = hex::decode(case["hex"].as_str().unwrap()).unwrap();
            let fields = case["fields"].as_object().unwrap();
            if let Err(why) = read_and_built_again(dialect, &bytes, fields) {
                panic!("seed {SEED}, {name} case {number}: {why}: {line}");
            }
            *checked.entry(name.to_owned()).or_default() += 1;
            if number.is_multiple_of(ALTERED_EVERY) {
                let altered = Draw::of(number).altered(bytes);
                let noticed = read_and_built_again(dialect, &altered, fields);
                assert!(noticed.is_err(), "seed {SEED}, {name} case {number}: a changed byte goes unnoticed");
                *checked.entry(format!("{name}, altered")).or_default() += 1;
            }
        }
    }
    assert_eq!(checked, expected_counts());
    report("built by pyiso8583, read here", began);
}

fn expected_counts() -> BTreeMap<String, u64> {
    let both = |(name, _): (&str, _)| {
        [(name.to_owned(), CASES), (format!("{name}, altered"), CASES / ALTERED_EVERY)]
    };
    DIALECTS.into_iter().flat_map(both).collect()
}

/// Shown by `cargo test -- --nocapture`.
fn report(direction: &str, began: Instant) {
    let messages = CASES * u64::try_from(DIALECTS.len()).unwrap();
    eprintln!("{messages} messages {direction} in {:.1} s", began.elapsed().as_secs_f64());
}

/// Reads a message in all three speeds, compares every field, and builds it again: from what was
/// read, and from what the peer says is in it.
fn read_and_built_again(
    dialect: &'static Dialect,
    bytes: &[u8],
    fields: &Map<String, Json>,
) -> Result<(), String> {
    let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
    let said = |error: starpay_iso8583::Error| error.to_string();
    let is_framed = fields.contains_key("h");
    let (message, envelope) = if is_framed {
        let frame = Link::UNIONPAY_POS.whole(bytes).map_err(said)?;
        let header = [&frame.tpdu().unwrap().bytes(), frame.header()].concat();
        same("header", &hex::encode_upper(header), text("h"))?;
        (frame.message(), Some(frame.envelope()))
    } else {
        (bytes, None)
    };
    let owned = OwnedMessage::read(dialect, message).map_err(said)?;
    let read = owned.message();
    same("type", &read.mti().to_string(), text("t"))?;
    for field in read.fields() {
        let number = field.number().to_string();
        let expected = fields.get(&number).ok_or_else(|| format!("field {number} is not theirs"))?;
        same(&number, &field.expose(), expected.as_str().unwrap())?;
    }
    let count = fields.keys().filter(|name| name.parse::<u8>().is_ok()).count();
    same("number of fields", &read.fields().count().to_string(), &count.to_string())?;
    let route = Route::read(dialect, message).map_err(said)?;
    same("terminal", route.terminal.unwrap_or_default(), text("41"))?;
    same("merchant", route.merchant.unwrap_or_default(), text("42"))?;
    same("trace", &route.stan.map(|stan| format!("{stan:06}")).unwrap_or_default(), text("11"))?;

    let framed = |write: &dyn Fn(&mut Vec<u8>) -> starpay_iso8583::Result<()>| {
        let mut out = Vec::new();
        match envelope {
            Some(envelope) => Link::UNIONPAY_POS.write(envelope, &mut out, write),
            None => write(&mut out),
        }
        .map_err(said)?;
        Ok::<String, String>(hex::encode(out))
    };
    let given = hex::encode(bytes);
    same("built from what was read", &framed(&|out| read.reencode(out))?, &given)?;
    same("built from the peer's values", &framed(&|out| drafted(dialect, fields)?.write(out))?, &given)
}

fn same(what: &str, ours: &str, theirs: &str) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what}: here {ours:?}, there {theirs:?}")) }
}

fn drafted(dialect: &'static Dialect, fields: &Map<String, Json>) -> starpay_iso8583::Result<Draft> {
    let mti = Mti::new(u16::from_str_radix(fields["t"].as_str().unwrap(), 16).unwrap()).unwrap();
    let mut draft = Draft::new(dialect, mti).limits(Limits::Tolerated);
    for (name, text) in fields {
        let Ok(number) = name.parse::<u8>() else { continue };
        let text = text.as_str().unwrap();
        let decoded;
        let value = match dialect.field(number).unwrap().encoding() {
            Encoding::Bcd | Encoding::Nibble => Value::Digits(text),
            Encoding::Ascii | Encoding::Gbk => Value::Text(text),
            Encoding::Binary | Encoding::Hex => {
                decoded = hex::decode(text).unwrap();
                Value::Bytes(&decoded)
            }
        };
        draft.set(number, value)?;
    }
    Ok(draft)
}

/// What a field is set to, and how the peer will write it.
struct Drawn {
    given: Given,
    shown: String,
}

enum Given {
    Digits(String),
    Number(u64),
    Text(String),
    Padded(String),
    Bytes(Vec<u8>),
}

impl Given {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Digits(text) => Value::Digits(text),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text),
            Self::Padded(text) => Value::Padded(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

/// Random messages, the same from the same number.
struct Draw(Seeded);

impl Draw {
    fn of(case: u64) -> Self {
        Self(Seeded::new(SEED.wrapping_add(case << 32)))
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.below(limit as u64)).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }

    fn from(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    /// One other byte somewhere.
    fn altered(&mut self, mut message: Vec<u8>) -> Vec<u8> {
        let at = self.below(message.len());
        message[at] ^= u8::try_from(1 + self.below(255)).unwrap();
        message
    }

    /// A message and what the peer will find in it.
    fn message(&mut self, dialect: &'static Dialect) -> (Vec<u8>, Map<String, Json>) {
        let limits = if self.one_in(2) { Limits::Published } else { Limits::Tolerated };
        let odds = [20, 3, 2, 1][self.below(4)];
        let mut fields = Map::new();
        let digits = self.from(b"0123456789", 4);
        let mti = Mti::new(u16::from_str_radix(&digits, 16).unwrap()).unwrap();
        fields.insert("t".to_owned(), digits.into());
        let mut chosen = Vec::new();
        for field in dialect.fields() {
            if self.one_in(odds) {
                let drawn = self.value(field, limits);
                fields.insert(field.number().to_string(), drawn.shown.into());
                chosen.push((field.number(), drawn.given));
            }
        }
        let is_ordered = self.one_in(2);
        let write = |out: &mut Vec<u8>| {
            if is_ordered {
                return in_order(dialect, mti, &chosen, limits, out);
            }
            let mut draft = Draft::new(dialect, mti).limits(limits);
            for (number, given) in chosen.iter().rev() {
                draft.set(*number, given.value())?;
            }
            draft.write(out)
        };
        let mut out = Vec::new();
        if std::ptr::eq(dialect, &UNIONPAY_POS) {
            let (tpdu, header) = (self.bytes(5), self.bytes(6));
            fields.insert("h".to_owned(), hex::encode_upper([&*tpdu, &header].concat()).into());
            let tpdu = Some(Tpdu::new(tpdu.try_into().unwrap()));
            Link::UNIONPAY_POS.write(Envelope { tpdu, header: &header }, &mut out, write).unwrap();
        } else {
            write(&mut out).unwrap();
        }
        (out, fields)
    }

    fn length(&mut self, field: &Field, limits: Limits) -> usize {
        let (least, most) = match (field.length(), limits) {
            (Length::Fixed(length), _) => return usize::from(length),
            (Length::Variable { published, .. }, Limits::Published) => (1, usize::from(published)),
            (Length::Variable { tolerated, .. }, Limits::Tolerated) => (0, usize::from(tolerated)),
        };
        // Many fields of 1987 hold up to 999 characters; all of them full would be slow to no end.
        let full = most < 400 || self.one_in(8);
        match self.below(8) {
            0 => least,
            1 => 1,
            2 | 3 if full => most,
            4 if full => least + self.below(most - least + 1),
            _ => least + self.below(most.min(40) - least + 1),
        }
    }

    fn value(&mut self, field: &Field, limits: Limits) -> Drawn {
        let length = self.length(field, limits);
        match field.kind() {
            Kind::Digits => self.digits(field, length),
            Kind::Track if field.encoding() == Encoding::Nibble => {
                let given = self.from(b"0123456789=ABCDEFabcdef", length);
                Drawn { shown: given.to_uppercase().replace('=', "D"), given: Given::Digits(given) }
            }
            Kind::Track => {
                let given = self.from(b"0123456789=", length);
                Drawn { shown: given.clone(), given: Given::Digits(given) }
            }
            Kind::Signed => {
                let given = format!("{}{}", self.from(b"CD", 1), self.from(b"0123456789", length - 1));
                Drawn { shown: given.clone(), given: Given::Text(given) }
            }
            Kind::Alphanumeric | Kind::Printable | Kind::Text => self.text(field, length),
            Kind::Binary | Kind::Mixed => {
                let given = self.bytes(length);
                Drawn { shown: hex::encode_upper(&given), given: Given::Bytes(given) }
            }
        }
    }

    fn digits(&mut self, field: &Field, length: usize) -> Drawn {
        let shown = self.from(b"0123456789", length);
        let number = shown.parse().ok().filter(|_| matches!(field.length(), Length::Fixed(_)));
        let given = match number {
            Some(number) if self.one_in(2) => Given::Number(number),
            _ => Given::Digits(shown.clone()),
        };
        Drawn { given, shown }
    }

    fn text(&mut self, field: &Field, length: usize) -> Drawn {
        const LETTERS: &[u8] = b" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let printable: Vec<u8> = (b' '..=b'~').collect();
        let alphabet = if field.kind() == Kind::Alphanumeric { LETTERS } else { &printable };
        let mut text = String::new();
        let mut left = length;
        while left > 0 {
            // Chinese characters take two bytes of GBK.
            if field.encoding() == Encoding::Gbk && left > 1 && self.one_in(2) {
                let code = 0x4E00 + self.below(0x9FA6 - 0x4E00);
                text.push(char::from_u32(u32::try_from(code).unwrap()).unwrap());
                left -= 2;
            } else {
                text.push_str(&self.from(alphabet, 1));
                left -= 1;
            }
        }
        let is_fixed = matches!(field.length(), Length::Fixed(_));
        let given = match self.below(3) {
            0 if is_fixed => {
                let kept = text[..self.below(length + 1)].to_owned();
                text = format!("{kept:<length$}");
                Given::Padded(kept)
            }
            1 if field.encoding() == Encoding::Ascii => Given::Bytes(text.clone().into_bytes()),
            _ => Given::Text(text.clone()),
        };
        Drawn { given, shown: text }
    }
}

/// With the writer that takes fields in ascending order.
fn in_order(
    dialect: &'static Dialect,
    mti: Mti,
    chosen: &[(u8, Given)],
    limits: Limits,
    out: &mut Vec<u8>,
) -> starpay_iso8583::Result<()> {
    let has_second = chosen.iter().any(|(number, _)| *number > 64);
    let writer = if has_second {
        Writer::with_second_bitmap(dialect, mti, out)
    } else {
        Writer::start(dialect, mti, out)
    };
    let mut writer = writer.limits(limits);
    for (number, given) in chosen {
        writer.set(*number, given.value())?;
    }
    writer.finish()
}
