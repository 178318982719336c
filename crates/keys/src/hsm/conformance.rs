//! What every adapter of the port must do. One test for all of them.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;

use super::{HsmError, KeyDescription, KeyPurpose, KeyRotation, SignerName};
use crate::seal::{DataKey, KeyId, OVERHEAD_BYTES, key_id};

const NOW_S: i64 = 1_795_000_000;
const SIGNERS: [SignerName; 2] = [SignerName::CertificateAuthority, SignerName::Platform];

/// Puts an adapter to the test. `open` opens the same keys anew each time; before the first call
/// they were just made.
pub(crate) fn check(open: &dyn Fn() -> Arc<dyn KeyRotation>) {
    let module = open();
    lists_its_keys_and_shows_none(&*module);
    wraps_and_unwraps(&*module);
    refuses_what_was_changed(&*module);
    signs(&*module);
    draws(&*module);
    serves_many_threads(&module);
    drop(module);
    comes_back_as_it_was(open);
    rotates_its_root(open);
    rotates_its_signers(open);
}

fn described(module: &dyn KeyRotation, purpose: KeyPurpose) -> Vec<KeyDescription> {
    module.keys().unwrap().into_iter().filter(|key| key.purpose == purpose).collect()
}

fn lists_its_keys_and_shows_none(module: &dyn KeyRotation) {
    for purpose in [KeyPurpose::KeyEncryption, KeyPurpose::CertificateAuthority, KeyPurpose::PlatformSigning]
    {
        let keys = described(module, purpose);
        assert_eq!(keys.len(), 1, "{purpose}");
        assert_eq!((keys[0].version, keys[0].created_at_s), (1, NOW_S), "{purpose}");
    }
    let ids: HashSet<KeyId> = module.keys().unwrap().iter().map(|key| key.id).collect();
    assert_eq!(ids.len(), module.keys().unwrap().len(), "two keys of one id");
    assert_eq!(module.wrapping_key_id().unwrap(), described(module, KeyPurpose::KeyEncryption)[0].id);
}

fn wraps_and_unwraps(module: &dyn KeyRotation) {
    let root = module.wrapping_key_id().unwrap();
    for clear in [&[][..], &[5; 1], &[5; 16], &[5; 32], &[7; 1000]] {
        for context in [&b""[..], b"data key 1", &[0xFF; 300]] {
            let wrapped = module.wrap(clear, context).unwrap();
            assert_eq!(wrapped.len(), clear.len() + OVERHEAD_BYTES);
            assert_eq!(wrapped.first(), Some(&1), "the layout of a sealed value");
            assert_eq!(key_id(&wrapped), Some(root));
            assert_eq!(module.unwrap(&wrapped, context).unwrap().as_slice(), clear);
            assert!(clear.len() < 16 || !wrapped.windows(clear.len()).any(|part| part == clear));
        }
    }
    assert_ne!(module.wrap(&[5; 32], b"c").unwrap(), module.wrap(&[5; 32], b"c").unwrap());
    let key = DataKey::from_bytes([9; 32]);
    let wrapped = key.wrap(module, b"data key 1").unwrap();
    assert_eq!(DataKey::unwrap(module, &wrapped, b"data key 1").unwrap(), key);
    assert_eq!(module.rewrap(&wrapped, b"data key 1").unwrap(), None, "it is under the present root already");
}

fn refuses_what_was_changed(module: &dyn KeyRotation) {
    let wrapped = module.wrap(&[5; 32], b"data key 1").unwrap();
    for other in [&b""[..], b"data key 2", b"data key", b"data key 1 "] {
        assert_eq!(module.unwrap(&wrapped, other), Err(HsmError::Refused), "{other:?}");
    }
    for at in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 0x40;
        let error = module.unwrap(&changed, b"data key 1").unwrap_err();
        match at {
            1..=16 => assert_eq!(error, HsmError::UnknownKey(key_id(&changed).unwrap()), "byte {at}"),
            _ => assert_eq!(error, HsmError::Refused, "byte {at}"),
        }
    }
    for length in 0..wrapped.len() {
        assert_eq!(
            module.unwrap(&wrapped[..length], b"data key 1"),
            Err(HsmError::Refused),
            "{length} bytes"
        );
    }
    let longer = [wrapped.as_slice(), &[0]].concat();
    assert_eq!(module.unwrap(&longer, b"data key 1"), Err(HsmError::Refused));
    // The refusals cost it nothing: it goes on as before.
    assert_eq!(module.unwrap(&wrapped, b"data key 1").unwrap().as_slice(), [5; 32]);
}

fn signs(module: &dyn KeyRotation) {
    let keys = SIGNERS.map(|signer| module.public_key(signer).unwrap());
    assert_ne!(keys[0], keys[1]);
    for (signer, key) in SIGNERS.into_iter().zip(keys) {
        for message in [&b""[..], b"m", &[7; 100_000]] {
            let signature = module.sign(signer, message).unwrap();
            assert_eq!(key.verify(message, &signature), Ok(()));
            assert!(key.verify(b"another", &signature).is_err());
            assert!(keys.iter().filter(|key| key.verify(message, &signature).is_ok()).count() == 1);
        }
    }
}

fn draws(module: &dyn KeyRotation) {
    let drawn: HashSet<Vec<u8>> = (0..100)
        .map(|_| {
            let mut bytes = vec![0; 32];
            module.random(&mut bytes).unwrap();
            bytes
        })
        .collect();
    assert_eq!(drawn.len(), 100);
    let mut many = vec![0; 4096];
    module.random(&mut many).unwrap();
    let seen: HashSet<u8> = many.iter().copied().collect();
    assert!(seen.len() > 200, "{} different bytes in 4096", seen.len());
    module.random(&mut []).unwrap();
}

fn serves_many_threads(module: &Arc<dyn KeyRotation>) {
    let key = module.public_key(SignerName::Platform).unwrap();
    let workers: Vec<_> = (0..8_u8)
        .map(|number| {
            let module = Arc::clone(module);
            thread::spawn(move || {
                for round in 0..20_u8 {
                    let context = [number, round];
                    let wrapped = module.wrap(&[number; 32], &context).unwrap();
                    assert_eq!(module.unwrap(&wrapped, &context).unwrap().as_slice(), [number; 32]);
                    assert_eq!(module.unwrap(&wrapped, b"other"), Err(HsmError::Refused));
                    let signature = module.sign(SignerName::Platform, &context).unwrap();
                    assert_eq!(key.verify(&context, &signature), Ok(()));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

fn comes_back_as_it_was(open: &dyn Fn() -> Arc<dyn KeyRotation>) {
    let before = open();
    let wrapped = before.wrap(&[5; 32], b"c").unwrap();
    let (keys, signers) = (before.keys().unwrap(), SIGNERS.map(|signer| before.public_key(signer).unwrap()));
    drop(before);
    let after = open();
    assert_eq!(after.keys().unwrap(), keys);
    assert_eq!(SIGNERS.map(|signer| after.public_key(signer).unwrap()), signers);
    assert_eq!(after.unwrap(&wrapped, b"c").unwrap().as_slice(), [5; 32]);
}

fn rotates_its_root(open: &dyn Fn() -> Arc<dyn KeyRotation>) {
    let module = open();
    let first = module.wrapping_key_id().unwrap();
    let old = module.wrap(&[5; 32], b"c").unwrap();
    let second = module.rotate_root(NOW_S + 10).unwrap();
    assert_ne!(first, second);
    for module in [module, open()] {
        assert_eq!(module.wrapping_key_id().unwrap(), second);
        assert_eq!(key_id(&module.wrap(&[5; 32], b"c").unwrap()), Some(second));
        assert_eq!(module.unwrap(&old, b"c").unwrap().as_slice(), [5; 32], "an earlier root unwraps");
        let new = module.rewrap(&old, b"c").unwrap().unwrap();
        assert_eq!(key_id(&new), Some(second));
        assert_eq!(module.unwrap(&new, b"c").unwrap().as_slice(), [5; 32]);
        assert_eq!(module.rewrap(&new, b"c").unwrap(), None);
        assert_eq!(module.rewrap(&old, b"d"), Err(HsmError::Refused));
        let roots = described(&*module, KeyPurpose::KeyEncryption);
        let told: Vec<_> = roots.iter().map(|key| (key.id, key.version, key.created_at_s)).collect();
        assert_eq!(told, [(first, 1, NOW_S), (second, 2, NOW_S + 10)], "oldest first");
        // A wrap of the one root does not pass for one of the other.
        let mut exchanged = old.clone();
        exchanged[1..17].copy_from_slice(&second);
        assert_eq!(module.unwrap(&exchanged, b"c"), Err(HsmError::Refused));
    }
}

fn rotates_its_signers(open: &dyn Fn() -> Arc<dyn KeyRotation>) {
    for signer in SIGNERS {
        let module = open();
        let before = module.public_key(signer).unwrap();
        let others = SIGNERS.into_iter().filter(|other| *other != signer);
        let untouched: Vec<_> = others.clone().map(|other| module.public_key(other).unwrap()).collect();
        let old = module.sign(signer, b"m").unwrap();
        let id = module.rotate_signer(signer, NOW_S + 20).unwrap();
        for module in [module, open()] {
            let after = module.public_key(signer).unwrap();
            assert_ne!(before, after);
            assert_eq!(after.verify(b"m", &module.sign(signer, b"m").unwrap()), Ok(()));
            assert_eq!(before.verify(b"m", &old), Ok(()));
            assert!(after.verify(b"m", &old).is_err());
            let keys = described(&*module, signer.purpose());
            let told: Vec<_> = keys.iter().map(|key| (key.id, key.version, key.created_at_s)).collect();
            assert_eq!(told, [(id, 2, NOW_S + 20)], "the earlier private key is gone");
            let still: Vec<_> = others.clone().map(|other| module.public_key(other).unwrap()).collect();
            assert_eq!(still, untouched);
        }
    }
}
