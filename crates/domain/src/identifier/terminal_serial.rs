//! 终端序列号 (TUSN).

use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, Reason, open_identifier};
use zeroize::Zeroizing;

const FORM: Form = Form {
    kind: IdentifierKind::TerminalSerial,
    lengths: 9..=50,
    length_wanted: "9–50 位(厂商 6 位、类型 2 位、序列至少 1 位)",
    charset_wanted: "字母或数字(前 8 位只能是数字)",
};

/// 终端序列号 (TUSN): six digits of maker, two of type, the maker's own serial. Printed on the
/// body as text and bar code; one terminal has one, and it binds to one merchant (259 号文).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalSerial(String, DeviceType);
open_identifier!(TerminalSerial);

crate::text_enum! {
    /// 终端类型 inside the serial.
    pub enum DeviceType {
        /// 自助终端/ATM.
        SelfService "01",
        /// 传统 POS.
        Pos "02",
        /// mPOS.
        MobilePos "03",
        /// 智能 POS.
        SmartPos "04",
        /// Ⅱ 型固定电话.
        Telephone "05",
        /// 云闪付终端.
        QuickPass "06",
        /// 保留.
        Reserved "07",
        /// 手机 POS.
        PhonePos "08",
        /// 刷脸付终端.
        Face "09",
        /// 条码支付受理终端.
        BarCode "10",
        /// 条码支付辅助受理终端.
        BarCodeAuxiliary "11",
    }
}

impl TerminalSerial {
    /// The one form of what was typed, right or not: blanks, full width, lower case and line breaks
    /// around it are forgiven. A line break inside stays: it is where a second scan begins.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Upper, Forgive::BlanksOfOneLine)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `device_type`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check(&text, |at, c| if at < 8 { c.is_ascii_digit() } else { c.is_ascii_alphanumeric() })?;
        match text.get(6..8).and_then(DeviceType::parse) {
            Some(device_type) => Ok(Self(text.to_string(), device_type)),
            None => Err(FORM.refuse(Reason::DeviceType)),
        }
    }

    /// 厂商编号.
    #[must_use]
    pub fn vendor(&self) -> &str {
        self.0.get(0..6).unwrap_or_default()
    }

    /// 终端类型.
    #[must_use]
    pub const fn device_type(&self) -> DeviceType {
        self.1
    }
}
