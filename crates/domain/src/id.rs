//! Ids: UUID version 7 inside, `mer_0190…` outside.
//!
//! An id names one thing and nothing more: it is never an order and never a cursor (two
//! machines' clocks differ, and commit order is not id order).

use crate::instant::Timestamp;
use std::fmt;
use uuid::{Builder, Uuid};

/// A UUID version 7 from a moment and ten random bytes (RFC 9562 §5.7).
#[must_use]
pub fn new_v7(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// What every typed id can do: its prefix, its bytes, its text.
pub trait TypedId: Copy + Eq + fmt::Display + fmt::Debug {
    /// The text before the underscore, for example `mer`.
    const PREFIX: &'static str;
    /// Wraps raw id bytes read back from the store.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The raw id.
    fn uuid(self) -> Uuid;
    /// From `prefix_` and 32 lower-case hexadecimal digits; `None` for anything else.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::PREFIX)?.strip_prefix('_')?;
        let canonical =
            digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        canonical.then(|| Uuid::try_parse(digits).ok()).flatten().map(Self::from_uuid)
    }
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);
        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl $crate::fact::FactValue for $name {
            fn to_fact(&self) -> Option<String> { Some(self.to_string()) }
            fn from_fact(fact: Option<&str>) -> Option<Self> { Self::parse(fact?) }
        }
    )+};
}

typed_ids! {
    /// 商户: a shop or company that takes payments with our terminals.
    MerchantId "mer",
    /// 门店: a place where a merchant's terminals stand.
    StoreId "sto",
    /// 进件申请.
    ApplicationId "app",
    /// 材料: one uploaded document.
    DocumentId "doc",
    /// 自动核验: one automatic check.
    CheckId "chk",
    /// 受理协议.
    AgreementId "agr",
    /// 报送/入网, one per channel.
    RegistrationId "reg",
    /// 现场/视频核实.
    VisitId "vis",
    /// 发货单.
    ShipmentId "shp",
    /// 终端设备.
    DeviceId "dev",
    /// 激活会话.
    ActivationId "act",
    /// 设备身份 (an auth set: one set of device keys).
    DeviceAuthId "dau",
    /// 密钥槽.
    KeySlotId "key",
    /// 商户能力: one capability of one merchant.
    CapabilityId "cap",
    /// 操作员 (收银员、店长).
    OperatorId "opr",
    /// 登录联系方式: a mobile number that has proved itself with a one-time code.
    ContactId "con",
    /// 访问密钥: an API key or a session.
    AccessKeyId "ak",
    /// 事件: one recorded transition.
    EventId "evt",
    /// 消息: one SMS or e-mail.
    MessageId "msg",
    /// 作业.
    JobId "job",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_only_under_its_own_prefix() {
        let id = MerchantId::from_uuid(new_v7(Timestamp::from_micros(1_700_000_000_000_000), [7; 10]));
        assert_eq!(MerchantId::parse(&id.to_string()), Some(id));
        assert_eq!(DeviceId::parse(&id.to_string()), None);
        assert_eq!(MerchantId::parse("mer_00"), None);
        assert_eq!(MerchantId::parse(&id.to_string().to_uppercase()), None);
    }
}
