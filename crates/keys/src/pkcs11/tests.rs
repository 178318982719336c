//! Against SoftHSM2, a PKCS#11 token in software. Nothing is simulated: a vendor's library would
//! be loaded and asked in the same way.
//!
//! SoftHSM reads where its tokens lie from the environment, once. So each test makes a folder of
//! its own and runs itself again as a child process with that environment ([`in_child`]).

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::certificate::CertificateError;
use crate::hsm::conformance;
use crate::keystore::{Exported, Keystore, KeystoreError, MasterKey};
use crate::random::OsRandom;
use crate::seal::{DataKey, key_id};

const NOW_S: i64 = 1_795_000_000;
const PIN: &str = "1234-geheim";
const LABEL: &str = "starpay test";
/// Where SoftHSM finds its configuration.
const CONFIGURATION: &str = "SOFTHSM2_CONF";
/// Where distributions put the library.
const LIBRARIES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
];

fn library() -> PathBuf {
    LIBRARIES
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .expect("SoftHSM2 is not installed: run cargo xtask setup (package softhsm2)")
}

/// The folder of SoftHSM's tokens for one test.
struct Tokens {
    folder: PathBuf,
}

impl Tokens {
    /// Makes a token of that label, as `softhsm2-util --init-token --free` does. SoftHSM looks for
    /// tokens once, when it is initialised.
    fn init(&self, label: &str) {
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"])
            .env(CONFIGURATION, self.folder.join("softhsm2.conf"))
            .output()
            .expect("softhsm2-util is not installed: run cargo xtask setup (package softhsm2)");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn home(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    fn token(label: &str) -> Token {
        Token { module: library(), label: label.to_owned() }
    }

    fn open() -> Pkcs11Hsm {
        Pkcs11Hsm::open(Self::token(LABEL), PIN.into()).unwrap()
    }

    fn ready() -> Arc<dyn KeyRotation> {
        let hsm = Self::open();
        hsm.make_missing_keys(NOW_S).unwrap();
        Arc::new(hsm)
    }
}

/// Runs a test's body in a child process that has a fresh token.
fn in_child(name: &str, body: impl FnOnce(&Tokens)) {
    if let Some(folder) = std::env::var_os("STARPAY_TEST_SOFTHSM_FOLDER") {
        return body(&Tokens { folder: folder.into() });
    }
    let library = library();
    assert!(library.is_file());
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens { folder: folder.path().to_owned() };
    fs::create_dir(tokens.home()).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.home().display());
    fs::write(&configuration, text).unwrap();
    tokens.init(LABEL);
    let path = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let child = Command::new(std::env::current_exe().unwrap())
        .args([&path, "--exact", "--test-threads=1", "--nocapture"].map(OsString::from))
        .env(CONFIGURATION, &configuration)
        .env("STARPAY_TEST_SOFTHSM_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let complaint = String::from_utf8_lossy(&child.stderr);
    // A name that fits no test would pass with nothing run.
    assert!(child.status.success() && said.contains("1 passed"), "in the child:\n{said}\n{complaint}");
}

macro_rules! with_a_token {
    ($(fn $name:ident($tokens:ident) $body:block)*) => {
        $(#[test]
        fn $name() {
            in_child(stringify!($name), |$tokens: &Tokens| $body);
        })*
    };
}

fn refusal<T: fmt::Debug>(token: Token, pin: &str, done: impl FnOnce(Pkcs11Hsm) -> T) -> HsmError {
    Pkcs11Hsm::open(token, pin.into()).map(done).unwrap_err()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

with_a_token! {
    fn a_token_passes_the_conformance_test(_tokens) {
        Tokens::ready();
        conformance::check(&|| Arc::new(Tokens::open()));
    }

    fn a_keystore_under_a_token_passes_the_conformance_test(tokens) {
        let path = tokens.folder.join("keystore");
        let master = MasterKey::module(Tokens::ready());
        Keystore::create(&path, &master, NOW_S, Arc::new(OsRandom)).unwrap();
        conformance::check(&|| {
            let master = MasterKey::module(Arc::new(Tokens::open()));
            Arc::new(Keystore::open(&path, &master, Arc::new(OsRandom)).unwrap())
        });
    }

    fn keys_are_made_once_and_by_nobody_else(_tokens) {
        let hsm = Tokens::open();
        assert_eq!(hsm.keys().unwrap(), []);
        assert_eq!(hsm.wrap(b"k", b""), Err(HsmError::NoKey(KeyPurpose::KeyEncryption)));
        assert_eq!(hsm.sign(SignerName::Platform, b"m"), Err(HsmError::NoKey(KeyPurpose::PlatformSigning)));
        let made = hsm.make_missing_keys(NOW_S).unwrap();
        assert_eq!(made.iter().map(|key| key.purpose).collect::<Vec<_>>(), PURPOSES);
        assert_eq!(hsm.keys().unwrap(), made);
        assert_eq!(hsm.make_missing_keys(NOW_S + 1).unwrap(), []);
        assert_eq!(Tokens::open().keys().unwrap(), made);
    }

    fn the_token_holds_its_keys_back(_tokens) {
        use cryptoki::object::{Attribute, AttributeType, ObjectClass};
        Tokens::ready();
        let library = library::load(&library()).unwrap();
        let session = Session::open(&library, LABEL, &PIN.into()).unwrap().into_inner();
        for (class, secret) in
            [(ObjectClass::SECRET_KEY, AttributeType::Value), (ObjectClass::PRIVATE_KEY, AttributeType::Value)]
        {
            let handles = session.find_objects(&[Attribute::Token(true), Attribute::Class(class)]).unwrap();
            assert!(!handles.is_empty());
            for handle in handles {
                assert!(session.get_attributes(handle, &[secret]).is_ok_and(|found| found.is_empty()));
                let guards = [
                    AttributeType::Private,
                    AttributeType::Sensitive,
                    AttributeType::AlwaysSensitive,
                    AttributeType::NeverExtractable,
                    AttributeType::Extractable,
                    AttributeType::Modifiable,
                ];
                let found = session.get_attributes(handle, &guards).unwrap();
                assert_eq!(found, [
                    Attribute::Private(true),
                    Attribute::Sensitive(true),
                    Attribute::AlwaysSensitive(true),
                    Attribute::NeverExtractable(true),
                    Attribute::Extractable(false),
                    Attribute::Modifiable(false),
                ]);
            }
        }
    }

    fn a_key_that_can_be_taken_out_is_refused(_tokens) {
        use cryptoki::mechanism::Mechanism;
        use cryptoki::object::Attribute;
        Tokens::ready();
        let library = library::load(&library()).unwrap();
        let session = Session::open(&library, LABEL, &PIN.into()).unwrap().into_inner();
        session.generate_key(&Mechanism::AesKeyGen, &[
            Attribute::Token(true),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            Attribute::ValueLen(32.into()),
            Attribute::Label(label::of(KeyPurpose::KeyEncryption, 9, NOW_S).into()),
            Attribute::Id(vec![9; 16]),
        ]).unwrap();
        let error = refusal(Tokens::token(LABEL), PIN, |_| ());
        assert!(matches!(&error, HsmError::Unfit(said) if said.contains("can be taken out")), "{error}");
    }

    fn what_is_wrong_is_said(tokens) {
        tokens.init("twin");
        tokens.init("twin");
        let nothing = Token { module: "/nowhere/libhsm.so".into(), label: LABEL.into() };
        let error = refusal(nothing, PIN, |_| ());
        assert!(matches!(error, HsmError::ModuleNotLoaded { .. }), "{error}");
        assert!(error.to_string().contains("/nowhere/libhsm.so"), "{error}");
        let no_module = Token { module: tokens.folder.join("softhsm2.conf"), label: LABEL.into() };
        assert!(matches!(refusal(no_module, PIN, |_| ()), HsmError::ModuleNotLoaded { .. }));
        assert_eq!(refusal(Tokens::token("another"), PIN, |_| ()), HsmError::TokenNotFound("another".into()));
        for wrong in ["", "1234-gehein", "x"] {
            let error = refusal(Tokens::token(LABEL), wrong, |_| ());
            assert_eq!(error, HsmError::PinRefused, "{wrong:?}");
        }
        assert_eq!(refusal(Tokens::token("twin"), PIN, |_| ()), HsmError::TokenAmbiguous("twin".into()));
    }

    fn neither_pin_nor_key_shows(_tokens) {
        let hsm = Tokens::open();
        hsm.make_missing_keys(NOW_S).unwrap();
        let shown = format!("{hsm:?}") + &format!("{:?}", MasterKey::module(Arc::new(hsm)));
        assert!(shown.contains(LABEL) && shown.contains("[redacted]"), "{shown}");
        assert!(!shown.contains(PIN) && !shown.contains("geheim"), "{shown}");
        let error = refusal(Tokens::token("another"), "5678-secret", |_| ());
        assert!(!format!("{error:?} {error}").contains("secret"));
    }

    fn a_lost_session_is_opened_again(_tokens) {
        let hsm = Tokens::ready();
        let wrapped = hsm.wrap(&[5; 32], b"c").unwrap();
        let library = library::load(&library()).unwrap();
        let end_all = || {
            // Somebody else in this process finalises the library: every session is gone.
            library.clone().finalize().unwrap();
        };
        let key = hsm.public_key(SignerName::Platform).unwrap();
        end_all();
        assert_eq!(hsm.unwrap(&wrapped, b"c").unwrap().as_slice(), [5; 32]);
        end_all();
        assert_eq!(key.verify(b"m", &hsm.sign(SignerName::Platform, b"m").unwrap()), Ok(()));
        end_all();
        assert!(hsm.wrap(b"k", b"").is_ok());
        end_all();
        assert_eq!(hsm.unwrap(&wrapped, b"d"), Err(HsmError::Refused));
        end_all();
        assert!(hsm.random(&mut [0; 8]).is_ok());
        end_all();
        assert_eq!(hsm.keys().unwrap().len(), 3);
    }

    fn a_logged_out_session_logs_in_again(_tokens) {
        let hsm = Tokens::ready();
        let wrapped = hsm.wrap(&[5; 32], b"c").unwrap();
        let library = library::load(&library()).unwrap();
        let log_out = || Session::open(&library, LABEL, &PIN.into()).unwrap().into_inner().logout().unwrap();
        log_out();
        assert_eq!(hsm.unwrap(&wrapped, b"c").unwrap().as_slice(), [5; 32]);
        log_out();
        assert!(hsm.sign(SignerName::Platform, b"m").is_ok());
        log_out();
        assert!(hsm.rotate_root(NOW_S + 1).is_ok());
        assert_eq!(hsm.unwrap(&wrapped, b"c").unwrap().as_slice(), [5; 32]);
    }

    fn a_pulled_token_is_missed_and_found_again(tokens) {
        let hsm = Tokens::ready();
        let wrapped = hsm.wrap(&[5; 32], b"c").unwrap();
        let library = library::load(&library()).unwrap();
        let away = tokens.folder.join("away");
        fs::rename(tokens.home(), &away).unwrap();
        fs::create_dir(tokens.home()).unwrap();
        library.clone().finalize().unwrap();
        assert_eq!(hsm.unwrap(&wrapped, b"c"), Err(HsmError::TokenNotFound(LABEL.into())));
        assert_eq!(hsm.sign(SignerName::Platform, b"m"), Err(HsmError::TokenNotFound(LABEL.into())));
        // Back in another slot, beside another token.
        fs::remove_dir(tokens.home()).unwrap();
        fs::rename(&away, tokens.home()).unwrap();
        tokens.init("neighbour");
        library.finalize().unwrap();
        assert_eq!(hsm.unwrap(&wrapped, b"c").unwrap().as_slice(), [5; 32]);
        assert!(hsm.sign(SignerName::Platform, b"m").is_ok());
    }

    fn a_keystore_says_whether_its_token_works(tokens) {
        let path = tokens.folder.join("keystore");
        let keystore =
            Keystore::create(&path, &MasterKey::module(Tokens::ready()), NOW_S, Arc::new(OsRandom)).unwrap();
        assert!(keystore.has_module());
        assert_eq!(keystore.try_keys(), Ok(()));
        let library = library::load(&library()).unwrap();
        let away = tokens.folder.join("away");
        fs::rename(tokens.home(), &away).unwrap();
        fs::create_dir(tokens.home()).unwrap();
        library.clone().finalize().unwrap();
        let error = keystore.try_keys().unwrap_err();
        assert_eq!((error.word(), &error), ("token_not_found", &HsmError::TokenNotFound(LABEL.into())));
        fs::remove_dir(tokens.home()).unwrap();
        fs::rename(&away, tokens.home()).unwrap();
        library.finalize().unwrap();
        assert_eq!(keystore.try_keys(), Ok(()));
    }

    fn a_pin_that_was_refused_is_not_tried_again(_tokens) {
        let hsm = Tokens::ready();
        let library = library::load(&library()).unwrap();
        let change = |from: &str, to: &str| {
            let session = Session::open(&library, LABEL, &from.into()).unwrap().into_inner();
            session.set_pin(&from.into(), &to.into()).unwrap();
        };
        change(PIN, "5678-changed");
        // Where it is logged in, nothing is noticed.
        assert!(hsm.wrap(b"k", b"").is_ok());
        library.clone().finalize().unwrap();
        assert_eq!(hsm.wrap(b"k", b""), Err(HsmError::PinRefused));
        // The old PIN holds again, but this process gave it up: a token counts wrong ones.
        change("5678-changed", PIN);
        assert_eq!(hsm.wrap(b"k", b""), Err(HsmError::PinRefused));
        assert!(Tokens::open().wrap(b"k", b"").is_ok());
    }

    fn two_nodes_share_a_token(_tokens) {
        let (one, other) = (Tokens::ready(), Tokens::ready());
        let root = one.rotate_root(NOW_S + 1).unwrap();
        let wrapped = one.wrap(&[5; 32], b"c").unwrap();
        assert_eq!(key_id(&wrapped), Some(root));
        assert_eq!(other.unwrap(&wrapped, b"c").unwrap().as_slice(), [5; 32], "it looks for a key it does not know");
        other.rotate_root(NOW_S + 2).unwrap();
        one.rotate_root(NOW_S + 3).unwrap();
        let versions: Vec<u32> = one.keys().unwrap().iter().map(|key| key.version).collect();
        assert_eq!(versions, [1, 2, 3, 4, 1, 1]);
        one.rotate_signer(SignerName::Platform, NOW_S + 4).unwrap();
        let signature = other.sign(SignerName::Platform, b"m").unwrap();
        assert_eq!(one.public_key(SignerName::Platform).unwrap().verify(b"m", &signature), Ok(()));
    }

    fn a_keystore_opens_only_with_its_own_token(tokens) {
        tokens.init("stranger");
        let path = tokens.folder.join("keystore");
        let random = || Arc::new(OsRandom);
        let master = MasterKey::module(Tokens::ready());
        let made = Keystore::create(&path, &master, NOW_S, random()).unwrap();
        let data = DataKey::from_bytes([5; 32]).wrap(&made, b"c").unwrap();
        let wrong = Keystore::open(&path, &MasterKey::given([7; 32]), random());
        assert!(matches!(wrong, Err(KeystoreError::OtherMasterKind("under a hardware module"))));
        let empty = Arc::new(Pkcs11Hsm::open(Tokens::token("stranger"), PIN.into()).unwrap());
        let stranger = MasterKey::module(Arc::clone(&empty) as Arc<dyn KeyRotation>);
        let wrong = Keystore::open(&path, &stranger, random());
        assert!(matches!(wrong, Err(KeystoreError::Hsm(HsmError::UnknownKey(_)))));
        // The same keys elsewhere: the export goes with the token, never without.
        let passphrase = "correct horse battery".into();
        let exported = made.export(&passphrase).unwrap();
        let elsewhere = tokens.folder.join("elsewhere");
        let export = Exported { bytes: &exported, passphrase: &passphrase };
        let import = |master: &MasterKey| Keystore::import(&elsewhere, export, master, NOW_S, random());
        assert!(matches!(import(&MasterKey::given([7; 32])), Err(KeystoreError::ModuleNeeded)));
        assert!(matches!(import(&stranger), Err(KeystoreError::Hsm(HsmError::UnknownKey(_)))));
        assert!(!elsewhere.exists());
        assert_eq!(empty.keys().unwrap(), [], "a refused token is left as it was");
        let restored = import(&master).unwrap();
        assert_eq!(restored.pepper().code_hash("a", "b"), made.pepper().code_hash("a", "b"));
        assert_eq!(DataKey::unwrap(&restored, &data, b"c"), Ok(DataKey::from_bytes([5; 32])));
        assert!(restored.certificates_fit().unwrap());
    }

    fn a_token_restored_from_its_backup_goes_on(tokens) {
        let path = tokens.folder.join("keystore");
        let hsm = Tokens::ready();
        let made = Keystore::create(&path, &MasterKey::module(Arc::clone(&hsm)), NOW_S, Arc::new(OsRandom)).unwrap();
        let data = DataKey::from_bytes([5; 32]).wrap(&made, b"c").unwrap();
        let backup = tokens.folder.join("backup");
        copy(&tokens.home(), &backup);
        fs::remove_dir_all(tokens.home()).unwrap();
        copy(&backup, &tokens.home());
        let opened = Keystore::open(&path, &MasterKey::module(hsm), Arc::new(OsRandom)).unwrap();
        assert_eq!(DataKey::unwrap(&opened, &data, b"c"), Ok(DataKey::from_bytes([5; 32])));
    }

    fn a_software_keystore_moves_into_a_token(tokens) {
        let random = || Arc::new(OsRandom);
        let before = Keystore::create(&tokens.folder.join("before"), &MasterKey::given([7; 32]), NOW_S, random()).unwrap();
        before.rotate(NOW_S + 1).unwrap();
        let data = DataKey::from_bytes([5; 32]).wrap(&before, b"c").unwrap();
        let signature = before.sign(SignerName::Platform, b"m").unwrap();
        let passphrase = "correct horse battery".into();
        let exported = before.export(&passphrase).unwrap();
        let hsm: Arc<dyn KeyRotation> = Arc::new(Tokens::open());
        let (path, master) = (tokens.folder.join("after"), MasterKey::module(Arc::clone(&hsm)));
        let export = Exported { bytes: &exported, passphrase: &passphrase };
        let moved = Keystore::import(&path, export, &master, NOW_S + 2, random()).unwrap();
        let opened = Keystore::open(&path, &master, random()).unwrap();
        for keystore in [&moved, &opened] {
            assert!(keystore.certificates_fit().unwrap());
            assert_eq!(keystore.check_certificate(NOW_S + 2), Ok(()));
            assert_eq!(keystore.wrapping_key_id(), hsm.wrapping_key_id());
            assert_eq!(keystore.public_key(SignerName::Platform), hsm.public_key(SignerName::Platform));
            assert_eq!(DataKey::unwrap(keystore, &data, b"c"), Ok(DataKey::from_bytes([5; 32])));
            let anew = keystore.rewrap(&data, b"c").unwrap().unwrap();
            assert_eq!(hsm.unwrap(&anew, b"c").unwrap().as_slice(), [5; 32]);
            let verifies = |key: &PublicKey| key.verify(b"m", &signature).is_ok();
            assert!(keystore.platform_keys().unwrap().iter().any(verifies));
            assert_eq!(keystore.root_certificates()[1], before.root_certificate());
            assert_eq!(keystore.pepper().code_hash("a", "b"), before.pepper().code_hash("a", "b"));
        }
        assert!(matches!(before.reseal(&master), Err(KeystoreError::OtherMasterKind(_))));
        assert!(matches!(moved.reseal(&MasterKey::given([7; 32])), Err(KeystoreError::OtherMasterKind(_))));
    }

    fn a_node_that_is_behind_destroys_no_key_in_the_token(tokens) {
        let path = tokens.folder.join("keystore");
        let master = MasterKey::module(Tokens::ready());
        let here = Keystore::create(&path, &master, NOW_S, Arc::new(OsRandom)).unwrap();
        let behind = Keystore::open(&path, &master, Arc::new(OsRandom)).unwrap();
        here.rotate(NOW_S + 1).unwrap();
        let (keys, signs) = (here.keys().unwrap(), here.public_key(SignerName::Platform).unwrap());
        for signer in [SignerName::Platform, SignerName::CertificateAuthority] {
            let refused = behind.rotate_signer(signer, NOW_S + 2).unwrap_err();
            assert!(matches!(refused, KeystoreError::ChangedElsewhere), "{refused}");
        }
        assert!(matches!(behind.rotate(NOW_S + 2), Err(KeystoreError::ChangedElsewhere)));
        assert_eq!((here.keys().unwrap(), here.public_key(SignerName::Platform).unwrap()), (keys, signs));
        assert_eq!(here.certificates_fit(), Ok(true));
        assert!(behind.refresh().unwrap());
        behind.rotate_signer(SignerName::Platform, NOW_S + 3).unwrap();
    }

    fn a_rotation_that_broke_off_behind_the_token_is_caught_up_with(tokens) {
        let path = tokens.folder.join("keystore");
        let hsm = Tokens::ready();
        let master = MasterKey::module(Arc::clone(&hsm));
        let keystore = Keystore::create(&path, &master, NOW_S, Arc::new(OsRandom)).unwrap();
        let data = DataKey::from_bytes([5; 32]).wrap(&keystore, b"c").unwrap();
        let old = keystore.sign(SignerName::Platform, b"m").unwrap();
        // The token has made its keys, the file was not written.
        hsm.rotate_root(NOW_S + 1).unwrap();
        hsm.rotate_signer(SignerName::Platform, NOW_S + 1).unwrap();
        hsm.rotate_signer(SignerName::CertificateAuthority, NOW_S + 1).unwrap();
        let opened = Keystore::open(&path, &master, Arc::new(OsRandom)).unwrap();
        assert_eq!(DataKey::unwrap(&opened, &data, b"c"), Ok(DataKey::from_bytes([5; 32])));
        assert_eq!(opened.certificates_fit(), Ok(false));
        opened.renew_certificate(NOW_S + 2).unwrap();
        assert_eq!(opened.certificates_fit(), Ok(true));
        assert_eq!(opened.check_certificate(NOW_S + 2), Ok(()));
        assert!(opened.platform_keys().unwrap().iter().any(|key| key.verify(b"m", &old).is_ok()));
        assert_eq!(keystore.check_certificate(NOW_S + 3 * 365 * 86_400), Err(CertificateError::Expired));
        let before = fs::read(&path).unwrap();
        opened.renew_master_key().unwrap();
        assert_ne!(fs::read(&path).unwrap(), before);
        let root = key_id(&fs::read(&path).unwrap()[8..]);
        assert_eq!(root, Some(hsm.wrapping_key_id().unwrap()), "the file's key moved under the present root");
        Keystore::open(&path, &master, Arc::new(OsRandom)).unwrap();
    }
}

#[test]
fn a_lock_and_a_missing_mechanism_have_their_own_errors() {
    use cryptoki::context::Function;
    use cryptoki::error::{Error, RvError};
    let mapped = |code| match Failed::from(Error::Pkcs11(code, Function::Login)) {
        Failed::For(error) => error,
        Failed::Lost(said) => HsmError::Unavailable(said),
    };
    for locked in [RvError::PinLocked, RvError::PinExpired, RvError::UserPinNotInitialized] {
        assert_eq!(mapped(locked), HsmError::PinLocked);
    }
    for wrong in [RvError::PinIncorrect, RvError::PinInvalid, RvError::PinLenRange] {
        assert_eq!(mapped(wrong), HsmError::PinRefused);
    }
    assert!(matches!(mapped(RvError::MechanismInvalid), HsmError::Unfit(_)));
    assert_eq!(mapped(RvError::DeviceMemory), HsmError::Unavailable("C_Login: DeviceMemory".into()));
    for lost in [RvError::SessionHandleInvalid, RvError::DeviceRemoved, RvError::UserNotLoggedIn] {
        assert!(matches!(Failed::from(Error::Pkcs11(lost, Function::Sign)), Failed::Lost(_)));
    }
}
