//! How long something took, or will take, in words.

use starpay_text::{Texts, fl};

/// A measured time: `840 毫秒`, `12.4 秒`, `3 分 20 秒`.
pub(super) fn took(texts: &Texts, ms: u64) -> String {
    match ms {
        0..1_000 => fl!(texts, "duration-ms", n = ms.to_string()),
        1_000..60_000 => {
            fl!(texts, "duration-s", n = format!("{}.{}", ms / 1_000, ms % 1_000 / 100))
        }
        _ => {
            let seconds = ms / 1_000;
            fl!(texts, "duration-min", m = (seconds / 60).to_string(), s = (seconds % 60).to_string())
        }
    }
}

/// An expected wait, rounded up to what a person plans with: minutes, hours, days.
pub(super) fn wait(texts: &Texts, seconds: u64) -> String {
    match seconds {
        0..60 => fl!(texts, "wait-now"),
        60..5_400 => fl!(texts, "wait-minutes", n = seconds.div_ceil(60)),
        5_400..129_600 => fl!(texts, "wait-hours", n = seconds.div_ceil(3_600)),
        _ => fl!(texts, "wait-days", n = seconds.div_ceil(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_text::{Language, texts};

    #[test]
    fn times_are_said_in_the_unit_a_person_thinks_in() {
        let (zh, en) = (texts(Language::ZhCn), texts(Language::En));
        assert_eq!(took(zh, 840), "840 毫秒");
        assert_eq!(took(en, 12_449), "12.4 s");
        assert_eq!(took(zh, 200_000), "3 分 20 秒");
        assert_eq!(wait(zh, 5), "即时");
        assert_eq!(wait(en, 60), "about 1 minute");
        assert_eq!(wait(en, 14_400), "about 4 hours");
        assert_eq!(wait(zh, 129_600), "约 2 天");
    }
}
