//! 银行卡号 (ISO/IEC 7812).

use super::check_digit::luhn;
use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, Reason, mask, secret_identifier};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const FORM: Form = Form {
    kind: IdentifierKind::BankCard,
    lengths: 16..=19,
    length_wanted: "16–19 位",
    charset_wanted: "数字",
};

/// 银行卡号 (PAN) of a settlement card. A secret.
///
/// Whether it is a debit card and of which class is not in the digits: that needs the BIN table
/// and the element check.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct BankCard {
    text: String,
}
secret_identifier!(BankCard);

crate::text_enum! {
    /// 卡组织, by the leading digits.
    pub enum CardNetwork {
        /// 银联 (62).
        UnionPay "unionpay",
        /// Any other: refused as settlement card unless the BIN table knows better.
        Other "other",
    }
}

impl BankCard {
    /// The one form of what was typed, right or not: full width, blanks and hyphens are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Keep, Forgive::BlanksAndHyphens)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `prefix` (no card begins with 0), `luhn`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check(&text, |_, c| c.is_ascii_digit())?;
        if text.starts_with('0') {
            return Err(FORM.refuse(Reason::Prefix { wanted: "数字 1–9" }));
        }
        if !luhn(&text) {
            return Err(FORM.refuse(Reason::Luhn));
        }
        Ok(Self { text: text.to_string() })
    }

    /// 卡组织.
    #[must_use]
    pub fn network(&self) -> CardNetwork {
        if self.text.starts_with("62") { CardNetwork::UnionPay } else { CardNetwork::Other }
    }

    /// Number of digits.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// First six and last four digits: the most that may ever be shown.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.text, 6, 4)
    }
}
