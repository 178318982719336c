//! The application form as data: every field by name, who must fill it, what it holds.
//!
//! Every reason of a refusal points to a field listed here (see [`crate::reason`]), so no
//! merchant is ever told to correct something that the form does not ask for.

use crate::material::{MaterialKind, Need};
use crate::subject::SubjectType;

macro_rules! form_fields {
    ($($(#[$doc:meta])* $field:ident $text:literal [$micro:ident $sole:ident $company:ident $other:ident] $holds:ident),+ $(,)?) => {
        crate::text_enum! {
            /// A field of the application form (表单字段), by the path used in API and pages.
            pub enum FormField { $($(#[$doc])* $field $text),+ }
        }
        impl FormField {
            /// Whether this type of subject must fill it.
            #[must_use]
            pub const fn need(self, subject: SubjectType) -> Need {
                let needs = match self {
                    $(Self::$field => [Need::$micro, Need::$sole, Need::$company, Need::$other]),+
                };
                needs[subject as usize]
            }
            /// What it holds.
            #[must_use]
            pub const fn holds(self) -> Holds { match self { $(Self::$field => Holds::$holds),+ } }
        }
    };
}

crate::text_enum! {
    /// What a form field holds: it decides how the value is kept.
    pub enum Holds {
        /// A value that names or concerns a person: sealed.
        Personal "personal",
        /// A value about the business.
        Business "business",
        /// A choice or a statement.
        Choice "choice",
        /// An uploaded document.
        Document "document",
    }
}

form_fields! {
    /// 主体类型.
    SubjectType "subject.type" [Required Required Required Required] Choice,
    /// 统一社会信用代码 or the old 15-digit number.
    LicenceUscc "licence.uscc" [No Required Required Required] Business,
    /// 主体名称.
    LicenceName "licence.name" [No Required Required Required] Business,
    /// 住所.
    LicenceAddress "licence.address" [No Required Required Required] Business,
    /// 经营范围.
    LicenceScope "licence.scope" [No Conditional Required Conditional] Business,
    /// 营业期限; empty means 长期.
    LicenceValidTo "licence.valid_to" [No Conditional Conditional Conditional] Business,
    /// 税务登记号, only with an old 15-digit licence.
    TaxNumber "tax.number" [No Conditional No No] Business,
    /// 负责人姓名.
    PrincipalName "principal.name" [Required Required Required Required] Personal,
    /// 证件类型.
    PrincipalIdKind "principal.id_kind" [Conditional Conditional Conditional Conditional] Choice,
    /// 证件号码.
    PrincipalIdNumber "principal.id_number" [Required Required Required Required] Personal,
    /// 证件有效期起.
    PrincipalIdValidFrom "principal.id_valid_from" [Required Required Required Required] Personal,
    /// 证件有效期止; empty means 长期.
    PrincipalIdValidTo "principal.id_valid_to" [Conditional Conditional Conditional Conditional] Personal,
    /// 完全民事行为能力声明.
    PrincipalFullCapacity "principal.full_capacity" [Required Required Required Required] Choice,
    /// 经办人姓名.
    AgentName "agent.name" [No Conditional Conditional Conditional] Personal,
    /// 经办人证件号码.
    AgentIdNumber "agent.id_number" [No Conditional Conditional Conditional] Personal,
    /// 经办授权截止日.
    AgentValidTo "agent.valid_to" [No Conditional Conditional Conditional] Business,
    /// 受益所有人.
    UboPersons "ubo.persons" [No No Required Conditional] Personal,
    /// 门店招牌名.
    ShopName "shop.name" [Required Required Required Required] Business,
    /// 经营地址.
    ShopAddress "shop.address" [Required Required Required Required] Business,
    /// 纬度, millionths of a degree.
    ShopLatitude "shop.latitude_e6" [Required Required Required Required] Business,
    /// 经度, millionths of a degree.
    ShopLongitude "shop.longitude_e6" [Required Required Required Required] Business,
    /// 商户类别码.
    ShopMcc "shop.mcc" [Required Required Required Required] Business,
    /// 有无固定经营场所.
    ShopFixed "shop.fixed" [Required Required Required Required] Choice,
    /// 业务说明: what is sold, to whom.
    BusinessDescription "business.description" [Conditional Conditional Conditional Conditional] Business,
    /// 预计月交易额, in fen.
    BusinessMonthlyVolume "business.monthly_volume_fen" [Required Required Required Required] Business,
    /// 结算账户类型: own card, corporate account, another's account.
    SettlementKind "settlement.kind" [Required Required Required Required] Choice,
    /// 结算户名.
    SettlementHolder "settlement.holder" [Required Required Required Required] Personal,
    /// 结算卡号.
    SettlementCardNumber "settlement.card_number" [Required Conditional Conditional No] Personal,
    /// 对公账号.
    SettlementAccountNumber "settlement.account_number" [No Conditional Conditional Required] Business,
    /// 开户行联行号.
    SettlementBankCode "settlement.bank_code" [No Conditional Conditional Required] Business,
    /// 联系手机, proved by a one-time code.
    ContactMobile "contact.mobile" [Required Required Required Required] Personal,
    /// 联系邮箱.
    ContactEmail "contact.email" [Conditional Conditional Conditional Conditional] Personal,
    /// 收货地址.
    DeliveryAddress "delivery.address" [Conditional Conditional Conditional Conditional] Personal,
    /// 隐私政策同意.
    ConsentPrivacy "consents.privacy" [Required Required Required Required] Choice,
    /// 费率确认.
    ConsentFees "consents.fees" [Required Required Required Required] Choice,
    /// 出租出借风险告知确认.
    ConsentRiskNotice "consents.risk_notice" [Required Required Required Required] Choice,
    /// 申诉说明, opened by a refusal.
    AppealStatement "appeal.statement" [Conditional Conditional Conditional Conditional] Choice,
    /// 营业执照.
    DocumentLicence "documents.licence" [No Required Required Required] Document,
    /// 税务登记证.
    DocumentTaxReg "documents.tax_reg" [No Conditional No No] Document,
    /// 身份证人像面.
    DocumentIdFront "documents.id_front" [Required Required Required Required] Document,
    /// 身份证国徽面.
    DocumentIdBack "documents.id_back" [Required Required Required Required] Document,
    /// 其他证件.
    DocumentIdAlt "documents.id_alt" [Conditional Conditional Conditional Conditional] Document,
    /// 门头照.
    DocumentShopFront "documents.shop_front" [Required Required Required Required] Document,
    /// 内景照.
    DocumentShopInside "documents.shop_inside" [Required Required Required Required] Document,
    /// 收银台照.
    DocumentCashier "documents.cashier" [Required Required Required Required] Document,
    /// 经营场所证明.
    DocumentBizProof "documents.biz_proof" [Required Conditional Conditional Conditional] Document,
    /// 开户证明.
    DocumentAcctProof "documents.acct_proof" [No Conditional Conditional Required] Document,
    /// 结算卡正面.
    DocumentSettleCard "documents.settle_card" [Required Conditional Conditional No] Document,
    /// 非同名结算授权.
    DocumentSettleAuth "documents.settle_auth" [No Conditional Conditional Conditional] Document,
    /// 经办授权书.
    DocumentAgentAuth "documents.agent_auth" [No Conditional Conditional Conditional] Document,
    /// 受益所有人声明.
    DocumentUbo "documents.ubo" [No No Required Conditional] Document,
    /// 行业许可证.
    DocumentSpecialPermit "documents.special_permit" [Conditional Conditional Conditional Conditional] Document,
}

impl FormField {
    /// The document this field uploads, if it is one.
    #[must_use]
    pub fn material(self) -> Option<MaterialKind> {
        MaterialKind::parse(self.as_str().strip_prefix("documents.")?)
    }

    /// Whether it is a statement the merchant makes, not a value.
    #[must_use]
    pub const fn is_consent(self) -> bool {
        matches!(
            self,
            Self::ConsentPrivacy | Self::ConsentFees | Self::ConsentRiskNotice | Self::PrincipalFullCapacity
        )
    }

    /// Sets of fields that may be filled in its stead. A field that has any is needed unless one
    /// of the sets is filled, even where the form calls it conditional.
    #[must_use]
    pub const fn alternatives(self, subject: SubjectType) -> &'static [&'static [Self]] {
        match (self, subject) {
            (Self::SettlementCardNumber, SubjectType::SoleProprietor) => {
                &[&[Self::SettlementAccountNumber, Self::SettlementBankCode]]
            }
            (Self::SettlementAccountNumber, SubjectType::Enterprise) => &[&[Self::SettlementCardNumber]],
            _ => &[],
        }
    }

    /// The fields that this type of subject must always fill.
    pub fn required(subject: SubjectType) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |field| field.need(subject) == Need::Required)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_field_names_a_document() {
        for field in FormField::ALL {
            assert_eq!(field.material().is_some(), field.holds() == Holds::Document, "{field:?}");
            for subject in SubjectType::ALL {
                for other in field.alternatives(*subject).iter().flat_map(|set| set.iter()) {
                    assert_ne!(other.need(*subject), Need::No, "{other:?} cannot stand for {field:?}");
                }
            }
        }
    }

    #[test]
    fn every_subject_names_a_person_of_age_and_capacity() {
        use FormField as F;
        for subject in SubjectType::ALL {
            let required: Vec<_> = F::required(*subject).collect();
            for field in [F::PrincipalName, F::PrincipalIdNumber, F::PrincipalFullCapacity, F::ContactMobile]
            {
                assert!(required.contains(&field), "{subject:?} {field:?}");
            }
            assert!(required.iter().any(|field| field.is_consent()));
        }
        assert_eq!(F::LicenceUscc.need(SubjectType::Micro), Need::No);
        assert_eq!(F::ContactEmail.need(SubjectType::Enterprise), Need::Conditional);
    }

    #[test]
    fn what_names_a_person_is_kept_as_such() {
        use FormField as F;
        for field in [
            F::PrincipalName,
            F::PrincipalIdNumber,
            F::SettlementCardNumber,
            F::ContactMobile,
            F::DeliveryAddress,
        ] {
            assert_eq!(field.holds(), Holds::Personal, "{field:?}");
        }
    }
}
