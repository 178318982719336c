//! What the terminal shows: plain text, one thing at a time. Every screen says what happened, why,
//! and what to do next.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::answer::{CertificateStatus, Phase, Status, Turn, Waiting};
use crate::attendant::{CertificateReport, CodeWanted, StepReport};
use crate::network_test::Leg;
use crate::operator::EntryError;
use crate::{Error, Refusal, Step};

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

    /// First screen after power-on.
    #[must_use]
    pub fn welcome(language: Language, serial: &str, model: &str, status: Option<&Status>) -> Self {
        let state = match status {
            Some(status) => status_text(language, status.phase()),
            None => status_text(language, Phase::UnderWay),
        };
        let mut lines = vec![
            format!("{} {model}", language.pick("机型", "Model ")),
            format!("{} {serial}", language.pick("序列号", "Serial")),
        ];
        if let Some(status) = status {
            lines.extend(status.merchant_name.clone());
            if let Some(step) = Step::next_after(&status.completed) {
                let going_on = language.pick("从上次停下的步骤继续：", "Going on where it stopped: ");
                lines.push(format!("{going_on}{}", step.title(language)));
            }
        }
        Self::new(format!("星支付 Starpay    {state}"), lines)
    }

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

    /// One line per finished step; what was seen is told only when it went wrong.
    #[must_use]
    pub fn progress(language: Language, report: &StepReport) -> String {
        let (mark, detail) = if report.ok { ("✓", "") } else { ("✗", report.detail.as_str()) };
        let number = report.step.number();
        let total = Step::ALL.len();
        let title = report.step.title(language);
        format!("[{number:>2}/{total}] {mark} {title}  {} ms  {detail}", report.ms).trim_end().to_owned()
    }

    /// The merchant's side is not ready.
    #[must_use]
    pub fn waiting(language: Language, status: &Status, pause: Duration) -> Self {
        let mut lines = vec![
            language
                .pick("本机已就绪，还缺以下事项。", "This terminal is ready. What is still missing:")
                .to_owned(),
        ];
        for (turn, heading) in [
            (Turn::Merchant, language.pick("您现在就可以办：", "You can do this now:")),
            (
                Turn::Others,
                language.pick("由他人办理，您无需操作：", "Others are at it, nothing for you to do:"),
            ),
            (Turn::Later, language.pick("之后：", "After that:")),
        ] {
            let entries = missing(language, status, turn);
            if !entries.is_empty() {
                lines.push(heading.to_owned());
                lines.extend(entries);
            }
        }
        let again = language.pick("秒后自动再查询，无需操作。", "s until it looks again by itself.");
        lines.push(format!("{}{again}", pause.as_secs().max(1)));
        Self::new(
            format!("{}    {}", language.pick("等待", "Waiting"), status_text(language, Phase::Waiting)),
            lines,
        )
    }

    /// 已激活, with the receipt.
    #[must_use]
    pub fn active(language: Language, status: &Status, receipt: &[String]) -> Self {
        let mut lines: Vec<String> = status.merchant_name.clone().into_iter().collect();
        lines.push(language.pick("已可使用。", "Ready.").to_owned());
        lines.extend(status.certificate.as_ref().map(|certificate| certified(language, certificate)));
        lines.extend(receipt.iter().map(|line| format!("| {line}")));
        Self::new(status_title(language), lines)
    }

    /// One line about a renewal of the certificate; what hindered it is said when it did not work.
    #[must_use]
    pub fn certificate_renewed(language: Language, report: &CertificateReport) -> String {
        let (mark, said) = if report.ok {
            ("✓", language.pick("证书已自动换发", "Certificate renewed"))
        } else {
            (
                "✗",
                language.pick("证书没有换发，稍后自动再试", "Certificate not renewed; it tries again later"),
            )
        };
        format!("{mark} {said}  {}", report.detail)
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

    /// Something stopped the activation.
    #[must_use]
    pub fn stopped(language: Language, error: &Error) -> Self {
        let title = language.pick("激活停在这里    未激活", "Activation stopped here    未激活 (not active)");
        Self::new(title, reason(language, error))
    }

    /// Something went wrong on an active terminal.
    #[must_use]
    pub fn stopped_in_use(language: Language, error: &Error) -> Self {
        Self::new(status_title(language), reason(language, error))
    }
}

/// The title of an active terminal.
fn status_title(language: Language) -> String {
    format!("星支付 Starpay    {}", status_text(language, Phase::Active))
}

/// What happened, why, and what to do next.
fn reason(language: Language, error: &Error) -> Vec<String> {
    match error {
        Error::Refused(refusal) => said(language, refusal),
        // The system's own words (`os error 111`) are for whoever reads the log, not for a shop.
        Error::Unreachable { leg, detail: _ } => vec![
            format!(
                "{} {}",
                language.pick("连不上平台，断在：", "Cannot reach the platform. Broken:"),
                leg_title(language, *leg)
            ),
            leg_meaning(language, *leg).to_owned(),
            leg_remedy(language, *leg).to_owned(),
        ],
        Error::Statement(_) | Error::Certificate(_) | Error::Damaged { .. } | Error::Malformed { .. } => {
            vec![
                error.to_string(),
                language
                    .pick("请不要继续使用本机，联系客服。", "Do not use this terminal; call support.")
                    .to_owned(),
            ]
        }
        Error::StillWaiting { .. } | Error::Ended { .. } | Error::NoAnswer(_) => vec![error.to_string()],
        Error::Setting { .. }
        | Error::FaultAccepted { .. }
        | Error::Folder { .. }
        | Error::Keys(_)
        | Error::PowerCut(_) => vec![error.to_string()],
    }
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

/// Until when the certificate is good; when somebody has to act, who.
fn certified(language: Language, certificate: &CertificateStatus) -> String {
    let day = certificate.until.get(..10).unwrap_or(&certificate.until);
    let until = format!("{}{day}", language.pick("证书有效期至 ", "Certificate until "));
    let next = match certificate.standing.as_str() {
        "due" => language.pick("；本机会自动换发。", "; this terminal renews it by itself."),
        "recalled" | "ended" => {
            language.pick("，现已无效；联网后自动换发。", ", no longer good; it is renewed once connected.")
        }
        "over" => {
            language.pick("，已逾期；请联系客服重新激活。", ", over; call support to activate it again.")
        }
        _ => "",
    };
    format!("{until}{next}")
}

/// What is missing from whom, and what to do about it; nothing twice.
fn missing(language: Language, status: &Status, turn: Turn) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in status.waiting.iter().filter(|item| item.turn() == turn) {
        let what = if item.message.is_empty() { awaited(language, item) } else { item.message.clone() };
        let who = if turn == Turn::Merchant || item.message.is_empty() {
            String::new()
        } else {
            format!("{}{}", awaited(language, item), language.pick("：", ": "))
        };
        let how_long = match item.expected_wait_s {
            Some(seconds) => format!(" ({} {})", language.pick("约", "about"), in_words(language, seconds)),
            None => String::new(),
        };
        let missing = format!("· {who}{what}{how_long}");
        let remedy = format!("  → {}", item.remedy);
        if lines.contains(&missing) {
            continue;
        }
        if turn != Turn::Merchant || item.remedy.is_empty() {
            lines.push(missing);
        } else if let Some(known) = lines.iter().position(|line| *line == remedy) {
            // The same to do about several things is said once, under the last of them.
            lines.insert(known, missing);
        } else {
            lines.extend([missing, remedy]);
        }
    }
    lines
}

/// Who must act; a platform that does not say it in words is understood by its code's first word.
fn awaited(language: Language, item: &Waiting) -> String {
    if !item.who.is_empty() {
        return item.who.clone();
    }
    let who = item.awaiting.split(':').next().unwrap_or_default();
    match who {
        "merchant" => language.pick("您", "You"),
        "device" => language.pick("本机", "This terminal"),
        "third_party" => language.pick("第三方", "Third party"),
        _ => language.pick("星支付", "Starpay"),
    }
    .to_owned()
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

const fn leg_title(language: Language, leg: Leg) -> &'static str {
    match leg {
        Leg::Resolve => language.pick("域名解析", "name look-up"),
        Leg::Connect => language.pick("连接", "connection"),
        Leg::Tls => language.pick("安全通道", "secure channel"),
        Leg::Http => language.pick("平台应答", "the platform's answer"),
        Leg::Clock => language.pick("时钟", "clock"),
        Leg::Throughput => language.pick("网速", "speed"),
    }
}

/// What a broken leg means.
const fn leg_meaning(language: Language, leg: Leg) -> &'static str {
    match leg {
        Leg::Resolve => language.pick(
            "找不到平台的域名：没有联网，或地址写错了。",
            "Its name is not known: no network, or a wrong address.",
        ),
        Leg::Connect => language.pick(
            "平台没有接受连接：没有联网、地址写错，或平台没有运行。",
            "It takes no connection: no network, a wrong address, or the platform is not running.",
        ),
        Leg::Tls => language.pick("安全通道没有建立。", "No secure channel could be made."),
        Leg::Http => {
            language.pick("平台没有应答，或应答中断了。", "It gave no answer, or the answer broke off.")
        }
        Leg::Clock => {
            language.pick("本机时间与平台相差太多。", "This terminal's time is too far from the platform's.")
        }
        Leg::Throughput => language.pick("数据传得太慢。", "Data comes too slowly."),
    }
}

const fn leg_remedy(language: Language, leg: Leg) -> &'static str {
    match leg {
        Leg::Resolve | Leg::Connect => language
            .pick("请检查Wi-Fi、网线或SIM卡，然后重试。", "Check Wi-Fi, cable or SIM card, then try again."),
        Leg::Tls => language.pick(
            "对方不是我们的平台，或时钟错误。请换一个网络重试。",
            "This is not our platform, or the clock is wrong. Try another network.",
        ),
        Leg::Http => language.pick("请稍后重试。", "Try again in a while."),
        Leg::Clock => language.pick("请校准本机时间后重试。", "Set the terminal's clock, then try again."),
        Leg::Throughput => {
            language.pick("网络太慢，请换一个网络重试。", "The network is too slow: try another one.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: &str) -> Status {
        serde_json::from_value(serde_json::json!({
            "activation_id": "act_1", "device_id": "dev_1", "state": state, "status_text": "未激活",
            "completed": ["code_issued", "claimed"], "merchant_name": "星光小面馆",
            "waiting": [
                {"code": "document_missing", "awaiting": "merchant", "who": "您", "status": "currently_due",
                 "message": "营业执照：资料未上传", "remedy": "拍照上传"},
                {"code": "review_pending", "awaiting": "us:review", "who": "审核组", "status": "pending_verification",
                 "message": "审核未完成", "remedy": "无需操作", "expected_wait_s": 600},
                {"code": "document_missing", "awaiting": "merchant", "who": "您", "status": "past_due",
                 "message": "门头照：资料未上传", "remedy": "拍照上传"},
                {"code": "review_pending", "awaiting": "us:review", "who": "审核组", "status": "pending_verification",
                 "message": "审核未完成", "remedy": "无需操作", "expected_wait_s": 600},
                {"code": "agreement_unsigned", "awaiting": "merchant", "who": "您", "status": "eventually_due",
                 "message": "协议未签署", "remedy": "签署协议"}]
        }))
        .unwrap()
    }

    #[test]
    fn the_title_turns_to_active_only_in_state_active() {
        for language in [Language::Zh, Language::En] {
            for (state, shown) in
                [("claimed", "未激活"), ("waiting", "未激活"), ("failed", "未激活"), ("active", "已激活")]
            {
                let screen =
                    Screen::welcome(language, "99990004STAR00000001", "STAR-A1", Some(&status(state)));
                assert!(screen.title.contains(shown), "{state}: {}", screen.title);
            }
        }
    }

    #[test]
    fn an_active_terminal_promises_nothing_that_it_cannot_do() {
        for (language, ready) in [(Language::Zh, "已可使用。"), (Language::En, "Ready.")] {
            let screen = Screen::active(language, &status("active"), &["0.00".to_owned()]);
            assert_eq!(screen.lines, ["星光小面馆", ready, "| 0.00"]);
        }
    }

    #[test]
    fn waiting_puts_the_merchants_own_part_first_and_says_nothing_twice() {
        let screen = Screen::waiting(Language::Zh, &status("waiting"), Duration::from_secs(5));
        assert_eq!(
            screen.lines,
            [
                "本机已就绪，还缺以下事项。",
                "您现在就可以办：",
                "· 营业执照：资料未上传",
                "· 门头照：资料未上传",
                "  → 拍照上传",
                "由他人办理，您无需操作：",
                "· 审核组：审核未完成 (约 10分钟)",
                "之后：",
                "· 您：协议未签署",
                "5秒后自动再查询，无需操作。",
            ]
        );
    }

    #[test]
    fn a_wait_is_told_in_a_unit_that_people_use() {
        let told = [9, 600, 7_200, 259_200].map(|seconds| in_words(Language::Zh, seconds));
        assert_eq!(told, ["9秒", "10分钟", "2小时", "3天"]);
    }

    #[test]
    fn a_platform_of_few_words_shows_no_code() {
        let mut status = status("waiting");
        for item in &mut status.waiting {
            item.who.clear();
            item.message.clear();
        }
        let text = Screen::waiting(Language::En, &status, Duration::from_secs(5)).to_string();
        assert!(text.contains("· Starpay (about 10 min)"), "{text}");
        assert!(!text.contains("us:review") && !text.contains('_'), "{text}");
    }

    #[test]
    fn a_certificate_near_or_past_its_end_says_who_acts() {
        for (standing, said) in [
            ("in_force", "2027-11-23"),
            ("due", "renews it by itself"),
            ("ended", "no longer good"),
            ("recalled", "no longer good"),
            ("over", "call support"),
        ] {
            let mut active = status("active");
            active.certificate = serde_json::from_value(serde_json::json!({
                "serial": "0a", "until": "2027-11-23T02:00:00Z", "renew_from": "2027-09-24T02:00:00Z",
                "standing": standing
            }))
            .unwrap();
            let text = Screen::active(Language::En, &active, &[]).to_string();
            assert!(text.contains(said) && text.contains("2027-11-23"), "{standing}: {text}");
        }
    }

    #[test]
    fn every_broken_leg_has_a_name_and_a_remedy() {
        for language in [Language::Zh, Language::En] {
            for leg in Leg::ALL {
                let detail = "io: Connection refused (os error 111)".to_owned();
                let lines = Screen::stopped(language, &Error::Unreachable { leg, detail }).lines;
                assert_eq!(lines.len(), 3);
                assert!(!lines.concat().contains("os error"), "{lines:?}");
            }
        }
    }
}
