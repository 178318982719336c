//! The two languages of the platform and how one is chosen.

/// A language of the catalogue. zh-CN is the first: whoever does not ask for another gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// 简体中文.
    #[default]
    ZhCn,
    /// English.
    En,
}

impl Language {
    /// Every language, the first one first.
    pub const ALL: &'static [Self] = &[Self::ZhCn, Self::En];

    /// The BCP 47 tag, for `lang` attributes, `Content-Language` and file names.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language's own name for itself, as a language switch shows it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::ZhCn => "简体中文",
            Self::En => "English",
        }
    }

    /// The language a tag asks for (`zh`, `zh-Hans-CN`, `en-GB` …); `None` when we do not speak it.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::ZhCn),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The best answer to an `Accept-Language` header (RFC 9110 §12.5.4): the highest weight wins, at
    /// equal weight the earlier entry; weight 0 refuses. zh-CN when nothing asked for is spoken here.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Self {
        let mut best: Option<(u16, Self)> = None;
        for entry in header.split(',').take(Self::ENTRIES_MAX) {
            let mut parts = entry.split(';');
            let Some(language) = parts.next().and_then(Self::parse) else { continue };
            let weight =
                parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, weight_in_thousandths);
            if weight > best.map_or(0, |(found, _)| found) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language).unwrap_or_default()
    }

    /// Entries of an `Accept-Language` header that are looked at; a longer one is not a person's.
    const ENTRIES_MAX: usize = 32;
}

/// `0.8` as 800; malformed weights count as 0, so that they never win.
fn weight_in_thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("1", true) => 1000,
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides_by_weight_then_by_order() {
        for (header, expected) in [
            ("", Language::ZhCn),
            ("en-US,en;q=0.9", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::ZhCn),
            ("fr-FR, en;q=0.7, zh;q=0.3", Language::En),
            ("fr, ja;q=0.9", Language::ZhCn),
            ("en;q=0, zh;q=0.1", Language::ZhCn),
            ("en;q=banana, zh-TW;q=0.001", Language::ZhCn),
            ("en;q=0.5, zh;q=0.5", Language::En),
            ("zh;q=0.25, en;q=0.3", Language::En),
        ] {
            assert_eq!(Language::from_accept_language(header), expected, "{header:?}");
        }
    }

    #[test]
    fn every_tag_reads_back() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(*language));
        }
        assert_eq!(Language::parse("de"), None);
    }
}
