//! 对公账号.

use super::invalid::Form;
use super::normalise::{Case, Forgive, is_hyphen, normalise};
use super::{IdentifierKind, Invalid, mask, secret_identifier};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const FORM: Form = Form {
    kind: IdentifierKind::CorporateAccount,
    lengths: 8..=32,
    length_wanted: "8–32 位",
    charset_wanted: "数字(首位之后也可以是连字符)",
};

/// 对公账号: digits and hyphens as the bank writes them. A secret.
///
/// Banks share no check digit for these: a Luhn check refuses real accounts, so there is none.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CorporateAccount {
    text: String,
}
secret_identifier!(CorporateAccount);

impl CorporateAccount {
    /// The one form of what was typed, right or not: full width and blanks are forgiven, long
    /// dashes become hyphens.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        let text = normalise(text, Case::Keep, Forgive::Blanks);
        let mut out = Zeroizing::new(String::with_capacity(text.len()));
        out.extend(text.chars().map(|c| if is_hyphen(c) { '-' } else { c }));
        out
    }

    /// Reads an account in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `charset`, `length`, `degenerate`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        let allowed = |at: usize, c: char| c.is_ascii_digit() || (at > 0 && c == '-');
        FORM.check_charset(&text, allowed)?;
        FORM.check(&text, allowed)?;
        Ok(Self { text: text.to_string() })
    }

    /// The last four characters.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.text, 0, 4)
    }
}
