//! Bringing what people type, paste or scan to one form, before any rule looks at it.
//!
//! Scanners add line breaks, phones type full-width digits, paper groups digits with blanks or
//! hyphens. Which of those an identifier forgives is part of its rule, so each says so.

use zeroize::Zeroizing;

/// Longest text looked at; no identifier comes near. Of a longer one a character more is kept, so
/// that it keeps its length error and is known to be longer.
pub(super) const CHARS_MAX: usize = 128;

/// Which letters survive as they were typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// `a` becomes `A`.
    Upper,
    /// Letters stay as typed.
    Keep,
}

/// What may stand between the characters and is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgive {
    /// Only blanks and line breaks around the text.
    Around,
    /// Blanks anywhere.
    Blanks,
    /// Blanks anywhere, but a line break only around: two scans are not one number.
    BlanksOfOneLine,
    /// Blanks and hyphens anywhere.
    BlanksAndHyphens,
}

/// The text with full-width forms made half-width and separators dropped. It is wiped when it
/// goes out of scope, because half of the identifiers are secrets.
pub(super) fn normalise(text: &str, case: Case, forgive: Forgive) -> Zeroizing<String> {
    let text = text.trim_matches(is_blank);
    let mut out = Zeroizing::new(String::with_capacity((CHARS_MAX + 1) * 4));
    let kept = text.chars().map(half_width).filter(|c| match forgive {
        Forgive::Around => true,
        Forgive::Blanks => !is_blank(*c),
        Forgive::BlanksOfOneLine => !is_blank(*c) || is_line_break(*c),
        Forgive::BlanksAndHyphens => !is_blank(*c) && !is_hyphen(*c),
    });
    for c in kept.take(CHARS_MAX + 1) {
        out.push(match case {
            Case::Upper => c.to_ascii_uppercase(),
            Case::Keep => c,
        });
    }
    out
}

/// White space, controls and the invisible marks that copying from a page brings along: of no
/// width, soft hyphens, and those that turn the direction of writing.
pub(super) fn is_blank(c: char) -> bool {
    let is_mark = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    is_mark || c.is_whitespace() || c.is_control()
}

/// What ends a line, on paper or at the end of a scan.
fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The hyphens and dashes that keyboards produce for `-`.
pub(super) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_phone_and_a_scanner_add_is_dropped() {
        assert_eq!(normalise(" １１０ 199\u{3000}x\r\n", Case::Upper, Forgive::Blanks).as_str(), "110199X");
        assert_eq!(normalise("\u{feff}a－b–c ", Case::Keep, Forgive::BlanksAndHyphens).as_str(), "abc");
        assert_eq!(normalise(" 1 2 ", Case::Keep, Forgive::Around).as_str(), "1 2");
        assert_eq!(normalise("\r\n1 2\r\n", Case::Keep, Forgive::BlanksOfOneLine).as_str(), "12");
        assert_eq!(normalise("1\r\n2", Case::Keep, Forgive::BlanksOfOneLine).as_str(), "1\r\n2");
    }

    #[test]
    fn invisible_marks_are_dropped() {
        let marks = [
            '\u{ad}', '\u{61c}', '\u{200b}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
            '\u{feff}',
        ];
        for mark in marks {
            let text = format!("{mark}1{mark}2{mark}");
            assert_eq!(normalise(&text, Case::Keep, Forgive::Blanks).as_str(), "12", "{mark:?}");
        }
    }

    #[test]
    fn endless_input_is_cut_but_stays_too_long() {
        let long = "1".repeat(10_000);
        assert_eq!(normalise(&long, Case::Keep, Forgive::Blanks).len(), CHARS_MAX + 1);
    }
}
