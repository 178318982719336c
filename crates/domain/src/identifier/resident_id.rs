//! 居民身份证与港澳台居民居住证 (GB 11643-1999).

use super::check_digit::gb11643;
use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, Reason, mask, secret_identifier};
use crate::age;
use crate::instant::Date;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Nobody is older: such a date of birth is a typing error.
const AGE_YEARS_MAX: u16 = 130;

const FORM: Form = Form {
    kind: IdentifierKind::ResidentId,
    lengths: 18..=18,
    length_wanted: "18 位(15 位一代证号已停用)",
    charset_wanted: "数字(末位也可以是 X)",
};

/// 居民身份证号码: region, date of birth, sequence (odd is male), check character. A secret.
///
/// Only the two digits of the province are checked: counties were merged and renamed so often
/// that a list of six-digit codes refuses real people.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ResidentId {
    text: String,
    #[zeroize(skip)]
    birth: Date,
}
secret_identifier!(ResidentId);

crate::text_enum! {
    /// Which document carries the number.
    pub enum ResidentIdKind {
        /// 居民身份证.
        Mainland "mainland",
        /// 港澳台居民居住证, Hong Kong (81).
        HongKongResidence "hk_residence",
        /// 港澳台居民居住证, Macau (82).
        MacauResidence "macau_residence",
        /// 港澳台居民居住证, Taiwan (83).
        TaiwanResidence "taiwan_residence",
    }
}

crate::text_enum! {
    /// 性别, from the 17th digit.
    pub enum Sex {
        /// 女 (even).
        Female "female",
        /// 男 (odd).
        Male "male",
    }
}

impl ResidentId {
    /// The one form of what was typed, right or not: full width, blanks, hyphens and a small `x` are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Upper, Forgive::BlanksAndHyphens)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `region`, `bad_date` (also when born after `today`),
    /// `too_old`, `checksum`, in that order.
    pub fn parse(text: &str, today: Date) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check(&text, |at, c| c.is_ascii_digit() || (at == 17 && c == 'X'))?;
        if !is_province(text.get(0..2).unwrap_or_default()) {
            return Err(FORM.refuse(Reason::Region));
        }
        let birth = plausible_birth(&text, today).map_err(|reason| FORM.refuse(reason))?;
        if !gb11643(&text) {
            return Err(FORM.refuse(Reason::Checksum));
        }
        Ok(Self { text: text.to_string(), birth })
    }

    /// Which document carries the number.
    #[must_use]
    pub fn kind(&self) -> ResidentIdKind {
        match self.text.get(0..2) {
            Some("81") => ResidentIdKind::HongKongResidence,
            Some("82") => ResidentIdKind::MacauResidence,
            Some("83") => ResidentIdKind::TaiwanResidence,
            _ => ResidentIdKind::Mainland,
        }
    }

    /// Date of birth.
    #[must_use]
    pub const fn birth(&self) -> Date {
        self.birth
    }

    /// Sex, from the 17th digit.
    #[must_use]
    pub fn sex(&self) -> Sex {
        match self.text.as_bytes().get(16) {
            Some(byte) if byte % 2 == 1 => Sex::Male,
            _ => Sex::Female,
        }
    }

    /// Age in full years on that Beijing day.
    #[must_use]
    pub fn age_on(&self, today: Date) -> u16 {
        age::full_years(self.birth, today)
    }

    /// First three and last four characters: neither date of birth nor county.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.text, 3, 4)
    }
}

/// The provinces of GB/T 2260 and, from 81, the residence permits.
pub(super) fn is_province(text: &str) -> bool {
    matches!(text.parse(), Ok(11..=15_u8 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83))
}

/// The date in characters 7–14 of a number of this family, if a living person can have it.
pub(super) fn plausible_birth(text: &str, today: Date) -> Result<Date, Reason> {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u16>().ok());
    // The calendar has no year 0.
    let year = number(6, 10).filter(|year| *year > 0);
    let birth = year.zip(number(10, 12)).zip(number(12, 14)).and_then(|((year, month), day)| {
        let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
    });
    let birth = birth.ok_or(Reason::BadDate)?;
    if birth > today {
        return Err(Reason::BornLater);
    }
    if age::full_years(birth, today) > AGE_YEARS_MAX {
        return Err(Reason::TooOld);
    }
    Ok(birth)
}
