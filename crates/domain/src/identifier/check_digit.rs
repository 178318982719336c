//! The published check-digit schemes, each as one function over ASCII text.
//!
//! They answer only "do the digits agree". Length and alphabet are judged before by the
//! identifier; a character outside the scheme's alphabet makes the answer no.

/// The 31 characters of GB 32100: digits and letters without I, O, S, V, Z.
pub(super) const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(10)
}

/// ISO/IEC 7812-1 annex B (Luhn): catches every single digit and every swap of neighbours but 09/90.
pub(super) fn luhn(text: &str) -> bool {
    let sum = text.bytes().rev().zip([false, true].iter().cycle()).try_fold(0_u32, |sum, (byte, second)| {
        let value = digit(byte)?;
        let doubled = if value >= 5 { value * 2 - 9 } else { value * 2 };
        Some(sum + if *second { doubled } else { value })
    });
    sum.is_some_and(|sum| sum.is_multiple_of(10))
}

/// GB/T 17710 (ISO 7064) MOD 11,10: old licence numbers and CNAPS codes.
pub(super) fn mod_11_10(text: &str) -> bool {
    let Some((last, head)) = text.as_bytes().split_last() else { return false };
    let product = head.iter().try_fold(10_u32, |product, byte| {
        let sum = (product + digit(*byte)?) % 10;
        Some((if sum == 0 { 10 } else { sum }) * 2 % 11)
    });
    product.is_some_and(|product| digit(*last) == Some((11 - product) % 10))
}

/// GB 11643 (ISO 7064 MOD 11-2): the 18th character of resident identity numbers.
pub(super) fn gb11643(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECK: &[u8; 11] = b"10X98765432";
    let Some((last, head)) = text.as_bytes().split_last() else { return false };
    if head.len() != WEIGHTS.len() {
        return false;
    }
    let sum = head.iter().zip(WEIGHTS).try_fold(0, |sum, (byte, weight)| Some(sum + digit(*byte)? * weight));
    sum.is_some_and(|sum| CHECK.get((sum % 11) as usize) == Some(last))
}

/// GB 32100 annex B: weights 3^(i-1) mod 31, check value (31 − Σ mod 31) mod 31.
pub(super) fn gb32100(text: &str) -> bool {
    let value = |byte: &u8| USCC_ALPHABET.iter().position(|known| known == byte);
    let Some((last, head)) = text.as_bytes().split_last() else { return false };
    let sum = head
        .iter()
        .try_fold((0, 1), |(sum, weight), byte| Some(((sum + value(byte)? * weight) % 31, weight * 3 % 31)));
    head.len() == 17 && sum.is_some_and(|(sum, _)| value(last) == Some((31 - sum) % 31))
}

/// GB 11714: nine characters of an organisation code, `A` = 10 … `Z` = 35, 10 written X, 11 written 0.
pub(super) fn gb11714(text: &str) -> bool {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let Some((last, head)) = text.as_bytes().split_last() else { return false };
    if head.len() != WEIGHTS.len() {
        return false;
    }
    let sum = head
        .iter()
        .zip(WEIGHTS)
        .try_fold(0, |sum, (byte, weight)| Some(sum + char::from(*byte).to_digit(36)? * weight));
    sum.is_some_and(|sum| match 11 - sum % 11 {
        10 => *last == b'X',
        11 => *last == b'0',
        value => digit(*last) == Some(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        // ISO/IEC 7812 textbook number, GB 11643 annex example, python-stdnum's own examples.
        assert!(luhn("79927398713"));
        assert!(!luhn("79927398710"));
        assert!(gb11643("11010519491231002X"));
        assert!(gb11643("440524188001010014"));
        assert!(!gb11643("440524188001010015"));
        assert!(mod_11_10("794623"));
        assert!(mod_11_10("002006673085"));
        assert!(mod_11_10("102100099996"));
        assert!(gb32100("91110000600037341L"));
        assert!(gb11714("D2143569X"));
        assert!(!gb11714("D21435690"));
    }

    #[test]
    fn what_is_not_of_the_alphabet_never_passes() {
        for check in [luhn, mod_11_10, gb11643, gb32100, gb11714] {
            assert!(!check("十一"));
            assert!(!check("1a"));
        }
        assert!(!mod_11_10(""));
    }
}
