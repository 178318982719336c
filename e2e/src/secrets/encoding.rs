//! The ways software writes a secret down.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// Shorter needles turn up by chance: in 100 MB of random bytes one of five is met with a
/// probability of one in ten thousand, one of four with one in forty. A six-digit PIN is therefore
/// searched in every writing but BCD, where it is three bytes.
pub(super) const NEEDLE_BYTES_MIN: usize = 5;

/// Digit texts shorter than this stand inside longer numbers and hexadecimal dumps by chance, so
/// they must stand alone.
const LONG_DIGITS_MIN: usize = 10;

/// Below so many bits a needle turns up in the page structure of a database file by chance.
const STRONG_BITS_MIN: usize = 40;

/// One writing of one secret.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needle {
    pub(super) written: &'static str,
    pub(super) bytes: Vec<u8>,
    alone: bool,
}

impl Needle {
    /// Whether it means something in any bytes at all. Zero bytes say next to nothing: pages of a
    /// database file are full of them, as is a card number such as 62 00 00 00 00 00 00 13.
    pub(super) fn is_strong(&self) -> bool {
        let bits: usize = self.bytes.iter().map(|byte| if *byte == 0 { 1 } else { 8 }).sum();
        bits >= STRONG_BITS_MIN
    }

    /// Whether a match counts: a short number inside a longer one, decimal or hexadecimal, does not.
    pub(super) fn stands_alone(&self, haystack: &[u8], start: usize, end: usize) -> bool {
        let digit = |at: Option<usize>| at.and_then(|at| haystack.get(at)).is_some_and(u8::is_ascii_hexdigit);
        !(self.alone && (digit(start.checked_sub(1)) || digit(Some(end))))
    }
}

/// Every writing that is long enough to mean something, each once.
pub(super) fn writings(secret: &[u8]) -> Vec<Needle> {
    let mut found = BTreeSet::new();
    let mut add = |written: &'static str, bytes: Vec<u8>| {
        if bytes.len() >= NEEDLE_BYTES_MIN {
            let alone = bytes.len() < LONG_DIGITS_MIN && bytes.iter().all(u8::is_ascii_digit);
            found.insert(Needle { written, bytes, alone });
        }
    };
    add("text", secret.to_vec());
    add("text, reversed", secret.iter().rev().copied().collect());
    add("hex", hex::encode(secret).into_bytes());
    add("hex", hex::encode_upper(secret).into_bytes());
    base64_writings(secret).into_iter().for_each(|bytes| add("base64", bytes));
    if let Ok(text) = std::str::from_utf8(secret) {
        add("text", text.to_lowercase().into_bytes());
        add("text", text.to_uppercase().into_bytes());
        add("UTF-16 LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        add("UTF-16 BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        if !text.is_ascii() {
            add(
                "JSON escapes",
                text.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect(),
            );
            add(
                "JSON escapes",
                text.encode_utf16().flat_map(|unit| format!("\\u{unit:04X}").into_bytes()).collect(),
            );
            add(
                "percent escapes",
                secret.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
            );
        }
        let digits: Vec<u8> = text.bytes().take_while(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        let backwards: Vec<u8> = digits.iter().rev().copied().collect();
        for start in [0, 1] {
            let packed = pack(digits.get(start..).unwrap_or_default());
            add("BCD, nibbles swapped", packed.iter().map(|byte| byte.rotate_left(4)).collect());
            add("BCD", packed);
            add("BCD, reversed", pack(backwards.get(start..).unwrap_or_default()));
        }
    }
    found.into_iter().collect()
}

/// Two digits to a byte. A last digit without a partner is left out: what stands beside it is
/// unknown.
fn pack(digits: &[u8]) -> Vec<u8> {
    digits.chunks_exact(2).filter_map(|pair| Some((pair.first()? << 4) | pair.get(1)?)).collect()
}

/// The characters that depend on nothing but the secret, for each place in a group of three that
/// it can start at.
fn base64_writings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for before in 0..3_usize {
        let shifted = [vec![0; before], secret.to_vec()].concat();
        // Characters that carry bits of what stands before, or after.
        let first = if before == 0 { 0 } else { before + 1 };
        let whole = shifted.len() * 8 / 6;
        for text in [BASE64_STANDARD_NO_PAD.encode(&shifted), BASE64_URL_SAFE_NO_PAD.encode(&shifted)] {
            found.extend(text.as_bytes().get(first..whole).map(<[u8]>::to_vec));
        }
    }
    found
}
