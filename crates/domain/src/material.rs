//! The documents of an application: which subject needs which.

use crate::field::FormField;
use crate::subject::SubjectType;

crate::text_enum! {
    /// Whether something is needed.
    pub enum Need {
        /// 必须.
        Required "required",
        /// 条件: only in some cases.
        Conditional "conditional",
        /// 不要.
        No "no",
    }
}

crate::text_enum! {
    /// Who brings a document into being.
    pub enum Origin {
        /// The merchant uploads it.
        Upload "upload",
        /// The merchant does it on a page: signing, confirming.
        Statement "statement",
        /// A verifier of ours records it.
        Verifier "verifier",
    }
}

macro_rules! materials {
    ($($(#[$doc:meta])* $kind:ident $text:literal [$micro:ident $sole:ident $company:ident $other:ident] $origin:ident),+ $(,)?) => {
        crate::text_enum! {
            /// A kind of document (材料代码).
            pub enum MaterialKind { $($(#[$doc])* $kind $text),+ }
        }
        impl MaterialKind {
            /// Whether this type of subject needs it.
            #[must_use]
            pub const fn need(self, subject: SubjectType) -> Need {
                let needs = match self {
                    $(Self::$kind => [Need::$micro, Need::$sole, Need::$company, Need::$other]),+
                };
                needs[subject as usize]
            }
            /// Who brings it into being.
            #[must_use]
            pub const fn origin(self) -> Origin { match self { $(Self::$kind => Origin::$origin),+ } }
        }
    };
}

materials! {
    /// 营业执照 or another certificate of registration.
    Licence "licence" [No Required Required Required] Upload,
    /// 税务登记证, only beside an old 15-digit licence.
    TaxReg "tax_reg" [No Conditional No No] Upload,
    /// 身份证人像面.
    IdFront "id_front" [Required Required Required Required] Upload,
    /// 身份证国徽面.
    IdBack "id_back" [Required Required Required Required] Upload,
    /// 居住证、通行证、永居证、护照, instead of the two sides.
    IdAlt "id_alt" [Conditional Conditional Conditional Conditional] Upload,
    /// 活体或视频核实记录; a way without face recognition must exist, so a passed visit does it.
    Liveness "liveness" [Required Required Required Conditional] Verifier,
    /// 门头照.
    ShopFront "shop_front" [Required Required Required Required] Upload,
    /// 内景照.
    ShopInside "shop_inside" [Required Required Required Required] Upload,
    /// 收银台照.
    Cashier "cashier" [Required Required Required Required] Upload,
    /// 租赁协议、产权、市场方证明、摊位证: any one.
    BizProof "biz_proof" [Required Conditional Conditional Conditional] Upload,
    /// 基本存款账户信息 or 开户许可证.
    AcctProof "acct_proof" [No Conditional Conditional Required] Upload,
    /// 结算卡正面; the back is never taken (it bears the verification code).
    SettleCard "settle_card" [Required Conditional Conditional No] Upload,
    /// 非同名结算授权书, with the other person's papers.
    SettleAuth "settle_auth" [No Conditional Conditional Conditional] Upload,
    /// 经办授权书.
    AgentAuth "agent_auth" [No Conditional Conditional Conditional] Upload,
    /// 受益所有人声明.
    Ubo "ubo" [No No Required Conditional] Upload,
    /// 行业许可证.
    SpecialPermit "special_permit" [Conditional Conditional Conditional Conditional] Upload,
    /// 受理协议.
    Agreement "agreement" [Required Required Required Required] Statement,
    /// 出租出借风险告知确认.
    RiskNotice "risk_notice" [Required Required Required Required] Statement,
    /// 现场核实记录, of every fixed place of business.
    OnsiteVisit "onsite_visit" [Conditional Required Required Required] Verifier,
    /// 同步视频核实, where there is no fixed place.
    VideoVerify "video_verify" [Conditional Conditional Conditional No] Verifier,
}

/// One row of a subject's list of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterialRule {
    /// The document.
    pub kind: MaterialKind,
    /// Whether it is needed.
    pub need: Need,
    /// Sets of documents that would do instead.
    pub alternatives: &'static [&'static [MaterialKind]],
}

/// The documents this type of subject needs always or in some cases.
#[must_use]
pub fn required_materials(subject: SubjectType) -> Vec<MaterialRule> {
    MaterialKind::ALL
        .iter()
        .map(|kind| MaterialRule {
            kind: *kind,
            need: kind.need(subject),
            alternatives: kind.alternatives(subject),
        })
        .filter(|rule| rule.need != Need::No)
        .collect()
}

impl MaterialKind {
    /// Sets of documents that may be given in its stead. A document that has any is needed unless
    /// one of the sets is given, even where the table calls it conditional.
    #[must_use]
    pub const fn alternatives(self, subject: SubjectType) -> &'static [&'static [Self]] {
        match (self, subject) {
            (Self::IdFront | Self::IdBack, _) => &[&[Self::IdAlt]],
            (Self::SettleCard, SubjectType::SoleProprietor) => &[&[Self::AcctProof]],
            (Self::AcctProof, SubjectType::Enterprise) => &[&[Self::SettleCard, Self::SettleAuth]],
            _ => &[],
        }
    }

    /// The form field that uploads it, for documents that are uploaded.
    #[must_use]
    pub fn field(self) -> Option<FormField> {
        FormField::parse(&format!("documents.{}", self.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn always(subject: SubjectType) -> Vec<&'static str> {
        required_materials(subject)
            .iter()
            .filter(|rule| rule.need == Need::Required)
            .map(|rule| rule.kind.as_str())
            .collect()
    }

    #[test]
    fn a_sole_proprietor_brings_these() {
        let expected = [
            "licence",
            "id_front",
            "id_back",
            "liveness",
            "shop_front",
            "shop_inside",
            "cashier",
            "agreement",
            "risk_notice",
            "onsite_visit",
        ];
        assert_eq!(always(SubjectType::SoleProprietor), expected);
    }

    #[test]
    fn who_has_no_licence_shows_the_place_of_business_instead() {
        let micro = always(SubjectType::Micro);
        assert!(
            !micro.contains(&"licence") && micro.contains(&"biz_proof") && micro.contains(&"settle_card")
        );
        let never: Vec<_> =
            MaterialKind::ALL.iter().filter(|kind| kind.need(SubjectType::Micro) == Need::No).collect();
        use MaterialKind as K;
        assert_eq!(never, [&K::Licence, &K::TaxReg, &K::AcctProof, &K::SettleAuth, &K::AgentAuth, &K::Ubo]);
    }

    #[test]
    fn owners_are_declared_by_companies() {
        assert!(always(SubjectType::Enterprise).contains(&"ubo"));
        assert_eq!(MaterialKind::Ubo.need(SubjectType::OtherOrg), Need::Conditional);
        assert_eq!(MaterialKind::Ubo.need(SubjectType::SoleProprietor), Need::No);
    }

    #[test]
    fn what_is_uploaded_has_a_field_with_the_same_need() {
        for kind in MaterialKind::ALL {
            assert_eq!(kind.field().is_some(), kind.origin() == Origin::Upload, "{kind:?}");
            for subject in SubjectType::ALL {
                if let Some(field) = kind.field() {
                    assert_eq!(field.need(*subject), kind.need(*subject), "{kind:?} {subject:?}");
                    assert_eq!(field.material(), Some(*kind));
                }
                for other in kind.alternatives(*subject).iter().flat_map(|set| set.iter()) {
                    assert_ne!(other.need(*subject), Need::No, "{other:?} cannot stand for {kind:?}");
                }
            }
        }
    }
}
