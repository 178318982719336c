//! What is asked of the person at the terminal, and what is said to what they typed.

use super::{Language, Screen, said, status_title};
use crate::attendant::CodeWanted;
use crate::operator::EntryError;
use crate::{Refusal, Step};

impl Screen {
    /// Asks for the activation code.
    #[must_use]
    pub fn code(language: Language, why: CodeWanted<'_>) -> Self {
        let mut lines = match why {
            CodeWanted::First => Vec::new(),
            CodeWanted::Refused(refusal) => said(language, refusal),
            CodeWanted::Ended { state, detail } => vec![
                format!(
                    "{} ({state})",
                    language.pick("上次激活没有完成", "The last activation did not finish")
                ),
                detail.to_owned(),
            ],
            CodeWanted::KeysRejected(refusal) => {
                let mut lines = said(language, refusal);
                let next = language.pick(
                    "请在商户后台领取新的激活码。输入后，本机会生成新的密钥。",
                    "Ask for a new code in your console. With it this terminal makes new keys.",
                );
                lines.push(next.to_owned());
                lines
            }
            CodeWanted::JournalLost => vec![
                language.pick("本机记录丢失。", "This terminal lost its records.").to_owned(),
                language
                    .pick("请再输入一次同一个激活码。", "Please enter the same code once more.")
                    .to_owned(),
            ],
        };
        lines.push(
            language
                .pick(
                    "激活码在商户后台或短信里，共10位。",
                    "The code is in your console or text message: 10 characters.",
                )
                .to_owned(),
        );
        Self::new(Step::Claim.title(language), lines).asking(language.pick("激活码", "Code"))
    }

    /// Asks for an operator's number.
    #[must_use]
    pub fn operator_number(language: Language) -> Self {
        let line = language.pick(
            "设置主管操作员。密码只属于您，我们不会向您索要。",
            "Set up the manager. The PIN is yours alone; we never ask for it.",
        );
        Self::new(Step::Pin.title(language), vec![line.to_owned()]).asking(
            language.pick("操作员号 (2至4位数字，回车为01)", "Operator number (2 to 4 digits, Enter for 01)"),
        )
    }

    /// Asks whose PIN is to be checked.
    #[must_use]
    pub fn number_to_check(language: Language) -> Self {
        Self::new(status_title(language), Vec::new())
            .asking(language.pick("操作员号 (回车为01)", "Operator number (Enter for 01)"))
    }

    /// Asks for the PIN.
    #[must_use]
    pub fn pin(language: Language) -> Self {
        Self::new(Step::Pin.title(language), Vec::new()).asking(language.pick("6位密码", "PIN, 6 digits"))
    }

    /// The platform refused the PIN: why, and what to do.
    #[must_use]
    pub fn pin_refused(language: Language, refusal: &Refusal) -> Self {
        Self::new(Step::Pin.title(language), said(language, refusal))
    }

    /// Asks for the PIN again.
    #[must_use]
    pub fn pin_again(language: Language) -> Self {
        Self::new(Step::Pin.title(language), Vec::new())
            .asking(language.pick("再输入一次密码", "PIN once more"))
    }

    /// Something typed in cannot be right.
    #[must_use]
    pub fn entry_refused(language: Language, error: EntryError) -> Self {
        let line = match error {
            EntryError::Number => {
                language.pick("操作员号是2至4位数字。", "An operator number has 2 to 4 digits.")
            }
            EntryError::Pin => language.pick("密码是6位数字。", "A PIN has 6 digits."),
            EntryError::Weak => language.pick(
                "这个密码太容易被猜到（连号、重复、生日或序列号里的数字），请换一个。",
                "This PIN is too easy to guess (a run, a repetition, a date, part of the serial). Choose another one.",
            ),
            EntryError::Repetition => language
                .pick("两次输入不一致，请重新输入。", "The two entries differ. Please enter it again."),
        };
        Self::new(Step::Pin.title(language), vec![line.to_owned()])
    }

    /// A PIN was right.
    #[must_use]
    pub fn verified(language: Language, number: &str) -> Self {
        let line = format!("{number} {}", language.pick("密码正确。", "PIN is right."));
        Self::new(status_title(language), vec![line])
    }

    /// What to press after the terminal stopped.
    #[must_use]
    pub const fn retry_prompt(language: Language) -> &'static str {
        language.pick("回车重试，q关机", "Enter to try again, q to switch off")
    }

    /// What to press on an active terminal.
    #[must_use]
    pub const fn verify_prompt(language: Language) -> &'static str {
        language.pick("回车核对操作员密码，q关机", "Enter to check an operator's PIN, q to switch off")
    }
}
