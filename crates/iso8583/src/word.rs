//! Eight characters, or sixteen packed digits, at a time: checked and packed in one machine word,
//! without a loop and without a branch.
//!
//! A word holds its first byte on top. What is "bad" of a word is a word too: zero when all is good.

/// One in every byte.
const EACH: u64 = 0x0101_0101_0101_0101;
/// The top bit of every byte.
const HIGH: u64 = EACH << 7;
/// The first nibble.
pub(crate) const TOP: u64 = 0x0F << 60;
/// The lower nibble of every byte.
const LOW: u64 = EACH * 0x0F;

/// Eight blanks, and eight zeros: what a word may be filled with before it is checked.
pub(crate) const BLANKS: u64 = every(b' ');
pub(crate) const ZEROS: u64 = every(b'0');

/// The same byte eight times.
const fn every(byte: u8) -> u64 {
    u64::from_be_bytes([byte; 8])
}

/// The first eight bytes; zeros behind, when there are fewer.
#[inline]
pub(crate) fn load(bytes: &[u8]) -> u64 {
    let Some(eight) = bytes.first_chunk::<8>() else { return load_few(bytes) };
    u64::from_be_bytes(*eight)
}

/// Fewer than eight bytes: their two ends, which may overlap.
#[inline]
fn load_few(bytes: &[u8]) -> u64 {
    let behind = bits(8_usize.saturating_sub(bytes.len()));
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|four| u64::from(u32::from_be_bytes(*four)));
        return (first << 32) | (last << behind);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        let [first, last] = [first, last].map(|two| u64::from(u16::from_be_bytes(*two)));
        return (first << 48) | (last << behind);
    }
    bytes.first().map_or(0, |one| u64::from(*one) << 56)
}

/// How many bits some bytes have; of more than eight bytes, anything.
#[inline]
pub(crate) const fn bits(bytes: usize) -> u32 {
    let [low, ..] = bytes.to_le_bytes();
    u32::from_le_bytes([low, 0, 0, 0]) << 3
}

/// What of a word stands behind its first `bytes` bytes: all ones there.
#[inline]
pub(crate) const fn behind(bytes: usize) -> u64 {
    if bytes < 8 { u64::MAX >> bits(bytes) } else { 0 }
}

/// Nibbles above nine.
#[inline]
pub(crate) const fn above_nine(word: u64) -> u64 {
    // Bit 3 together with bit 2 or 1.
    word & ((word << 1) | (word << 2)) & (HIGH | (HIGH >> 4))
}

/// Bytes that are no printable ASCII characters.
#[inline]
pub(crate) const fn not_printable(word: u64) -> u64 {
    (word | !between(word, b' ', b'~')) & HIGH
}

/// Bytes that are no decimal digits in ASCII.
#[inline]
pub(crate) const fn not_digits(word: u64) -> u64 {
    (word | !between(word, b'0', b'9')) & HIGH
}

/// Bytes that are no letters, digits or blanks in ASCII.
#[inline]
pub(crate) const fn not_alphanumeric(word: u64) -> u64 {
    let letters = between(word | every(0x20), b'a', b'z');
    (word | !(letters | between(word, b'0', b'9') | between(word, b' ', b' '))) & HIGH
}

/// Bytes that are neither hexadecimal digits in ASCII nor `=`.
#[inline]
pub(crate) const fn not_track(word: u64) -> u64 {
    let letters = between(word | every(0x20), b'a', b'f');
    (word | !(letters | between(word, b'0', b'9') | between(word, b'=', b'='))) & HIGH
}

/// The top bit of every byte whose lower seven bits lie between the two characters.
#[inline]
const fn between(word: u64, least: u8, most: u8) -> u64 {
    let low = word & !HIGH;
    // Neither sum leaves its byte: 0x7F and 0x80 make 0xFF.
    let from = low.wrapping_add(every(0x80_u8.wrapping_sub(least)));
    let above = low.wrapping_add(every(0x7F_u8.wrapping_sub(most)));
    from & !above & HIGH
}

/// Eight characters as eight nibbles: decimal and hexadecimal digits, and `=`, which travels as D.
#[inline]
pub(crate) const fn pack(word: u64) -> [u8; 4] {
    // Letters have bit 6 set, and A is 1 there. '=' is 0x3D: its low nibble is D already.
    let nibbles = (word & LOW).wrapping_add(((word >> 6) & EACH).wrapping_mul(9));
    let [.., a, b, c, d] = together(nibbles | (nibbles >> 4)).to_be_bytes();
    [a, b, c, d]
}

/// Every second byte, moved to the end.
#[inline]
const fn together(word: u64) -> u64 {
    let pairs = word & 0x00FF_00FF_00FF_00FF;
    let quads = (pairs | (pairs >> 8)) & 0x0000_FFFF_0000_FFFF;
    (quads | (quads >> 16)) & 0xFFFF_FFFF
}

/// A number below 10^16 as sixteen packed digits.
#[inline]
pub(crate) const fn decimal(number: u64) -> u64 {
    const HALF: u64 = 100_000_000;
    if number < HALF {
        return eight_digits(number);
    }
    (eight_digits(number / HALF) << 32) | eight_digits(number % HALF)
}

/// A number below 10^8 as eight packed digits: halves, quarters, digits, each step in all parts.
#[inline]
const fn eight_digits(number: u64) -> u64 {
    // Multiplying and shifting divides exactly in these ranges; a test tries every quotient.
    let four = ((number / 10_000) << 32) | (number % 10_000);
    let hundreds = (four.wrapping_mul(5_243) >> 19) & 0x0000_007F_0000_007F;
    let two = (hundreds << 16) | four.wrapping_sub(hundreds.wrapping_mul(100));
    let tens = (two.wrapping_mul(103) >> 10) & 0x000F_000F_000F_000F;
    // Ten is sixteen in packed digits.
    together(two.wrapping_add(tens.wrapping_mul(6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_its_first_bytes_with_zeros_behind() {
        for length in 0..12_usize {
            let bytes: Vec<u8> = (1..=12).take(length).collect();
            let mut eight = [0; 8];
            eight[..length.min(8)].copy_from_slice(&bytes[..length.min(8)]);
            assert_eq!(load(&bytes), u64::from_be_bytes(eight), "{length}");
            assert_eq!(
                !behind(length),
                u64::from_be_bytes([0xFF; 8]).unbounded_shl(64 - 8 * length.min(8) as u32)
            );
        }
    }

    #[test]
    fn each_class_of_characters_is_what_its_name_says() {
        type Class = (fn(u64) -> u64, fn(u8) -> bool);
        let classes: [Class; 4] = [
            (not_printable, |byte| byte == b' ' || byte.is_ascii_graphic()),
            (not_digits, |byte| byte.is_ascii_digit()),
            (not_alphanumeric, |byte| byte == b' ' || byte.is_ascii_alphanumeric()),
            (not_track, |byte| byte == b'=' || byte.is_ascii_hexdigit()),
        ];
        // Neighbours of every kind must not change the verdict on a byte.
        let neighbours = [0x00, 0x1F, b'0', b'9', b'A', b'~', 0x7F, 0x80, 0xFF];
        for (bad, is_good) in classes {
            for byte in 0..=u8::MAX {
                for neighbour in neighbours {
                    for at in 0..8 {
                        let mut bytes = [neighbour; 8];
                        bytes[at] = byte;
                        let expected = bytes.map(|byte| if is_good(byte) { 0 } else { 0x80 });
                        assert_eq!(bad(u64::from_be_bytes(bytes)).to_be_bytes(), expected, "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn characters_become_nibbles() {
        assert_eq!(pack(load(b"9=aFdA07")), [0x9D, 0xAF, 0xDA, 0x07]);
        assert_eq!(pack(load(b"62258801")), [0x62, 0x25, 0x88, 0x01]);
        assert_eq!(pack(load(b"123")), [0x12, 0x30, 0, 0]);
        for nibble in 0x0A..=0x0F_u64 {
            assert_ne!(above_nine(nibble << 60), 0);
            assert_ne!(above_nine(nibble), 0);
        }
        assert_eq!(above_nine(0x9999_9999_9999_9999), 0);
    }

    #[test]
    fn numbers_become_packed_digits() {
        let expected = |number: u64| u64::from_str_radix(&number.to_string(), 16).unwrap();
        for number in 0..10_000 {
            for high in [0, 1, 4_711, 9_999] {
                let number = high * 10_000 + number;
                assert_eq!(decimal(number), expected(number));
                assert_eq!(decimal(number * 100_000_000 + 1), expected(number * 100_000_000 + 1));
            }
        }
        assert_eq!(decimal(9_999_999_999_999_999), 0x9999_9999_9999_9999);
    }
}
