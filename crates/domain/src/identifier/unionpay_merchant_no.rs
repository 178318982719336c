//! 银联商户号.

use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{Conflict, IdentifierKind, Invalid, Mcc, Reason, Verdict, open_identifier};
use zeroize::Zeroizing;

const FORM: Form = Form {
    kind: IdentifierKind::UnionPayMerchantNo,
    lengths: 15..=15,
    length_wanted: "15 位",
    charset_wanted: "数字",
};

/// 银联商户号: three digits of institution, four of area, four of MCC, four of sequence; no check
/// digit. Field 42 of every card message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnionPayMerchantNo(String, Mcc);
open_identifier!(UnionPayMerchantNo);

impl UnionPayMerchantNo {
    /// The one form of what was typed, right or not: full width, blanks and hyphens are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Keep, Forgive::BlanksAndHyphens)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `mcc_prohibited`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check(&text, |_, c| c.is_ascii_digit())?;
        let mcc = Mcc::parse(text.get(7..11).unwrap_or_default())?;
        if mcc.is_prohibited() {
            return Err(FORM.refuse(Reason::MccProhibited));
        }
        Ok(Self(text.to_string(), mcc))
    }

    /// 机构.
    #[must_use]
    pub fn institution(&self) -> &str {
        self.0.get(0..3).unwrap_or_default()
    }

    /// 地区.
    #[must_use]
    pub fn area(&self) -> &str {
        self.0.get(3..7).unwrap_or_default()
    }

    /// 商户类别码 inside the number.
    #[must_use]
    pub const fn mcc(&self) -> &Mcc {
        &self.1
    }

    /// 顺序号.
    #[must_use]
    pub fn sequence(&self) -> &str {
        self.0.get(11..15).unwrap_or_default()
    }

    /// Whether the category inside the number is the application's; another one is 套码.
    #[must_use]
    pub fn cross_check(&self, application: &Mcc) -> Verdict {
        if self.mcc() == application { Verdict::Accept } else { Verdict::Reject(Conflict::MccMismatch) }
    }
}
