//! Why a text is refused as an identifier: a stable code for programs, a sentence for people.

use super::normalise::CHARS_MAX;
use std::fmt;

crate::text_enum! {
    /// Which identifier was asked for.
    pub enum IdentifierKind {
        /// 统一社会信用代码.
        Uscc "uscc",
        /// 旧版十五位营业执照注册号.
        BusinessRegistration "bizreg15",
        /// 居民身份证或港澳台居民居住证.
        ResidentId "idcard18",
        /// 其他身份证件.
        OtherIdDocument "other_id_docs",
        /// 手机号.
        Mobile "mobile",
        /// 银行卡号.
        BankCard "bank_card",
        /// 对公账号.
        CorporateAccount "corporate_account",
        /// 联行号.
        Cnaps "cnaps",
        /// 商户类别码.
        Mcc "mcc",
        /// 银联商户号.
        UnionPayMerchantNo "unionpay_merchant_no",
        /// 终端号.
        TerminalNo "terminal_no",
        /// 终端序列号 TUSN.
        TerminalSerial "terminal_sn_tusn",
        /// 激活码.
        ActivationCode "activation_code",
    }
}

impl IdentifierKind {
    /// Its Chinese name, as messages say it.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Uscc => "统一社会信用代码",
            Self::BusinessRegistration => "营业执照注册号",
            Self::ResidentId => "身份证号码",
            Self::OtherIdDocument => "证件号码",
            Self::Mobile => "手机号",
            Self::BankCard => "银行卡号",
            Self::CorporateAccount => "对公账号",
            Self::Cnaps => "联行号",
            Self::Mcc => "商户类别码",
            Self::UnionPayMerchantNo => "银联商户号",
            Self::TerminalNo => "终端号",
            Self::TerminalSerial => "终端序列号",
            Self::ActivationCode => "激活码",
        }
    }
}

/// What is wrong. Never carries the text itself: half of the identifiers are secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The same digit throughout: passes some check sums, names nobody.
    Degenerate,
    /// Too short or too long.
    Length {
        /// Characters after normalising.
        found: usize,
        /// What is right, in Chinese.
        wanted: &'static str,
    },
    /// A character that may not stand where it stands.
    Charset {
        /// Its position, counted from 1.
        position: usize,
        /// What may stand there, in Chinese.
        wanted: &'static str,
    },
    /// The first character names no registering authority (GB 32100).
    RegDept,
    /// The second character is no kind of organisation (GB 32100).
    OrgKind,
    /// No such province.
    Region,
    /// It does not begin as it must.
    Prefix {
        /// How it must begin, in Chinese.
        wanted: &'static str,
    },
    /// The parts are not where this kind of document has them.
    Pattern {
        /// The form, in Chinese.
        wanted: &'static str,
    },
    /// The date of birth does not exist.
    BadDate,
    /// The date of birth lies ahead.
    BornLater,
    /// Older than any person.
    TooOld,
    /// An undefined kind of terminal.
    DeviceType,
    /// The category is closed to merchants.
    MccProhibited,
    /// A thirteen-digit number of a machine, not of a person.
    Iot,
    /// A fixed line.
    Landline,
    /// The check character disagrees.
    Checksum,
    /// The Luhn digit disagrees.
    Luhn,
}

impl Reason {
    /// The stable code, as in testdata/identifiers.json.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Degenerate => "degenerate",
            Self::Length { .. } => "length",
            Self::Charset { .. } => "charset",
            Self::RegDept => "reg_dept",
            Self::OrgKind => "org_kind",
            Self::Region => "region",
            Self::Prefix { .. } => "prefix",
            Self::Pattern { .. } => "pattern",
            Self::BadDate | Self::BornLater => "bad_date",
            Self::TooOld => "too_old",
            Self::DeviceType => "device_type",
            Self::MccProhibited => "mcc_prohibited",
            Self::Iot => "iot",
            Self::Landline => "landline",
            Self::Checksum => "checksum",
            Self::Luhn => "luhn",
        }
    }
}

/// A text refused as an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// What was asked for.
    pub kind: IdentifierKind,
    /// What is wrong.
    pub reason: Reason,
}

impl Invalid {
    /// The stable code, as in testdata/identifiers.json.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        self.reason.code()
    }

    /// What is wrong and what to look at, in Chinese.
    #[must_use]
    pub fn message(&self) -> String {
        let name = self.kind.zh();
        match self.reason {
            Reason::Degenerate => format!("{name}不能全是同一个数字"),
            Reason::Length { found, wanted } if found > CHARS_MAX => {
                format!("{name}应为 {wanted},现在超过 {CHARS_MAX} 位")
            }
            Reason::Length { found, wanted } => format!("{name}应为 {wanted},现在是 {found} 位"),
            Reason::Charset { position, wanted } => format!("{name}第 {position} 位只能是{wanted}"),
            Reason::RegDept => format!("{name}首位不是登记管理部门代码,请对照原件"),
            Reason::OrgKind => format!("{name}第 2 位不是机构类别代码,请对照原件"),
            Reason::Region => format!("{name}前两位不是省级代码,请对照原件"),
            Reason::Prefix { wanted } => format!("{name}应以 {wanted} 开头"),
            Reason::Pattern { wanted } => format!("{name}的形式应为 {wanted}"),
            Reason::BadDate => format!("{name}里的出生日期不存在,请对照原件"),
            Reason::BornLater => format!("{name}里的出生日期晚于今天,请对照原件"),
            Reason::TooOld => format!("{name}里的出生日期距今超过 130 年,请对照原件"),
            Reason::DeviceType => format!("{name}第 7、8 位不是已定义的终端类型(01–11)"),
            Reason::MccProhibited => format!("{name}里的商户类别禁止准入"),
            Reason::Iot => "这是 13 位物联网号,请填本人手机号".to_owned(),
            Reason::Landline => "这是固定电话,请填手机号".to_owned(),
            Reason::Checksum | Reason::Luhn => format!("{name}校验不通过,可能有一位输错,请对照原件"),
        }
    }
}

impl fmt::Display for Invalid {
    /// The kind and the code, for logs: never the text that was refused.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.reason_code())
    }
}

/// The checks every identifier makes first, in the order that decides which reason wins:
/// one digit repeated, then length, then alphabet.
pub(super) struct Form {
    pub(super) kind: IdentifierKind,
    pub(super) lengths: std::ops::RangeInclusive<usize>,
    pub(super) length_wanted: &'static str,
    pub(super) charset_wanted: &'static str,
}

impl Form {
    /// Refuses a text that is one digit repeated, of the wrong length, or holds a character
    /// for which `allowed(position from 0, character)` is false.
    pub(super) fn check(&self, text: &str, allowed: impl Fn(usize, char) -> bool) -> Result<(), Invalid> {
        let found = text.chars().count();
        if self.lengths.contains(&found) && one_digit(text) {
            return Err(self.refuse(Reason::Degenerate));
        }
        self.check_length(found)?;
        self.check_charset(text, allowed)
    }

    pub(super) fn check_length(&self, found: usize) -> Result<(), Invalid> {
        if self.lengths.contains(&found) {
            return Ok(());
        }
        Err(self.refuse(Reason::Length { found, wanted: self.length_wanted }))
    }

    pub(super) fn check_charset(
        &self,
        text: &str,
        allowed: impl Fn(usize, char) -> bool,
    ) -> Result<(), Invalid> {
        match text.chars().enumerate().find(|(at, c)| !allowed(*at, *c)) {
            None => Ok(()),
            Some((at, _)) => {
                Err(self
                    .refuse(Reason::Charset { position: at.saturating_add(1), wanted: self.charset_wanted }))
            }
        }
    }

    pub(super) const fn refuse(&self, reason: Reason) -> Invalid {
        Invalid { kind: self.kind, reason }
    }
}

/// Whether a text repeats one digit throughout.
fn one_digit(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_digit() && chars.all(|c| c == first))
}
