//! 手机号.

use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, Reason, mask, secret_identifier};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const FORM: Form =
    Form {
        kind: IdentifierKind::Mobile, lengths: 11..=11, length_wanted: "11 位", charset_wanted: "数字"
    };

/// 手机号 of the mainland: `1[3-9]` and nine digits, without country code. A secret.
///
/// There is no closed list of number ranges here: operators open new ones every year.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Mobile {
    text: String,
}
secret_identifier!(Mobile);

crate::text_enum! {
    /// Who issues the number range: a mark for risk review, never a refusal.
    pub enum MobileCarrier {
        /// 基础运营商.
        Network "network",
        /// 转售 (虚商): 162, 165, 167, 170, 171.
        Virtual "virtual",
    }
}

impl Mobile {
    /// The one form of what was typed, right or not: `+86`, `0086`, full width, blanks, hyphens,
    /// dots and brackets are forgiven. Another country's `+` stays.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        let text = normalise(text, Case::Keep, Forgive::BlanksAndHyphens);
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        digits.extend(text.chars().filter(|c| !matches!(c, '.' | '(' | ')')));
        Zeroizing::new(without_country(&digits).to_owned())
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `charset`, `degenerate`, `iot` (thirteen digits from 1), `landline` (from 0), `length`,
    /// `prefix` (another country, or not `1[3-9]`), in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let number = Self::normalise(text);
        if number.starts_with('+') {
            return Err(FORM.refuse(Reason::Prefix { wanted: "1 或 +86" }));
        }
        FORM.check_charset(&number, |_, c| c.is_ascii_digit())?;
        judge(&number)?;
        Ok(Self { text: number.to_string() })
    }

    /// Who issues the number range.
    #[must_use]
    pub fn carrier(&self) -> MobileCarrier {
        match self.text.get(0..3) {
            Some("162" | "165" | "167" | "170" | "171") => MobileCarrier::Virtual,
            _ => MobileCarrier::Network,
        }
    }

    /// First three and last four digits.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.text, 3, 4)
    }
}

fn without_country(digits: &str) -> &str {
    if let Some(rest) = digits.strip_prefix("+86").or_else(|| digits.strip_prefix("0086")) {
        return rest;
    }
    match digits.strip_prefix("86") {
        Some(rest) if rest.len() == 11 => rest,
        _ => digits,
    }
}

fn judge(number: &str) -> Result<(), Invalid> {
    match (number.len(), number.as_bytes()) {
        (13, [b'1', ..]) => return Err(FORM.refuse(Reason::Iot)),
        (10 | 12, [b'0', ..]) => return Err(FORM.refuse(Reason::Landline)),
        _ => FORM.check(number, |_, c| c.is_ascii_digit())?,
    }
    match number.as_bytes() {
        [b'0', ..] => Err(FORM.refuse(Reason::Landline)),
        [b'1', b'3'..=b'9', ..] => Ok(()),
        _ => Err(FORM.refuse(Reason::Prefix { wanted: "13–19" })),
    }
}
