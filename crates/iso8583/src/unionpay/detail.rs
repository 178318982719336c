//! Field 59 (detail data, 自定义域): a two-character tag, three digits of length, a value.

use crate::error::{Error, Reason, Result};
use crate::field::FieldRef;
use crate::message::Message;
use std::fmt;

/// One tag of field 59. Its `Debug` output says tag and length: the value may be a PIN block or a
/// payment code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DetailTag<'a> {
    /// Two characters: `A1` SM4 PIN block, `A2` terminal data, `A3` the customer's code, `A4` the
    /// payment voucher, `A5` place.
    pub tag: [u8; 2],
    /// The value.
    pub value: &'a [u8],
}

impl DetailTag<'_> {
    /// What the tag is, in Chinese, where that is known.
    #[must_use]
    pub const fn chinese(&self) -> Option<&'static str> {
        match &self.tag {
            b"A1" => Some("国密PIN密文"),
            b"A2" => Some("终端信息"),
            b"A3" => Some("付款码"),
            b"A4" => Some("付款凭证码"),
            b"A5" => Some("位置信息"),
            _ => None,
        }
    }

    /// What the sub-tag is, in Chinese, where it stands inside terminal data (`A2`).
    #[must_use]
    pub const fn chinese_in_terminal_data(&self) -> Option<&'static str> {
        match &self.tag {
            b"01" => Some("设备类型"),
            b"02" => Some("终端硬件序列号"),
            b"03" => Some("加密随机因子"),
            b"04" => Some("硬件序列号密文"),
            b"05" => Some("应用程序版本号"),
            _ => None,
        }
    }
}

impl fmt::Debug for DetailTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", String::from_utf8_lossy(&self.tag), self.value.len())
    }
}

/// The tags of field 59, or the sub-tags of tag A2, which have the same form.
#[derive(Clone)]
pub struct DetailTags<'a> {
    bytes: &'a [u8],
    at: usize,
    position: usize,
}

impl fmt::Debug for DetailTags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DetailTags at {} of {}", self.at, self.bytes.len())
    }
}

impl<'a> DetailTags<'a> {
    /// The tags of field 59; none when it is not there.
    #[must_use]
    pub fn read(message: &Message<'a>) -> Self {
        let field = message.field(59);
        let position = field.as_ref().map_or(0, FieldRef::position);
        Self { bytes: field.and_then(|field| field.slice()).unwrap_or_default(), at: 0, position }
    }

    /// The sub-tags of a value.
    #[must_use]
    pub const fn inside(value: &'a [u8]) -> Self {
        Self { bytes: value, at: 0, position: 0 }
    }

    /// The value of a tag.
    ///
    /// # Errors
    /// When what stands before it is not of the form.
    pub fn find(self, tag: &[u8; 2]) -> Result<Option<&'a [u8]>> {
        for found in self {
            let found = found?;
            if &found.tag == tag {
                return Ok(Some(found.value));
            }
        }
        Ok(None)
    }

    fn element(&self) -> Result<(DetailTag<'a>, usize)> {
        let refuse =
            |reason| Error::in_field(59, "detail data", self.position.saturating_add(self.at), reason);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let truncated = refuse(Reason::Truncated { needed: 5, present: rest.len() });
        let (tag, rest) = rest.split_first_chunk::<2>().ok_or(truncated)?;
        let (digits, rest) = rest.split_first_chunk::<3>().ok_or(truncated)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(refuse(Reason::LengthPrefix));
        }
        let [hundreds, tens, ones] = digits.map(|digit| usize::from(digit & 0x0F));
        let length =
            hundreds.saturating_mul(100).saturating_add(tens.saturating_mul(10)).saturating_add(ones);
        let value =
            rest.get(..length).ok_or(refuse(Reason::Truncated { needed: length, present: rest.len() }))?;
        let end = self.at.saturating_add(5).saturating_add(length);
        Ok((DetailTag { tag: *tag, value }, end))
    }
}

impl<'a> Iterator for DetailTags<'a> {
    type Item = Result<DetailTag<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        match self.element() {
            Ok((tag, end)) => {
                self.at = end;
                Some(Ok(tag))
            }
            Err(error) => {
                self.at = self.bytes.len();
                Some(Err(error))
            }
        }
    }
}

/// Appends a tag in the form of field 59.
///
/// # Errors
/// When the tag is not two letters or digits, or the value has more than 999 bytes.
pub fn write_detail_tag(tag: &[u8; 2], value: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let refuse = |reason| Error::in_field(59, "detail data", out.len(), reason);
    if !tag.iter().all(u8::is_ascii_alphanumeric) {
        return Err(refuse(Reason::Character));
    }
    if value.len() > 999 {
        return Err(refuse(Reason::TooLong { most: 999, given: value.len() }));
    }
    out.extend_from_slice(tag);
    out.extend_from_slice(format!("{:03}", value.len()).as_bytes());
    out.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_their_sub_tags_come_back() {
        let mut inside = Vec::new();
        write_detail_tag(b"01", b"04", &mut inside).unwrap();
        write_detail_tag(b"03", b"", &mut inside).unwrap();
        let mut bytes = Vec::new();
        write_detail_tag(b"A2", &inside, &mut bytes).unwrap();
        write_detail_tag(b"A1", &[0xFE; 16], &mut bytes).unwrap();
        let tags = DetailTags::inside(&bytes);
        assert_eq!(tags.clone().count(), 2);
        assert_eq!(tags.clone().find(b"A1"), Ok(Some(&[0xFE; 16][..])));
        let terminal = tags.find(b"A2").unwrap().unwrap();
        assert_eq!(DetailTags::inside(terminal).find(b"01"), Ok(Some(&b"04"[..])));
        assert_eq!(DetailTags::inside(terminal).find(b"09"), Ok(None));
    }

    #[test]
    fn a_tag_that_is_cut_is_refused_once() {
        for (bytes, position) in [(&b"A1016xxA3"[..], 0), (b"A1001xA3", 6), (b"A10x1x", 0)] {
            let found: Vec<_> = DetailTags::inside(bytes).collect();
            let refused = found.last().unwrap().as_ref().unwrap_err();
            assert_eq!((refused.field(), refused.position()), (Some(59), position));
            assert!(found.len() <= 2);
        }
        assert!(write_detail_tag(b"A ", b"", &mut Vec::new()).is_err());
        assert!(write_detail_tag(b"A1", &[0; 1000], &mut Vec::new()).is_err());
    }
}
