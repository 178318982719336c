//! What is inside: typed in memory, a flat list of entries in the sealed file.
//!
//! An entry is `kind (1) | id (16) | version (4) | made at, Unix seconds (8) | length (4) | bytes`,
//! numbers big-endian. Kinds keep their numbers for ever. Of several entries of one kind the last is
//! the present one. A root key without bytes lies in the module.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::trust::Trust;
use super::{KeystoreError, PLATFORM_NAME, ROOT_NAME};
use crate::blind::BlindIndexKey;
use crate::certificate::{self, Certificate};
use crate::envelope::EnvelopeKey;
use crate::hsm::{Hsm, HsmError, KeyDescription, KeyPurpose, KeyRotation, SignerName};
use crate::key_block::ProtectionKey;
use crate::pepper::Pepper;
use crate::random::{self, Random};
use crate::seal::{DataKey, KeyId};
use crate::signature::{PublicKey, Signature};

/// Bytes of an entry in front of its key or certificate.
const HEAD_BYTES: usize = 1 + 16 + 4 + 8 + 4;
/// Bytes of the longest key.
const KEY_BYTES_MAX: usize = 32;
const ROOT_CERTIFICATE: u8 = 101;
const PLATFORM_CERTIFICATE: u8 = 102;

const fn kind_of(purpose: KeyPurpose) -> u8 {
    match purpose {
        KeyPurpose::KeyEncryption => 1,
        KeyPurpose::BlindIndex => 2,
        KeyPurpose::Pepper => 3,
        KeyPurpose::PinPepper => 4,
        KeyPurpose::CertificateAuthority => 5,
        KeyPurpose::PlatformSigning => 6,
        KeyPurpose::Envelope => 7,
        KeyPurpose::KeyBlock => 8,
    }
}

/// A key with what may be known about it.
#[derive(Clone)]
pub(super) struct Held<K> {
    pub(super) description: KeyDescription,
    pub(super) key: K,
}

impl<K> Held<K> {
    pub(super) fn first(purpose: KeyPurpose, key: K, now_s: i64, random: &dyn Random) -> Self {
        let id = random::array(random);
        Self { description: KeyDescription { id, purpose, version: 1, created_at_s: now_s }, key }
    }

    /// What takes this one's place.
    pub(super) fn next(&self, key: K, now_s: i64, random: &dyn Random) -> Self {
        let mut next = Self::first(self.description.purpose, key, now_s, random);
        next.description.version = self.description.version.saturating_add(1);
        next
    }
}

/// Everything a keystore holds.
#[derive(Clone)]
pub(super) struct Contents {
    pub(super) keys: Keys,
    pub(super) root_certificate: Certificate,
    pub(super) platform_certificate: Certificate,
    /// Of authority keys that were replaced, oldest first.
    pub(super) earlier_root_certificates: Vec<Certificate>,
    /// Of platform keys that were replaced, oldest first.
    pub(super) earlier_platform_certificates: Vec<Certificate>,
}

/// All keys.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) trust: Trust,
    pub(super) blind_index: Held<BlindIndexKey>,
    pub(super) pepper: Held<Pepper>,
    pub(super) pin_pepper: Held<Pepper>,
    pub(super) envelope: Held<EnvelopeKey>,
    pub(super) block: Held<ProtectionKey>,
}

impl Keys {
    fn generate(trust: Trust, now_s: i64, random: &dyn Random) -> Self {
        use KeyPurpose as P;
        Self {
            trust,
            blind_index: Held::first(P::BlindIndex, BlindIndexKey::generate(random), now_s, random),
            pepper: Held::first(P::Pepper, Pepper::generate(random), now_s, random),
            pin_pepper: Held::first(P::PinPepper, Pepper::generate(random), now_s, random),
            envelope: Held::first(P::Envelope, EnvelopeKey::generate(random), now_s, random),
            block: Held::first(P::KeyBlock, ProtectionKey::generate(random), now_s, random),
        }
    }

    fn descriptions(&self) -> Result<Vec<KeyDescription>, HsmError> {
        let mut all = self.trust.descriptions()?;
        all.extend([
            self.blind_index.description,
            self.pepper.description,
            self.pin_pepper.description,
            self.envelope.description,
            self.block.description,
        ]);
        Ok(all)
    }
}

impl Contents {
    /// Draws a full set of keys and makes both certificates. Root and signing keys are the
    /// module's, where there is one.
    pub(super) fn generate(
        module: Option<Arc<dyn KeyRotation>>,
        now_s: i64,
        random: &dyn Random,
    ) -> Result<Self, KeystoreError> {
        let keys = Keys::generate(Trust::generate(module, now_s, random)?, now_s, random);
        let module = Module { keys: &keys, random };
        let root_certificate = certificate::create_root(&module, ROOT_NAME, now_s, random)?;
        let platform_certificate =
            certificate::issue_platform(&module, &root_certificate, PLATFORM_NAME, now_s, random)?;
        Ok(Self {
            keys,
            root_certificate,
            platform_certificate,
            earlier_root_certificates: Vec::new(),
            earlier_platform_certificates: Vec::new(),
        })
    }

    /// The same with certificates for the keys that sign at present. A certificate whose key was
    /// replaced stays among the earlier ones: it verifies what that key signed.
    pub(super) fn with_renewed_certificates(
        &self,
        now_s: i64,
        random: &dyn Random,
    ) -> Result<Self, KeystoreError> {
        let mut next = self.clone();
        let module = Module { keys: &self.keys, random };
        if self.root_certificate.public_key() != &module.public_key(SignerName::CertificateAuthority)? {
            next.root_certificate = certificate::create_root(&module, ROOT_NAME, now_s, random)?;
            next.earlier_root_certificates.push(self.root_certificate.clone());
        }
        let root = &next.root_certificate;
        next.platform_certificate = certificate::issue_platform(&module, root, PLATFORM_NAME, now_s, random)?;
        if self.platform_certificate.public_key() != next.platform_certificate.public_key() {
            next.earlier_platform_certificates.push(self.platform_certificate.clone());
        }
        Ok(next)
    }

    /// Whether both certificates are of the keys that sign at present.
    pub(super) fn certificates_fit(&self) -> Result<bool, HsmError> {
        let (root, platform) = (&self.root_certificate, &self.platform_certificate);
        Ok(root.public_key() == &self.keys.trust.public_key(SignerName::CertificateAuthority)?
            && platform.public_key() == &self.keys.trust.public_key(SignerName::Platform)?)
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let keys = &self.keys;
        let roots = self.earlier_root_certificates.iter().chain([&self.root_certificate]);
        let platforms = self.earlier_platform_certificates.iter().chain([&self.platform_certificate]);
        let certificates: Vec<(u8, &[u8])> = roots
            .map(|certificate| (ROOT_CERTIFICATE, certificate.der()))
            .chain(platforms.map(|certificate| (PLATFORM_CERTIFICATE, certificate.der())))
            .collect();
        // Sized so that it never grows: a buffer left behind by growing would not be wiped.
        let bytes: usize = certificates.iter().map(|(_, der)| der.len()).sum();
        let room =
            (HEAD_BYTES + KEY_BYTES_MAX) * (keys.trust.entries() + 5) + HEAD_BYTES * certificates.len();
        let mut out = Zeroizing::new(Vec::with_capacity(room + bytes));
        keys.trust.encode(&mut out);
        put(&mut out, &keys.blind_index.description, keys.blind_index.key.expose());
        put(&mut out, &keys.pepper.description, keys.pepper.key.expose());
        put(&mut out, &keys.pin_pepper.description, keys.pin_pepper.key.expose());
        put(&mut out, &keys.envelope.description, keys.envelope.key.expose());
        put(&mut out, &keys.block.description, keys.block.key.expose());
        for (kind, certificate) in certificates {
            put_entry(&mut out, kind, &[0; 16], 1, 0, certificate);
        }
        debug_assert!(out.len() <= room + bytes, "the buffer grew");
        out
    }

    /// Reads what [`Contents::encode`] wrote, for a keystore under that module.
    pub(super) fn decode(bytes: &[u8], module: Option<Arc<dyn KeyRotation>>) -> Result<Self, KeystoreError> {
        let entries = Entries::read(bytes)?;
        let pepper = |bytes: &[u8]| Some(Pepper::from_bytes(bytes.try_into().ok()?));
        let keys = Keys {
            trust: Trust::decode(&entries, module)?,
            blind_index: entries.held(KeyPurpose::BlindIndex, |bytes| {
                Some(BlindIndexKey::from_bytes(bytes.try_into().ok()?))
            })?,
            pepper: entries.held(KeyPurpose::Pepper, pepper)?,
            pin_pepper: entries.held(KeyPurpose::PinPepper, pepper)?,
            envelope: entries
                .held(KeyPurpose::Envelope, |bytes| Some(EnvelopeKey::from_bytes(bytes.try_into().ok()?)))?,
            block: entries.held(KeyPurpose::KeyBlock, |bytes| ProtectionKey::aes(bytes).ok())?,
        };
        let (root_certificate, earlier_root_certificates) = entries.certificates(ROOT_CERTIFICATE)?;
        let (platform_certificate, earlier_platform_certificates) =
            entries.certificates(PLATFORM_CERTIFICATE)?;
        Ok(Self {
            keys,
            root_certificate,
            platform_certificate,
            earlier_root_certificates,
            earlier_platform_certificates,
        })
    }
}

pub(super) fn data_key(bytes: &[u8]) -> Option<DataKey> {
    Some(DataKey::from_bytes(bytes.try_into().ok()?))
}

pub(super) fn put(out: &mut Vec<u8>, key: &KeyDescription, bytes: &[u8]) {
    put_entry(out, kind_of(key.purpose), &key.id, key.version, key.created_at_s, bytes);
}

fn put_entry(out: &mut Vec<u8>, kind: u8, id: &KeyId, version: u32, created_at_s: i64, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(id);
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&created_at_s.to_be_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

pub(super) struct Entry<'a> {
    kind: u8,
    id: KeyId,
    version: u32,
    created_at_s: i64,
    pub(super) bytes: &'a [u8],
}

impl Entry<'_> {
    pub(super) fn description(&self, purpose: KeyPurpose) -> KeyDescription {
        KeyDescription { id: self.id, purpose, version: self.version, created_at_s: self.created_at_s }
    }

    pub(super) fn held<K>(
        &self,
        purpose: KeyPurpose,
        key: impl FnOnce(&[u8]) -> Option<K>,
    ) -> Result<Held<K>, KeystoreError> {
        Ok(Held {
            description: self.description(purpose),
            key: key(self.bytes).ok_or(KeystoreError::Damaged)?,
        })
    }
}

pub(super) struct Entries<'a>(Vec<Entry<'a>>);

impl<'a> Entries<'a> {
    fn read(mut bytes: &'a [u8]) -> Result<Self, KeystoreError> {
        let mut entries = Vec::new();
        while !bytes.is_empty() {
            let (entry, rest) = read_entry(bytes).ok_or(KeystoreError::Damaged)?;
            entries.push(entry);
            bytes = rest;
        }
        Ok(Self(entries))
    }

    pub(super) fn of(&self, purpose: KeyPurpose) -> impl Iterator<Item = &Entry<'a>> {
        self.0.iter().filter(move |entry| entry.kind == kind_of(purpose))
    }

    pub(super) fn held<K>(
        &self,
        purpose: KeyPurpose,
        key: impl FnOnce(&[u8]) -> Option<K>,
    ) -> Result<Held<K>, KeystoreError> {
        self.of(purpose).last().ok_or(KeystoreError::Damaged)?.held(purpose, key)
    }

    /// The present certificate of a kind, and those before it.
    fn certificates(&self, kind: u8) -> Result<(Certificate, Vec<Certificate>), KeystoreError> {
        let entries = self.0.iter().filter(|entry| entry.kind == kind);
        let parsed: Result<Vec<Certificate>, _> =
            entries.map(|entry| Certificate::parse(entry.bytes)).collect();
        let mut earlier = parsed.map_err(|_| KeystoreError::Damaged)?;
        let present = earlier.pop().ok_or(KeystoreError::Damaged)?;
        Ok((present, earlier))
    }
}

fn read_entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (created_at_s, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    let entry = Entry {
        kind: *kind,
        id: *id,
        version: u32::from_be_bytes(*version),
        created_at_s: i64::from_be_bytes(*created_at_s),
        bytes,
    };
    Some((entry, rest))
}

/// The keys at work: what both a keystore and its making need of the [`Hsm`] port.
pub(super) struct Module<'a> {
    pub(super) keys: &'a Keys,
    pub(super) random: &'a dyn Random,
}

impl Hsm for Module<'_> {
    fn keys(&self) -> Result<Vec<KeyDescription>, HsmError> {
        self.keys.descriptions()
    }

    fn wrapping_key_id(&self) -> Result<KeyId, HsmError> {
        self.keys.trust.root_id()
    }

    fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, HsmError> {
        self.keys.trust.wrap(clear, context, self.random)
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        self.keys.trust.unwrap(wrapped, context)
    }

    fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError> {
        self.keys.trust.sign(signer, message)
    }

    fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError> {
        self.keys.trust.public_key(signer)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HsmError> {
        self.keys.trust.random(bytes, self.random)
    }
}
