//! Digits, nibbles and hexadecimal characters: checking, packing, unpacking.

use crate::spec::Pad;
use crate::word;

/// Whether every nibble is a decimal digit.
pub(crate) fn all_decimal(bytes: &[u8]) -> bool {
    none_bad(bytes, 0, word::above_nine)
}

/// Whether every byte is a printable ASCII character.
pub(crate) fn all_printable(bytes: &[u8]) -> bool {
    none_bad(bytes, word::BLANKS, word::not_printable)
}

/// Whether every byte is a letter, a digit or a blank in ASCII.
pub(crate) fn all_alphanumeric(bytes: &[u8]) -> bool {
    none_bad(bytes, word::BLANKS, word::not_alphanumeric)
}

/// Whether every byte is a decimal digit in ASCII.
pub(crate) fn all_digits(bytes: &[u8]) -> bool {
    none_bad(bytes, word::ZEROS, word::not_digits)
}

/// Whether every byte is a hexadecimal digit or `=` in ASCII.
pub(crate) fn all_track(bytes: &[u8]) -> bool {
    none_bad(bytes, word::ZEROS, word::not_track)
}

/// Whether nothing is bad in any eight bytes. Fewer are filled up; the last eight may overlap the
/// ones before.
#[inline]
fn none_bad(bytes: &[u8], filling: u64, bad: impl Fn(u64) -> u64) -> bool {
    let Some((rest, last)) = bytes.split_last_chunk::<8>() else {
        return bad(word::load(bytes) | (filling & word::behind(bytes.len()))) == 0;
    };
    let (whole, _) = bytes.as_chunks::<8>();
    let before = whole.iter().take(rest.len().div_ceil(8));
    let found = bad(u64::from_be_bytes(*last));
    before.fold(found, |found, eight| found | bad(u64::from_be_bytes(*eight))) == 0
}

/// The nibble at `at` of `units` packed digits, the first being 0.
#[inline]
pub(crate) fn nibble(packed: &[u8], units: usize, pad: Pad, at: usize) -> Option<u8> {
    if at >= units {
        return None;
    }
    let shift = match pad {
        Pad::Before => units & 1,
        Pad::After => 0,
    };
    let place = at.checked_add(shift)?;
    let byte = packed.get(place >> 1)?;
    Some(if place & 1 == 0 { byte >> 4 } else { byte & 0x0F })
}

/// Whether the nibble that fills an odd number of digits is zero.
#[inline]
pub(crate) fn fill_is_zero(packed: &[u8], units: usize, pad: Pad) -> bool {
    if units & 1 == 0 {
        return true;
    }
    match pad {
        Pad::After => packed.last().is_none_or(|byte| byte & 0x0F == 0),
        Pad::Before => packed.first().is_none_or(|byte| byte >> 4 == 0),
    }
}

/// Appends characters as nibbles, two a byte, an odd one filled on the given side. Each character
/// is a decimal or hexadecimal digit, or `=`, which travels as D.
pub(crate) fn pack(characters: &[u8], pad: Pad, out: &mut Vec<u8>) {
    let is_odd = characters.len() & 1 == 1;
    let rest = match (is_odd && pad == Pad::Before, characters.split_first()) {
        (true, Some((first, rest))) => {
            let [.., value] = word::pack(u64::from(*first));
            out.push(value);
            rest
        }
        _ => characters,
    };
    let (whole, last) = rest.as_chunks::<8>();
    for eight in whole {
        out.extend_from_slice(&word::pack(u64::from_be_bytes(*eight)));
    }
    if !last.is_empty() {
        let end = out.len().saturating_add(last.len().div_ceil(2));
        out.extend_from_slice(&word::pack(word::load(last)));
        out.truncate(end);
    }
}

/// The value of a hexadecimal character.
pub(crate) const fn hex_value(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character & 0x0F),
        b'A'..=b'F' | b'a'..=b'f' => Some((character & 0x0F).wrapping_add(9)),
        _ => None,
    }
}

/// A nibble as an uppercase hexadecimal character.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    let low = nibble & 0x0F;
    if low < 10 { b'0' | low } else { low.wrapping_add(b'A').wrapping_sub(10) }
}

/// A byte as two uppercase hexadecimal characters.
pub(crate) const fn hex_pair(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte)]
}

/// Bytes as uppercase hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| hex_pair(*byte)).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_nibble_is_found_wherever_it_stands() {
        for length in 0..40 {
            assert!(all_decimal(&vec![0x99; length]));
            for at in 0..length {
                for wrong in 0x0A..=0x0F {
                    let mut bytes = vec![0x99; length];
                    bytes[at] = 0x90 | wrong;
                    assert!(!all_decimal(&bytes));
                    bytes[at] = (wrong << 4) | 0x09;
                    assert!(!all_decimal(&bytes));
                }
            }
        }
    }

    #[test]
    fn odd_digits_are_filled_on_their_side() {
        let packed = |digits: &[u8], pad| {
            let mut out = Vec::new();
            pack(digits, pad, &mut out);
            out
        };
        assert_eq!(packed(b"021", Pad::After), [0x02, 0x10]);
        assert_eq!(packed(b"001", Pad::Before), [0x00, 0x01]);
        assert_eq!(packed(b"1234", Pad::Before), [0x12, 0x34]);
        assert_eq!(packed(b"9=aFdA0", Pad::After), [0x9D, 0xAF, 0xDA, 0x00]);
        let back = |bytes: &[u8], units, pad| {
            (0..units + 2).map_while(|at| nibble(bytes, units, pad, at)).collect::<Vec<_>>()
        };
        assert_eq!(back(&[0x02, 0x10], 3, Pad::After), [0, 2, 1]);
        assert_eq!(back(&[0x00, 0x01], 3, Pad::Before), [0, 0, 1]);
        assert!(fill_is_zero(&[0x02, 0x10], 3, Pad::After) && !fill_is_zero(&[0x02, 0x11], 3, Pad::After));
        assert!(fill_is_zero(&[0x00, 0x01], 3, Pad::Before) && !fill_is_zero(&[0x10, 0x01], 3, Pad::Before));
    }

    #[test]
    fn printable_is_what_ascii_prints() {
        for byte in 0..=u8::MAX {
            let is_printable = (0x20..0x7F).contains(&byte);
            assert_eq!(all_printable(&[byte]), is_printable);
            for length in 8..20 {
                for at in 0..length {
                    for filling in [b' ', b'~'] {
                        let mut bytes = vec![filling; length];
                        bytes[at] = byte;
                        assert_eq!(all_printable(&bytes), is_printable);
                    }
                }
            }
            let hexadecimal = char::from(byte).to_digit(16).map(|value| value as u8);
            assert_eq!(hex_value(byte), hexadecimal);
        }
    }
}
