//! How the terminal stands: 未激活 or 已激活, what is missing and who acts, its certificate.

use std::time::Duration;

use super::{Language, Screen, in_words, status_text, status_title};
use crate::Step;
use crate::answer::{CertificateStatus, Phase, Status, Turn, Waiting};
use crate::attendant::CertificateReport;

impl Screen {
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
}
