//! Which padding a case means: people say it in words.

use starpay_keys::mac::Padding;

/// What a case's words say about padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// This one.
    One(Padding),
    /// None at all: only whole blocks can be meant, and those zeros leave as they are.
    Unpadded,
}

/// Words before and after `80` that turn it into its opposite.
const NOT: [&str; 4] = ["no", "not", "without", "never"];

/// Reads the words; nothing when they are not understood.
///
/// `80` decides first, because "80 then zeros" speaks of zeros too; "no 80" are zeros.
pub(super) fn read(words: &str) -> Option<Told> {
    let words = words.trim().to_lowercase();
    let mut eighties = words.match_indices("80").map(|(at, _)| is_negated(&words, at)).peekable();
    if eighties.peek().is_some() {
        let padding = if eighties.all(|negated| negated) { Padding::Zeros } else { Padding::EightyThenZeros };
        return Some(Told::One(padding));
    }
    let packed: String = words.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let says = |any: &[&str]| any.iter().any(|word| packed.contains(word));
    if says(&["method2", "pad2", "padding2", "7816"]) {
        Some(Told::One(Padding::EightyThenZeros))
    } else if says(&["zero", "00", "method1", "pad1", "padding1"]) || packed == "0" {
        Some(Told::One(Padding::Zeros))
    } else if says(&["none", "nopad", "unpadded"]) {
        Some(Told::Unpadded)
    } else {
        None
    }
}

/// Whether the `80` at this place is said not to be there.
fn is_negated(words: &str, at: usize) -> bool {
    let (before, after) = words.split_at_checked(at).unwrap_or((words, ""));
    let before = before.trim_end_matches("0x");
    let word_before = before.split(|c: char| !c.is_alphabetic()).rfind(|word| !word.is_empty());
    // Only a word right in front of it, not one of another clause.
    let is_next = before.trim_end_matches([' ', '-', '\'', '"', '(']).ends_with(char::is_alphabetic);
    let mut words_after = after.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let follows = after.strip_prefix("80").is_some_and(|rest| rest.starts_with([' ', '-']));
    (is_next && word_before.is_some_and(|word| NOT.contains(&word)))
        || (follows && words_after.next().is_some_and(|word| NOT.contains(&word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighty_decides_before_zeros_do() {
        for words in [
            "80 then zeros",
            "0x80 then zeros",
            "append 80, then zeros",
            "ISO 9797-1 method 2 (80 then zeros)",
            "mandatory 80 padding, zeros",
            "80",
            "80 00",
            "8000000000000000",
            "method 2",
            "ISO 9797-1 Method 2",
            "pad2",
            "ISO 7816-4",
        ] {
            assert_eq!(read(words), Some(Told::One(Padding::EightyThenZeros)), "{words}");
        }
    }

    #[test]
    fn zeros_are_said_in_many_ways() {
        for words in [
            "Zeros",
            "ZERO",
            "zeros to 8",
            "no 80, zeros",
            "zeros without 80",
            "zeros, no 0x80",
            "zeros (80 not added)",
            "00",
            "0",
            "00 to a multiple of 8",
            "ISO 9797-1 method 1",
            "pad1",
        ] {
            assert_eq!(read(words), Some(Told::One(Padding::Zeros)), "{words}");
        }
        assert_eq!(read("None"), Some(Told::Unpadded));
        assert_eq!(read("no padding"), Some(Told::Unpadded));
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for words in ["", "PKCS#5", "ones", "as the issuer likes"] {
            assert_eq!(read(words), None, "{words}");
        }
    }
}
