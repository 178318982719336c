//! Any bytes as an X9.143 key block: no panic, work bounded by the length; what opens is wrapped
//! again with the same header and key; what is wrapped opens, and with one character changed does
//! not.
//!
//! A MAC stops nearly everything a fuzzer makes up, so the first byte chooses how far inside it
//! begins:
//!
//! * `0`: what follows is the text of a block, as it came;
//! * `1`: what follows is a clear part and a clear payload (how many blocks of it, says the second
//!   byte), sealed here with the right key and length: the checks behind the MAC are reached;
//! * `2`: what follows is a header, optional blocks and a key, for wrapping.

use crate::Reached;
use aes::Aes128;
use cipher::{BlockCipherEncrypt, KeyInit};
use starpay_keys::key_block::{
    Algorithm, BLOCK_CHARACTERS_MAX, BlockVersion, Exportability, Header, KeyBlockError, KeyContext,
    KeyUsage, KeyVersion, ModeOfUse, Opened, OptionalBlock, ProtectionKey, unwrap, wrap,
};
use starpay_keys::mac::aes_cmac_of;
use starpay_keys::random::Random;
use starpay_keys::working_key::AesMak;

/// The protection keys of the shared vectors, so that their blocks are seeds.
const AES_KEY: [u8; 16] = 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128.to_be_bytes();
const TDES_KEY: [u8; 16] = 0x89E8_8CF7_9314_44F3_34BD_7547_FC3F_380C_u128.to_be_bytes();

const HEADER_CHARACTERS: usize = 16;
const BLOCK_BYTES: usize = 16;
/// Clear payloads of mode `1` have at most this many cipher blocks.
const PAYLOAD_BLOCKS_MAX: usize = 8;

/// The property.
pub fn holds(input: &[u8]) -> Reached {
    match input.split_first() {
        Some((b'0', text)) => std::str::from_utf8(text).map_or(Reached::Refused, as_it_came),
        Some((b'1', rest)) => sealed_here(rest).as_deref().map_or(Reached::Refused, as_it_came),
        Some((b'2', rest)) => wrapped_here(rest).unwrap_or(Reached::Refused),
        Some(_) | None => Reached::Refused,
    }
}

fn protection(version: BlockVersion) -> ProtectionKey {
    match version {
        BlockVersion::B => ProtectionKey::tdes(&TDES_KEY),
        BlockVersion::D => ProtectionKey::aes(&AES_KEY),
    }
    .expect("sixteen bytes are a key of either")
}

fn as_it_came(text: &str) -> Reached {
    let version = if text.starts_with('B') { BlockVersion::B } else { BlockVersion::D };
    let protection = protection(version);
    let Ok(opened) = unwrap(&protection, text) else { return Reached::Refused };
    assert!(text.len() <= BLOCK_CHARACTERS_MAX && 2 * opened.expose_key().len() < text.len());
    assert!(opened.header.optional.len() <= 99);
    assert!(opened.header.optional.iter().all(|block| block.id() != "PB"));
    match wrap(&protection, &opened.header, opened.expose_key(), &Filling) {
        Ok(again) => drop(opens_to(&protection, &again, &opened.header, opened.expose_key())),
        // What we open but do not make: a single-length key marked T, a key stronger than its
        // protection, a clear part that our way of padding makes too long.
        Err(
            KeyBlockError::KeyLength { .. }
            | KeyBlockError::ProtectionKeyWeak
            | KeyBlockError::OptionalCount
            | KeyBlockError::Length { .. },
        ) => {}
        Err(other) => panic!("{text} opened, but is not wrapped again: {other}"),
    }
    Reached::Inside
}

fn opens_to(protection: &ProtectionKey, text: &str, header: &Header, key: &[u8]) -> Opened {
    let opened = unwrap(protection, text).expect("what was wrapped opens");
    assert_eq!((&opened.header, opened.expose_key()), (header, key), "{text}");
    opened
}

/// Seals any clear part and any payload as X9.143 says for version D, written down here a second
/// time so that no mistake of the library's own sealing hides one of its opening.
fn sealed_here(input: &[u8]) -> Option<String> {
    let (count, rest) = input.split_first()?;
    let payload_bytes = BLOCK_BYTES * (usize::from(*count) % PAYLOAD_BLOCKS_MAX + 1);
    let (clear, payload) = rest.split_at_checked(rest.len().checked_sub(payload_bytes)?)?;
    let clear = std::str::from_utf8(clear).ok()?;
    let (version, behind) = (clear.get(..1)?, clear.get(5..)?);
    let length = clear.len() + 2 * (payload_bytes + BLOCK_BYTES);
    let clear = format!("{version}{length:04}{behind}");

    let derived = |usage: u8| cmac(&AES_KEY, &[1, 0, usage, 0, 0, 2, 0, 128]);
    let mac = cmac(&derived(1), &[clear.as_bytes(), payload].concat());
    let cipher = Aes128::new_from_slice(&derived(0)).expect("sixteen bytes");
    let (mut previous, mut sealed) = (mac, String::new());
    for block in payload.chunks(BLOCK_BYTES) {
        previous.iter_mut().zip(block).for_each(|(to, from)| *to ^= from);
        cipher.encrypt_block((&mut previous).into());
        sealed.push_str(&hex::encode_upper(previous));
    }
    Some(clear + &sealed + &hex::encode_upper(mac))
}

fn cmac(key: &[u8; 16], data: &[u8]) -> [u8; 16] {
    *aes_cmac_of(&AesMak::from_bytes(key).expect("sixteen bytes"), data).bytes()
}

/// Reads a header as its sixteen characters, then as many optional blocks as the header says
/// (id, length in one byte, text); the rest is the key.
fn wrapped_here(input: &[u8]) -> Option<Reached> {
    let (head, mut rest) = input.split_at_checked(HEADER_CHARACTERS)?;
    let head = std::str::from_utf8(head).ok()?;
    let letter = |at: usize| head.get(at..at + 1)?.chars().next();
    let mut header = Header {
        version: BlockVersion::from_code(letter(0)?)?,
        usage: KeyUsage::parse(head.get(5..7)?).ok()?,
        algorithm: Algorithm::from_code(letter(7)?)?,
        mode: ModeOfUse::from_code(letter(8)?)?,
        key_version: KeyVersion::parse(head.get(9..11)?).ok()?,
        exportability: Exportability::from_code(letter(11)?)?,
        context: KeyContext::from_code(letter(14)?)?,
        optional: Vec::new(),
    };
    for _ in 0..head.get(12..14)?.parse::<u8>().ok()? {
        let ([id @ .., length], behind) = rest.split_first_chunk::<3>()?;
        let (content, behind) = behind.split_at_checked(usize::from(*length))?;
        let (id, content) = (std::str::from_utf8(id).ok()?, std::str::from_utf8(content).ok()?);
        header.optional.push(OptionalBlock::new(id, content).ok()?);
        rest = behind;
    }
    let protection = protection(header.version);
    let text = wrap(&protection, &header, rest, &Filling).ok()?;
    assert!(text.len() <= BLOCK_CHARACTERS_MAX);
    let opened = opens_to(&protection, &text, &header, rest);
    let at = opened.expose_key().iter().fold(0, |sum, byte| sum + 31 * usize::from(*byte)) % text.len();
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'~' { b' ' } else { changed[at] + 1 };
    let changed = String::from_utf8(changed).expect("printable ASCII");
    assert!(unwrap(&protection, &changed).is_err(), "{changed} opens although character {at} changed");
    Some(Reached::Inside)
}

/// Padding that repeats: a fuzzer must see the same thing twice.
struct Filling;

impl Random for Filling {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip((0..=u8::MAX).cycle()).for_each(|(byte, next)| *byte = next);
    }
}
