use proptest::prelude::*;

use super::*;
use crate::testing::Sequence;

const TMK: &str = "0123456789ABCDEFFEDCBA9876543210";
const D_BLOCK: &str = "D0112K0TD00N000021C7C059382459F6AE5522B644116A7F7B4D27E676F1CF1A23D34B42D2FF62E4579486CCF0F78B8266ED4B6572604568";
const B_BLOCK: &str =
    "B0096P0TE00N00000C9CD0FD0F0CA5FBBD52CFF7F7E41213F43CBDCDD9B8109A55D2C3BF399A478AE5E4CE7F77161742";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn aes_kbpk() -> ProtectionKey {
    ProtectionKey::aes(&bytes("00112233445566778899AABBCCDDEEFF")).unwrap()
}

fn tdes_kbpk() -> ProtectionKey {
    ProtectionKey::tdes(&bytes("89E88CF7931444F334BD7547FC3F380C")).unwrap()
}

fn tmk_header() -> Header {
    Header::terminal_master_key()
}

#[test]
fn opens_a_version_d_block_made_elsewhere() {
    let opened = unwrap(&aes_kbpk(), D_BLOCK).unwrap();
    assert_eq!(opened.expose_key(), bytes(TMK));
    assert_eq!(opened.header.usage, KeyUsage::KEY_ENCRYPTION);
    assert_eq!(opened.header.algorithm, Algorithm::Tdes);
    assert_eq!(opened.header.mode, ModeOfUse::Decrypt);
    assert_eq!(opened.header.exportability, Exportability::None);
    assert_eq!(opened.header.key_version, KeyVersion::UNUSED);
}

#[test]
fn opens_a_version_b_block_made_elsewhere() {
    let opened = unwrap(&tdes_kbpk(), B_BLOCK).unwrap();
    assert_eq!(opened.expose_key(), bytes("3BCB4AE3045480B0ADB0644C2FCD3EBA"));
    assert_eq!(opened.header.version, BlockVersion::B);
}

#[test]
fn every_changed_character_is_refused() {
    for (kbpk, block) in [(aes_kbpk(), D_BLOCK), (tdes_kbpk(), B_BLOCK)] {
        for at in 0..block.len() {
            for bit in 0..7 {
                let mut changed = block.as_bytes().to_vec();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert!(unwrap(&kbpk, &changed).is_err(), "{at}.{bit} {changed}");
            }
        }
        for cut in 0..block.len() {
            assert!(unwrap(&kbpk, &block[..cut]).is_err(), "cut at {cut}");
        }
    }
}

#[test]
fn a_changed_use_of_a_sound_form_fails_at_the_mac() {
    let changed = D_BLOCK.replacen("K0TD", "P0TD", 1);
    assert_eq!(unwrap(&aes_kbpk(), &changed).unwrap_err(), KeyBlockError::Mac);
    let other = ProtectionKey::aes(&[1; 32]).unwrap();
    assert_eq!(unwrap(&other, D_BLOCK).unwrap_err(), KeyBlockError::Mac);
}

#[test]
fn each_header_check_has_its_own_error() {
    let cases: &[(usize, &str, KeyBlockError)] = &[
        (0, "A", KeyBlockError::VersionDeprecated('A')),
        (0, "C", KeyBlockError::VersionDeprecated('C')),
        (0, "E", KeyBlockError::VersionUnknown('E')),
        (0, "B", KeyBlockError::ProtectionKeyCipher('B')),
        (1, "0128", KeyBlockError::Length { actual: 112 }),
        (1, "+112", KeyBlockError::Length { actual: 112 }),
        (5, "Z9", KeyBlockError::Usage("Z9".into())),
        (7, "Z", KeyBlockError::Algorithm('Z')),
        (8, "Z", KeyBlockError::Mode('Z')),
        (9, "!0", KeyBlockError::KeyVersion),
        (11, "Z", KeyBlockError::Exportability('Z')),
        (12, "1x", KeyBlockError::OptionalCount),
        (14, "9", KeyBlockError::Reserved),
        (15, "1", KeyBlockError::Reserved),
        (16, "z", KeyBlockError::NotHex),
        (16, "c", KeyBlockError::NotHex),
        (16, "\n", KeyBlockError::NotAscii),
    ];
    for (at, text, error) in cases {
        let mut changed = D_BLOCK.to_owned();
        changed.replace_range(at..&(at + text.len()), text);
        let given = unwrap(&aes_kbpk(), &changed).unwrap_err();
        assert_eq!(given, *error, "{changed}");
    }
    assert_eq!(unwrap(&aes_kbpk(), "D0016").unwrap_err(), KeyBlockError::TooShort);
    assert_eq!(unwrap(&aes_kbpk(), "D0016K0TD00N0000").unwrap_err(), KeyBlockError::TooShort);
    assert_eq!(
        unwrap(&aes_kbpk(), "D0048K0TD00N000000000000000000000000000000000000").unwrap_err(),
        KeyBlockError::TooShort
    );
}

#[test]
fn optional_blocks_are_checked() {
    let sealed = "0".repeat(128);
    let block = |optional: &str, count: usize| {
        format!("D{:04}K0TD00N{count:02}00{optional}{sealed}", 16 + optional.len() + sealed.len())
    };
    let cases = [
        ("QQ100000000000000", 1, KeyBlockError::Alignment),
        ("QQ10000000000000", 1, KeyBlockError::OptionalId("QQ".into())),
        ("KS0300000000PB04", 2, KeyBlockError::OptionalLength("KS".into())),
        ("KSFF000000000000", 1, KeyBlockError::OptionalLength("KS".into())),
        ("KS0g000000000000", 1, KeyBlockError::OptionalLength("KS".into())),
        ("KS000000000000000000000000000000", 1, KeyBlockError::OptionalLength("KS".into())),
        ("KS0003000010AAAA", 1, KeyBlockError::OptionalLength("KS".into())),
        ("KS080000KS080000", 2, KeyBlockError::OptionalRepeated("KS".into())),
        ("PB080000KS080000", 2, KeyBlockError::PaddingNotLast),
        ("KS080000", 1, KeyBlockError::Alignment),
        ("KS080000KV080000", 1, KeyBlockError::OptionalAlignment),
    ];
    for (optional, count, error) in cases {
        let given = unwrap(&aes_kbpk(), &block(optional, count)).unwrap_err();
        assert_eq!(given, error, "{optional}");
    }
}

#[test]
fn optional_blocks_come_back_without_their_padding() {
    let random = Sequence::new(2);
    for length in [0, 1, 8, 12, 200, 251, 252, 600] {
        let mut header = tmk_header();
        header.optional = vec![OptionalBlock::new("KS", &"7".repeat(length)).unwrap()];
        let text = wrap(&aes_kbpk(), &header, &bytes(TMK), &random).unwrap();
        let opened = unwrap(&aes_kbpk(), &text).unwrap();
        assert_eq!(opened.header, header, "{length}");
        assert_eq!(opened.expose_key(), bytes(TMK));
    }
    assert!(OptionalBlock::new("PB", "00").is_err());
    assert!(OptionalBlock::new("QQ", "00").is_err());
    assert!(OptionalBlock::new("KS", "密").is_err());
}

/// Made by psec 1.3.0: a short, an extended-length and a padding block.
#[test]
fn opens_optional_blocks_made_elsewhere() {
    let kbpk = ProtectionKey::aes(&bytes("e2abc1801ec3d1c29624b1746f286611")).unwrap();
    let long = "x".repeat(260);
    let block = format!(
        "D0416K0TB00N0300KS1800604B120F9292800000LB0002010E{long}PB0A0000001AC3C04C045689AED83A5ED43E3E4B92221925DF44131CB9309D1993FE9CE2147A19F789A9E580ACD3D515E70B9C2582"
    );
    let opened = unwrap(&kbpk, &block).unwrap();
    assert_eq!(opened.expose_key(), bytes("e2a2a2775a93f5cefbc08b038ead831c"));
    let optional: Vec<(&str, &str)> =
        opened.header.optional.iter().map(|block| (block.id(), block.content())).collect();
    assert_eq!(optional, [("KS", "00604B120F9292800000"), ("LB", long.as_str())]);
}

#[test]
fn a_block_hides_how_long_its_key_is() {
    let random = Sequence::new(3);
    let mut header = tmk_header();
    header.algorithm = Algorithm::Aes;
    let kbpk = ProtectionKey::generate(&random);
    let short = wrap(&kbpk, &header, &[1; 16], &random).unwrap();
    let long = wrap(&kbpk, &header, &[1; 32], &random).unwrap();
    assert_eq!(short.len(), long.len());
    assert_eq!(wrap(&kbpk, &tmk_header(), &bytes(TMK), &random).unwrap().len(), D_BLOCK.len());
}

#[test]
fn what_does_not_fit_is_not_wrapped() {
    let random = Sequence::new(4);
    let wrapped = |kbpk: &ProtectionKey, header: &Header, key: &[u8]| wrap(kbpk, header, key, &random);
    let mut aes = tmk_header();
    aes.algorithm = Algorithm::Aes;
    assert_eq!(wrapped(&aes_kbpk(), &aes, &[1; 32]), Err(KeyBlockError::ProtectionKeyWeak));
    assert_eq!(wrapped(&tdes_kbpk(), &aes, &[1; 16]), Err(KeyBlockError::ProtectionKeyCipher('D')));
    aes.version = BlockVersion::B;
    assert_eq!(wrapped(&tdes_kbpk(), &aes, &[1; 16]), Err(KeyBlockError::ProtectionKeyWeak));
    let length = Err(KeyBlockError::KeyLength { algorithm: 'T', bytes: 8 });
    assert_eq!(wrapped(&aes_kbpk(), &tmk_header(), &[1; 8]), length);
    assert!(wrapped(&aes_kbpk(), &tmk_header(), &[]).is_err());
    assert_eq!(ProtectionKey::aes(&[0; 20]).unwrap_err(), KeyBlockError::ProtectionKeyLength(20));
    assert_eq!(ProtectionKey::tdes(&[0; 8]).unwrap_err(), KeyBlockError::ProtectionKeyLength(8));
}

#[test]
fn a_sound_block_of_another_use_is_not_taken_for_the_expected_one() {
    let expected = Expected {
        usage: KeyUsage::KEY_ENCRYPTION,
        algorithm: Algorithm::Tdes,
        mode: ModeOfUse::Decrypt,
        exportability: Exportability::None,
    };
    assert!(unwrap(&aes_kbpk(), D_BLOCK).unwrap().require(&expected).is_ok());
    let cases = [
        (Expected { usage: KeyUsage::PIN, ..expected }, "usage"),
        (Expected { algorithm: Algorithm::Aes, ..expected }, "algorithm"),
        (Expected { mode: ModeOfUse::Both, ..expected }, "mode"),
        (Expected { exportability: Exportability::Trusted, ..expected }, "exportability"),
    ];
    for (expected, field) in cases {
        let verdict = unwrap(&aes_kbpk(), D_BLOCK).unwrap().require(&expected);
        assert_eq!(verdict.unwrap_err(), KeyBlockError::Unexpected(field));
    }
}

#[test]
fn debug_shows_no_key() {
    let opened = unwrap(&aes_kbpk(), D_BLOCK).unwrap();
    let shown = format!("{opened:?} {:?}", aes_kbpk()).to_uppercase();
    assert!(shown.contains("[REDACTED]"));
    assert!(!shown.contains(TMK) && !shown.contains("1, 35, 69") && !shown.contains("00112233"));
}

fn any_pair() -> impl Strategy<Value = (Header, ProtectionKey, Vec<u8>)> {
    let usage = prop::sample::select(vec!["K0", "P0", "M3", "D0", "B1", "10"]);
    let mode = prop::sample::select(vec!['B', 'C', 'D', 'E', 'G', 'N', 'V', 'X']);
    let shape = prop::sample::select(vec![
        ('D', 16, 'T', 16),
        ('D', 16, 'T', 24),
        ('D', 24, 'A', 24),
        ('D', 32, 'A', 32),
        ('D', 32, 'D', 8),
        ('D', 32, 'H', 64),
        ('B', 16, 'T', 16),
        ('B', 24, 'T', 24),
    ]);
    (usage, mode, shape, prop::collection::vec(any::<u8>(), 32), prop::collection::vec(any::<u8>(), 64))
        .prop_map(|(usage, mode, (version, kbpk_bytes, algorithm, key_bytes), kbpk, key)| {
            let header = Header {
                version: BlockVersion::from_code(version).unwrap(),
                usage: KeyUsage::parse(usage).unwrap(),
                algorithm: Algorithm::from_code(algorithm).unwrap(),
                mode: ModeOfUse::from_code(mode).unwrap(),
                ..Header::terminal_master_key()
            };
            let kbpk = match header.version {
                BlockVersion::B => ProtectionKey::tdes(&kbpk[..kbpk_bytes]).unwrap(),
                BlockVersion::D => ProtectionKey::aes(&kbpk[..kbpk_bytes]).unwrap(),
            };
            (header, kbpk, key[..key_bytes].to_vec())
        })
}

proptest! {
    #[test]
    fn opens_what_it_wrapped((header, kbpk, key) in any_pair(), seed: u64) {
        let text = wrap(&kbpk, &header, &key, &Sequence::new(seed)).unwrap();
        let opened = unwrap(&kbpk, &text).unwrap();
        prop_assert_eq!(&opened.header, &header);
        prop_assert_eq!(opened.expose_key(), key);
    }

    #[test]
    fn any_text_is_refused_without_panic(text: String) {
        prop_assert!(unwrap(&aes_kbpk(), &text).is_err());
    }

    #[test]
    fn any_text_after_a_header_is_refused_without_panic(rest in "[0-9A-F]{0,200}", count in 0_usize..4) {
        let text = format!("D{:04}K0TD00N{count:02}00{rest}", 16 + rest.len());
        prop_assert!(unwrap(&aes_kbpk(), &text).is_err());
    }
}
