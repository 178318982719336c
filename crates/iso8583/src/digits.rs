//! Digits, nibbles and hexadecimal characters: checking, packing, unpacking.

use crate::spec::Pad;

/// Whether every nibble is a decimal digit. Eight bytes are looked at in one step.
#[inline]
pub(crate) fn all_decimal(bytes: &[u8]) -> bool {
    // Bit 3 together with bit 2 or 1 makes a nibble ten or more. The ends may overlap.
    let bad = |word: u64| word & ((word << 1) | (word << 2)) & 0x8888_8888_8888_8888;
    if let (Some(_), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let (whole, _) = bytes.as_chunks::<8>();
        let middle = whole.iter().fold(0, |found, eight| found | bad(u64::from_be_bytes(*eight)));
        return middle | bad(u64::from_be_bytes(*last)) == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let word = |four: &[u8; 4]| u64::from(u32::from_be_bytes(*four));
        return bad(word(first)) & 0xFFFF_FFFF | bad(word(last)) & 0xFFFF_FFFF == 0;
    }
    bytes.iter().fold(0, |found, byte| found | (bad(u64::from(*byte)) & 0xFF)) == 0
}

/// Whether every byte is a printable ASCII character. Eight bytes are looked at in one step.
#[inline]
pub(crate) fn all_printable(bytes: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH << 7;
    // A byte below 0x20 borrows into its high bit, 0x7F carries into it. Where a neighbour's borrow
    // or carry comes in, that neighbour is wrong already.
    let bad = |word: u64| (word | word.wrapping_sub(EACH << 5) | word.wrapping_add(EACH)) & HIGH;
    if let (Some(_), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let (whole, _) = bytes.as_chunks::<8>();
        let middle = whole.iter().fold(0, |found, eight| found | bad(u64::from_be_bytes(*eight)));
        return middle | bad(u64::from_be_bytes(*last)) == 0;
    }
    bytes.iter().fold(true, |good, byte| good & (byte.wrapping_sub(0x20) < 0x5F))
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
    let (first, rest) = match (is_odd && pad == Pad::Before, characters.split_first()) {
        (true, Some((first, rest))) => (Some(*first), rest),
        _ => (None, characters),
    };
    let (pairs, last) = rest.as_chunks::<2>();
    out.extend(first.map(value));
    out.extend(pairs.iter().map(|[high, low]| (value(*high) << 4) | value(*low)));
    out.extend(last.first().map(|last| value(*last) << 4));
}

/// The nibble that a checked character stands for, without a branch.
#[inline]
const fn value(character: u8) -> u8 {
    // Letters have bit 6 set, and A is 1 there. '=' is 0x3D: its low nibble is D already.
    (character & 0x0F).wrapping_add((character >> 6).wrapping_mul(9)) & 0x0F
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
