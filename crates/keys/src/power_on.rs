//! The power-on self-test (开机自检): known answers of every algorithm, before any key is used.
//!
//! A wrong build, a broken processor or a changed binary must stop the platform, not damage
//! messages or weaken keys. Takes milliseconds; `starpay serve` does not start when it fails.
//! Whole test files are run by `starpay selftest`.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256};

use crate::block::{Aes, BlockCipher, Sm4};
use crate::dukpt::{BaseDerivationKey, Device, KeyType, Ksn, Usage};
use crate::emv::{IssuerKey, SessionKeyForm};
use crate::envelope::{Envelope, EnvelopeKey, Suite};
use crate::key_block::{self, ProtectionKey};
use crate::mac::{self, Padding};
use crate::pan::Pan;
use crate::pin_block::{CardPin, iso0, iso4, sm4, without_pan};
use crate::random::Random;
use crate::signature::SigningKey;
use crate::track::TrackDigits;
use crate::working_key::{AesMak, AesPik, Sm4Mak, Sm4Pik, Sm4Tdk, TdesMak, TdesPik, TdesTdk, TdesTmk};

/// The algorithm that gave another answer than it must. Do not use any key on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the power-on self-test of {0} failed")]
pub struct PowerOnFailure(pub &'static str);

type Check = fn(&dyn Random) -> Option<bool>;

/// Each algorithm with its check: `None` when it refused what it must take.
const CHECKS: [(&str, Check); 17] = [
    ("the random generator", random_differs),
    ("SHA-256 and HMAC", hashes),
    ("AES", aes),
    ("SM4", sm4_block),
    ("AES-GCM", aes_gcm),
    ("TDES working keys", tdes_working_key),
    ("the UnionPay ECB MAC", unionpay_mac),
    ("X9.9 and X9.19", retail_macs),
    ("SM4 CBC-MAC", sm4_mac),
    ("AES-CMAC", cmac),
    ("PIN blocks under TDES", pin_tdes),
    ("PIN blocks of format 4", pin_aes),
    ("PIN blocks under SM4", pin_sm4),
    ("track encryption", tracks),
    ("AES DUKPT", dukpt),
    ("chip cryptograms", chip),
    ("key blocks, envelopes and signatures", transport),
];

/// Runs every check, within milliseconds.
///
/// ```
/// starpay_keys::power_on::check(&starpay_keys::OsRandom)?;
/// # Ok::<(), starpay_keys::power_on::PowerOnFailure>(())
/// ```
///
/// # Errors
/// [`PowerOnFailure`] naming the first one that failed.
pub fn check(random: &dyn Random) -> Result<(), PowerOnFailure> {
    for (name, check) in CHECKS {
        if check(random) != Some(true) {
            return Err(PowerOnFailure(name));
        }
    }
    Ok(())
}

const TMK: &str = "0123456789ABCDEFFEDCBA9876543210";
const PIK: &str = "3BCB4AE3045480B0ADB0644C2FCD3EBA";
const MAK: &str = "8FEADA6E5D612F317C97754AD973C126";
const PAN: &str = "6225880123456784";
const DATA: &[u8] = b"Starpay MAC test vector, 37 bytes lng";

fn bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}

/// A stuck generator repeats itself.
fn random_differs(random: &dyn Random) -> Option<bool> {
    let draws: [[u8; 32]; 3] = std::array::from_fn(|_| crate::random::array(random));
    let [one, two, three] = draws;
    Some(one != two && two != three && one != three && one != [0; 32])
}

fn is(given: impl AsRef<[u8]>, expected: &str) -> bool {
    hex::encode_upper(given) == expected
}

/// FIPS 180-4 example "abc", RFC 4231 case 2.
fn hashes(_random: &dyn Random) -> Option<bool> {
    let mut hmac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(b"Jefe").ok()?;
    hmac.update(b"what do ya want for nothing?");
    Some(
        is(Sha256::digest(b"abc"), "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")
            && is(
                hmac.finalize().into_bytes(),
                "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
            ),
    )
}

/// FIPS 197, appendix C, three key lengths.
fn aes(_random: &dyn Random) -> Option<bool> {
    let plain: [u8; 16] = bytes("00112233445566778899AABBCCDDEEFF")?.try_into().ok()?;
    let key: Vec<u8> = (0..32).collect();
    let expected = [
        (16, "69C4E0D86A7B0430D8CDB78070B4C55A"),
        (24, "DDA97CA4864CDFE06EAF70A0EC0D7191"),
        (32, "8EA2B7CA516745BFEAFC49904B496089"),
    ];
    let mut sound = true;
    for (length, cipher) in expected {
        let aes = Aes::new(key.get(..length)?).ok()?;
        let mut block = plain;
        aes.encrypt(&mut block);
        sound &= is(block, cipher);
        aes.decrypt(&mut block);
        sound &= block == plain;
    }
    Some(sound)
}

/// GB/T 32907-2016, annex A.
fn sm4_block(_random: &dyn Random) -> Option<bool> {
    let key: [u8; 16] = bytes(TMK)?.try_into().ok()?;
    let cipher = Sm4::new(&key).ok()?;
    let mut block = key;
    cipher.encrypt(&mut block);
    let sealed = is(block, "681EDF34D206965E86B3E94F536E4246");
    cipher.decrypt(&mut block);
    Some(sealed && block == key)
}

/// GCM specification, test case 14: AES-256, zero key and nonce, one zero block.
fn aes_gcm(_random: &dyn Random) -> Option<bool> {
    let cipher = aes_gcm::Aes256Gcm::new(&[0; 32].into());
    let nonce = [0; 12].into();
    let sealed = cipher.encrypt(&nonce, Payload { msg: &[0; 16], aad: &[] }).ok()?;
    let mut changed = sealed.clone();
    *changed.first_mut()? ^= 1;
    let refused = cipher.decrypt(&nonce, Payload { msg: &changed, aad: &[] }).is_err();
    Some(refused && is(&sealed, "CEA7403D4D606B6E074EC5D3BAF39D18D0D1C8A799996BF0265B98B5D48AB919"))
}

fn tdes_working_key(_random: &dyn Random) -> Option<bool> {
    let tmk = TdesTmk::from_bytes(&bytes(TMK)?).ok()?;
    let pik = TdesPik::unwrap(&tmk, &bytes("336BBD65EA48132739E010AE605A2224")?).ok()?;
    Some(is(pik.expose(), PIK) && is(pik.check_value(), "5028C7BF") && is(tmk.check_value(), "08D7B4FB"))
}

fn unionpay_mac(_random: &dyn Random) -> Option<bool> {
    let single = TdesMak::from_bytes(bytes(MAK)?.get(..8)?).ok()?;
    let mab = bytes(
        "02007024048020C09811000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F2021222324\
         25262728292A2B2C2D2E2F303132333435363738393A3B3C",
    )?;
    let sm4 = Sm4Mak::from_bytes(&bytes(TMK)?).ok()?;
    let text = b"{nihaonihaonihaonihaonihaonihao}";
    Some(
        mac::unionpay_ecb_tdes(&single, &mab).verify(b"56165713").is_ok()
            && mac::unionpay_ecb_tdes(&single, &mab).verify(b"56165714").is_err()
            && mac::unionpay_ecb_sm4(&sm4, text).verify(b"1206C9C5").is_ok(),
    )
}

fn retail_macs(_random: &dyn Random) -> Option<bool> {
    let double = TdesMak::from_bytes(&bytes(MAK)?).ok()?;
    let single = TdesMak::from_bytes(bytes(MAK)?.get(..8)?).ok()?;
    let eighty = mac::x9_19(&double, DATA, Padding::EightyThenZeros).ok()?;
    Some(
        is(mac::x9_9(&single, DATA, Padding::Zeros).ok()?.bytes(), "5765B43D17382B42")
            && is(mac::x9_19(&double, DATA, Padding::Zeros).ok()?.bytes(), "4CD020A7CA9D17B6")
            && is(eighty.bytes(), "1C1883A9301A2488"),
    )
}

fn sm4_mac(_random: &dyn Random) -> Option<bool> {
    let mak = Sm4Mak::from_bytes(&bytes("C342876C4374B9F4549CB487CCE82F1B")?).ok()?;
    Some(is(mac::sm4_cbc(&mak, DATA, Padding::Zeros).bytes(), "4BE5826EAB85EA9EEDFE61652744A30A"))
}

fn cmac(_random: &dyn Random) -> Option<bool> {
    let mak = AesMak::from_bytes(&bytes(MAK)?).ok()?;
    Some(is(mac::aes_cmac_of(&mak, DATA).bytes(), "A3229D55A4A144CE9F8D0B939F2B03AB"))
}

fn pin_tdes(_random: &dyn Random) -> Option<bool> {
    let (pin, pan) = (CardPin::parse("123456").ok()?, Pan::parse(PAN).ok()?);
    let pik = TdesPik::from_bytes(&bytes(PIK)?).ok()?;
    let sealed = iso0::clear(&pin, &pan).seal(&pik);
    Some(
        is(sealed, "1F4648F1DF733387")
            && iso0::open(&sealed, &pan, &pik).ok()? == pin
            && is(without_pan::clear(&pin).seal(&pik), "F1542E0B2B537F78"),
    )
}

fn pin_aes(_random: &dyn Random) -> Option<bool> {
    let pan = Pan::parse("4111111111111111").ok()?;
    let pik = AesPik::from_bytes(&bytes("AF8CB133A78F8DC2D1359F18527593FB")?).ok()?;
    let opened = iso4::open(&bytes("A912150391AB65A67E52883D81CE2D15")?, &pan, &pik).ok()?;
    Some(opened == CardPin::parse("1234").ok()?)
}

fn pin_sm4(_random: &dyn Random) -> Option<bool> {
    let (pin, pan) = (CardPin::parse("123456").ok()?, Pan::parse(PAN).ok()?);
    let pik = Sm4Pik::from_bytes(&bytes("2CAAC2D3BB3325D921538BF1D869E089")?).ok()?;
    let sealed = sm4::clear(&pin, &pan).seal(&pik);
    Some(is(sealed, "FDEDC5C99C59548B14C53B4876073D4C") && sm4::open(&sealed, &pan, &pik).ok()? == pin)
}

fn tracks(_random: &dyn Random) -> Option<bool> {
    let tdes = TdesTdk::from_bytes(&bytes("EC2CF7B0B98F57E523B30E4FB6AB2570")?).ok()?;
    let sm4 = Sm4Tdk::from_bytes(&bytes("5FFE46C3ECAFED00B7A3106776505DB3")?).ok()?;
    let tail = TrackDigits::parse("6225880123456784=30125201234567890").ok()?.seal_tail_tdes(&tdes).ok()?;
    let whole = TrackDigits::parse("1234567890123456789=05082017819991683").ok()?;
    Some(
        is(tail, "6225880123456784E52D85B61EBEC21C90")
            && is(whole.seal_tdes(&tdes), "65DE84BE7B4C6AB35F78C3EBCE7CCF58C84391E8513DFF88")
            && is(whole.seal_sm4(&sm4), "266FFC37891E7698C8799E22C8C25218A4EEFEEF5A183B1F3A0F4BFD1B41F739"),
    )
}

/// Host and terminal, values of X9.24-3-2017.
fn dukpt(_random: &dyn Random) -> Option<bool> {
    let base = BaseDerivationKey::from_bytes(&bytes("FEDCBA9876543210F1F1F1F1F1F1F1F1")?).ok()?;
    let ksn = Ksn::parse(&bytes("123456789012345600000001")?).ok()?;
    let host = base.transaction(ksn).ok()?;
    let mut device = Device::load(base.initial_key(ksn.initial_key_id()).ok()?).ok()?;
    let terminal = device.next_transaction().ok()?;
    let pin = |keys: &crate::dukpt::TransactionKeys| {
        keys.derive(Usage::PinEncryption, KeyType::Aes128)
            .is_ok_and(|key| is(&*key, "AF8CB133A78F8DC2D1359F18527593FB"))
    };
    Some(pin(&host) && pin(&terminal.keys) && terminal.ksn == ksn)
}

fn chip(_random: &dyn Random) -> Option<bool> {
    let issuer = IssuerKey::from_bytes(&bytes(TMK)?).ok()?;
    let card = issuer.card_key(&Pan::parse(PAN).ok()?, 1).ok()?;
    let data = bytes("00000001000000000000000001560000008000015626112200BB9E542C7C00000603A02002")?;
    let answer = |form| {
        let session = card.session_key(form, 6);
        let cryptogram = session.cryptogram(&data, Padding::EightyThenZeros);
        session.issuer_authentication_data(cryptogram, *b"00")
    };
    Some(
        is(answer(SessionKeyForm::EmvCommon), "D60708BCAD1871163030")
            && is(answer(SessionKeyForm::Pboc), "93219B849E814EB43030"),
    )
}

/// A key block of each version, a changed one, an envelope, and a signature made and verified.
fn transport(random: &dyn Random) -> Option<bool> {
    let aes = ProtectionKey::aes(&bytes("00112233445566778899AABBCCDDEEFF")?).ok()?;
    let tdes = ProtectionKey::tdes(&bytes("89E88CF7931444F334BD7547FC3F380C")?).ok()?;
    let block_d = "D0112P0TE00N000096C54079A1C81B5FF055D0A3E4C21B2EBACC8D432019F84A8F4FB4AB3C2972777A6CB0A5BCDB1408FB9ECE27DA98D573";
    let block_b =
        "B0096P0TE00N00000C9CD0FD0F0CA5FBBD52CFF7F7E41213F43CBDCDD9B8109A55D2C3BF399A478AE5E4CE7F77161742";
    let opens = |key: &ProtectionKey, block: &str| {
        key_block::unwrap(key, block).is_ok_and(|opened| is(opened.expose_key(), PIK))
    };
    let envelope = Envelope {
        enc: bytes("483D3318D98A4EED713DAF56225D0E961E43E2694A65556D25A1B45E284CE224")?.try_into().ok()?,
        ct: bytes("810904124C2D64283F9FC14895D8F0865E1B962943200EA14C5E5D96AC3EC976")?,
    };
    let receiver =
        bytes("36619668A109583363D840A3BF2D2B6E5E2379092B8FB4A5B925A28DE01A623E")?.try_into().ok()?;
    let info = b"starpay/rki/v1;SN=SP00000001;nonce=00112233445566778899AABBCCDDEEFF;tmk_id=1";
    let letter = EnvelopeKey::from_bytes(receiver).open(Suite::Aes128Gcm, info, b"", &envelope).ok()?;
    let signer = SigningKey::generate(random);
    let signature = signer.sign(DATA);
    Some(
        opens(&aes, block_d)
            && key_block::unwrap(&aes, &block_d.replace("D573", "D574")).is_err()
            && opens(&tdes, block_b)
            && is(&*letter, TMK)
            && signer.public_key().verify(DATA, &signature).is_ok()
            && signer.public_key().verify(b"another", &signature).is_err(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandom;

    /// A generator that is stuck.
    struct Stuck;

    impl Random for Stuck {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn every_check_passes_and_a_stuck_generator_does_not() {
        for (name, check) in CHECKS {
            assert_eq!(check(&OsRandom), Some(true), "{name}");
        }
        assert_eq!(check(&OsRandom), Ok(()));
        assert_eq!(check(&Stuck), Err(PowerOnFailure("the random generator")));
    }
}
