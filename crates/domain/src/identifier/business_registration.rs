//! 旧版 15 位营业执照注册号 (GS 15-2006, check digit GB/T 17710 MOD 11,10).

use super::check_digit::mod_11_10;
use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{Conflict, IdentifierKind, Invalid, Reason, SubjectType, Verdict, open_identifier};
use zeroize::Zeroizing;

const FORM: Form = Form {
    kind: IdentifierKind::BusinessRegistration,
    lengths: 15..=15,
    length_wanted: "15 位",
    charset_wanted: "数字",
};

/// 旧版营业执照注册号: six digits of authority, eight of sequence, one check digit.
///
/// Sole proprietors may still hold one; enterprises had to exchange theirs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessRegistration(String);
open_identifier!(BusinessRegistration);

crate::text_enum! {
    /// Who holds such a licence, by the first digit of the sequence.
    pub enum LicenceHolder {
        /// 内资企业 (0–3).
        Domestic "domestic",
        /// 外资企业 (4–5).
        Foreign "foreign",
        /// 个体工商户 (6–9).
        SoleProprietor "sole_proprietor",
    }
}

impl BusinessRegistration {
    /// The one form of what was typed, right or not: full width, blanks and hyphens are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Upper, Forgive::BlanksAndHyphens)
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

    /// The first digit of the sequence, which tells the holder.
    #[must_use]
    pub fn sequence_first(&self) -> &str {
        self.0.get(6..7).unwrap_or_default()
    }

    /// Who holds the licence.
    #[must_use]
    pub fn holder(&self) -> LicenceHolder {
        match self.sequence_first() {
            "0" | "1" | "2" | "3" => LicenceHolder::Domestic,
            "4" | "5" => LicenceHolder::Foreign,
            _ => LicenceHolder::SoleProprietor,
        }
    }

    /// The kind of subject the number stands for.
    #[must_use]
    pub fn subject_type(&self) -> SubjectType {
        match self.holder() {
            LicenceHolder::Domestic | LicenceHolder::Foreign => SubjectType::Enterprise,
            LicenceHolder::SoleProprietor => SubjectType::SoleProprietor,
        }
    }

    /// What becomes of an application that shows such a licence (domain rules §3): enterprises
    /// must exchange it, a sole proprietor's goes to a person, anything else is declared wrongly.
    #[must_use]
    pub fn cross_check(&self, declared: SubjectType) -> Verdict {
        if declared != self.subject_type() {
            return Verdict::Reject(Conflict::TypeMismatch);
        }
        match self.holder() {
            LicenceHolder::Domestic | LicenceHolder::Foreign => {
                Verdict::Reject(Conflict::LegacyLicenceEnterprise)
            }
            LicenceHolder::SoleProprietor => Verdict::ManualReview(Conflict::LegacyLicenceIndividual),
        }
    }
}
