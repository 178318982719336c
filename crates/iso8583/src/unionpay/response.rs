//! Response codes (应答码, field 39): text and what the terminal does. How certain
//! which code is, says `docs/protocol/iso8583.md`.

use crate::error::{Error, Reason, Result};
use std::fmt;

/// What a response code asks of the terminal. The letters are those of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A: approved.
    Approved,
    /// B: failed, may be tried again.
    Retry,
    /// C: failed, not to be tried again.
    Decline,
    /// D: failed, the operator acts.
    Operator,
    /// E: failed, a system's fault.
    Fault,
}

impl Action {
    /// The specification's letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Approved => 'A',
            Self::Retry => 'B',
            Self::Decline => 'C',
            Self::Operator => 'D',
            Self::Fault => 'E',
        }
    }

    /// What it says, in Chinese.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Approved => "交易成功",
            Self::Retry => "交易失败,可重试",
            Self::Decline => "交易失败,不需要重试",
            Self::Operator => "交易失败,由操作员处理",
            Self::Fault => "交易失败,系统故障",
        }
    }
}

/// A response code: two letters or digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResponseCode([u8; 2]);

impl ResponseCode {
    /// 00: approved.
    pub const APPROVED: Self = Self(*b"00");
    /// 06: an error; as a reversal's reason, an answer that is not well formed, or another.
    pub const ERROR: Self = Self(*b"06");
    /// 30: the message is not well formed.
    pub const FORMAT: Self = Self(*b"30");
    /// 96: a system's fault; as a reversal's reason, the terminal's.
    pub const SYSTEM_FAULT: Self = Self(*b"96");
    /// 98: no answer came in time.
    pub const NO_ANSWER: Self = Self(*b"98");
    /// A0: the message authentication code is wrong.
    pub const MAC_WRONG: Self = Self(*b"A0");

    /// A code from its two characters.
    ///
    /// # Errors
    /// [`Reason::Value`] when they are not two letters or digits.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = Error::in_field(39, "response code", 0, Reason::Value);
        let code = <[u8; 2]>::try_from(text.as_bytes()).map_err(|_| refuse)?;
        if code.iter().all(u8::is_ascii_alphanumeric) { Ok(Self(code)) } else { Err(refuse) }
    }

    /// Its two characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What it says, in Chinese; a code that nobody defined is a plain failure.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        self.row().map_or("交易失败", |(_, _, text)| text)
    }

    /// What it asks of the terminal; a code that nobody defined is a plain failure.
    #[must_use]
    pub fn action(self) -> Action {
        self.row().map_or(Action::Decline, |(_, action, _)| *action)
    }

    /// Whether the table has it.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.row().is_some()
    }

    /// Every code of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(code, _, _)| Self(**code))
    }

    fn row(self) -> Option<&'static (&'static [u8; 2], Action, &'static str)> {
        TABLE.iter().find(|(code, _, _)| **code == self.0)
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseCode({self})")
    }
}

const TABLE: &[(&[u8; 2], Action, &str)] = &{
    use Action::{Approved as A, Decline as C, Fault as E, Operator as D, Retry as B};
    [
        (b"00", A, "承兑或交易成功"),
        (b"01", C, "查发卡行"),
        (b"02", C, "查发卡行的特殊条件"),
        (b"03", C, "无效商户"),
        (b"04", D, "没收卡"),
        (b"05", C, "不予承兑"),
        (b"06", E, "出错"),
        (b"07", D, "特殊条件下没收卡"),
        (b"09", B, "请求正在处理中"),
        (b"10", A, "部分批准"),
        (b"11", A, "重要人物批准"),
        (b"12", C, "无效交易"),
        (b"13", B, "无效金额"),
        (b"14", B, "无效卡号"),
        (b"15", C, "无此发卡行"),
        (b"16", A, "批准更新第三磁道"),
        (b"19", C, "重新送入交易"),
        (b"20", C, "无效应答"),
        (b"21", C, "不做任何处理"),
        (b"22", C, "怀疑操作有误(重新签到)"),
        (b"23", C, "不可接受的交易费"),
        (b"25", C, "未能找到文件上记录"),
        (b"30", C, "格式错误"),
        (b"31", C, "不支持的银行"),
        (b"33", D, "过期的卡"),
        (b"34", D, "有作弊嫌疑"),
        (b"35", D, "与安全保密部门联系"),
        (b"36", D, "受限制的卡"),
        (b"37", D, "呼受理方安全保密部门(没收卡)"),
        (b"38", D, "超过允许的PIN试输入"),
        (b"39", C, "无此信用卡账户"),
        (b"40", C, "请求的功能尚不支持"),
        (b"41", D, "丢失卡"),
        (b"42", B, "无此账户"),
        (b"43", D, "被窃卡"),
        (b"44", C, "无此投资账户"),
        (b"45", C, "不允许降级(Fallback)交易"),
        (b"51", C, "无足够的存款"),
        (b"52", C, "无此支票账户"),
        (b"53", C, "无此储蓄卡账户"),
        (b"54", C, "过期的卡"),
        (b"55", C, "不正确的PIN"),
        (b"56", C, "无此卡记录"),
        (b"57", C, "不允许持卡人进行的交易"),
        (b"58", C, "不允许终端进行的交易"),
        (b"59", C, "有作弊嫌疑"),
        (b"60", C, "与安全保密部门联系"),
        (b"61", C, "超出取款金额限制"),
        (b"62", C, "受限制的卡"),
        (b"63", C, "违反安全保密规定"),
        (b"64", C, "原始金额不正确"),
        (b"65", C, "超出取款次数限制"),
        (b"66", C, "呼受理方安全保密部门"),
        (b"67", C, "捕捉(没收卡)"),
        (b"68", C, "收到的回答太迟"),
        (b"75", C, "PIN次数超限"),
        (b"77", D, "需要向网络中心签到(批次不符)"),
        (b"79", C, "脱机交易对账不平"),
        (b"89", C, "安全处理失败"),
        (b"90", C, "日期切换正在处理"),
        (b"91", C, "发卡行或银联不能操作"),
        (b"92", C, "找不到或无法达到机构"),
        (b"93", C, "交易违法"),
        (b"94", C, "重复交易"),
        (b"95", C, "调节控制错"),
        (b"96", C, "系统异常"),
        (b"97", D, "POS终端号找不到"),
        (b"98", E, "收不到发卡行应答"),
        (b"99", B, "PIN格式错(重新签到)"),
        (b"A0", B, "MAC校验错(重新签到)"),
        (b"A1", C, "转账货币不一致/未知交易"),
        (b"A2", A, "成功(请向发卡行确认)"),
        (b"A3", C, "账户不正确"),
        (b"A4", A, "成功(请向发卡行确认)"),
        (b"A5", A, "成功(请向发卡行确认)"),
        (b"A6", A, "成功(请向发卡行确认)"),
        (b"A7", C, "安全处理失败"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_say_what_to_do() {
        let mut codes: Vec<_> = ResponseCode::all().collect();
        codes.dedup();
        assert!(codes.is_sorted() && codes.len() == TABLE.len());
        let of = |text| ResponseCode::parse(text).unwrap();
        assert_eq!((of("00").action(), of("00").chinese()), (Action::Approved, "承兑或交易成功"));
        assert_eq!(of("51").action(), Action::Decline);
        assert_eq!((of("A0").action(), of("A0").chinese()), (Action::Retry, "MAC校验错(重新签到)"));
        assert_eq!(of("77").action().letter(), 'D');
        assert_eq!(
            (of("98").action(), ResponseCode::NO_ANSWER.chinese()),
            (Action::Fault, "收不到发卡行应答")
        );
        assert_eq!((of("ZZ").action(), of("ZZ").is_known()), (Action::Decline, false));
        for wrong in ["", "0", "000", "0 ", "承"] {
            assert!(ResponseCode::parse(wrong).is_err());
        }
    }
}
