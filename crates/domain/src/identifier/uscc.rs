//! 统一社会信用代码 (GB 32100-2015).

use super::check_digit::{USCC_ALPHABET, gb11714, gb32100};
use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{Conflict, IdentifierKind, Invalid, Reason, SubjectType, Verdict, open_identifier};
use zeroize::Zeroizing;

const FORM: Form = Form {
    kind: IdentifierKind::Uscc,
    lengths: 18..=18,
    length_wanted: "18 位",
    charset_wanted: "数字或大写字母(不含 I、O、S、V、Z;第 3–8 位只能是数字)",
};

/// 统一社会信用代码: the 18-character number on every licence since 2015.
///
/// One character of registering authority, one of kind, six digits of region, nine of the
/// organisation, one check character. The all-zero text passes the check sum, so the authority is
/// checked as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc(String);
open_identifier!(Uscc);

/// Something to look at in an accepted code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsccWarning {
    /// Characters 9–17 are no organisation code of GB 11714; codes handed out in error exist, so
    /// a person decides.
    OrgCodeChecksum,
}

impl UsccWarning {
    /// The stable code.
    #[must_use]
    pub const fn reason_code(self) -> &'static str {
        match self {
            Self::OrgCodeChecksum => "org_code_checksum",
        }
    }

    /// How serious it is.
    #[must_use]
    pub const fn severity(self) -> &'static str {
        match self {
            Self::OrgCodeChecksum => "warning",
        }
    }

    /// What to do about it, in Chinese.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::OrgCodeChecksum => "末位校验码正确,但第 9–17 位与组织机构代码算法不符,转人工核对",
        }
    }
}

impl Uscc {
    /// The one form of what was typed, right or not: full width, blanks, hyphens and lower case are forgiven.
    #[must_use]
    pub fn normalise(text: &str) -> Zeroizing<String> {
        normalise(text, Case::Upper, Forgive::BlanksAndHyphens)
    }

    /// Reads a number in any form that [`Self::normalise`] forgives.
    ///
    /// # Errors
    /// `degenerate`, `length`, `charset`, `reg_dept`, `org_kind`, `checksum`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = Self::normalise(text);
        FORM.check(&text, |at, c| match at {
            2..8 => c.is_ascii_digit(),
            _ => u8::try_from(c).is_ok_and(|byte| USCC_ALPHABET.contains(&byte)),
        })?;
        let code = Self(text.to_string());
        if !is_reg_dept(code.reg_dept()) {
            return Err(FORM.refuse(Reason::RegDept));
        }
        if !is_org_kind(code.reg_dept(), code.org_kind()) {
            return Err(FORM.refuse(Reason::OrgKind));
        }
        if !gb32100(code.as_str()) {
            return Err(FORM.refuse(Reason::Checksum));
        }
        Ok(code)
    }

    /// 登记管理部门: who registered the subject (`9` is market regulation).
    #[must_use]
    pub fn reg_dept(&self) -> &str {
        self.part(0, 1)
    }

    /// 机构类别 within that authority.
    #[must_use]
    pub fn org_kind(&self) -> &str {
        self.part(1, 2)
    }

    /// 登记机关行政区划: six digits. Never checked against today's list: regions come and go.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(2, 8)
    }

    /// 主体标识码: the nine characters that were the organisation code.
    #[must_use]
    pub fn org_code(&self) -> &str {
        self.part(8, 17)
    }

    /// The kind of subject the code stands for (domain rules §2.1).
    #[must_use]
    pub fn subject_type(&self) -> SubjectType {
        match (self.reg_dept(), self.org_kind()) {
            ("9", "1" | "3") => SubjectType::Enterprise,
            ("9", "2") => SubjectType::SoleProprietor,
            _ => SubjectType::OtherOrg,
        }
    }

    /// What a person should look at although the code is accepted.
    #[must_use]
    pub fn warning(&self) -> Option<UsccWarning> {
        (!gb11714(self.org_code())).then_some(UsccWarning::OrgCodeChecksum)
    }

    /// Whether the code goes with the declared type. Who has a licence is never 小微.
    #[must_use]
    pub fn cross_check(&self, declared: SubjectType) -> Verdict {
        if declared == self.subject_type() {
            Verdict::Accept
        } else {
            Verdict::Reject(Conflict::TypeMismatch)
        }
    }

    fn part(&self, from: usize, to: usize) -> &str {
        self.0.get(from..to).unwrap_or_default()
    }
}

/// GB 32100 table 1 with its amendments.
fn is_reg_dept(text: &str) -> bool {
    matches!(text, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "A" | "N" | "Y")
}

/// Market regulation has exactly four kinds; the other authorities keep adding (居委会 54), so
/// there any digit but 0 stands.
fn is_org_kind(dept: &str, kind: &str) -> bool {
    match dept {
        "9" => matches!(kind, "1" | "2" | "3" | "9"),
        _ => kind.bytes().all(|byte| (b'1'..=b'9').contains(&byte)),
    }
}
