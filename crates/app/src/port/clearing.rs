//! 清算机构报送/入网 (259 号文: five elements per terminal; R-155: within two days).

use super::{AdapterName, Answer};
use secrecy::SecretString;

/// 五要素: all five, or the registry refuses.
#[derive(Debug, Clone)]
pub struct FiveElements {
    /// ① 收单机构代码.
    pub acquirer_code: String,
    /// ② 商户编码, absent on the very first registration (the registry assigns it).
    pub merchant_no: Option<String>,
    /// ③ 统一社会信用代码, or the principal's ID number for 小微.
    pub subject_no: SecretString,
    /// ④ 收单结算账户.
    pub settlement_account: SecretString,
    /// ⑤ 布放地理位置: degrees × 10⁶.
    pub latitude_e6: i64,
    /// Degrees × 10⁶.
    pub longitude_e6: i64,
}

/// One merchant to register at one channel.
#[derive(Debug, Clone)]
pub struct RegistrationRequest {
    /// Our registration id: the idempotency key at the registry.
    pub reference: String,
    /// Channel name, for example `clearing`, `unionpay`.
    pub channel: String,
    /// 商户名称.
    pub merchant_name: String,
    /// 商户类别码.
    pub mcc: String,
    /// The five elements.
    pub elements: FiveElements,
}

/// What a registry says about a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationAnswer {
    /// Received, not decided; ask again by reference.
    Pending {
        /// The registry's own reference.
        network_ref: String,
    },
    /// 已入网.
    Registered {
        /// The registry's own reference.
        network_ref: String,
        /// 商户编号 (15 digits).
        merchant_no: String,
        /// 终端号 (8 characters).
        terminal_no: String,
    },
    /// 拒绝.
    Refused {
        /// The registry's own reference.
        network_ref: String,
        /// Plain reason.
        reason: String,
        /// The form field to correct, for example `shop.mcc`.
        field: String,
    },
}

/// 清算机构/渠道.
pub trait ClearingRegistry: Send + Sync {
    /// Who answers.
    fn adapter(&self) -> AdapterName;
    /// Sends a registration; sending the same reference twice is one registration.
    fn submit(&self, request: RegistrationRequest) -> Answer<'_, RegistrationAnswer>;
    /// Asks for the state of a registration sent before; `None` when the registry never heard of it.
    fn query(&self, reference: String) -> Answer<'_, Option<RegistrationAnswer>>;
}
