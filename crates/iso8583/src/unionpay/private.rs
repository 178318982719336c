//! Fields 60, 61 and 63: what the transaction is, what it refers to, who works the terminal.

use super::parts::{Digits, text_part, unbuildable};
use crate::error::{Error, Reason, Result};
use crate::field::FieldRef;
use crate::message::Message;

/// Field 60 (自定义域): type, batch and network code, then what the terminal can read.
///
/// Every part behind the batch may be missing, and then all parts behind it are. What follows the
/// seventh part on live messages is read and left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field60 {
    /// 60.1 message type: two digits, see the matrix.
    pub kind: Digits<2>,
    /// 60.2 batch number.
    pub batch: Digits<6>,
    /// 60.3 network management code.
    pub network: Option<Digits<3>>,
    /// 60.4 reading ability: 0 unknown, 2 stripe, 5 contact chip, 6 contactless.
    pub ability: Option<Digits<1>>,
    /// 60.5 chip condition: 0 none, 1 last chip read good, 2 last chip read failed.
    pub chip_condition: Option<Digits<1>>,
    /// 60.6 partial approval and balance flag.
    pub partial: Option<Digits<1>>,
    /// 60.7 account type.
    pub account_type: Option<Digits<3>>,
}

impl Field60 {
    /// Type, batch and network code only, as management messages have it.
    #[must_use]
    pub const fn new(kind: Digits<2>, batch: Digits<6>, network: Digits<3>) -> Self {
        Self {
            kind,
            batch,
            network: Some(network),
            ability: None,
            chip_condition: None,
            partial: None,
            account_type: None,
        }
    }

    /// Reads field 60; `None` when it is not there.
    ///
    /// # Errors
    /// When it ends within a part, or before the batch number's end.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(60) else { return Ok(None) };
        Ok(Some(Self {
            kind: Digits::at(&field, 0)?,
            batch: Digits::at(&field, 2)?,
            network: part(&field, 8)?,
            ability: part(&field, 11)?,
            chip_condition: part(&field, 12)?,
            partial: part(&field, 13)?,
            account_type: part(&field, 14)?,
        }))
    }

    /// The digits of the field.
    ///
    /// # Errors
    /// [`Reason::Value`] when a part is missing before one that is there.
    pub fn text(&self) -> Result<String> {
        let mut tail = Tail::new(60, format!("{}{}", self.kind, self.batch));
        tail.put(self.network.as_ref())?;
        tail.put(self.ability.as_ref())?;
        tail.put(self.chip_condition.as_ref())?;
        tail.put(self.partial.as_ref())?;
        tail.put(self.account_type.as_ref())?;
        Ok(tail.text)
    }
}

/// Field 61 (原始信息域): the transaction that is voided, refunded or completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Field61 {
    /// Its batch number.
    pub batch: Digits<6>,
    /// Its trace number.
    pub trace: Digits<6>,
    /// Its date, MMDD: refund, pre-authorization void and completion.
    pub date: Option<Digits<4>>,
    /// How it was authorized.
    pub authorization_mode: Option<Digits<2>>,
    /// Who authorized it.
    pub institution: Option<Digits<11>>,
}

impl Field61 {
    /// Reads field 61; `None` when it is not there.
    ///
    /// # Errors
    /// When it ends within a part, or before the trace number's end.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(61) else { return Ok(None) };
        Ok(Some(Self {
            batch: Digits::at(&field, 0)?,
            trace: Digits::at(&field, 6)?,
            date: part(&field, 12)?,
            authorization_mode: part(&field, 16)?,
            institution: part(&field, 18)?,
        }))
    }

    /// The digits of the field.
    ///
    /// # Errors
    /// [`Reason::Value`] when a part is missing before one that is there.
    pub fn text(&self) -> Result<String> {
        let mut tail = Tail::new(61, format!("{}{}", self.batch, self.trace));
        tail.put(self.date.as_ref())?;
        tail.put(self.authorization_mode.as_ref())?;
        tail.put(self.institution.as_ref())?;
        Ok(tail.text)
    }
}

/// A part that may be missing, but not be cut.
fn part<const N: usize>(field: &FieldRef<'_>, from: usize) -> Result<Option<Digits<N>>> {
    if field.len() <= from { Ok(None) } else { Digits::at(field, from).map(Some) }
}

/// Parts of which one may only be there when all before it are.
struct Tail {
    number: u8,
    text: String,
    has_ended: bool,
}

impl Tail {
    const fn new(number: u8, text: String) -> Self {
        Self { number, text, has_ended: false }
    }

    fn put<const N: usize>(&mut self, part: Option<&Digits<N>>) -> Result<()> {
        match part {
            None => self.has_ended = true,
            Some(_) if self.has_ended => return Err(unbuildable(self.number, "private")),
            Some(part) => self.text.push_str(part.as_str()),
        }
        Ok(())
    }
}

/// Field 63 (自定义域): the operator at sign-in, otherwise the card organization and texts for the
/// receipt. The texts are cut at bytes, so a character at the edge may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field63 {
    /// 63.1: operator number, or card organization (`CUP`, `000`).
    pub first: String,
    /// 63.2.1: the issuer's text, up to 20 bytes.
    pub issuer: String,
    /// 63.2.2: UnionPay's text, up to 20 bytes.
    pub unionpay: String,
    /// 63.2.3: the acquirer's text, up to 20 bytes.
    pub acquirer: String,
    /// 63.2.4: the terminal's text, up to 60 bytes.
    pub terminal: String,
}

impl Field63 {
    /// Reads field 63; `None` when it is not there.
    ///
    /// # Errors
    /// [`Reason::TooShort`] when it has less than three characters.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(63) else { return Ok(None) };
        let bytes = field.slice().unwrap_or_default();
        if bytes.len() < 3 {
            return Err(field.refuse(0, Reason::TooShort { least: 3, given: bytes.len() }));
        }
        let text = |from, to| text_part(bytes, from, to);
        Ok(Some(Self {
            first: text(0, 3),
            issuer: text(3, 23),
            unionpay: text(23, 43),
            acquirer: text(43, 63),
            terminal: text(63, 123),
        }))
    }

    /// The bytes of the field in GBK: each part filled with blanks to its place, what is empty at the
    /// end left out.
    ///
    /// # Errors
    /// [`Reason::NotGbk`] for characters that GBK does not have, [`Reason::TooLong`] for a text that
    /// does not fit its place, [`Reason::Value`] without a first part.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let refuse = |at, reason| Error::in_field(63, "private", at, reason);
        if self.first.is_empty() {
            return Err(refuse(0, Reason::Value));
        }
        let (mut out, mut used) = (Vec::new(), 0);
        let parts = [
            (&self.first, 3_usize),
            (&self.issuer, 20),
            (&self.unionpay, 20),
            (&self.acquirer, 20),
            (&self.terminal, 60),
        ];
        for (text, most) in parts {
            let (encoded, _, has_unmappable) = encoding_rs::GBK.encode(text);
            if has_unmappable {
                return Err(refuse(out.len(), Reason::NotGbk));
            }
            let missing = most
                .checked_sub(encoded.len())
                .ok_or_else(|| refuse(out.len(), Reason::TooLong { most, given: encoded.len() }))?;
            out.extend_from_slice(&encoded);
            out.extend(std::iter::repeat_n(b' ', missing));
            if !text.is_empty() {
                used = out.len();
            }
        }
        out.truncate(used);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Limits, Mti, UNIONPAY_POS, Value};

    fn with(number: u8, text: &str) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0200)).limits(Limits::Tolerated);
        let value = if number == 63 { Value::Text(text) } else { Value::Digits(text) };
        draft.set(number, value).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn field_60_comes_back_at_every_length_that_ends_a_part() {
        let whole = "22000001000602156";
        for length in [8, 11, 12, 13, 14, 17] {
            let bytes = with(60, &whole[..length]);
            let parts = Field60::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).unwrap().unwrap();
            assert_eq!(parts.text().unwrap(), whole[..length]);
        }
        for length in [1, 7, 9, 10, 15, 16] {
            let bytes = with(60, &whole[..length]);
            assert!(Field60::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).is_err());
        }
        let bytes = with(60, "2200000100060215699");
        let parts = Field60::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).unwrap().unwrap();
        assert_eq!(parts.text().unwrap(), whole, "a live message had 19 digits");
        let gap = Field60 { ability: None, ..parts };
        assert!(gap.text().is_err());
    }

    #[test]
    fn field_61_comes_back_at_every_length_that_ends_a_part() {
        let whole = "00000100000311220012345678901";
        for length in [12, 16, 18, 29] {
            let bytes = with(61, &whole[..length]);
            let parts = Field61::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).unwrap().unwrap();
            assert_eq!(parts.text().unwrap(), whole[..length]);
        }
        let bytes = with(61, &whole[..14]);
        assert!(Field61::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).is_err());
    }

    #[test]
    fn texts_of_field_63_are_chinese() {
        let bytes = with(63, "CUP发卡行信息          银联信息");
        let parts = Field63::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).unwrap().unwrap();
        assert_eq!((parts.first.as_str(), parts.issuer.as_str()), ("CUP", "发卡行信息"));
        assert_eq!((parts.unionpay.as_str(), parts.acquirer.as_str()), ("银联信息", ""));
        let again = parts.to_bytes().unwrap();
        assert_eq!((&again[..31], &again[31..]), (&bytes[12..], &[b' '; 12][..]));
        let only_first = Field63 { issuer: String::new(), unionpay: String::new(), ..parts.clone() };
        assert_eq!(only_first.to_bytes().unwrap(), b"CUP");
        let wrong =
            |issuer: &str| Field63 { issuer: issuer.to_owned(), ..parts.clone() }.to_bytes().unwrap_err();
        assert_eq!(wrong("二十一个字节的发卡行文").reason(), Reason::TooLong { most: 20, given: 22 });
        assert_eq!((wrong("😀").reason(), wrong("😀").position()), (Reason::NotGbk, 3));
        assert!(Field63 { first: String::new(), ..parts }.to_bytes().is_err());
        let bytes = with(63, "01");
        assert!(Field63::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).is_err());
    }
}
