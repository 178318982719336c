//! What the terminal shows: plain text, one thing at a time. Every screen says what happened, why,
//! and what to do next.
//!
//! * `entry`: what is asked of the person, and said to what they typed
//! * `standing`: how the terminal stands, what is missing, who acts
//! * `trouble`: what went wrong

mod entry;
mod standing;
mod trouble;

use std::fmt;
use std::str::FromStr;

use crate::answer::Phase;
use crate::attendant::StepReport;
use crate::{Refusal, Step};

/// Width of a rule on the screen, in columns.
const COLUMNS: usize = 40;

/// The language of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 简体中文.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The tag in `Accept-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    const fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        match text {
            "zh" | "zh-CN" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            _ => Err(UnknownLanguage),
        }
    }
}

/// A language the terminal does not speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the terminal speaks zh and en")]
pub struct UnknownLanguage;

/// One screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// What this is about, with the terminal's status.
    pub title: String,
    /// What happened, why, what next.
    pub lines: Vec<String>,
    /// What to type, when something is to be typed.
    pub prompt: Option<String>,
}

impl Screen {
    fn new(title: impl Into<String>, lines: Vec<String>) -> Self {
        Self {
            title: title.into(),
            lines: lines.into_iter().filter(|line| !line.is_empty()).collect(),
            prompt: None,
        }
    }

    fn asking(mut self, prompt: &str) -> Self {
        self.prompt = Some(prompt.to_owned());
        self
    }

    /// One line per finished step; what was seen is told only when it went wrong.
    #[must_use]
    pub fn progress(language: Language, report: &StepReport) -> String {
        let (mark, detail) = if report.ok { ("✓", "") } else { ("✗", report.detail.as_str()) };
        let number = report.step.number();
        let total = Step::ALL.len();
        let title = report.step.title(language);
        format!("[{number:>2}/{total}] {mark} {title}  {} ms  {detail}", report.ms).trim_end().to_owned()
    }
}

/// The title of an active terminal.
fn status_title(language: Language) -> String {
    format!("星支付 Starpay    {}", status_text(language, Phase::Active))
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", "─".repeat(COLUMNS))?;
        writeln!(f, " {}", self.title)?;
        writeln!(f, "{}", "─".repeat(COLUMNS))?;
        for line in &self.lines {
            writeln!(f, " {line}")?;
        }
        Ok(())
    }
}

/// 未激活 or 已激活: in English the Chinese words stay, because the merchant's papers show them.
fn status_text(language: Language, phase: Phase) -> &'static str {
    match phase {
        Phase::Active => language.pick("已激活", "已激活 (active)"),
        Phase::UnderWay | Phase::Waiting | Phase::Failed | Phase::Ended => {
            language.pick("未激活", "未激活 (not active)")
        }
    }
}

/// What the platform said, as lines.
fn said(language: Language, refusal: &Refusal) -> Vec<String> {
    let mut lines =
        vec![if refusal.message.is_empty() { refusal.code.clone() } else { refusal.message.clone() }];
    lines.extend(refusal.remedy.clone());
    if let Some(left) = refusal.tries_left {
        lines.push(format!("{}{left}", language.pick("剩余次数：", "Tries left: ")));
    }
    if let Some(after) = refusal.retry_after {
        lines.push(format!(
            "{}{}",
            language.pick("请稍候：", "Please wait: "),
            in_words(language, after.as_secs())
        ));
    }
    lines
}

/// A wait in its coarsest unit of which there are at least two, rounded up.
fn in_words(language: Language, seconds: u64) -> String {
    let (length, unit) = match seconds {
        0..60 => (1, language.pick("秒", " s")),
        60..7_200 => (60, language.pick("分钟", " min")),
        7_200..172_800 => (3_600, language.pick("小时", " h")),
        172_800.. => (86_400, language.pick("天", " days")),
    };
    format!("{}{unit}", seconds.div_ceil(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_a_unit_that_people_use() {
        let told = [9, 600, 7_200, 259_200].map(|seconds| in_words(Language::Zh, seconds));
        assert_eq!(told, ["9秒", "10分钟", "2小时", "3天"]);
    }
}
