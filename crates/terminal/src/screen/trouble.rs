//! What went wrong: what happened, why, and what to do next.

use super::{Language, Screen, said, status_title};
use crate::Error;
use crate::network_test::Leg;

impl Screen {
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
