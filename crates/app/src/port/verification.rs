//! Who somebody is, whether a licence exists, whether a name stands on a list.

use super::{AdapterName, Answer};
use secrecy::SecretString;

/// What a verifier answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// 一致.
    Match {
        /// The verifier's own reference for this answer.
        reference: String,
    },
    /// 不一致: `reason_code` is one of the reason catalogue (`A101`…`G702`).
    Mismatch {
        /// The verifier's own reference.
        reference: String,
        /// Reason catalogue code.
        reason_code: &'static str,
    },
    /// The verifier cannot tell (系统无记录): a person must look.
    Inconclusive {
        /// The verifier's own reference.
        reference: String,
    },
}

/// 二/三/四要素: the elements that are given are checked together.
#[derive(Debug, Clone)]
pub struct IdentityQuestion {
    /// 姓名.
    pub name: SecretString,
    /// 身份证件号码.
    pub id_number: SecretString,
    /// 银行卡号, for three and four elements.
    pub card_number: Option<SecretString>,
    /// 手机号, for four elements.
    pub mobile: Option<SecretString>,
}

/// 身份核验.
pub trait IdentityVerifier: Send + Sync {
    /// Who answers.
    fn adapter(&self) -> AdapterName;
    /// Whether the elements belong to one person. Asking twice is harmless.
    fn verify(&self, question: IdentityQuestion) -> Answer<'_, Verdict>;
}

/// A licence to look up.
#[derive(Debug, Clone)]
pub struct LicenceQuestion {
    /// 统一社会信用代码 or the old 15-digit number.
    pub licence_no: String,
    /// 名称 as printed on the licence.
    pub name: String,
    /// 经营者/法定代表人.
    pub principal: SecretString,
}

/// 企业信用信息公示.
pub trait LicenceRegistry: Send + Sync {
    /// Who answers.
    fn adapter(&self) -> AdapterName;
    /// Whether the licence exists, is in force, and carries this name and principal.
    fn look_up(&self, question: LicenceQuestion) -> Answer<'_, Verdict>;
}

/// Names to screen.
#[derive(Debug, Clone)]
pub struct ListQuestion {
    /// Licence number, if any.
    pub licence_no: Option<String>,
    /// Merchant name.
    pub merchant_name: String,
    /// Principal's name.
    pub principal: SecretString,
    /// Principal's ID number.
    pub id_number: SecretString,
}

/// 黑名单、风险信息系统、制裁名单.
pub trait WatchLists: Send + Sync {
    /// Who answers.
    fn adapter(&self) -> AdapterName;
    /// `Match` means *clear of every list*; `Mismatch` means a hit (reason `G701`).
    fn screen(&self, question: ListQuestion) -> Answer<'_, Verdict>;
}
