mod rotation;

use std::fs;

use super::*;
use crate::hsm::KeyPurpose;
use crate::random::OsRandom;
use crate::testing::Sequence;

const NOW_S: i64 = 1_795_000_000;

fn random() -> Arc<dyn Random> {
    Arc::new(Sequence::new(1))
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keystore.sealed")
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn create(&self, master: &MasterKey) -> Keystore {
        Keystore::create(&self.path(), master, NOW_S, random()).unwrap()
    }

    fn open(&self, master: &MasterKey) -> Result<Keystore, KeystoreError> {
        Keystore::open(&self.path(), master, random())
    }
}

fn given() -> MasterKey {
    MasterKey::given([7; 32])
}

/// Everything by which two keystores could differ.
fn same_keys(one: &Keystore, other: &Keystore) -> bool {
    *one.contents().encode() == *other.contents().encode()
}

#[test]
fn the_software_keystore_passes_the_conformance_test() {
    let place = Place::new();
    Keystore::create(&place.path(), &given(), NOW_S, Arc::new(OsRandom)).unwrap();
    crate::hsm::conformance::check(&|| {
        Arc::new(Keystore::open(&place.path(), &given(), Arc::new(OsRandom)).unwrap())
    });
}

#[test]
fn a_keystore_comes_back_whole() {
    let place = Place::new();
    let made = place.create(&given());
    let opened = place.open(&given()).unwrap();
    assert!(same_keys(&made, &opened));
    assert_eq!(made.keys(), opened.keys());
    assert_eq!(made.root_certificate(), opened.root_certificate());
    assert_eq!(made.check_certificate(NOW_S), Ok(()));
    assert_eq!(made.blind_index().index("a", "b"), opened.blind_index().index("a", "b"));
    assert_eq!(made.envelope_public_key(), opened.envelope_key().public_key());
    let signature = made.sign(SignerName::Platform, b"m").unwrap();
    let certified = *opened.platform_certificate().public_key();
    assert_eq!(certified.verify(b"m", &signature), Ok(()));
    assert_eq!(opened.keys().unwrap().len(), 8);
    assert_eq!(place.files(), ["keystore.sealed"]);
}

#[test]
fn a_second_keystore_is_never_made_over_the_first() {
    let place = Place::new();
    place.create(&given());
    let before = fs::read(place.path()).unwrap();
    let again = Keystore::create(&place.path(), &given(), NOW_S, random());
    assert!(matches!(again, Err(KeystoreError::Exists(_))));
    assert!(matches!(file::create(&place.path(), b"other"), Err(KeystoreError::Exists(_))));
    assert_eq!(fs::read(place.path()).unwrap(), before);
    assert_eq!(place.files(), ["keystore.sealed"]);
    let opened = Keystore::open_or_create(&place.path(), &given(), NOW_S, Arc::new(OsRandom)).unwrap();
    assert!(same_keys(&opened, &place.open(&given()).unwrap()));
}

#[test]
fn another_master_key_is_told_from_damage() {
    let place = Place::new();
    place.create(&given());
    let wrong = place.open(&MasterKey::given([8; 32]));
    assert!(matches!(wrong, Err(KeystoreError::WrongMasterKey)));
    let other_kind = place.open(&MasterKey::passphrase("correct horse battery".into()));
    assert!(matches!(other_kind, Err(KeystoreError::OtherMasterKind(_))));
    let whole = fs::read(place.path()).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(place.path(), &changed).unwrap();
        assert!(place.open(&given()).is_err(), "byte {at}");
    }
    for cut in [0, 5, 6, 23, whole.len() - 1] {
        fs::write(place.path(), &whole[..cut]).unwrap();
        assert!(matches!(place.open(&given()), Err(KeystoreError::Damaged)), "cut at {cut}");
    }
}

#[test]
fn a_missing_keystore_is_not_made_by_opening() {
    let place = Place::new();
    assert!(matches!(place.open(&given()), Err(KeystoreError::Missing(_))));
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn the_master_key_file_is_made_once_and_kept_private() {
    let place = Place::new();
    let path = place.folder.path().join("master.key");
    let master = MasterKey::file(&path);
    let made = place.create(&master);
    assert_eq!(place.files(), ["keystore.sealed", "master.key"]);
    assert!(same_keys(&made, &place.open(&master).unwrap()));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.trim().len(), 64);
    assert!(same_keys(&made, &place.open(&MasterKey::given_hex(&text).unwrap()).unwrap()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in [&path, &place.path()] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(place.open(&master), Err(KeystoreError::MasterKeyExposed(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(&path, "not hex").unwrap();
    assert!(matches!(place.open(&master), Err(KeystoreError::MasterKeyMalformed)));
    fs::remove_file(&path).unwrap();
    assert!(matches!(place.open(&master), Err(KeystoreError::MasterKeyMissing(_))));
    assert!(!path.exists(), "a lost master key is never replaced by a new one");
}

#[test]
fn a_crash_between_master_key_and_keystore_leaves_a_first_start_possible() {
    let place = Place::new();
    let path = place.folder.path().join("master.key");
    let master = MasterKey::file(&path);
    Sealer::for_new(&master, &Sequence::new(9)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    Keystore::open_or_create(&place.path(), &master, NOW_S, random()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_a_crash_during_a_write_leaves_is_cleared_and_harmless() {
    let place = Place::new();
    let made = place.create(&given());
    for leftover in [&b""[..], b"SPKS\x01\x01half a keysto"] {
        fs::write(file::beside(&place.path()), leftover).unwrap();
        assert!(same_keys(&made, &place.open(&given()).unwrap()));
        assert_eq!(place.files(), ["keystore.sealed"]);
    }
    fs::write(file::beside(&place.path()), b"half").unwrap();
    made.rotate(NOW_S).unwrap();
    assert!(same_keys(&made, &place.open(&given()).unwrap()));
    assert_eq!(place.files(), ["keystore.sealed"]);
}

#[test]
fn a_first_start_that_died_while_writing_starts_again() {
    let place = Place::new();
    fs::write(file::beside(&place.path()), b"half").unwrap();
    Keystore::open_or_create(&place.path(), &given(), NOW_S, random()).unwrap();
    assert_eq!(place.files(), ["keystore.sealed"]);
}

#[test]
fn rotation_wraps_under_the_new_key_and_still_opens_the_old() {
    let place = Place::new();
    let keystore = place.create(&given());
    let key = DataKey::from_bytes([5; 32]);
    let old = key.wrap(&keystore, b"data_key 1").unwrap();
    let first = keystore.wrapping_key_id().unwrap();
    assert_eq!(keystore.rewrap(&old, b"data_key 1").unwrap(), None);
    let second = keystore.rotate(NOW_S + 1).unwrap();
    assert_ne!(first, second);
    let reopened = place.open(&given()).unwrap();
    for keystore in [&keystore, &reopened] {
        assert_eq!(keystore.wrapping_key_id().unwrap(), second);
        assert_eq!(DataKey::unwrap(keystore, &old, b"data_key 1").unwrap(), key);
        let new = keystore.rewrap(&old, b"data_key 1").unwrap().unwrap();
        assert_eq!(crate::seal::key_id(&new), Some(second));
        assert_eq!(DataKey::unwrap(keystore, &new, b"data_key 1").unwrap(), key);
        let roots: Vec<u32> = keystore
            .keys()
            .unwrap()
            .iter()
            .filter(|key| key.purpose == KeyPurpose::KeyEncryption)
            .map(|key| key.version)
            .collect();
        assert_eq!(roots, [1, 2]);
    }
}

#[test]
fn a_wrapped_key_opens_only_where_it_belongs() {
    let place = Place::new();
    let keystore = place.create(&given());
    let wrapped = DataKey::from_bytes([5; 32]).wrap(&keystore, b"data_key 1").unwrap();
    assert_eq!(DataKey::unwrap(&keystore, &wrapped, b"data_key 2"), Err(HsmError::Refused));
    for at in 17..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 1;
        assert_eq!(DataKey::unwrap(&keystore, &changed, b"data_key 1"), Err(HsmError::Refused), "byte {at}");
    }
    let mut unknown = wrapped.clone();
    unknown[1] ^= 1;
    assert!(matches!(DataKey::unwrap(&keystore, &unknown, b"data_key 1"), Err(HsmError::UnknownKey(_))));
}

#[test]
fn resealing_changes_the_master_key_and_nothing_else() {
    let place = Place::new();
    let keystore = place.create(&given());
    let next = MasterKey::file(place.folder.path().join("next.key"));
    keystore.reseal(&next).unwrap();
    assert!(matches!(place.open(&given()), Err(KeystoreError::WrongMasterKey)));
    assert!(same_keys(&keystore, &place.open(&next).unwrap()));
    let passphrase = MasterKey::passphrase("correct horse battery".into());
    keystore.reseal(&passphrase).unwrap();
    keystore.rotate(NOW_S).unwrap();
    assert!(same_keys(&keystore, &place.open(&passphrase).unwrap()));
    let wrong = place.open(&MasterKey::passphrase("correct horse batterx".into()));
    assert!(matches!(wrong, Err(KeystoreError::WrongMasterKey)));
    let short = keystore.reseal(&MasterKey::passphrase("short".into()));
    assert!(matches!(short, Err(KeystoreError::Passphrase(PassphraseError::TooShort))));
}

#[test]
fn two_processes_cannot_undo_each_others_rotation() {
    let place = Place::new();
    let one = place.create(&given());
    let other = place.open(&given()).unwrap();
    one.rotate(NOW_S).unwrap();
    assert!(matches!(other.rotate(NOW_S), Err(KeystoreError::ChangedElsewhere)));
    assert!(matches!(other.reseal(&given()), Err(KeystoreError::ChangedElsewhere)));
    assert!(same_keys(&one, &place.open(&given()).unwrap()));
}

#[test]
fn an_export_restores_elsewhere_under_another_master_key() {
    let (here, there) = (Place::new(), Place::new());
    let original = here.create(&given());
    original.rotate(NOW_S).unwrap();
    let passphrase: SecretString = "correct horse battery".into();
    let exported = original.export(&passphrase).unwrap();
    let master = MasterKey::file(there.folder.path().join("master.key"));
    let import = |passphrase: &SecretString, bytes: &[u8]| {
        Keystore::import(&there.path(), Exported { bytes, passphrase }, &master, NOW_S, random())
    };
    assert!(matches!(import(&"wrong passphrase".into(), &exported), Err(KeystoreError::WrongMasterKey)));
    assert!(matches!(import(&passphrase, &exported[..40]), Err(KeystoreError::Damaged)));
    assert_eq!(there.files(), [""; 0], "a refused import leaves nothing behind");
    let restored = import(&passphrase, &exported).unwrap();
    assert!(same_keys(&original, &restored));
    assert!(same_keys(&original, &there.open(&master).unwrap()));
    assert!(matches!(import(&passphrase, &exported), Err(KeystoreError::Exists(_))));
    assert!(matches!(original.export(&"short".into()), Err(KeystoreError::Passphrase(_))));
}

#[test]
fn the_platform_certificate_can_be_renewed() {
    let place = Place::new();
    let keystore = place.create(&given());
    let late = NOW_S + 3 * 365 * 86_400;
    assert_eq!(keystore.check_certificate(late), Err(CertificateError::Expired));
    let before = *keystore.platform_certificate().public_key();
    let renewed = keystore.renew_certificate(late).unwrap();
    assert_eq!(keystore.check_certificate(late), Ok(()));
    assert_eq!(renewed.public_key(), &before);
    assert_eq!(place.open(&given()).unwrap().platform_certificate(), renewed);
}

#[test]
fn no_clear_key_is_in_the_file_or_in_debug() {
    let place = Place::new();
    let keystore = place.create(&given());
    let bytes = fs::read(place.path()).unwrap();
    let clear = keystore.contents().encode();
    let shown = format!("{keystore:?} {:?} {:?}", given(), keystore.pin_hasher());
    for window in clear.chunks_exact(16) {
        assert!(!bytes.windows(16).any(|there| there == window));
        assert!(!shown.contains(&hex::encode(window)));
    }
    assert!(shown.contains("[redacted]") && !shown.contains("7, 7"), "{shown}");
}
