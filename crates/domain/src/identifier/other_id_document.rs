//! 其他身份证件: travel permits, permanent residence cards, passports.
//!
//! Apart from the residence permits and the 2023 permanent residence card these have no public
//! check digit: only the form is judged here, truth comes from the official channel.

use super::check_digit::gb11643;
use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::resident_id::{is_province, plausible_birth};
use super::{IdentifierKind, Invalid, Reason, ResidentId, mask, secret_identifier};
use crate::instant::Date;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

crate::text_enum! {
    /// Which document.
    pub enum OtherIdKind {
        /// 台湾居民来往大陆通行证: eight digits.
        TaiwanPermit "taiwan_permit",
        /// 港澳居民来往内地通行证: H or M and eight digits, old cards two more.
        HkMacauPermit "hk_macau_permit",
        /// 港澳台居民居住证: GB 11643 with address 810000, 820000 or 830000.
        HmtResidence "hmt_residence",
        /// 外国人永久居留身份证, 2023: 9, province, nationality, birth, sequence, check.
        ForeignPermanent2023 "foreign_permanent_2023",
        /// 外国人永久居留身份证, 2017: three letters and twelve digits.
        ForeignPermanent2017 "foreign_permanent_2017",
        /// 护照.
        Passport "passport",
    }
}

/// 其他身份证件号码. A secret.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct OtherIdDocument {
    #[zeroize(skip)]
    kind: OtherIdKind,
    text: String,
}
secret_identifier!(OtherIdDocument);

impl OtherIdDocument {
    /// The one form of what was typed, right or not: full width, blanks, hyphens and lower case are
    /// forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Upper, Forgive::BlanksAndHyphens)
    }

    /// Reads a number of the given kind in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `prefix`, `pattern`, `region`, `bad_date`, `too_old`,
    /// `checksum`, as far as the kind has them.
    pub fn parse(kind: OtherIdKind, text: &str, today: Date) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        match kind {
            OtherIdKind::TaiwanPermit => taiwan_permit(&text),
            OtherIdKind::HkMacauPermit => hk_macau_permit(&text),
            OtherIdKind::HmtResidence => hmt_residence(&text, today),
            OtherIdKind::ForeignPermanent2023 => foreign_permanent_2023(&text, today),
            OtherIdKind::ForeignPermanent2017 => foreign_permanent_2017(&text),
            OtherIdKind::Passport => passport(&text),
        }?;
        Ok(Self { kind, text: text.to_string() })
    }

    /// Which document.
    #[must_use]
    pub const fn kind(&self) -> OtherIdKind {
        self.kind
    }

    /// First and last two characters.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.text, 1, 2)
    }
}

const fn form(lengths: std::ops::RangeInclusive<usize>, length: &'static str, chars: &'static str) -> Form {
    Form { kind: IdentifierKind::OtherIdDocument, lengths, length_wanted: length, charset_wanted: chars }
}

fn taiwan_permit(text: &str) -> Result<(), Invalid> {
    let form = form(8..=8, "8 位", "数字");
    form.check_length(text.chars().count())?;
    form.check_charset(text, |_, c| c.is_ascii_digit())?;
    // Without a check digit 88888888 may be somebody's; nobody has number zero.
    if text == "00000000" { Err(form.refuse(Reason::Degenerate)) } else { Ok(()) }
}

fn hk_macau_permit(text: &str) -> Result<(), Invalid> {
    let form = form(9..=11, "字母 H 或 M 加 8 位数字(旧卡再加 2 位)", "字母 H 或 M 开头,其余数字");
    let found = text.chars().count();
    if !matches!(found, 9 | 11) {
        return Err(form.refuse(Reason::Length { found, wanted: form.length_wanted }));
    }
    form.check_charset(text, |at, c| if at == 0 { c.is_ascii_alphanumeric() } else { c.is_ascii_digit() })?;
    if !text.starts_with(['H', 'M']) {
        return Err(form.refuse(Reason::Prefix { wanted: "字母 H 或 M" }));
    }
    Ok(())
}

fn hmt_residence(text: &str, today: Date) -> Result<(), Invalid> {
    let own = |invalid: Invalid| Invalid { kind: IdentifierKind::OtherIdDocument, ..invalid };
    ResidentId::parse(text, today).map_err(own)?;
    if ["810000", "820000", "830000"].iter().any(|address| text.starts_with(address)) {
        return Ok(());
    }
    let form = form(18..=18, "18 位", "数字(末位也可以是 X)");
    Err(form.refuse(Reason::Prefix { wanted: "810000、820000 或 830000" }))
}

fn foreign_permanent_2023(text: &str, today: Date) -> Result<(), Invalid> {
    let form = form(18..=18, "18 位", "数字(末位也可以是 X)");
    form.check(text, |at, c| c.is_ascii_digit() || (at == 17 && c == 'X'))?;
    if !text.starts_with('9') {
        return Err(form.refuse(Reason::Prefix { wanted: "数字 9" }));
    }
    if !text.get(1..3).is_some_and(is_province) {
        return Err(form.refuse(Reason::Region));
    }
    plausible_birth(text, today).map_err(|reason| form.refuse(reason))?;
    if gb11643(text) { Ok(()) } else { Err(form.refuse(Reason::Checksum)) }
}

fn foreign_permanent_2017(text: &str) -> Result<(), Invalid> {
    let form = form(15..=15, "15 位", "字母或数字");
    form.check(text, |_, c| c.is_ascii_alphanumeric())?;
    let in_place = |(at, c): (usize, char)| if at < 3 { c.is_ascii_uppercase() } else { c.is_ascii_digit() };
    if text.chars().enumerate().all(in_place) {
        return Ok(());
    }
    Err(form.refuse(Reason::Pattern { wanted: "3 个字母加 12 位数字" }))
}

fn passport(text: &str) -> Result<(), Invalid> {
    form(5..=17, "5–17 位", "字母或数字").check(text, |_, c| c.is_ascii_alphanumeric())
}
