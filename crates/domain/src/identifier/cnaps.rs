//! 联行号 (CNAPS).

use super::check_digit::mod_11_10;
use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, Reason, open_identifier};
use zeroize::Zeroizing;

const FORM: Form =
    Form { kind: IdentifierKind::Cnaps, lengths: 12..=12, length_wanted: "12 位", charset_wanted: "数字" };

/// 联行号: three digits of bank, four of area, four of branch, one check digit.
///
/// The check scheme is not published; MOD 11,10 holds for all 33 public codes it was tried on.
/// A code that passes but is in no table of banks is a warning for its user, not an error here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cnaps(String);
open_identifier!(Cnaps);

impl Cnaps {
    /// The one form of what was typed, right or not: full width, blanks and hyphens are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Keep, Forgive::BlanksAndHyphens)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `checksum`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check(&text, |_, c| c.is_ascii_digit())?;
        if !mod_11_10(&text) {
            return Err(FORM.refuse(Reason::Checksum));
        }
        Ok(Self(text.to_string()))
    }

    /// 行别.
    #[must_use]
    pub fn bank_code(&self) -> &str {
        self.0.get(0..3).unwrap_or_default()
    }

    /// 地区.
    #[must_use]
    pub fn area_code(&self) -> &str {
        self.0.get(3..7).unwrap_or_default()
    }

    /// 网点序号.
    #[must_use]
    pub fn branch(&self) -> &str {
        self.0.get(7..11).unwrap_or_default()
    }
}
