//! The rules stand more than once, for the fast way, for any value and for naming a refusal: here
//! they are held against each other, whatever the field and whatever the value.

use crate::encode::{Limits, Short, Value, put};
use crate::shape::Shape;
use crate::spec::{Dialect, Encoding, Field, Kind, Length, Prefix};
use crate::{ISO_1987_ASCII, UNIONPAY_POS, refusal, walk};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Tries every field of both dialects with many values, and many fields that another's own dialect
/// might have.
fn for_every_field<V: Strategy>(values: V, agree: impl Fn(&Field, V::Value) -> Result<(), TestCaseError>) {
    let runner = |cases| TestRunner::new(ProptestConfig::with_cases(cases));
    for field in [&UNIONPAY_POS, &ISO_1987_ASCII].into_iter().flat_map(Dialect::fields) {
        runner(24).run(&values, |value| agree(field, value)).unwrap();
    }
    runner(2_000).run(&(others(), values), |(field, value)| agree(&field, value)).unwrap();
}

/// A field of a dialect of one's own.
fn others() -> impl Strategy<Value = Field> {
    let kind = prop::sample::select(vec![
        Kind::Digits,
        Kind::Signed,
        Kind::Track,
        Kind::Alphanumeric,
        Kind::Printable,
        Kind::Text,
        Kind::Binary,
        Kind::Mixed,
    ]);
    let encoding = prop::sample::select(vec![
        Encoding::Bcd,
        Encoding::Nibble,
        Encoding::Ascii,
        Encoding::Gbk,
        Encoding::Binary,
        Encoding::Hex,
    ]);
    let prefix = prop::option::of(prop::sample::select(vec![
        Prefix::Bcd1,
        Prefix::Bcd2,
        Prefix::Ascii2,
        Prefix::Ascii3,
    ]));
    let lengths = prop_oneof![1..=20_u16, 1..=999_u16];
    (kind, encoding, prefix, lengths, 0..5_u16, any::<bool>())
        .prop_map(|(kind, encoding, prefix, length, more, is_filled_before)| {
            let field = match prefix {
                None => Field::fixed(2, "any", kind, encoding, length),
                Some(prefix) => {
                    let published = length.min(prefix.most());
                    Field::variable(2, "any", kind, encoding, prefix, published)
                        .tolerating((published + more).min(prefix.most()))
                }
            };
            if is_filled_before { field.filled_before() } else { field }
        })
        .prop_filter("kind, encoding and length go together", Field::is_sound)
}

/// Text that some field may hold, long enough for all of them, in most cases with one character
/// in it that may be wrong.
fn texts() -> impl Strategy<Value = Vec<char>> {
    let alphabets = ["0123456789", "0123456789=ABCDEFabcdef", "ABCxyz019 ", "ABCxyz019 .-_/#~", "星光a1 "];
    let letters = prop::sample::select(alphabets.to_vec())
        .prop_map(|alphabet| alphabet.chars().collect::<Vec<char>>())
        .prop_flat_map(|alphabet| prop::collection::vec(prop::sample::select(alphabet), 1_005));
    let odd = prop_oneof![
        any::<char>(),
        (0..0x100_u32).prop_map(|character| char::from_u32(character).unwrap()),
        prop::sample::select(vec!['C', 'D', '=', 'G', ' ', '@', '`', '星', '😀', '\u{7F}', '\0']),
    ];
    (letters, prop::option::of((odd, prop_oneof![Just(0), 0..20_usize, 0..1_005_usize]))).prop_map(
        |(mut letters, odd)| {
            if let Some((odd, at)) = odd {
                letters[at] = odd;
            }
            letters
        },
    )
}

fn numbers() -> impl Strategy<Value = u64> {
    let near_a_power = (0..20_u32, 0..3_u64).prop_map(|(digits, more)| 10_u64.pow(digits) - 1 + more);
    prop_oneof![any::<u64>(), near_a_power]
}

/// Puts a value on the fast way and on the slow one, and asks what stands against it: the three
/// must say the same, and the first two write the same.
fn all_agree(field: &Field, value: Value<'_>, limits: Limits) -> Result<bool, TestCaseError> {
    let shape = Shape::of(field);
    let mut slow = b"before".to_vec();
    let is_put = put(field, &shape, value, limits, &mut slow);
    let checked = refusal::check(field, value, limits);
    prop_assert_eq!(is_put, checked.is_ok(), "{:?} {:?}: {:?}", field, limits, checked);
    prop_assert!(is_put || slow == b"before");
    let short = match value {
        Value::Digits(text) => Short::of_digits(&shape, text, limits),
        Value::Number(number) => Short::of_number(&shape, number),
        Value::Text(text) => Short::of_text(&shape, text.as_bytes(), limits),
        Value::Bytes(bytes) => Short::of_bytes(&shape, bytes),
        Value::Padded(_) => None,
    };
    if let Some(short) = short {
        let mut fast = Vec::with_capacity(64);
        fast.extend_from_slice(b"before");
        prop_assert!(short.put(&mut fast));
        prop_assert_eq!(fast, slow, "{:?} {:?}", field, limits);
        let mut full = Vec::new();
        prop_assert!(!short.put(&mut full) && full.is_empty(), "it does not grow the buffer");
    }
    Ok(short.is_some())
}

/// Lengths at which a field's rules change.
fn lengths(field: &Field) -> Vec<usize> {
    let (published, tolerated) = match field.length {
        Length::Fixed(length) => (usize::from(length), usize::from(length)),
        Length::Variable { published, tolerated, .. } => (usize::from(published), usize::from(tolerated)),
    };
    let around = |most: usize| [most / 2, most - 1, most, most + 1];
    [0, 1, 2, 7, 8, 9, 13, 14, 15, 16, 17]
        .into_iter()
        .chain(around(published))
        .chain(around(tolerated))
        .collect()
}

#[test]
fn what_is_not_written_is_refused_by_name_and_nothing_else() {
    for_every_field((texts(), numbers()), |field, (letters, number)| {
        for limits in [Limits::Published, Limits::Tolerated] {
            all_agree(field, Value::Number(number), limits)?;
            for length in lengths(field) {
                let text: String = letters.iter().take(length).collect();
                let encoded = encoding_rs::GBK.encode(&text).0;
                let values = [Value::Digits(&text), Value::Text(&text), Value::Padded(&text)];
                for value in values.into_iter().chain([Value::Bytes(&encoded), Value::Bytes(text.as_bytes())])
                {
                    all_agree(field, value, limits)?;
                }
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_not_read_is_refused_by_name_and_nothing_else() {
    let index = any::<prop::sample::Index>;
    let changes = prop::collection::vec((index(), any::<u8>()), 0..3);
    let behind = prop::collection::vec(any::<u8>(), 0..12);
    let values = (texts(), index(), changes, behind, prop::option::of(index()));
    for_every_field(values, |field, (letters, length, changes, behind, cut)| {
        let shape = Shape::of(field);
        let text: String = letters.iter().take(*length.get(&lengths(field))).collect();
        let mut bytes = written(field, &text)?;
        let end = bytes.len();
        bytes.extend_from_slice(&behind);
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(end + 1));
        }
        let found = walk::checked_any(&shape, &bytes, 0);
        prop_assert_eq!(found, walk::checked(&shape, &bytes, 0), "{:?} {:02X?}", field, bytes);
        let named = walk::check(field, &bytes, 0);
        prop_assert_eq!(found.is_some(), named.is_ok(), "{:?} {:02X?}: {:?}", field, bytes, named);
        if let Some((_, end)) = found {
            prop_assert_eq!(Some(usize::from(end)), walk::end(&shape, &bytes, 0));
        }
        Ok(())
    });
}

/// A text as the field writes it, even when it is longer than the field may be; a text that does
/// not go into the field as it is.
fn written(field: &Field, text: &str) -> Result<Vec<u8>, TestCaseError> {
    let mut bytes = Vec::new();
    let mut is_put = |shape: &Shape| {
        let values = [Value::Digits(text), Value::Text(text), Value::Bytes(text.as_bytes())];
        values.into_iter().any(|value| put(field, shape, value, Limits::Tolerated, &mut bytes))
    };
    let shape = Shape::of(field);
    let is_of_the_field = is_put(&shape);
    let is_longer = match field.length {
        Length::Fixed(_) => false,
        Length::Variable { prefix, .. } => {
            !is_of_the_field && is_put(&Shape::of(&field.tolerating(prefix.most())))
        }
    };
    if is_of_the_field {
        let place = (u16::from(shape.lead_bytes), u16::try_from(bytes.len()).unwrap());
        prop_assert_eq!(walk::checked(&shape, &bytes, 0), Some(place), "what is written can be read");
    } else if !is_longer {
        bytes.extend_from_slice(text.as_bytes());
    }
    Ok(bytes)
}

#[test]
fn the_fast_way_takes_what_an_answer_has() {
    let is_short =
        |number, value| all_agree(UNIONPAY_POS.field(number).unwrap(), value, Limits::Published).unwrap();
    assert!(is_short(2, Value::Digits("6225880123456784")) && is_short(32, Value::Digits("48021000")));
    assert!(is_short(4, Value::Number(999_999_999_999)) && is_short(23, Value::Number(999)));
    assert!(is_short(37, Value::Text("260000000003")) && is_short(63, Value::Text("CUP")));
    assert!(is_short(64, Value::Bytes(b"12345678")));
    assert!(!is_short(4, Value::Number(1_000_000_000_000)) && !is_short(23, Value::Number(1_000)));
    assert!(!is_short(37, Value::Text("26000000000#")) && !is_short(64, Value::Bytes(b"1234567")));
}
