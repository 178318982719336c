//! BER-TLV as EMV uses it (field 55; EMV book 3, annex B): read without allocation, depth and sizes
//! limited.

use crate::error::{Error, Place, Reason, Result};
use std::fmt;

/// What is read at most. Work and memory stay within the length of the input in any case; the
/// limits are there to refuse nonsense early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole, tags and lengths included.
    pub bytes: usize,
    /// Elements, those inside others included.
    pub elements: usize,
    /// Levels of constructed elements inside one another.
    pub depth: usize,
}

impl Limits {
    /// What field 55 of a payment needs: 999 bytes, 128 elements, 4 levels.
    pub const FIELD_55: Self = Self { bytes: 999, elements: 128, depth: 4 };
}

/// The most levels that can be asked for.
pub const DEPTH_MAX: usize = 8;

/// A tag of one to three bytes, as it stands in the data: `9F02` is `0x9F02` (EMV book 3, annex B1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(u32);

impl Tag {
    /// A tag as written in specifications; `None` when the bytes do not make one tag.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        // Five ones in the first byte say that more follow, the top bit of those that still more do.
        let is_tag = match value.to_be_bytes() {
            [0, 0, 0, only] => only != 0 && only & 0x1F != 0x1F,
            [0, 0, first, last] => first & 0x1F == 0x1F && last < 0x80,
            [0, first, middle, last] => first & 0x1F == 0x1F && middle >= 0x80 && last < 0x80,
            [1..=u8::MAX, ..] => false,
        };
        if is_tag { Some(Self(value)) } else { None }
    }

    /// A literal tag.
    ///
    /// # Panics
    /// When the bytes do not make one tag; in a `const` that is a compile error.
    #[must_use]
    pub const fn literal(value: u32) -> Self {
        match Self::new(value) {
            Some(tag) => tag,
            None => panic!("the bytes do not make one tag"),
        }
    }

    /// The tag as a number: `0x9F02`.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether its value holds further elements.
    #[must_use]
    pub fn is_constructed(self) -> bool {
        self.first() & 0x20 != 0
    }

    fn first(self) -> u8 {
        self.0.to_be_bytes().into_iter().find(|byte| *byte != 0).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (first, rest) = bytes.split_first()?;
        if *first == 0 {
            return None;
        }
        if first & 0x1F != 0x1F {
            return Some((Self(u32::from(*first)), 1));
        }
        let more = rest.iter().take_while(|byte| **byte & 0x80 != 0).count().checked_add(1)?;
        let tail = rest.get(..more).filter(|_| more <= 2)?;
        let value = tail.iter().fold(u32::from(*first), |tag, byte| (tag << 8) | u32::from(*byte));
        Some((Self(value), more.checked_add(1)?))
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.0.to_be_bytes().into_iter().skip_while(|byte| *byte == 0));
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// One element. Its `Debug` output says tag and length, never the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag.
    pub tag: Tag,
    /// The value; of a constructed element, the elements inside.
    pub value: &'a [u8],
    /// How many constructed elements it stands in.
    pub depth: usize,
    /// The byte at which its tag begins.
    pub position: usize,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes, level {})", self.tag, self.value.len(), self.depth)
    }
}

/// Reads the elements of BER-TLV data in the order they stand, constructed ones before what is
/// inside them. Zero bytes between elements are skipped, as EMV allows.
///
/// ```
/// use starpay_iso8583::tlv::{Limits, Tag, read};
///
/// let data = b"\x9F\x02\x06\0\0\0\x01\0\0\x82\x02\x7C\x00";
/// let elements = read(data, Limits::FIELD_55)?.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(elements[1].tag, Tag::new(0x82).unwrap());
/// assert_eq!(elements[1].value, [0x7C, 0x00]);
/// # Ok::<(), starpay_iso8583::Error>(())
/// ```
///
/// # Errors
/// When the data or the asked depth are above the limits; each element read can be refused too.
pub fn read(data: &[u8], limits: Limits) -> Result<Elements<'_>> {
    if data.len() > limits.bytes {
        return Err(refuse(0, Reason::TooLong { most: limits.bytes, given: data.len() }));
    }
    if limits.depth > DEPTH_MAX {
        return Err(refuse(0, Reason::TooDeep { most: DEPTH_MAX }));
    }
    Ok(Elements { data, limits, at: 0, seen: 0, depth: 0, ends: [0; DEPTH_MAX], is_over: false })
}

/// Finds the first element with this tag, at any level.
///
/// # Errors
/// When what stands before it is no BER-TLV data within the limits.
pub fn find(data: &[u8], tag: Tag, limits: Limits) -> Result<Option<&[u8]>> {
    for element in read(data, limits)? {
        let element = element?;
        if element.tag == tag {
            return Ok(Some(element.value));
        }
    }
    Ok(None)
}

/// The elements of BER-TLV data; see [`read`]. Ends after the first error.
#[derive(Clone)]
pub struct Elements<'a> {
    data: &'a [u8],
    limits: Limits,
    at: usize,
    seen: usize,
    depth: usize,
    /// Where each open constructed element ends, the outermost first.
    ends: [usize; DEPTH_MAX],
    is_over: bool,
}

impl fmt::Debug for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Elements at {} of {}", self.at, self.data.len())
    }
}

impl<'a> Elements<'a> {
    /// Leaves what has ended, skips filling, and says where the innermost open element ends.
    fn settle(&mut self) -> usize {
        loop {
            let open = self.depth.checked_sub(1).and_then(|at| self.ends.get(at)).copied();
            match open {
                Some(end) if self.at >= end => self.depth = self.depth.saturating_sub(1),
                _ if self.data.get(self.at) == Some(&0) => self.at = self.at.saturating_add(1),
                Some(end) => return end,
                None => return self.data.len(),
            }
        }
    }

    fn element(&mut self) -> Result<Option<Element<'a>>> {
        let end = self.settle();
        let position = self.at;
        let Some(rest) = self.data.get(position..end).filter(|rest| !rest.is_empty()) else {
            return Ok(None);
        };
        if self.seen >= self.limits.elements {
            let reason = Reason::TooLong { most: self.limits.elements, given: self.seen.saturating_add(1) };
            return Err(refuse(position, reason));
        }
        let Some((tag, tag_bytes)) = Tag::read(rest) else {
            return Err(refuse(position, Reason::Value));
        };
        let rest = rest.get(tag_bytes..).unwrap_or_default();
        let at = position.saturating_add(tag_bytes);
        let (length, length_bytes) = length(rest).map_err(|reason| refuse(at, reason))?;
        let present = rest.len().saturating_sub(length_bytes);
        let value = rest
            .get(length_bytes..length_bytes.saturating_add(length))
            .ok_or(refuse(at, Reason::Truncated { needed: length, present }))?;
        let begin = at.saturating_add(length_bytes);
        let depth = self.depth;
        self.seen = self.seen.saturating_add(1);
        if tag.is_constructed() {
            if depth >= self.limits.depth {
                return Err(refuse(position, Reason::TooDeep { most: self.limits.depth }));
            }
            if let Some(place) = self.ends.get_mut(depth) {
                *place = begin.saturating_add(length);
            }
            self.depth = depth.saturating_add(1);
            self.at = begin;
        } else {
            self.at = begin.saturating_add(length);
        }
        Ok(Some(Element { tag, value, depth, position }))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let element = self.element().transpose();
        self.is_over = !matches!(element, Some(Ok(_)));
        element
    }
}

const fn refuse(position: usize, reason: Reason) -> Error {
    Error::new(Place::Tlv, position, reason)
}

/// A definite length of one to three bytes, and how many bytes it takes.
fn length(bytes: &[u8]) -> std::result::Result<(usize, usize), Reason> {
    let truncated = |needed| Reason::Truncated { needed, present: bytes.len() };
    match *bytes {
        [] => Err(truncated(1)),
        [short @ 0..=0x7F, ..] => Ok((usize::from(short), 1)),
        [0x80, ..] => Err(Reason::IndefiniteLength),
        [0x81, length, ..] => Ok((usize::from(length), 2)),
        [0x82, high, low, ..] => Ok((usize::from(u16::from_be_bytes([high, low])), 3)),
        [0x81, ..] => Err(truncated(2)),
        [0x82, ..] => Err(truncated(3)),
        [0x83..=0xFF, ..] => Err(Reason::LengthPrefix),
    }
}

/// Appends an element, its length in the shortest form.
///
/// # Errors
/// [`Reason::TooLong`] when the value has more than 65,535 bytes.
pub fn write(tag: Tag, value: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let too_long = refuse(0, Reason::TooLong { most: 65_535, given: value.len() });
    let [high, low] = u16::try_from(value.len()).map_err(|_| too_long)?.to_be_bytes();
    tag.write(out);
    match (high, low) {
        (0, 0..=0x7F) => out.push(low),
        (0, 0x80..=0xFF) => out.extend_from_slice(&[0x81, low]),
        (1.., _) => out.extend_from_slice(&[0x82, high, low]),
    }
    out.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(data: &[u8]) -> Result<Vec<(u32, usize, usize)>> {
        read(data, Limits::FIELD_55)?
            .map(|element| element.map(|element| (element.tag.value(), element.value.len(), element.depth)))
            .collect()
    }

    #[test]
    fn templates_come_before_what_is_inside_them() {
        let script = [0x71, 0x08, 0x9F, 0x18, 0x01, 0xAA, 0x86, 0x02, 1, 2, 0x00, 0x91, 0x01, 0xFF];
        assert_eq!(all(&script).unwrap(), [(0x71, 8, 0), (0x9F18, 1, 1), (0x86, 2, 1), (0x91, 1, 0)]);
        let found = find(&script, Tag::new(0x86).unwrap(), Limits::FIELD_55);
        assert_eq!(found, Ok(Some(&[1, 2][..])));
        assert_eq!(find(&script, Tag::new(0x5A).unwrap(), Limits::FIELD_55), Ok(None));
    }

    #[test]
    fn each_refusal_says_where() {
        let refused = |data: &[u8]| {
            let error = all(data).unwrap_err();
            (error.position(), error.reason())
        };
        assert_eq!(refused(&[0x82, 0x02, 0x7C]), (1, Reason::Truncated { needed: 2, present: 1 }));
        assert_eq!(refused(&[0x9F]), (0, Reason::Value));
        assert_eq!(refused(&[0x9F, 0x81, 0x82, 0x03, 0x00]), (0, Reason::Value));
        assert_eq!(refused(&[0x82, 0x80, 0x00, 0x00]), (1, Reason::IndefiniteLength));
        assert_eq!(refused(&[0x82, 0x84, 0, 0, 0, 1]), (1, Reason::LengthPrefix));
        assert_eq!(refused(&[0x82, 0x81]), (1, Reason::Truncated { needed: 2, present: 1 }));
        // A child must end within its parent.
        assert_eq!(
            refused(&[0x71, 0x02, 0x86, 0x02, 1, 2]),
            (3, Reason::Truncated { needed: 2, present: 0 })
        );
        let deep: Vec<u8> = (0..5_u8).flat_map(|level| [0x70, 2 * (4 - level)]).collect();
        assert_eq!(refused(&deep), (8, Reason::TooDeep { most: 4 }));
        assert!(matches!(refused(&[0x82; 1000]).1, Reason::TooLong { most: 999, .. }));
        let many: Vec<u8> = [0x82, 0x00].repeat(129);
        assert!(matches!(refused(&many), (256, Reason::TooLong { most: 128, .. })));
        assert!(read(&[], Limits { depth: DEPTH_MAX + 1, ..Limits::FIELD_55 }).is_err());
    }

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        for length in [0, 1, 127, 128, 255, 256, 700] {
            let mut out = Vec::new();
            write(Tag::new(0xDF31).unwrap(), &vec![7; length], &mut out).unwrap();
            assert_eq!(all(&out).unwrap(), [(0xDF31, length, 0)]);
        }
        assert!(write(Tag::new(0x82).unwrap(), &[0; 65_536], &mut Vec::new()).is_err());
        assert_eq!([Tag::new(0), Tag::new(0x9F), Tag::new(0x8202), Tag::new(0x9F81_8203)], [None; 4]);
        assert_eq!(Tag::new(0x9F02).unwrap().to_string(), "9F02");
    }
}
