//! 终端号 (TID).

use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, open_identifier};
use zeroize::Zeroizing;

const FORM: Form = Form {
    kind: IdentifierKind::TerminalNo,
    lengths: 8..=8,
    length_wanted: "8 位",
    charset_wanted: "数字或大写字母",
};

/// 终端号: field 41 of every card message, eight characters, unique within one acquirer.
///
/// It is machine-made, so case is not forgiven: `a` and `A` would be two terminals on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalNo(String);
open_identifier!(TerminalNo);

impl TerminalNo {
    /// The one form of what was typed, right or not: full width and blanks around it are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Keep, Forgive::Around)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `length`, `charset`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check_length(text.chars().count())?;
        FORM.check_charset(&text, |_, c| c.is_ascii_digit() || c.is_ascii_uppercase())?;
        Ok(Self(text.to_string()))
    }
}
