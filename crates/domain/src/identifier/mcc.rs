//! 商户类别码 (MCC).

use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, open_identifier};

/// 汇款、货币类(含虚拟货币)、博彩: closed to merchants (domain rules §3.3).
const PROHIBITED: [&str; 3] = ["4829", "6051", "7995"];

const FORM: Form =
    Form { kind: IdentifierKind::Mcc, lengths: 4..=4, length_wanted: "4 位", charset_wanted: "数字" };

/// 商户类别码: four digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mcc(String);
open_identifier!(Mcc);

impl Mcc {
    /// Reads a code as typed: full width and blanks are forgiven.
    ///
    /// # Errors
    /// `length`, `charset`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = normalise(text, Case::Keep, Forgive::Blanks);
        FORM.check_length(text.chars().count())?;
        FORM.check_charset(&text, |_, c| c.is_ascii_digit())?;
        Ok(Self(text.to_string()))
    }

    /// Whether no merchant of this category may be taken on.
    #[must_use]
    pub fn is_prohibited(&self) -> bool {
        PROHIBITED.contains(&self.0.as_str())
    }
}
