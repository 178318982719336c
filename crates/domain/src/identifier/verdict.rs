//! What a valid number means next to what the applicant declared.

crate::text_enum! {
    /// Why two facts that are each valid do not go together.
    pub enum Conflict {
        /// The number belongs to another kind of subject than the one declared.
        TypeMismatch "type_mismatch",
        /// An enterprise still shows a fifteen-digit licence number.
        LegacyLicenceEnterprise "legacy_licence_enterprise",
        /// A sole proprietor still shows a fifteen-digit licence number.
        LegacyLicenceIndividual "legacy_licence_individual",
        /// The merchant number carries another category than the application.
        MccMismatch "mcc_mismatch",
    }
}

impl Conflict {
    /// What to do about it, in Chinese.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::TypeMismatch => "证照号码与所选主体类型不符,请改选主体类型,已填资料会带过去",
            Self::LegacyLicenceEnterprise => "企业旧版 15 位执照不再接受,请换领 18 位执照后再提交",
            Self::LegacyLicenceIndividual => "个体旧版 15 位执照需人工核验公示系统",
            Self::MccMismatch => "商户号里的商户类别与进件不一致,请更正",
        }
    }
}

/// The outcome of a cross-check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The facts go together.
    Accept,
    /// A person must look.
    ManualReview(Conflict),
    /// They do not go together.
    Reject(Conflict),
}

impl Verdict {
    /// The name of the outcome: `accept`, `manual_review`, `reject`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::ManualReview(_) => "manual_review",
            Self::Reject(_) => "reject",
        }
    }

    /// Why, unless accepted.
    #[must_use]
    pub const fn conflict(self) -> Option<Conflict> {
        match self {
            Self::Accept => None,
            Self::ManualReview(conflict) | Self::Reject(conflict) => Some(conflict),
        }
    }
}
