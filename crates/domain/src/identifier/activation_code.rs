//! 激活码: the one-time code that lets a terminal claim its merchant.
//!
//! Ten symbols of Crockford's Base32 (digits and capitals without I, L, O, U): nine random ones
//! (45 bits) and a check symbol. Crockford's own check needs 37 symbols, so this one is ours:
//! symbols are elements of GF(32) (polynomial x⁵+x²+1, α = 2), and a code is right when
//!
//! ```text
//! s₀·α⁰ + s₁·α¹ + … + s₉·α⁹ = 1
//! ```
//!
//! The ten weights differ and none is zero, so *every* change of one symbol and *every* swap of
//! any two different symbols is noticed; any other mistake passes once in 32. The 1 on the right
//! keeps 0000000000 out.

use super::invalid::Form;
use super::normalise::{Case, Forgive, normalise};
use super::{IdentifierKind, Invalid, Reason, secret_identifier};
use zeroize::{Zeroize, ZeroizeOnDrop};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS: usize = 10;

const FORM: Form = Form {
    kind: IdentifierKind::ActivationCode,
    lengths: SYMBOLS..=SYMBOLS,
    length_wanted: "10 位",
    charset_wanted: "数字或字母(不含 U)",
};

/// 激活码: single use, bound to merchant, store and serial. A secret: the server keeps only its
/// HMAC.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ActivationCode {
    text: String,
}
secret_identifier!(ActivationCode);

impl ActivationCode {
    /// Makes a code from nine random bytes, of which the low five bits count.
    #[must_use]
    pub fn from_random(random: [u8; SYMBOLS - 1]) -> Self {
        let mut text = String::with_capacity(SYMBOLS);
        let mut sum = 1;
        let mut weight = 1;
        for byte in random {
            let symbol = byte & 31;
            text.push(letter(symbol));
            sum ^= multiply(symbol, weight);
            weight = multiply(weight, 2);
        }
        // The sum must be undone by the last symbol times the last weight.
        text.push(letter((0..32).find(|last| multiply(*last, weight) == sum).unwrap_or_default()));
        Self { text }
    }

    /// Reads a code as typed: full width, blanks, hyphens and lower case are forgiven; I and L
    /// read as 1, O as 0.
    ///
    /// # Errors
    /// `length`, `charset`, `checksum`, in that order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let typed = normalise(text, Case::Upper, Forgive::BlanksAndHyphens);
        FORM.check_length(typed.chars().count())?;
        FORM.check_charset(&typed, |_, c| value(c).is_some())?;
        let mut sum = 0;
        let mut weight = 1;
        let mut code = Self { text: String::with_capacity(SYMBOLS) };
        for symbol in typed.chars().filter_map(value) {
            code.text.push(letter(symbol));
            sum ^= multiply(symbol, weight);
            weight = multiply(weight, 2);
        }
        if sum == 1 { Ok(code) } else { Err(FORM.refuse(Reason::Checksum)) }
    }

    /// The code as it is printed and sent: `XXXXX-XXXXX`. As secret as [`Self::expose`].
    #[must_use]
    pub fn expose_grouped(&self) -> String {
        let (head, tail) = self.text.split_at_checked(SYMBOLS / 2).unwrap_or((&self.text, ""));
        format!("{head}-{tail}")
    }

    /// All but the last two symbols hidden, to tell two codes apart.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("*****-***{}", self.text.get(SYMBOLS - 2..).unwrap_or_default())
    }
}

fn letter(symbol: u8) -> char {
    char::from(ALPHABET.get(usize::from(symbol & 31)).copied().unwrap_or(b'0'))
}

fn value(c: char) -> Option<u8> {
    let read = match c {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    let at = ALPHABET.iter().position(|known| char::from(*known) == read)?;
    u8::try_from(at).ok()
}

/// The product of two elements of GF(32).
const fn multiply(a: u8, b: u8) -> u8 {
    const POLYNOMIAL: u8 = 0b10_0101;
    let mut product = 0;
    let mut shifted = a & 31;
    let mut rest = b & 31;
    while rest != 0 {
        if rest & 1 == 1 {
            product ^= shifted;
        }
        shifted <<= 1;
        if shifted & 32 != 0 {
            shifted ^= POLYNOMIAL;
        }
        rest >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> ActivationCode {
        ActivationCode::from_random([7, 31, 0, 12, 25, 3, 18, 9, 30])
    }

    fn swapped(text: &str, i: usize, j: usize) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        chars.swap(i, j);
        chars.into_iter().collect()
    }

    fn replaced(text: &str, at: usize, c: char) -> String {
        text.chars().enumerate().map(|(i, old)| if i == at { c } else { old }).collect()
    }

    #[test]
    fn gf32_is_a_field_and_its_weights_differ() {
        for a in 1..32 {
            assert_eq!((1..32).filter(|b| multiply(a, *b) == 1).count(), 1, "{a} has one inverse");
        }
        let mut weights = vec![1];
        while weights.len() < SYMBOLS {
            weights.push(multiply(weights[weights.len() - 1], 2));
        }
        let mut distinct = weights.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), weights.len());
        assert!(!weights.contains(&0));
    }

    /// Both checks are linear, so all pairs of symbols at all places prove them for every code.
    #[test]
    fn every_substitution_of_every_symbol_at_every_place_is_caught() {
        for seed in 0..32 {
            let code = ActivationCode::from_random([seed; 9]);
            let text = code.expose();
            for at in 0..SYMBOLS {
                for wrong in ALPHABET.iter().map(|byte| char::from(*byte)) {
                    let typed = replaced(text, at, wrong);
                    assert_eq!(ActivationCode::parse(&typed).is_ok(), typed == text, "{typed}");
                }
            }
        }
    }

    #[test]
    fn every_swap_of_two_different_symbols_is_caught() {
        for i in 0..SYMBOLS {
            for j in i + 1..SYMBOLS {
                for a in 0..32_u8 {
                    for b in 0..32_u8 {
                        // Force a and b into the places where they are data symbols.
                        let mut random = [5; 9];
                        random[i.min(8)] = a;
                        if j < 9 {
                            random[j] = b;
                        }
                        let text = ActivationCode::from_random(random).expose().to_owned();
                        let typed = swapped(&text, i, j);
                        assert_eq!(ActivationCode::parse(&typed).is_ok(), typed == text, "{text} {typed}");
                    }
                }
            }
        }
    }

    #[test]
    fn typing_is_forgiven() {
        let code = ActivationCode::from_random([1, 0, 1, 0, 10, 11, 12, 13, 14]);
        let text = code.expose();
        assert!(text.starts_with("1010ABCDE"));
        let check = &text[9..];
        for typed in
            [format!("iOlo a-bcde{check}"), format!(" LoIO-abcde\u{3000}{check}\n"), code.expose_grouped()]
        {
            assert_eq!(ActivationCode::parse(&typed), Ok(code.clone()), "{typed}");
        }
        assert_eq!(code.expose_grouped().len(), 11);
        assert_eq!(code.masked(), format!("*****-***E{check}"));
        assert_eq!(format!("{code:?}"), "ActivationCode(redacted)");
    }

    #[test]
    fn wrong_codes_say_why() {
        let why = |text: &str| ActivationCode::parse(text).unwrap_err().reason_code();
        assert_eq!(why("0000000000"), "checksum");
        assert_eq!(why("UUUUUUUUUU"), "charset");
        assert_eq!(why(&sample().expose()[..9]), "length");
        assert_eq!(why(""), "length");
    }

    proptest! {
        #[test]
        fn every_made_code_reads_back(random: [u8; 9]) {
            let code = ActivationCode::from_random(random);
            prop_assert_eq!(ActivationCode::parse(&code.expose_grouped()), Ok(code));
        }

        #[test]
        fn nothing_typed_panics(text in ".{0,40}") {
            let _ = ActivationCode::parse(&text);
        }
    }
}
