//! Field 62 of parameter downloads: lists of CA keys, one CA key, one chip application.

use super::parts::{Digits, unbuildable};
use crate::error::{Error, Place, Reason, Result};
use crate::field::FieldRef;
use crate::message::Message;
use crate::tlv::{self, Tag};

/// One entry of the list of CA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaKey<'a> {
    /// Registered application provider (`9F06`): five bytes.
    pub provider: &'a [u8],
    /// Index of the key (`9F22`): one byte.
    pub index: &'a [u8],
    /// Its expiry as sent (`DF05`).
    pub expiry: &'a [u8],
}

/// Field 62 of the answer with the list of CA keys (372), and of the query, which asks from a
/// position on.
#[derive(Debug, Clone)]
pub struct CaKeyList<'a> {
    /// First character: `1`, `2` or `3`, whether there is more.
    pub state: u8,
    /// Position of the last entry: two digits. Missing where there is no entry.
    pub position: Option<Digits<2>>,
    entries: tlv::Elements<'a>,
    start: usize,
}

impl<'a> CaKeyList<'a> {
    /// Reads field 62 of the answer; `None` when it is not there.
    ///
    /// # Errors
    /// When it is empty or the position has not two digits.
    pub fn read(message: &Message<'a>) -> Result<Option<Self>> {
        let Some(field) = message.field(62) else { return Ok(None) };
        let bytes = field.slice().unwrap_or_default();
        let empty = field.refuse(0, Reason::TooShort { least: 1, given: 0 });
        let (state, rest) = bytes.split_first().ok_or(empty)?;
        let (position, entries) = match rest.split_first_chunk::<2>() {
            Some((position, entries)) => {
                let text = std::str::from_utf8(position).ok();
                let position = text.and_then(Digits::parse);
                (Some(position.ok_or_else(|| field.refuse(1, Reason::NotADigit))?), entries)
            }
            None if rest.is_empty() => (None, rest),
            None => return Err(field.refuse(1, Reason::TooShort { least: 2, given: rest.len() })),
        };
        let start = FieldRef::position(&field).saturating_add(3);
        let entries = tlv::read(entries, tlv::Limits::FIELD_55)?;
        Ok(Some(Self { state: *state, position, entries, start }))
    }

    /// The bytes of field 62: state, position of the last entry, entries.
    ///
    /// # Errors
    /// [`Reason::Value`] for a state that is not `1`, `2` or `3`, or a part of the wrong length.
    pub fn write(state: u8, position: Digits<2>, keys: &[CaKey<'_>]) -> Result<Vec<u8>> {
        let is_whole =
            |key: &CaKey<'_>| key.provider.len() == 5 && key.index.len() == 1 && !key.expiry.is_empty();
        if !(b'1'..=b'3').contains(&state) || !keys.iter().all(is_whole) {
            return Err(unbuildable(62, "private"));
        }
        let mut out = vec![state];
        out.extend_from_slice(position.as_str().as_bytes());
        for CaKey { provider, index, expiry } in keys {
            for (tag, value) in [(PROVIDER, provider), (INDEX, index), (EXPIRY, expiry)] {
                tlv::write(tag, value, &mut out)?;
            }
        }
        Ok(out)
    }
}

const PROVIDER: Tag = Tag::literal(0x9F06);
const INDEX: Tag = Tag::literal(0x9F22);
const EXPIRY: Tag = Tag::literal(0xDF05);

impl<'a> Iterator for CaKeyList<'a> {
    type Item = Result<CaKey<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.start;
        let mut next = |tag: Tag| match self.entries.next()? {
            Ok(element) if element.tag == tag => Some(Ok(element.value)),
            Ok(element) => {
                let position = start.saturating_add(element.position);
                Some(Err(Error::new(Place::Tlv, position, Reason::OutOfOrder)))
            }
            Err(error) => Some(Err(error.shifted(start))),
        };
        let provider = next(PROVIDER)?;
        let missing = || Err(Error::new(Place::Tlv, start, Reason::Missing));
        let index = next(INDEX).unwrap_or_else(missing);
        let expiry = next(EXPIRY).unwrap_or_else(missing);
        let entry = provider.and_then(|provider| Ok(CaKey { provider, index: index?, expiry: expiry? }));
        Some(entry)
    }
}

/// Field 62 of the answer to the download of one CA key (370, 373) or one chip application (380):
/// `1` and its elements, or `0` when the host does not have it. The elements of an application are
/// from memory.
#[derive(Debug, Clone)]
pub struct Parameters<'a> {
    /// What was asked for; `None` when the host does not have it.
    pub found: Option<tlv::Elements<'a>>,
}

impl<'a> Parameters<'a> {
    /// Reads field 62 of the answer; `None` when it is not there.
    ///
    /// # Errors
    /// When it is empty, does not begin with `0` or `1`, or is longer than [`tlv::Limits::FIELD_55`]
    /// allows; each element can be refused too.
    pub fn read(message: &Message<'a>) -> Result<Option<Self>> {
        let Some(field) = message.field(62) else { return Ok(None) };
        match field.slice().and_then(<[u8]>::split_first) {
            Some((b'0', _)) => Ok(Some(Self { found: None })),
            Some((b'1', elements)) => {
                Ok(Some(Self { found: Some(tlv::read(elements, tlv::Limits::FIELD_55)?) }))
            }
            Some(_) => Err(field.refuse(0, Reason::Value)),
            None => Err(field.refuse(0, Reason::TooShort { least: 1, given: 0 })),
        }
    }

    /// The bytes of field 62 for what was found.
    ///
    /// # Errors
    /// When a value has more than 65,535 bytes.
    pub fn write(found: Option<&[(Tag, &[u8])]>) -> Result<Vec<u8>> {
        let mut out = vec![if found.is_some() { b'1' } else { b'0' }];
        for (tag, value) in found.unwrap_or_default() {
            tlv::write(*tag, value, &mut out)?;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Mti, UNIONPAY_POS, Value};

    fn with_62(bytes: &[u8]) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0810));
        draft.set(62, Value::Bytes(bytes)).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn a_list_of_ca_keys_comes_back() {
        let provider = [0xA0, 0, 0, 3, 0x33];
        let key = |index| CaKey { provider: &provider, index, expiry: b"20301231" };
        let written = CaKeyList::write(b'3', Digits::parse("02").unwrap(), &[key(&[1]), key(&[2])]).unwrap();
        let mut bytes = b"302".to_vec();
        for index in [1, 2] {
            bytes.extend_from_slice(&[0x9F, 0x06, 5, 0xA0, 0, 0, 3, 0x33, 0x9F, 0x22, 1, index]);
            bytes.extend_from_slice(b"\xDF\x05\x0820301231");
        }
        assert_eq!(written, bytes);
        let wire = with_62(&bytes);
        let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
        let list = CaKeyList::read(&message).unwrap().unwrap();
        assert_eq!((list.state, list.position.unwrap().as_str()), (b'3', "02"));
        let keys: Vec<_> = list.map(Result::unwrap).collect();
        assert_eq!((keys.len(), keys[1].index, keys[0].expiry), (2, &[2][..], &b"20301231"[..]));
        let wire = with_62(&bytes[..bytes.len() - 11]);
        let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
        assert!(CaKeyList::read(&message).unwrap().unwrap().last().unwrap().is_err());
        let position = Digits::parse("00").unwrap();
        assert!(CaKeyList::write(b'0', position, &[]).is_err());
        assert!(CaKeyList::write(b'1', position, &[key(&[1, 2])]).is_err());
        let short = CaKey { provider: &provider[1..], index: &[1], expiry: b"20301231" };
        assert!(CaKeyList::write(b'1', position, &[short]).is_err());
    }

    #[test]
    fn one_key_is_found_or_not() {
        let modulus = [0xC7; 248];
        let key = [(PROVIDER, &[0xA0, 0, 0, 3, 0x33][..]), (Tag::literal(0xDF02), &modulus)];
        for (found, count) in [(Some(&key[..]), Some(2)), (Some(&[]), Some(0)), (None, None)] {
            let wire = with_62(&Parameters::write(found).unwrap());
            let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
            let read = Parameters::read(&message).unwrap().unwrap();
            let elements = read.found.map(|elements| elements.map(Result::unwrap).collect::<Vec<_>>());
            assert_eq!(elements.as_ref().map(Vec::len), count);
            for (element, (tag, value)) in elements.iter().flatten().zip(key) {
                assert_eq!((element.tag, element.value), (tag, value));
            }
        }
        for wrong in [&b"2"[..], b"\x9F\x06\x00"] {
            let wire = with_62(wrong);
            let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
            assert_eq!(Parameters::read(&message).unwrap_err().field(), Some(62));
        }
        let wire = with_62(b"1\x9F\x06\x05\xA0");
        let message = Message::read(&UNIONPAY_POS, &wire).unwrap();
        assert!(Parameters::read(&message).unwrap().unwrap().found.unwrap().any(|element| element.is_err()));
    }
}
