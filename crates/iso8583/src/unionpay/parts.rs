//! Fields with parts at fixed places: 22, 44, 54.

use crate::error::{Error, Reason, Result};
use crate::field::{FieldRef, decode_gbk};
use crate::message::Message;
use std::fmt;

/// Exactly `N` decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    /// From text; `None` when it is not `N` digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = <[u8; N]>::try_from(text.as_bytes()).ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// From a number, with leading zeros; `None` when it has more than `N` digits.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        let mut digits = [b'0'; N];
        let mut rest = number;
        for place in digits.iter_mut().rev() {
            *place = b'0' | u8::try_from(rest % 10).ok()?;
            rest /= 10;
        }
        (rest == 0).then_some(Self(digits))
    }

    /// From ASCII digits.
    pub(crate) const fn ascii(digits: [u8; N]) -> Self {
        Self(digits)
    }

    /// From the digits of a field.
    pub(crate) fn at(field: &FieldRef<'_>, from: usize) -> Result<Self> {
        field.ascii_digits(from).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// As a number; `None` above 64 bits.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.as_str().parse().ok()
    }
}

impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the card was read (field 22, first two digits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PanEntry {
    /// 00: not said.
    Unspecified,
    /// 01: typed by hand.
    Manual,
    /// 02: magnetic stripe.
    Stripe,
    /// 03: the customer's code (one source: the paper says 04, the live host wants 03).
    Code,
    /// 05: contact chip.
    Chip,
    /// 07: quick contactless (qPBOC).
    QuickContactless,
    /// 80: stripe after the chip could not be read.
    Fallback,
    /// 92: telephone.
    Telephone,
    /// 96: mobile.
    Mobile,
    /// 98: contactless, full PBOC.
    Contactless,
    /// Any other code.
    Other(u8),
}

const PAN_ENTRIES: &[(u8, PanEntry, &str)] = &[
    (0, PanEntry::Unspecified, "未指明"),
    (1, PanEntry::Manual, "手工输入"),
    (2, PanEntry::Stripe, "磁条"),
    (3, PanEntry::Code, "扫码"),
    (5, PanEntry::Chip, "插入IC卡"),
    (7, PanEntry::QuickContactless, "快速非接"),
    (80, PanEntry::Fallback, "降级刷卡"),
    (92, PanEntry::Telephone, "电话"),
    (96, PanEntry::Mobile, "移动设备"),
    (98, PanEntry::Contactless, "非接标准流程"),
];

impl PanEntry {
    /// From two digits.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        PAN_ENTRIES.iter().find(|row| row.0 == code).map_or(Self::Other(code), |row| row.1)
    }

    /// Two digits.
    #[must_use]
    pub fn code(self) -> u8 {
        if let Self::Other(code) = self {
            return code;
        }
        PAN_ENTRIES.iter().find(|row| row.1 == self).map_or(0, |row| row.0)
    }

    /// Its Chinese name, where it has one.
    #[must_use]
    pub fn chinese(self) -> Option<&'static str> {
        PAN_ENTRIES.iter().find(|row| row.1 == self).map(|row| row.2)
    }
}

/// Whether a PIN was entered (field 22, third digit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinEntry {
    /// 0: not said.
    Unspecified,
    /// 1: with PIN.
    Entered,
    /// 2: without PIN.
    None,
    /// Any other digit.
    Other(u8),
}

impl PinEntry {
    /// From one digit.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Unspecified,
            1 => Self::Entered,
            2 => Self::None,
            other => Self::Other(other),
        }
    }

    /// One digit.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::Entered => 1,
            Self::None => 2,
            Self::Other(code) => code,
        }
    }

    /// Its Chinese name, where it has one.
    #[must_use]
    pub const fn chinese(self) -> Option<&'static str> {
        match self {
            Self::Unspecified => Some("未指明"),
            Self::Entered => Some("有PIN"),
            Self::None => Some("无PIN"),
            Self::Other(_) => None,
        }
    }
}

/// Field 22 (服务点输入方式码): how card and PIN were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryMode {
    /// How the card was read.
    pub pan: PanEntry,
    /// Whether a PIN was entered.
    pub pin: PinEntry,
}

impl EntryMode {
    /// Reads field 22; `None` when it is not there.
    ///
    /// # Errors
    /// When it has not three digits.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(22) else { return Ok(None) };
        let code = u8::try_from(field.number_in(0, 2)?).map_err(|_| field.refuse(0, Reason::Value))?;
        let pin = u8::try_from(field.number_in(2, 1)?).map_err(|_| field.refuse(2, Reason::Value))?;
        Ok(Some(Self { pan: PanEntry::from_code(code), pin: PinEntry::from_code(pin) }))
    }

    /// The three digits; `None` when one of the codes has more digits than its place.
    #[must_use]
    pub fn digits(self) -> Option<Digits<3>> {
        let (pan, pin) = (self.pan.code(), self.pin.code());
        if pan > 99 || pin > 9 {
            return None;
        }
        Digits::from_number(u64::from(pan).checked_mul(10)?.checked_add(u64::from(pin))?)
    }
}

/// Field 44 of answers (附加响应数据): issuer and acquirer, eleven characters each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Institutions<'a> {
    /// The issuer, without filling blanks.
    pub issuer: &'a str,
    /// The acquirer, without filling blanks.
    pub acquirer: &'a str,
}

impl<'a> Institutions<'a> {
    /// Reads field 44; `None` when it is not there or holds something else than two codes.
    #[must_use]
    pub fn read(message: &Message<'a>) -> Option<Self> {
        let text = message.field(44)?.ascii()?;
        let part = |from: usize, to: usize| text.get(from..to.min(text.len())).map(str::trim_end);
        if text.len() < 11 {
            return None;
        }
        Some(Self { issuer: part(0, 11)?, acquirer: part(11, 22)? })
    }

    /// The 22 characters of the field; `None` when a code has more than eleven.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let fits = self.issuer.len() <= 11 && self.acquirer.len() <= 11;
        fits.then(|| format!("{:<11}{:<11}", self.issuer, self.acquirer))
    }
}

/// Field 54 of answers (余额). No `Debug`: it is the cardholder's balance.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "it is the cardholder's balance")]
pub struct AccountBalance {
    /// Account type: two digits.
    pub account_type: Digits<2>,
    /// Amount type: two digits.
    pub amount_type: Digits<2>,
    /// Currency: three digits, `156`.
    pub currency: Digits<3>,
    /// In the currency's smallest unit; negative for a debit balance (`D`).
    pub amount: i64,
}

impl AccountBalance {
    /// Reads field 54; `None` when it is not there.
    ///
    /// # Errors
    /// When it is not of the form type 2, amount type 2, currency 3, C or D, amount 12.
    pub fn read(message: &Message<'_>) -> Result<Option<Self>> {
        let Some(field) = message.field(54) else { return Ok(None) };
        let text = field.ascii().ok_or_else(|| field.refuse(0, Reason::Character))?;
        if text.len() != 20 {
            return Err(field.refuse(0, Reason::TooShort { least: 20, given: text.len() }));
        }
        Self::parse(text).map_err(|at| field.refuse(at, Reason::Value)).map(Some)
    }

    fn parse(text: &str) -> std::result::Result<Self, usize> {
        let account_type = text.get(0..2).and_then(Digits::parse).ok_or(0_usize)?;
        let amount_type = text.get(2..4).and_then(Digits::parse).ok_or(2_usize)?;
        let currency = text.get(4..7).and_then(Digits::parse).ok_or(4_usize)?;
        let amount = text.get(8..20).and_then(Digits::<12>::parse).ok_or(8_usize)?;
        let amount = amount.number().and_then(|amount| i64::try_from(amount).ok()).ok_or(8_usize)?;
        let amount = match text.as_bytes().get(7) {
            Some(b'C') => amount,
            Some(b'D') => amount.saturating_neg(),
            _ => return Err(7),
        };
        Ok(Self { account_type, amount_type, currency, amount })
    }

    /// The twenty characters; `None` when the amount has more than twelve digits.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let sign = if self.amount < 0 { 'D' } else { 'C' };
        let amount = Digits::<12>::from_number(self.amount.unsigned_abs())?;
        Some(format!("{}{}{}{sign}{amount}", self.account_type, self.amount_type, self.currency))
    }
}

/// A part of a text field, cut at bytes, without filling blanks. A character that the cut went
/// through is shown as a replacement.
pub(crate) fn text_part(bytes: &[u8], from: usize, to: usize) -> String {
    let part = bytes.get(from..to.min(bytes.len())).unwrap_or_default();
    let text = match decode_gbk(part) {
        Some(text) => text.into_owned(),
        None => encoding_rs::GBK.decode_without_bom_handling(part).0.into_owned(),
    };
    text.trim_end().to_owned()
}

/// An error of a value that is to be built.
pub(crate) const fn unbuildable(number: u8, name: &'static str) -> Error {
    Error::in_field(number, name, 0, Reason::Value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Mti, UNIONPAY_POS, Value};

    fn with(number: u8, value: Value<'_>) -> Vec<u8> {
        let mut draft = Draft::new(&UNIONPAY_POS, Mti::literal(0x0210));
        draft.set(number, value).unwrap();
        draft.to_bytes().unwrap()
    }

    #[test]
    fn every_entry_mode_comes_back() {
        for code in 0..1000 {
            let text = format!("{code:03}");
            let bytes = with(22, Value::Digits(&text));
            let mode = EntryMode::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).unwrap().unwrap();
            assert_eq!(mode.digits().unwrap().as_str(), text);
        }
        let mode = EntryMode { pan: PanEntry::Other(100), pin: PinEntry::None };
        assert_eq!(mode.digits(), None);
    }

    #[test]
    fn balances_and_institutions_come_back() {
        for text in ["0201156C000000012345", "0201156D000000000001"] {
            let bytes = with(54, Value::Text(text));
            let balance = AccountBalance::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap());
            assert_eq!(balance.unwrap().unwrap().text().unwrap(), text);
        }
        for text in ["0201156X000000012345", "0201156C00000001234", "02011X6C000000012345"] {
            let bytes = with(54, Value::Text(text));
            assert!(AccountBalance::read(&Message::read(&UNIONPAY_POS, &bytes).unwrap()).is_err());
        }
        let bytes = with(44, Value::Text("01030000   48021000   "));
        let message = Message::read(&UNIONPAY_POS, &bytes).unwrap();
        let both = Institutions::read(&message).unwrap();
        assert_eq!((both.issuer, both.acquirer), ("01030000", "48021000"));
        assert_eq!(both.text().unwrap(), "01030000   48021000   ");
    }

    #[test]
    fn digits_have_their_length() {
        assert_eq!(Digits::<3>::from_number(7).unwrap().as_str(), "007");
        assert_eq!((Digits::<3>::from_number(1000), Digits::<3>::parse("12")), (None, None));
        assert_eq!(Digits::<3>::parse("1a2"), None);
    }
}
