//! Every field of both dialects at its limits, and random values in between.

use proptest::prelude::*;
use starpay_iso8583::spec::{Encoding, Field, Kind, Length, Pad, Prefix};
use starpay_iso8583::{
    Dialect, Draft, ISO_1987_ASCII, Limits, Message, Mti, Reason, UNIONPAY_POS, Value, Writer,
};

const DIALECTS: [&Dialect; 2] = [&UNIONPAY_POS, &ISO_1987_ASCII];

/// A value of `length` digits or bytes that the field may hold, `seed` choosing which.
pub(crate) enum Sample {
    Digits(String),
    Text(String),
    Bytes(Vec<u8>),
}

impl Sample {
    pub(crate) fn of(field: &Field, length: usize, seed: u64) -> Self {
        let mut state = seed.wrapping_add(u64::from(field.number()));
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let mut from = |alphabet: &str| -> String {
            let letters: Vec<char> = alphabet.chars().collect();
            (0..length).map(|_| letters[next() % letters.len()]).collect()
        };
        match field.kind() {
            Kind::Digits => Self::Digits(from("0123456789")),
            Kind::Track if field.encoding() == Encoding::Nibble => Self::Digits(from("0123456789ABCDEF")),
            Kind::Track => Self::Digits(from("0123456789=")),
            Kind::Signed => Self::Text(format!("D{}", &from("0123456789")[1..])),
            Kind::Alphanumeric => Self::Text(from("ABCxyz019 ")),
            Kind::Printable => Self::Text(from("ABCxyz019 .-_/#")),
            // Chinese characters take two bytes of GBK.
            Kind::Text if field.encoding() == Encoding::Gbk && length >= 2 => {
                Self::Text(format!("{}{}", "星".repeat(length / 2), "x".repeat(length % 2)))
            }
            Kind::Text => Self::Text(from("AZaz09 .,")),
            Kind::Binary | Kind::Mixed => Self::Bytes((0..length).map(|_| next() as u8).collect()),
        }
    }

    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Digits(text) => Value::Digits(text),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }

    fn exposed(&self) -> String {
        match self {
            Self::Digits(text) | Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        }
    }
}

/// Least and most that is built, and the most that is read.
fn range(field: &Field) -> (usize, usize, usize) {
    match field.length() {
        Length::Fixed(length) => (usize::from(length), usize::from(length), usize::from(length)),
        Length::Variable { published, tolerated, .. } => (1, usize::from(published), usize::from(tolerated)),
    }
}

fn build(dialect: &'static Dialect, field: &Field, length: usize, limits: Limits) -> Result<Vec<u8>, Reason> {
    let sample = Sample::of(field, length, 7);
    let mut draft = Draft::new(dialect, Mti::literal(0x0200)).limits(limits);
    draft.set(field.number(), sample.value()).map_err(|error| error.reason())?;
    let bytes = draft.to_bytes().unwrap();
    let message = Message::read(dialect, &bytes).unwrap();
    let read = message.field(field.number()).unwrap();
    assert_eq!((read.len(), read.expose().into_owned()), (length, sample.exposed()), "{read:?}");
    let mut again = Vec::new();
    message.reencode(&mut again).unwrap();
    assert_eq!(again, bytes);
    Ok(bytes)
}

#[test]
fn every_field_at_its_limits() {
    let mut count = 0;
    for dialect in DIALECTS {
        for field in dialect.fields() {
            let (least, published, tolerated) = range(field);
            for length in [least, least + 1, published / 2, published - 1, published] {
                if (least..=published).contains(&length) {
                    build(dialect, field, length, Limits::Published).unwrap();
                }
            }
            let above = build(dialect, field, published + 1, Limits::Published).unwrap_err();
            assert_eq!(above, Reason::TooLong { most: published, given: published + 1 });
            build(dialect, field, tolerated, Limits::Tolerated).unwrap();
            let above = build(dialect, field, tolerated + 1, Limits::Tolerated).unwrap_err();
            assert_eq!(above, Reason::TooLong { most: tolerated, given: tolerated + 1 });
            if field.kind() != Kind::Signed {
                let below = build(dialect, field, least - 1, Limits::Published).unwrap_err();
                assert!(matches!(below, Reason::TooShort { .. }));
            }
            count += 1;
        }
    }
    assert_eq!(count, 34 + 126);
}

#[test]
fn a_length_above_the_limit_is_refused_when_read() {
    for dialect in DIALECTS {
        for field in dialect.fields() {
            let Length::Variable { prefix, tolerated, .. } = field.length() else { continue };
            if tolerated == prefix.most() {
                continue;
            }
            let mut bytes = build(dialect, field, usize::from(tolerated), Limits::Tolerated).unwrap();
            let value = Message::read(dialect, &bytes).unwrap().field(field.number()).unwrap().position();
            let above = usize::from(tolerated) + 1;
            let digits = match prefix {
                Prefix::Bcd1 => vec![(above / 10 * 16 + above % 10) as u8],
                Prefix::Bcd2 => vec![(above / 100) as u8, (above / 10 % 10 * 16 + above % 10) as u8],
                Prefix::Ascii2 => format!("{above:02}").into_bytes(),
                Prefix::Ascii3 => format!("{above:03}").into_bytes(),
            };
            bytes[value - digits.len()..value].copy_from_slice(&digits);
            bytes.extend_from_slice(&[b'0'; 999]);
            let refused = Message::read(dialect, &bytes).unwrap_err();
            let reason = Reason::TooLong { most: usize::from(tolerated), given: above };
            assert_eq!((refused.field(), refused.reason()), (Some(field.number()), reason));
        }
    }
}

/// Bytes that no field of this kind and encoding may hold, and what is said of them.
fn wrong_bytes(field: &Field, at: usize) -> (&'static [u8], Reason) {
    match (field.kind(), field.encoding()) {
        (_, Encoding::Bcd) => (&[0x0A, 0xA0, 0xF9, 0x9F], Reason::NotADigit),
        (_, Encoding::Hex) => (b"g /:@", Reason::NotHex),
        (Kind::Digits, _) => (b"/:a \xB0", Reason::NotADigit),
        (Kind::Signed, _) if at == 0 => (b"0XE", Reason::Character),
        (Kind::Signed, _) => (b"/:C", Reason::NotADigit),
        (Kind::Track, Encoding::Ascii) => (b"G/:<> \xBD", Reason::NotTrackData),
        (Kind::Alphanumeric | Kind::Printable, _) => (&[0x1F, 0x7F, 0x80, 0xFF], Reason::Character),
        (Kind::Track | Kind::Text | Kind::Binary | Kind::Mixed, _) => (&[], Reason::Character),
    }
}

#[test]
fn a_wrong_byte_is_found_in_every_field_wherever_it_stands() {
    let mut tried = 0;
    for (dialect, mac) in [(&UNIONPAY_POS, 64), (&ISO_1987_ASCII, 64), (&ISO_1987_ASCII, 128)] {
        for field in dialect.fields() {
            let (least, most, _) = range(field);
            for length in [1, 2, 7, 8, 9, 15, 16, 17, 18, 19, 37] {
                let length = length.clamp(least, most);
                // Alone, and with something behind it: what follows must not cover for it.
                for followed in [false, true] {
                    let mut draft = Draft::new(dialect, Mti::literal(0x0200));
                    draft.set(field.number(), Sample::of(field, length, 3).value()).unwrap();
                    if followed && field.number() < mac {
                        draft.set(mac, Value::Bytes(b"12345678")).unwrap();
                    }
                    let good = draft.to_bytes().unwrap();
                    let read = Message::read(dialect, &good).unwrap();
                    let value = read.field(field.number()).unwrap();
                    let start = value.position();
                    for at in 0..value.expose_wire().len() {
                        let (wrong, reason) = wrong_bytes(field, at);
                        for byte in wrong {
                            let mut bytes = good.clone();
                            bytes[start + at] = *byte;
                            let refused = Message::read(dialect, &bytes).unwrap_err();
                            assert_eq!(
                                (refused.field(), refused.position()),
                                (Some(field.number()), start + at)
                            );
                            let filled = length % 2 == 1 && refused.reason() == Reason::PadNibble;
                            assert!(filled || refused.reason() == reason, "{refused}");
                            tried += 1;
                        }
                    }
                    let odd_at = match (field.encoding(), field.pad(), length % 2) {
                        (Encoding::Bcd | Encoding::Nibble, Pad::After, 1) => (length / 2, 0x01),
                        (Encoding::Bcd | Encoding::Nibble, Pad::Before, 1) => (0, 0x10),
                        _ => continue,
                    };
                    let mut bytes = good.clone();
                    bytes[start + odd_at.0] |= odd_at.1;
                    let refused = Message::read(dialect, &bytes).unwrap_err();
                    assert_eq!((refused.position(), refused.reason()), (start + odd_at.0, Reason::PadNibble));
                }
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn a_wrong_character_is_refused_in_every_field_wherever_it_stands() {
    for dialect in DIALECTS {
        for field in dialect.fields() {
            let (wrong, reason) = match field.kind() {
                Kind::Digits => (['/', ':', 'A'], Reason::NotADigit),
                Kind::Signed => (['/', ':', 'E'], Reason::NotADigit),
                Kind::Track => (['G', '<', '>'], Reason::NotTrackData),
                Kind::Alphanumeric => (['#', '\u{7F}', '{'], Reason::Character),
                Kind::Printable | Kind::Text => (['\u{1F}', '\u{7F}', '\0'], Reason::Character),
                Kind::Binary | Kind::Mixed => continue,
            };
            let (least, most, _) = range(field);
            for length in [1, 7, 8, 9, 16, 17, 25] {
                let length = length.clamp(least, most);
                let (Sample::Digits(good) | Sample::Text(good)) = Sample::of(field, length, 11) else {
                    panic!()
                };
                let characters = good.chars().count();
                for at in 0..characters {
                    for wrong in wrong {
                        let bad: String = good
                            .chars()
                            .enumerate()
                            .map(|(i, good)| if i == at { wrong } else { good })
                            .collect();
                        let value = match field.kind() {
                            Kind::Digits | Kind::Track => Value::Digits(&bad),
                            _ => Value::Text(&bad),
                        };
                        let mut bytes = Vec::with_capacity(64);
                        let mut writer =
                            Writer::with_second_bitmap(dialect, Mti::literal(0x0200), &mut bytes);
                        let refused = writer.set(field.number(), value).unwrap_err();
                        assert_eq!(refused.field(), Some(field.number()));
                        let is_sign = field.kind() == Kind::Signed && at == 0;
                        assert_eq!(refused.reason(), if is_sign { Reason::Character } else { reason });
                        // Chinese characters take two bytes, and the place is counted in bytes.
                        let place =
                            bad.chars().take(at).map(|character| character.len_utf8().min(2)).sum::<usize>();
                        assert_eq!(refused.position(), place, "{refused}");
                        writer.finish().unwrap();
                        assert_eq!(Message::read(dialect, &bytes).unwrap().fields().count(), 0);
                    }
                }
            }
        }
    }
}

#[test]
fn odd_digits_of_22_and_23_are_filled_on_different_sides() {
    let mut bytes = Vec::new();
    let mut writer = Writer::start(&UNIONPAY_POS, Mti::literal(0x0200), &mut bytes);
    writer.set(22, Value::Digits("021")).unwrap().set(23, Value::Number(1)).unwrap();
    writer.finish().unwrap();
    assert_eq!(bytes[10..], [0x02, 0x10, 0x00, 0x01]);
    for (at, field) in [(11, 22), (12, 23)] {
        let mut wrong = bytes.clone();
        wrong[at] |= if field == 22 { 0x01 } else { 0x10 };
        let refused = Message::read(&UNIONPAY_POS, &wrong).unwrap_err();
        assert_eq!((refused.field(), refused.position()), (Some(field), at));
        assert_eq!(refused.reason(), Reason::PadNibble);
    }
}

#[test]
fn values_of_the_wrong_kind_are_refused_and_leave_nothing_behind() {
    let wrong = [
        (2, Value::Digits("62258801234567x4"), Reason::NotADigit),
        (2, Value::Text("6225"), Reason::WrongKind),
        (2, Value::Number(5), Reason::WrongKind),
        (4, Value::Number(1_000_000_000_000), Reason::TooLong { most: 12, given: 13 }),
        (35, Value::Digits("62G"), Reason::NotTrackData),
        (37, Value::Text("26000000000#"), Reason::Character),
        (41, Value::Text("终端终端"), Reason::Character),
        (41, Value::Text("1234567"), Reason::TooShort { least: 8, given: 7 }),
        (44, Value::Text("😀"), Reason::NotGbk),
        (44, Value::Text("a\u{7}"), Reason::Character),
        (44, Value::Bytes(&[0xFF, 0x20]), Reason::NotGbk),
        (52, Value::Text("12345678"), Reason::WrongKind),
        (52, Value::Digits("12345678"), Reason::WrongKind),
        (60, Value::Bytes(b"22"), Reason::WrongKind),
    ];
    for (number, value, reason) in wrong {
        let mut bytes = Vec::new();
        let mut writer = Writer::start(&UNIONPAY_POS, Mti::literal(0x0200), &mut bytes);
        let refused = writer.set(number, value).unwrap_err();
        assert_eq!((refused.field(), refused.reason()), (Some(number), reason));
        writer.finish().unwrap();
        assert_eq!(bytes, [&[0x02, 0x00][..], &[0; 8]].concat());
    }
}

#[test]
fn numbers_and_padded_text_fill_their_field() {
    let mut bytes = Vec::new();
    let mut writer = Writer::with_second_bitmap(&ISO_1987_ASCII, Mti::literal(0x0200), &mut bytes);
    writer.set(4, Value::Number(u64::from(u32::MAX))).unwrap();
    writer.set(43, Value::Padded("SHOP")).unwrap();
    writer.set(90, Value::Number(u64::MAX)).unwrap();
    writer.finish().unwrap();
    let message = Message::read(&ISO_1987_ASCII, &bytes).unwrap();
    let exposed = |number| message.field(number).unwrap().expose().into_owned();
    assert_eq!(exposed(4), "004294967295");
    assert_eq!(exposed(43), format!("{:<40}", "SHOP"));
    assert_eq!(exposed(90), format!("{:042}", u64::MAX));
    let mut empty = Vec::new();
    Writer::with_second_bitmap(&ISO_1987_ASCII, Mti::literal(0x0800), &mut empty).finish().unwrap();
    assert_eq!(empty, b"080080000000000000000000000000000000");
    let message = Message::read(&ISO_1987_ASCII, &empty).unwrap();
    let mut again = Vec::new();
    message.reencode(&mut again).unwrap();
    assert_eq!((again, message.fields().count()), (empty, 0), "an empty second bitmap is kept");
    let mut short = Vec::new();
    let mut writer = Writer::start(&ISO_1987_ASCII, Mti::literal(0x0200), &mut short);
    assert!(writer.set(66, Value::Number(1)).is_err(), "no room for the second bitmap");
}

#[test]
fn a_message_of_another_dialect_is_not_copied_from() {
    let bytes = build(&ISO_1987_ASCII, ISO_1987_ASCII.field(11).unwrap(), 6, Limits::Published).unwrap();
    let message = Message::read(&ISO_1987_ASCII, &bytes).unwrap();
    let mut out = Vec::new();
    let mut writer = Writer::start(&UNIONPAY_POS, Mti::literal(0x0210), &mut out);
    assert_eq!(writer.copy(&message, 11).unwrap_err().reason(), Reason::OtherDialect);
    assert!(writer.copy(&message, 12).is_ok(), "what is not there is left out");
}

proptest! {
    #[test]
    fn any_set_of_fields_comes_back(chosen in prop::collection::vec((any::<bool>(), any::<u64>()), 160)) {
        for dialect in DIALECTS {
            let mut draft = Draft::new(dialect, Mti::literal(0x0210));
            let mut set = Vec::new();
            for (field, (is_there, seed)) in dialect.fields().zip(&chosen) {
                let (least, most, _) = range(field);
                let length = least + usize::try_from(*seed % 1000).unwrap() % (most - least + 1);
                if *is_there {
                    let sample = Sample::of(field, length, *seed);
                    draft.set(field.number(), sample.value()).unwrap();
                    set.push((field.number(), sample));
                }
            }
            let bytes = draft.to_bytes().unwrap();
            let message = Message::read(dialect, &bytes).unwrap();
            prop_assert_eq!(message.fields().count(), set.len());
            for (number, sample) in &set {
                prop_assert_eq!(message.field(*number).unwrap().expose(), sample.exposed());
            }
            let mut again = Vec::new();
            message.reencode(&mut again).unwrap();
            prop_assert_eq!(&again, &bytes);
            let has_second = message.bitmap().iter().any(|number| number > 64);
            // A buffer that has room is written by other ways than one that has to grow.
            for room in [0, 70_000] {
                let start = |out| if has_second {
                    Writer::with_second_bitmap(dialect, message.mti(), out)
                } else {
                    Writer::start(dialect, message.mti(), out)
                };
                let (mut copied, mut built) = (Vec::with_capacity(room), Vec::with_capacity(room));
                let (mut copier, mut builder) = (start(&mut copied), start(&mut built));
                for (number, sample) in &set {
                    copier.copy(&message, *number).unwrap();
                    builder.set(*number, sample.value()).unwrap();
                }
                copier.finish().unwrap();
                builder.finish().unwrap();
                prop_assert_eq!(&copied, &bytes);
                prop_assert_eq!(&built, &bytes);
            }
        }
    }
}
