//! Keys against other people's code: random PIN blocks, MACs, key blocks, DUKPT keys and chip
//! cryptograms, made by one side and checked by the other, both ways.
//!
//! The other side is `peers/keys.py` with the packages that `cargo xtask setup` installs.

use serde_json::{Map, Value};
use starpay_e2e::random::Seeded;
use starpay_keys::OsRandom;
use starpay_keys::dukpt::{BaseDerivationKey, KeyType, Ksn, Usage};
use starpay_keys::emv::{IssuerKey, SessionKeyForm};
use starpay_keys::key_block::{
    Algorithm, BlockVersion, Exportability, Header, KeyContext, KeyUsage, KeyVersion, ModeOfUse,
    ProtectionKey, unwrap, wrap,
};
use starpay_keys::mac::{self, Padding};
use starpay_keys::pan::Pan;
use starpay_keys::pin_block::{CardPin, iso0, iso4, sm4};
use starpay_keys::working_key::{AesMak, AesPik, Sm4Mak, Sm4Pik, TdesMak, TdesPik, TdesTmk};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases of each kind and direction.
const CASES: u64 = 10_000;

const KINDS: [&str; 14] = [
    "working-key",
    "pin-iso0",
    "pin-iso4",
    "pin-sm4",
    "mac-ecb-tdes",
    "mac-ecb-sm4",
    "mac-x99",
    "mac-x919-1",
    "mac-x919-2",
    "mac-sm4-cbc",
    "mac-cmac",
    "key-block",
    "dukpt",
    "cryptogram",
];

const USAGES: [Usage; 8] = [
    Usage::KeyEncryption,
    Usage::PinEncryption,
    Usage::MacGeneration,
    Usage::MacVerification,
    Usage::MacBoth,
    Usage::DataEncryption,
    Usage::DataDecryption,
    Usage::DataBoth,
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a script of `peers/` and answers what it printed.
pub(crate) fn peer(script: &str, arguments: &[&str]) -> String {
    let python = root().join("var/peers/bin/python");
    assert!(python.exists(), "{} is missing: run `cargo xtask setup`", python.display());
    // The packages use names that `cryptography` is about to move.
    let script = root().join("e2e/peers").join(script);
    let output = Command::new(python).args(["-W", "ignore"]).arg(script).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_we_make_the_peers_accept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut draw = Draw(Seeded::new(20_261_123));
    for kind in KINDS {
        for _ in 0..CASES {
            let mut case = inputs(kind, &mut draw);
            case.insert("kind".to_owned(), kind.into());
            let out = made(&Case(&case));
            case.insert("out".to_owned(), out.into());
            serde_json::to_writer(&mut file, &case).unwrap();
            file.write_all(b"\n").unwrap();
        }
    }
    file.into_inner().unwrap();
    let checked: BTreeMap<String, u64> =
        serde_json::from_str(&peer("keys.py", &["check", path.to_str().unwrap()])).unwrap();
    assert_eq!(checked, KINDS.into_iter().map(|kind| (kind.to_owned(), CASES)).collect());
}

#[test]
fn what_the_peers_make_we_accept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases");
    peer("keys.py", &["make", "20261123", &CASES.to_string(), path.to_str().unwrap()]);
    let mut checked: BTreeMap<String, u64> = BTreeMap::new();
    for line in BufReader::new(File::open(&path).unwrap()).lines() {
        let line = line.unwrap();
        let case: Map<String, Value> = serde_json::from_str(&line).unwrap();
        assert!(is_right(&Case(&case)), "we find otherwise: {line}");
        *checked.entry(Case(&case).text("kind").to_owned()).or_default() += 1;
    }
    assert_eq!(checked, KINDS.into_iter().map(|kind| (kind.to_owned(), CASES)).collect());
}

/// One case: kind, inputs and what came out.
struct Case<'a>(&'a Map<String, Value>);

impl Case<'_> {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex::decode(self.text(name)).unwrap()
    }

    fn number(&self, name: &str) -> u16 {
        self.0[name].as_u64().unwrap().try_into().unwrap()
    }

    fn pin(&self) -> CardPin {
        CardPin::parse(self.text("pin")).unwrap()
    }

    fn pan(&self) -> Pan {
        Pan::parse(self.text("pan")).unwrap()
    }

    fn tdes_mak(&self) -> TdesMak {
        TdesMak::from_bytes(&self.bytes("key")).unwrap()
    }

    fn protection(&self) -> ProtectionKey {
        let key = self.bytes("kbpk");
        if self.text("header").starts_with('D') {
            ProtectionKey::aes(&key)
        } else {
            ProtectionKey::tdes(&key)
        }
        .unwrap()
    }

    /// The header a case asks for: version, four digits of length, use, algorithm, mode.
    fn header(&self) -> Header {
        let text = self.text("header");
        let letter = |at: usize| text[at..].chars().next().unwrap();
        Header {
            version: BlockVersion::from_code(letter(0)).unwrap(),
            usage: KeyUsage::parse(&text[5..7]).unwrap(),
            algorithm: Algorithm::from_code(letter(7)).unwrap(),
            mode: ModeOfUse::from_code(letter(8)).unwrap(),
            key_version: KeyVersion::UNUSED,
            exportability: Exportability::None,
            context: KeyContext::Any,
            optional: Vec::new(),
        }
    }
}

/// What a case comes to here.
fn made(case: &Case<'_>) -> String {
    match case.text("kind") {
        "working-key" => {
            let key = TdesPik::from_bytes(&case.bytes("key")).unwrap();
            let tmk = TdesTmk::from_bytes(&case.bytes("tmk")).unwrap();
            assert_eq!(TdesPik::unwrap(&tmk, &key.wrap(&tmk)).unwrap(), key);
            hex::encode([&key.wrap(&tmk)[..], &key.check_value()].concat())
        }
        "pin-iso0" => {
            let pik = TdesPik::from_bytes(&case.bytes("key")).unwrap();
            let block = iso0::clear(&case.pin(), &case.pan()).seal(&pik);
            assert_eq!(iso0::open(&block, &case.pan(), &pik).unwrap(), case.pin());
            hex::encode(block)
        }
        "pin-iso4" => {
            let pik = AesPik::from_bytes(&case.bytes("key")).unwrap();
            hex::encode(iso4::seal(&case.pin(), &case.pan(), &pik, &OsRandom))
        }
        "pin-sm4" => {
            let pik = Sm4Pik::from_bytes(&case.bytes("key")).unwrap();
            let block = sm4::clear(&case.pin(), &case.pan()).seal(&pik);
            assert_eq!(sm4::open(&block, &case.pan(), &pik).unwrap(), case.pin());
            hex::encode(block)
        }
        "key-block" => wrap(&case.protection(), &case.header(), &case.bytes("key"), &OsRandom).unwrap(),
        "dukpt" => {
            let ksn = Ksn::parse(&case.bytes("ksn")).unwrap();
            let key = case.bytes("key");
            let keys = BaseDerivationKey::from_bytes(&key).unwrap().transaction(ksn).unwrap();
            let usage = Usage::from_number(case.number("usage")).unwrap();
            let key_type = [KeyType::Aes128, KeyType::Aes192, KeyType::Aes256][key.len() / 8 - 2];
            hex::encode(&*keys.derive(usage, key_type).unwrap())
        }
        "cryptogram" => cryptogram(case),
        _ => code(case),
    }
}

fn code(case: &Case<'_>) -> String {
    let (key, data) = (case.bytes("key"), case.bytes("data"));
    let sm4 = || Sm4Mak::from_bytes(&key).unwrap();
    let x9_19 = |padding| hex::encode(mac::x9_19(&case.tdes_mak(), &data, padding).unwrap().bytes());
    let ascii = |field: [u8; 8]| String::from_utf8(field.to_vec()).unwrap();
    match case.text("kind") {
        "mac-ecb-tdes" => ascii(mac::unionpay_ecb_tdes(&case.tdes_mak(), &data).field_64()),
        "mac-ecb-sm4" => ascii(mac::unionpay_ecb_sm4(&sm4(), &data).field_64()),
        "mac-x99" => hex::encode(mac::x9_9(&case.tdes_mak(), &data, Padding::Zeros).unwrap().bytes()),
        "mac-x919-1" => x9_19(Padding::Zeros),
        "mac-x919-2" => x9_19(Padding::EightyThenZeros),
        "mac-sm4-cbc" => hex::encode(mac::sm4_cbc(&sm4(), &data, Padding::Zeros).bytes()),
        "mac-cmac" => hex::encode(mac::aes_cmac_of(&AesMak::from_bytes(&key).unwrap(), &data).bytes()),
        other => panic!("no kind {other}"),
    }
}

fn cryptogram(case: &Case<'_>) -> String {
    let issuer = IssuerKey::from_bytes(&case.bytes("imk")).unwrap();
    let card = issuer.card_key(&case.pan(), case.text("psn").parse().unwrap()).unwrap();
    let form = if case.text("form") == "emv" { SessionKeyForm::EmvCommon } else { SessionKeyForm::Pboc };
    let session = card.session_key(form, u16::from_be_bytes(case.bytes("atc").try_into().unwrap()));
    let padding = if case.number("padding") == 2 { Padding::EightyThenZeros } else { Padding::Zeros };
    let cryptogram = session.cryptogram(&case.bytes("data"), padding);
    let answer = session.answer(cryptogram, case.bytes("arc").try_into().unwrap());
    hex::encode([cryptogram.0, answer.0].concat())
}

/// What has a random part is opened; everything else must come out the same.
fn is_right(case: &Case<'_>) -> bool {
    match case.text("kind") {
        "pin-iso4" => {
            let pik = AesPik::from_bytes(&case.bytes("key")).unwrap();
            iso4::open(&case.bytes("out"), &case.pan(), &pik).unwrap() == case.pin()
        }
        "key-block" => {
            let opened = unwrap(&case.protection(), case.text("out")).unwrap();
            opened.expose_key() == case.bytes("key") && opened.header == case.header()
        }
        _ => made(case) == case.text("out"),
    }
}

/// Random inputs.
struct Draw(Seeded);

impl Draw {
    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.0.below(choices.len() as u64)).unwrap()]
    }

    fn hex(&mut self, length: usize) -> Value {
        hex::encode((0..length).map(|_| u8::try_from(self.0.below(256)).unwrap()).collect::<Vec<_>>()).into()
    }

    fn key(&mut self, lengths: &[usize]) -> Value {
        let length = self.of(lengths);
        self.hex(length)
    }

    fn digits(&mut self, lengths: &[usize]) -> Value {
        let length = self.of(lengths);
        (0..length)
            .map(|_| char::from(b'0' + u8::try_from(self.0.below(10)).unwrap()))
            .collect::<String>()
            .into()
    }

    fn data(&mut self) -> Value {
        let length = usize::try_from(1 + self.0.below(300)).unwrap();
        self.hex(length)
    }

    /// A key serial number whose counter a terminal uses.
    fn ksn(&mut self) -> Value {
        let any = 1 << 32;
        let mut counter = u32::try_from(self.0.below(any) & self.0.below(any) | 1).unwrap();
        while counter.count_ones() > 16 {
            counter &= counter - 1;
        }
        format!("{}{counter:08x}", self.hex(8).as_str().unwrap()).into()
    }
}

const TDES: &[usize] = &[8, 16, 24];
const AES: &[usize] = &[16, 24, 32];
const PIN: &[usize] = &[4, 5, 6, 7, 8, 9, 10, 11, 12];
const PAN: &[usize] = &[13, 14, 15, 16, 17, 18, 19];

fn inputs(kind: &str, draw: &mut Draw) -> Map<String, Value> {
    let fields = match kind {
        "working-key" => vec![("tmk", draw.key(&[16, 24])), ("key", draw.key(TDES))],
        "pin-iso0" => vec![("key", draw.key(TDES)), ("pin", draw.digits(PIN)), ("pan", draw.digits(PAN))],
        "pin-iso4" => vec![("key", draw.key(AES)), ("pin", draw.digits(PIN)), ("pan", draw.digits(PAN))],
        "pin-sm4" => vec![("key", draw.hex(16)), ("pin", draw.digits(PIN)), ("pan", draw.digits(PAN))],
        "mac-ecb-tdes" => vec![("key", draw.key(TDES)), ("data", draw.data())],
        "mac-x99" => vec![("key", draw.hex(8)), ("data", draw.data())],
        "mac-cmac" => vec![("key", draw.key(AES)), ("data", draw.data())],
        "key-block" => {
            let version = draw.of(&['B', 'D']);
            // A block is not made under a key weaker than the one inside.
            let protection = if version == 'B' { &[24][..] } else { AES };
            let header = format!("{version}0000{}00N0000", draw.of(&["P0TE", "M3TC", "D0TB", "K0TB"]));
            vec![("kbpk", draw.key(protection)), ("header", header.into()), ("key", draw.key(&[16, 24]))]
        }
        "dukpt" => {
            let usage = draw.of(&USAGES).number();
            vec![("key", draw.key(AES)), ("ksn", draw.ksn()), ("usage", usage.into())]
        }
        "cryptogram" => vec![
            ("imk", draw.hex(16)),
            ("pan", draw.digits(PAN)),
            ("psn", draw.digits(&[2])),
            ("atc", draw.hex(2)),
            ("arc", draw.hex(2)),
            ("form", draw.of(&["emv", "pboc"]).into()),
            ("padding", draw.of(&[1, 2]).into()),
            ("data", draw.data()),
        ],
        _ => vec![("key", draw.hex(16)), ("data", draw.data())],
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
