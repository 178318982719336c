use proptest::prelude::*;

use super::*;
use crate::pan::Pan;
use crate::testing::Sequence;
use crate::working_key::AesPik;

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn pik() -> TdesPik {
    TdesPik::from_bytes(&bytes("3BCB4AE3045480B0ADB0644C2FCD3EBA")).unwrap()
}

/// Gives the bytes of a published example.
struct Published([u8; 8]);

impl Random for Published {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0);
    }
}

#[test]
fn format_4_is_that_of_the_standards_example() {
    let (pin, pan) = (CardPin::parse("1234").unwrap(), Pan::parse("4111111111111111").unwrap());
    let fill = Published([0x2F, 0x69, 0xAD, 0xDE, 0x2E, 0x9E, 0x7A, 0xCE]);
    let key = AesPik::from_bytes(&bytes("AF8CB133A78F8DC2D1359F18527593FB")).unwrap();
    let hex = |block: ClearBlock<16>| hex::encode_upper(block.expose());
    assert_eq!(hex(iso4::pin_field(&pin, &fill)), "441234AAAAAAAAAA2F69ADDE2E9E7ACE");
    assert_eq!(hex(iso4::pan_field(&pan)), "44111111111111111000000000000000");
    let sealed = iso4::seal(&pin, &pan, &key, &fill);
    assert_eq!(hex::encode_upper(sealed), "A912150391AB65A67E52883D81CE2D15");
    assert_eq!(iso4::open(&sealed, &pan, &key).unwrap(), pin);
    assert_eq!(hex(iso4::pan_field(&Pan::parse("12345678").unwrap())), "00000123456780000000000000000000");
}

#[test]
fn blocks_are_those_of_the_shared_vectors() {
    let (pin, pan) = (CardPin::parse("123456").unwrap(), Pan::parse("6225880123456784").unwrap());
    assert_eq!(hex::encode_upper(iso0::pan_part(&pan).expose()), "0000588012345678");
    let clear = iso0::clear(&pin, &pan);
    assert_eq!(hex::encode_upper(clear.expose()), "06126CD6EDCBA987");
    assert_eq!(hex::encode_upper(clear.seal(&pik())), "1F4648F1DF733387");
    assert_eq!(hex::encode_upper(without_pan::clear(&pin).seal(&pik())), "F1542E0B2B537F78");
    let key = Sm4Pik::from_bytes(&bytes("2CAAC2D3BB3325D921538BF1D869E089")).unwrap();
    let clear = sm4::clear(&pin, &pan);
    assert_eq!(hex::encode_upper(clear.expose()), "06123456FFFFFFFFFFFFA77FEDCBA987");
    assert_eq!(hex::encode_upper(clear.seal(&key)), "FDEDC5C99C59548B14C53B4876073D4C");
}

#[test]
fn what_is_no_pin_is_refused_and_no_pin_shows() {
    for wrong in ["", "123", "1234567890123", "12a4", "１２３４"] {
        assert_eq!(CardPin::parse(wrong).err(), Some(PinBlockError::Pin), "{wrong}");
    }
    let (pin, pan) = (CardPin::parse("4321").unwrap(), Pan::parse("6225880123456784").unwrap());
    assert_eq!(
        format!("{pin:?} {:?}", iso0::clear(&pin, &pan)),
        "CardPin([redacted]) ClearBlock([redacted])"
    );
}

#[test]
fn an_unsound_block_is_one_error_whatever_is_wrong() {
    let seal = |clear: &str| ClearBlock::<8>::from_slice(&bytes(clear)).seal(&pik());
    assert!(without_pan::open(&seal("041234FFFFFFFFFF"), &pik()).is_ok());
    for clear in [
        "141234FFFFFFFFFF", // control nibble
        "031234FFFFFFFFFF", // too short
        "0D1234567890123F", // too long
        "0412A4FFFFFFFFFF", // no digit
        "041234FFFFFFFFF0", // filling
        "0F1234FFFFFFFFFF", // length beyond the block
    ] {
        assert_eq!(without_pan::open(&seal(clear), &pik()), Err(PinBlockError::Unsound), "{clear}");
    }
    assert_eq!(without_pan::open(&[0; 16], &pik()), Err(PinBlockError::Length(8)));
}

#[test]
fn a_pin_is_not_moved_to_another_card() {
    let (pan, other) = (Pan::parse("6225880123456784").unwrap(), Pan::parse("6225880123456792").unwrap());
    let key = pik();
    let from = PinSealing::Iso0 { pik: &key, pan: &pan };
    let to = PinSealing::Iso0 { pik: &key, pan: &other };
    let random = Sequence::new(1);
    let sealed = from.seal(&CardPin::parse("123456").unwrap(), &random);
    assert_eq!(translate(sealed.as_ref(), &from, &to, &random), Err(PinBlockError::PanChanged));
}

proptest! {
    #[test]
    fn every_pin_comes_through_every_pair_of_formats(
        pin in "[0-9]{4,12}",
        pan in "[0-9]{8,19}",
        seed: u64,
    ) {
        let random = Sequence::new(seed);
        let (pin, pan) = (CardPin::parse(&pin).unwrap(), Pan::parse(&pan).unwrap());
        let double = crate::working_key::TdesLength::Double;
        let (tdes, other) = (TdesPik::generate(double, &random), TdesPik::generate(double, &random));
        let sm4 = Sm4Pik::generate(&random);
        let aes = AesPik::from_bytes(&crate::random::array::<32>(&random)).unwrap();
        let sides = [
            PinSealing::Iso0 { pik: &tdes, pan: &pan },
            PinSealing::WithoutPan { pik: &other },
            PinSealing::Iso4 { pik: &aes, pan: &pan },
            PinSealing::Sm4 { pik: &sm4, pan: &pan },
        ];
        for from in &sides {
            for to in &sides {
                let sealed = from.seal(&pin, &random);
                let moved = translate(sealed.as_ref(), from, to, &random).unwrap();
                prop_assert_eq!(&to.open(moved.as_ref()).unwrap(), &pin);
            }
        }
        let again = PinSealing::Iso4 { pik: &aes, pan: &pan };
        prop_assert_ne!(again.seal(&pin, &random), again.seal(&pin, &random));
    }

    #[test]
    fn no_bytes_make_opening_panic(block in proptest::collection::vec(any::<u8>(), 0..20)) {
        let pan = Pan::parse("6225880123456784").unwrap();
        let aes = AesPik::from_bytes(&[9; 16]).unwrap();
        let _sound = (iso0::open(&block, &pan, &pik()).is_ok(), iso4::open(&block, &pan, &aes).is_ok());
    }
}
