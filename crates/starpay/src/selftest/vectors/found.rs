//! What a case's inputs came to, and how each sort of value is compared with what is expected.

use serde_json::{Map, Value};
use starpay_iso8583::tlv::{self, Limits, Tag};

/// One value that came out. Its sort decides how it is compared.
pub(super) enum Found {
    /// Hexadecimal digits, whose case says nothing.
    Bytes(String),
    /// Characters, compared as they are.
    Characters(String),
    /// A number, stated as one or in digits.
    Count(usize),
    /// A track with `=`; a case may write the separator as `D`.
    Track(String),
    /// The tags of chip data, in whatever order.
    Tags(Vec<(Tag, Vec<u8>)>),
    /// Field 55 built of these tags. JSON objects have no order, so it is built in the expected one.
    ChipData(Vec<(Tag, Vec<u8>)>),
}

impl Found {
    /// Bytes, as cases write them.
    pub(super) fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(hex::encode(bytes))
    }

    /// Characters.
    pub(super) fn characters(text: impl ToString) -> Self {
        Self::Characters(text.to_string())
    }

    /// Whether it is what is expected; nothing when the two cannot be compared.
    pub(super) fn says(&self, expected: &Value) -> Option<bool> {
        match self {
            Self::Bytes(digits) => Some(expected.as_str()?.eq_ignore_ascii_case(digits)),
            Self::Characters(text) => Some(expected.as_str()? == text),
            Self::Count(count) => match expected {
                Value::Number(number) => Some(number.as_u64() == u64::try_from(*count).ok()),
                other => Some(other.as_str()? == count.to_string()),
            },
            Self::Track(track) => Some(expected.as_str()?.replace(['D', 'd'], "=") == *track),
            Self::Tags(tags) => Some(same_tags(&elements(expected.as_object()?)?, tags)),
            Self::ChipData(tags) => Some(is_built_of(expected.as_str()?, tags)),
        }
    }
}

/// The tags of an object; nothing when a tag or its value is not hexadecimal.
pub(super) fn elements(tags: &Map<String, Value>) -> Option<Vec<(Tag, Vec<u8>)>> {
    let element = |(tag, value): (&String, &Value)| {
        let tag = u32::from_str_radix(tag, 16).ok().and_then(Tag::new)?;
        Some((tag, hex::decode(value.as_str()?).ok()?))
    };
    tags.iter().map(element).collect()
}

/// The outermost elements of chip data.
///
/// # Errors
/// When it is no chip data.
pub(super) fn outermost(field: &[u8]) -> starpay_iso8583::Result<Vec<(Tag, Vec<u8>)>> {
    let read = tlv::read(field, Limits::FIELD_55)?.collect::<Result<Vec<_>, _>>()?;
    let outermost = read.iter().filter(|element| element.depth == 0);
    Ok(outermost.map(|element| (element.tag, element.value.to_vec())).collect())
}

/// Chip data of these elements, in their order.
///
/// # Errors
/// When a value is too long.
pub(super) fn written(elements: &[(Tag, Vec<u8>)]) -> starpay_iso8583::Result<Vec<u8>> {
    let mut field = Vec::new();
    for (tag, value) in elements {
        tlv::write(*tag, value, &mut field)?;
    }
    Ok(field)
}

/// Whether two lists of elements have the same elements, in whatever order.
pub(super) fn same_tags(one: &[(Tag, Vec<u8>)], other: &[(Tag, Vec<u8>)]) -> bool {
    let sorted = |elements: &[(Tag, Vec<u8>)]| {
        let mut elements: Vec<_> = elements.iter().map(|(tag, value)| (tag.value(), value.clone())).collect();
        elements.sort();
        elements
    };
    sorted(one) == sorted(other)
}

/// Whether an expected field 55 has exactly these tags and is what they are written as in its order.
fn is_built_of(expected: &str, tags: &[(Tag, Vec<u8>)]) -> bool {
    let Ok(field) = hex::decode(expected) else { return false };
    outermost(&field).is_ok_and(|expected| {
        same_tags(&expected, tags) && written(&expected).is_ok_and(|written| written == field)
    })
}
