//! Rotation of signing and master keys, and what a crash between two steps leaves.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::master::next_to;
use super::*;

const DATA: [u8; 32] = [5; 32];

/// Wraps a data key: whoever can unwrap it has lost nothing.
fn wrapped(keystore: &Keystore) -> Vec<u8> {
    DataKey::from_bytes(DATA).wrap(keystore, b"data_key 1").unwrap()
}

fn opens(keystore: &Keystore, wrapped: &[u8]) {
    assert_eq!(DataKey::unwrap(keystore, wrapped, b"data_key 1"), Ok(DataKey::from_bytes(DATA)));
}

#[test]
fn a_new_platform_key_gets_a_certificate_and_the_earlier_one_still_verifies() {
    let place = Place::new();
    let keystore = place.create(&given());
    let root = keystore.root_certificate();
    let mut signed = Vec::new();
    for number in 0..3 {
        let message = format!("root {number}").into_bytes();
        signed.push((keystore.sign(SignerName::Platform, &message).unwrap(), message));
        let before = keystore.platform_certificate();
        let id = keystore.rotate_signer(SignerName::Platform, NOW_S + number).unwrap();
        let certificate = keystore.platform_certificate();
        assert_ne!(before.public_key(), certificate.public_key());
        assert_eq!(keystore.public_key(SignerName::Platform).as_ref(), Ok(certificate.public_key()));
        assert_eq!(keystore.check_certificate(NOW_S + number), Ok(()));
        assert_eq!(keystore.root_certificate(), root);
        let listed = keystore.keys().unwrap();
        let key = listed.iter().find(|key| key.id == id).unwrap();
        assert_eq!(
            (key.purpose, key.version),
            (KeyPurpose::PlatformSigning, 2 + u32::try_from(number).unwrap())
        );
        assert_eq!(listed.len(), 8, "the earlier private key is gone");
    }
    let opened = place.open(&given()).unwrap();
    assert!(same_keys(&keystore, &opened));
    let keys = opened.platform_keys().unwrap();
    assert_eq!(keys.len(), 4);
    assert_eq!(Ok(keys[0]), opened.public_key(SignerName::Platform));
    for (signature, message) in &signed {
        let verifying = keys.iter().filter(|key| key.verify(message, signature).is_ok()).count();
        assert_eq!(verifying, 1);
    }
}

#[test]
fn a_new_authority_makes_a_new_root_and_keeps_the_earlier_one() {
    let place = Place::new();
    let keystore = place.create(&given());
    let (root, platform) = (keystore.root_certificate(), keystore.platform_certificate());
    keystore.rotate_signer(SignerName::CertificateAuthority, NOW_S + 1).unwrap();
    let next = keystore.root_certificate();
    assert_ne!(root.public_key(), next.public_key());
    assert_eq!(next.verify_root(NOW_S + 1), Ok(()));
    assert_eq!(keystore.check_certificate(NOW_S + 1), Ok(()));
    assert_eq!(keystore.platform_certificate().public_key(), platform.public_key());
    assert!(keystore.platform_certificate().verify(&root, NOW_S + 1, Purpose::Platform).is_err());
    assert_eq!(keystore.root_certificates(), [next, root]);
    assert_eq!(keystore.platform_keys().unwrap().len(), 1);
    assert!(same_keys(&keystore, &place.open(&given()).unwrap()));
}

#[test]
fn a_new_master_key_takes_the_place_of_its_file() {
    let place = Place::new();
    let path = place.folder.path().join("master.key");
    let master = MasterKey::file(&path);
    let keystore = place.create(&master);
    let wrapped = wrapped(&keystore);
    let (old_key, old_file) = (fs::read(&path).unwrap(), fs::read(place.path()).unwrap());
    keystore.renew_master_key().unwrap();
    assert_ne!(fs::read(&path).unwrap(), old_key);
    assert_eq!(place.files(), ["keystore.sealed", "master.key"]);
    let opened = place.open(&master).unwrap();
    assert!(same_keys(&keystore, &opened));
    opens(&opened, &wrapped);
    // The open keystore goes on, and whoever kept the old key opens the old file only.
    keystore.rotate(NOW_S + 1).unwrap();
    keystore.renew_master_key().unwrap();
    opens(&place.open(&master).unwrap(), &wrapped);
    let old = MasterKey::given_hex(std::str::from_utf8(&old_key).unwrap()).unwrap();
    assert!(matches!(place.open(&old), Err(KeystoreError::WrongMasterKey)));
    fs::write(place.path(), old_file).unwrap();
    opens(&place.open(&old).unwrap(), &wrapped);
    #[cfg(unix)]
    assert!(!file::is_exposed(&path).unwrap());
}

#[test]
fn a_master_key_from_outside_is_changed_by_sealing_anew() {
    let place = Place::new();
    let keystore = place.create(&given());
    assert!(matches!(keystore.renew_master_key(), Err(KeystoreError::MasterKeyGiven)));
    let first = MasterKey::passphrase("correct horse battery".into());
    let second = MasterKey::passphrase("battery horse correct".into());
    keystore.reseal(&first).unwrap();
    assert!(matches!(keystore.renew_master_key(), Err(KeystoreError::MasterKeyGiven)));
    keystore.reseal(&second).unwrap();
    assert!(matches!(place.open(&first), Err(KeystoreError::WrongMasterKey)));
    assert!(same_keys(&keystore, &place.open(&second).unwrap()));
    // From then on the file's rotation is there for it, too.
    let path = place.folder.path().join("master.key");
    keystore.reseal(&MasterKey::file(&path)).unwrap();
    keystore.renew_master_key().unwrap();
    assert!(same_keys(&keystore, &place.open(&MasterKey::file(&path)).unwrap()));
}

/// Every state of the folder between two steps of a master key's rotation, as a crash leaves it.
#[test]
fn no_step_of_a_master_key_rotation_loses_a_key() {
    let done = Place::new();
    let master = done.folder.path().join("master.key");
    let keystore = done.create(&MasterKey::file(&master));
    let wrapped = wrapped(&keystore);
    let (old_key, old_file) = (fs::read(&master).unwrap(), fs::read(done.path()).unwrap());
    keystore.renew_master_key().unwrap();
    let (new_key, new_file) = (fs::read(&master).unwrap(), fs::read(done.path()).unwrap());

    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let states: Vec<Vec<(&str, Vec<u8>)>> = vec![
        // The next key is being written: beside its own name, then under it.
        vec![("master.key.next.new", Vec::new())],
        vec![("master.key.next.new", half(&new_key))],
        vec![("master.key.next.new", new_key.clone())],
        vec![("master.key.next.new", new_key.clone()), ("master.key.next", new_key.clone())],
        vec![("master.key.next", new_key.clone())],
        // A file system that lost what was written without a sync.
        vec![("master.key.next", Vec::new())],
        vec![("master.key.next", half(&new_key))],
        // The keystore is being sealed under it.
        vec![("master.key.next", new_key.clone()), ("keystore.sealed.new", Vec::new())],
        vec![("master.key.next", new_key.clone()), ("keystore.sealed.new", half(&new_file))],
        vec![("master.key.next", new_key.clone()), ("keystore.sealed.new", new_file.clone())],
        // It is sealed; the key has yet to take its place.
        vec![("master.key.next", new_key.clone()), ("keystore.sealed", new_file.clone())],
        // Done.
        vec![("master.key", new_key), ("keystore.sealed", new_file)],
    ];
    for (number, state) in states.iter().enumerate() {
        let place = Place::new();
        let written = [("master.key", old_key.clone()), ("keystore.sealed", old_file.clone())];
        for (name, bytes) in written.iter().chain(state) {
            let path = place.folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let master = MasterKey::file(place.folder.path().join("master.key"));
        let opened = place.open(&master).unwrap_or_else(|error| panic!("state {number}: {error}"));
        opens(&opened, &wrapped);
        assert!(same_keys(&keystore, &opened), "state {number}");
        // And it can be used, rotated and opened again.
        opened.rotate(NOW_S + 1).unwrap();
        opened.renew_master_key().unwrap_or_else(|error| panic!("state {number}: {error}"));
        opens(&place.open(&master).unwrap(), &wrapped);
        assert_eq!(place.files(), ["keystore.sealed", "master.key"], "state {number}");
    }
}

#[test]
fn a_next_master_key_that_fits_nothing_is_never_taken() {
    let place = Place::new();
    let path = place.folder.path().join("master.key");
    let master = MasterKey::file(&path);
    place.create(&master);
    let key = fs::read_to_string(&path).unwrap();
    fs::write(next_to(&path), "ab".repeat(32)).unwrap();
    #[cfg(unix)]
    fs::set_permissions(next_to(&path), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.open(&master).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    fs::write(&path, "cd".repeat(32)).unwrap();
    assert!(matches!(place.open(&master), Err(KeystoreError::WrongMasterKey)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "cd".repeat(32));
}

/// A process that rotates everything as fast as it can is killed in the middle of it, many times.
#[test]
fn a_killed_process_loses_no_key() {
    const FOLDER: &str = "STARPAY_TEST_ROTATING_FOLDER";
    const KILLS: u64 = 20;
    let paths = |folder: &Path| (folder.join("keystore.sealed"), MasterKey::file(folder.join("master.key")));
    if let Some(folder) = std::env::var_os(FOLDER) {
        let (path, master) = paths(Path::new(&folder));
        let keystore = Keystore::open(&path, &master, Arc::new(OsRandom)).unwrap();
        for at in 0.. {
            keystore.renew_master_key().unwrap();
            keystore.renew_certificate(NOW_S + at).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, master) = paths(folder.path());
    let made = Keystore::create(&path, &master, NOW_S, Arc::new(OsRandom)).unwrap();
    let wrapped = wrapped(&made);
    let mut seen = fs::read(&path).unwrap();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["keystore::tests::rotation::a_killed_process_loses_no_key", "--exact", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed at a different point each time, once it has begun to write.
        while fs::read(&path).unwrap() == seen {
            assert!(child.try_wait().unwrap().is_none(), "the rotating process ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(kill * 700));
        child.kill().unwrap();
        child.wait().unwrap();
        let opened = Keystore::open(&path, &master, Arc::new(OsRandom)).unwrap();
        opens(&opened, &wrapped);
        assert_eq!(opened.blind_index().index("a", "b"), made.blind_index().index("a", "b"));
        seen = fs::read(&path).unwrap();
    }
}

#[test]
fn what_another_process_rotated_is_read_again() {
    let place = Place::new();
    let here = place.create(&given());
    let there = place.open(&given()).unwrap();
    assert!(!there.refresh().unwrap());
    let old = wrapped(&here);
    here.rotate(NOW_S + 1).unwrap();
    let new = wrapped(&here);
    assert!(DataKey::unwrap(&there, &new, b"data_key 1").is_err());
    assert!(there.refresh().unwrap());
    opens(&there, &new);
    opens(&there, &old);
    assert!(same_keys(&here, &there) && !there.refresh().unwrap());
    // In its turn: nobody undoes the other's keys.
    there.rotate(NOW_S + 2).unwrap();
    assert!(matches!(here.rotate(NOW_S + 3), Err(KeystoreError::ChangedElsewhere)));
    assert!(here.refresh().unwrap());
    opens(&here, &wrapped(&there));
}

#[test]
fn another_keystore_in_its_place_is_not_taken_for_a_rotation() {
    let (place, other) = (Place::new(), Place::new());
    let keystore = place.create(&given());
    let known = wrapped(&keystore);
    Keystore::create(&other.path(), &given(), NOW_S, Arc::new(crate::random::OsRandom)).unwrap();
    std::fs::copy(other.path(), place.path()).unwrap();
    assert!(matches!(keystore.refresh(), Err(KeystoreError::ChangedElsewhere)));
    opens(&keystore, &known);
    std::fs::write(place.path(), b"rubbish").unwrap();
    assert!(keystore.refresh().is_err());
    opens(&keystore, &known);
}
