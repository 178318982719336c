//! Why something was refused: one catalogue for applications (A–G) and activations (T).
//!
//! Every code names a field that exists and a remedy, so that no refusal is a dead end.

use crate::field::FormField;

crate::text_enum! {
    /// What to do about a refusal (怎么改), as a key of the message catalogue.
    pub enum Remedy {
        /// Compare with the original and type it again.
        Retype "retype",
        /// Choose another subject type; what was typed comes along.
        ChangeSubjectType "change_subject_type",
        /// Settle it with the market regulator first.
        SettleWithRegulator "settle_with_regulator",
        /// Exchange the old licence, then apply.
        RenewLicence "renew_licence",
        /// Renew the ID document, then upload it.
        RenewId "renew_id",
        /// Wait until of age.
        WaitUntilAdult "wait_until_adult",
        /// Take this one picture again.
        RetakePhoto "retake_photo",
        /// Correct the principal or add an authority.
        CorrectPrincipal "correct_principal",
        /// Give another card or account.
        ChangeAccount "change_account",
        /// Download, sign and upload the authority.
        AddAuthority "add_authority",
        /// Take the picture at the shop, or correct the address.
        PhotographOnSite "photograph_on_site",
        /// Change the category or add the permit.
        ChangeCategory "change_category",
        /// Upload the document.
        UploadDocument "upload_document",
        /// Get a licence, or close an old small-merchant account.
        GetLicence "get_licence",
        /// Continue the application that is there already.
        ContinueExisting "continue_existing",
        /// We do not serve this place.
        OutsideRegion "outside_region",
        /// Write to the appeals desk.
        Appeal "appeal",
        /// Scan the number on the device, not on the box.
        ScanSerial "scan_serial",
        /// Ask whoever sold it, with the proof of purchase.
        AskSeller "ask_seller",
        /// Nothing to do but wait; the expected time is shown.
        Wait "wait",
        /// Send the device back.
        ReturnDevice "return_device",
        /// Have a new code sent.
        RequestNewCode "request_new_code",
        /// Wait until the lock ends.
        WaitForUnlock "wait_for_unlock",
        /// Run the network test and follow its advice.
        TestNetwork "test_network",
        /// Register the change of SIM card.
        RegisterSim "register_sim",
        /// Change the network and try again.
        RetryElsewhere "retry_elsewhere",
        /// Sign in again.
        SignInAgain "sign_in_again",
        /// Ask for the terminal to be registered.
        AskSupport "ask_support",
        /// Switch positioning on and go to the shop.
        EnablePositioning "enable_positioning",
        /// See what is still missing.
        SeeMissing "see_missing",
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $code:ident $text:literal $place:expr, $remedy:ident);+ $(;)?) => {
        crate::text_enum! {
            /// A reason of refusal (拒因).
            pub enum ReasonCode { $($(#[$doc])* $code $text),+ }
        }
        impl ReasonCode {
            /// Where it is to be put right.
            #[must_use]
            pub const fn place(self) -> Place { match self { $(Self::$code => $place),+ } }
            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> Remedy { match self { $(Self::$code => Remedy::$remedy),+ } }
        }
    };
}

/// Where a refusal is to be put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the application form.
    Form(FormField),
    /// At the terminal: a field of its requests.
    Terminal(TerminalField),
}

crate::text_enum! {
    /// A part of a terminal's requests that can be wrong.
    pub enum TerminalField {
        /// 机身号.
        Serial "serial",
        /// 激活码.
        Code "code",
        /// 网络.
        Network "network",
        /// SIM card.
        Sim "sim",
        /// 密钥.
        Keys "keys",
        /// 签到.
        SignIn "sign_in",
        /// 定位.
        Location "location",
        /// The merchant's standing.
        Merchant "merchant",
    }
}

use FormField as F;
use Place::{Form, Terminal};
use TerminalField as D;

reasons! {
    /// 执照号校验不过.
    A101 "A101" Form(F::LicenceUscc), Retype;
    /// 主体类型与代码不符.
    A102 "A102" Form(F::SubjectType), ChangeSubjectType;
    /// 执照异常、注销、吊销.
    A103 "A103" Form(F::LicenceUscc), SettleWithRegulator;
    /// 企业仍用 15 位旧照.
    A104 "A104" Form(F::DocumentLicence), RenewLicence;
    /// 证件过期.
    B201 "B201" Form(F::PrincipalIdValidTo), RenewId;
    /// 负责人未满 18.
    B202 "B202" Form(F::PrincipalIdNumber), WaitUntilAdult;
    /// 两面不同证、遮挡、翻拍.
    B203 "B203" Form(F::DocumentIdFront), RetakePhoto;
    /// 法人与证件人不一致.
    B204 "B204" Form(F::PrincipalName), CorrectPrincipal;
    /// 结算卡非本人、对公混用.
    C301 "C301" Form(F::SettlementKind), ChangeAccount;
    /// Ⅱ、Ⅲ 类户.
    C302 "C302" Form(F::SettlementCardNumber), ChangeAccount;
    /// 信用卡不能结算.
    C303 "C303" Form(F::SettlementCardNumber), ChangeAccount;
    /// 户名不一致.
    C304 "C304" Form(F::SettlementHolder), Retype;
    /// 非同名缺关系证明.
    C305 "C305" Form(F::DocumentSettleAuth), AddAuthority;
    /// 门头照无招牌、非本店.
    D401 "D401" Form(F::DocumentShopFront), RetakePhoto;
    /// 内外景非同一家.
    D402 "D402" Form(F::DocumentShopInside), RetakePhoto;
    /// 拍摄地与地址偏离.
    D403 "D403" Form(F::ShopAddress), PhotographOnSite;
    /// 业态与经营范围不符.
    E501 "E501" Form(F::ShopMcc), ChangeCategory;
    /// 缺行业许可、过期.
    E502 "E502" Form(F::DocumentSpecialPermit), UploadDocument;
    /// 超小微数量.
    F601 "F601" Form(F::SubjectType), GetLicence;
    /// 重复进件.
    F602 "F602" Form(F::LicenceUscc), ContinueExisting;
    /// 展业区域外.
    F603 "F603" Form(F::ShopAddress), OutsideRegion;
    /// 名单命中: the merchant is told only that we cannot take it on for now.
    G701 "G701" Form(F::AppealStatement), Appeal;
    /// 尽调无法完成.
    G702 "G702" Form(F::BusinessDescription), UploadDocument;
    /// 机身号不在库、录错.
    T001 "T001" Terminal(D::Serial), ScanSerial;
    /// 机身号已绑其他商户; the other is never shown.
    T002 "T002" Terminal(D::Serial), AskSeller;
    /// 旧主未注销报送.
    T003 "T003" Terminal(D::Serial), Wait;
    /// 挂失、拆机锁定.
    T004 "T004" Terminal(D::Serial), ReturnDevice;
    /// 激活码错.
    T101 "T101" Terminal(D::Code), Retype;
    /// 激活码过期.
    T102 "T102" Terminal(D::Code), RequestNewCode;
    /// 激活码已用.
    T103 "T103" Terminal(D::Code), RequestNewCode;
    /// 激活码锁定.
    T104 "T104" Terminal(D::Code), WaitForUnlock;
    /// 无网、解析、端口、时间偏差.
    T201 "T201" Terminal(D::Network), TestNetwork;
    /// SIM 与机不配.
    T202 "T202" Terminal(D::Sim), RegisterSim;
    /// 主密钥下载失败.
    T301 "T301" Terminal(D::Keys), RetryElsewhere;
    /// 校验值不符.
    T302 "T302" Terminal(D::Keys), RetryElsewhere;
    /// 证书失败.
    T303 "T303" Terminal(D::Keys), RetryElsewhere;
    /// 机器报拆机、密钥注入失败带锁: no further try.
    T304 "T304" Terminal(D::Keys), ReturnDevice;
    /// 签到被拒:商户未开或停用 (03).
    T401 "T401" Terminal(D::SignIn), SeeMissing;
    /// 签到被拒:终端未登记 (97).
    T402 "T402" Terminal(D::SignIn), AskSupport;
    /// 签到被拒:校验错 (A0).
    T403 "T403" Terminal(D::SignIn), SignInAgain;
    /// 定位失败、偏离.
    T501 "T501" Terminal(D::Location), EnablePositioning;
    /// 商户未通过、未签约、未报送.
    T601 "T601" Terminal(D::Merchant), SeeMissing;
}

crate::text_enum! {
    /// How much of a reason its merchant may see.
    pub enum Disclosure {
        /// The code and its text.
        Full "full",
        /// Only a neutral sentence: 暂不能受理. Saying more would tip off a listed person.
        Neutral "neutral",
    }
}

impl ReasonCode {
    /// The name of the field to put right.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self.place() {
            Place::Form(field) => field.as_str(),
            Place::Terminal(field) => field.as_str(),
        }
    }

    /// The form field to put right; `None` for what is put right at the terminal.
    #[must_use]
    pub const fn form_field(self) -> Option<FormField> {
        match self.place() {
            Place::Form(field) => Some(field),
            Place::Terminal(_) => None,
        }
    }

    /// How much of it the merchant may see.
    #[must_use]
    pub const fn disclosure(self) -> Disclosure {
        if matches!(self, Self::G701) { Disclosure::Neutral } else { Disclosure::Full }
    }

    /// The code that pages and API show the merchant: `unavailable` in place of what stays inside.
    #[must_use]
    pub const fn merchant_code(self) -> &'static str {
        match self.disclosure() {
            Disclosure::Full => self.as_str(),
            Disclosure::Neutral => "unavailable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::material::Need;
    use crate::subject::SubjectType;

    #[test]
    fn no_refusal_is_a_dead_end() {
        for code in ReasonCode::ALL {
            match code.place() {
                Place::Form(field) => {
                    let asked = SubjectType::ALL.iter().any(|subject| field.need(*subject) != Need::No);
                    assert!(asked, "{code:?} points to {field:?}, which no form asks for");
                    assert_eq!(FormField::parse(code.field()), Some(field));
                }
                Place::Terminal(field) => {
                    assert_eq!(TerminalField::parse(code.field()), Some(field));
                    assert!(code.as_str().starts_with('T'), "{code:?} is put right in the form");
                }
            }
            assert_eq!(code.form_field().is_none(), code.as_str().starts_with('T'));
        }
    }

    #[test]
    fn the_catalogue_is_whole() {
        let count = |letter| ReasonCode::ALL.iter().filter(|code| code.as_str().starts_with(letter)).count();
        assert_eq!(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'T'].map(count), [4, 4, 5, 3, 2, 3, 2, 19]);
    }

    #[test]
    fn only_a_list_hit_stays_inside() {
        for code in ReasonCode::ALL {
            let shown = if *code == ReasonCode::G701 { "unavailable" } else { code.as_str() };
            assert_eq!(code.merchant_code(), shown);
        }
        assert_eq!(ReasonCode::G701.remedy(), Remedy::Appeal);
    }

    #[test]
    fn every_remedy_is_of_use() {
        for remedy in Remedy::ALL {
            assert!(ReasonCode::ALL.iter().any(|code| code.remedy() == *remedy), "{remedy:?} helps nobody");
        }
    }
}
