//! What is inside: typed in memory, a flat list of entries in the sealed file.
//!
//! An entry is `kind (1) | id (16) | version (4) | made at, Unix seconds (8) | length (4) | bytes`,
//! numbers big-endian. Kinds keep their numbers for ever.

use zeroize::Zeroizing;

use super::{KeystoreError, PLATFORM_NAME, ROOT_NAME};
use crate::blind::BlindIndexKey;
use crate::certificate::{self, Certificate};
use crate::envelope::EnvelopeKey;
use crate::hsm::{Hsm, HsmError, KeyDescription, KeyPurpose, SignerName};
use crate::key_block::ProtectionKey;
use crate::pepper::Pepper;
use crate::random::{self, Random};
use crate::seal::{self, DataKey, KeyId};
use crate::signature::{PublicKey, Signature, SigningKey};

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
    fn first(purpose: KeyPurpose, key: K, now_s: i64, random: &dyn Random) -> Self {
        let id = random::array(random);
        Self { description: KeyDescription { id, purpose, version: 1, created_at_s: now_s }, key }
    }
}

/// Everything a keystore holds.
#[derive(Clone)]
pub(super) struct Contents {
    pub(super) keys: Keys,
    pub(super) root_certificate: Certificate,
    pub(super) platform_certificate: Certificate,
}

/// All keys.
#[derive(Clone)]
pub(super) struct Keys {
    /// Root key-encryption keys that only unwrap, oldest first.
    earlier_roots: Vec<Held<DataKey>>,
    present_root: Held<DataKey>,
    pub(super) blind_index: Held<BlindIndexKey>,
    pub(super) pepper: Held<Pepper>,
    pub(super) pin_pepper: Held<Pepper>,
    authority: Held<SigningKey>,
    platform: Held<SigningKey>,
    pub(super) envelope: Held<EnvelopeKey>,
    pub(super) block: Held<ProtectionKey>,
}

impl Keys {
    fn generate(now_s: i64, random: &dyn Random) -> Self {
        use KeyPurpose as P;
        Self {
            earlier_roots: Vec::new(),
            present_root: Held::first(P::KeyEncryption, DataKey::generate(random), now_s, random),
            blind_index: Held::first(P::BlindIndex, BlindIndexKey::generate(random), now_s, random),
            pepper: Held::first(P::Pepper, Pepper::generate(random), now_s, random),
            pin_pepper: Held::first(P::PinPepper, Pepper::generate(random), now_s, random),
            authority: Held::first(P::CertificateAuthority, SigningKey::generate(random), now_s, random),
            platform: Held::first(P::PlatformSigning, SigningKey::generate(random), now_s, random),
            envelope: Held::first(P::Envelope, EnvelopeKey::generate(random), now_s, random),
            block: Held::first(P::KeyBlock, ProtectionKey::generate(random), now_s, random),
        }
    }

    /// The id of the root key that wraps at present.
    pub(super) fn root_id(&self) -> KeyId {
        self.present_root.description.id
    }

    fn root_with(&self, id: KeyId) -> Option<&DataKey> {
        self.roots().find(|held| held.description.id == id).map(|held| &held.key)
    }

    fn roots(&self) -> impl Iterator<Item = &Held<DataKey>> {
        self.earlier_roots.iter().chain([&self.present_root])
    }

    fn add_root(&mut self, now_s: i64, random: &dyn Random) {
        let fresh = Held::first(KeyPurpose::KeyEncryption, DataKey::generate(random), now_s, random);
        let earlier = std::mem::replace(&mut self.present_root, fresh);
        self.present_root.description.version = earlier.description.version.saturating_add(1);
        self.earlier_roots.push(earlier);
    }

    fn signer(&self, name: SignerName) -> &SigningKey {
        match name {
            SignerName::CertificateAuthority => &self.authority.key,
            SignerName::Platform => &self.platform.key,
        }
    }

    fn descriptions(&self) -> Vec<KeyDescription> {
        let mut all: Vec<KeyDescription> = self.roots().map(|held| held.description).collect();
        all.extend([
            self.blind_index.description,
            self.pepper.description,
            self.pin_pepper.description,
            self.authority.description,
            self.platform.description,
            self.envelope.description,
            self.block.description,
        ]);
        all
    }
}

impl Contents {
    /// Draws a full set of keys and makes both certificates.
    pub(super) fn generate(now_s: i64, random: &dyn Random) -> Result<Self, KeystoreError> {
        let keys = Keys::generate(now_s, random);
        let module = Module { keys: &keys, random };
        let root_certificate = certificate::create_root(&module, ROOT_NAME, now_s, random)?;
        let platform_certificate =
            certificate::issue_platform(&module, &root_certificate, PLATFORM_NAME, now_s, random)?;
        Ok(Self { keys, root_certificate, platform_certificate })
    }

    /// The same with one more root key.
    pub(super) fn with_next_root(&self, now_s: i64, random: &dyn Random) -> Self {
        let mut next = self.clone();
        next.keys.add_root(now_s, random);
        next
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let keys = &self.keys;
        // Sized so that it never grows: a buffer left behind by growing would not be wiped.
        let certificates = [self.root_certificate.der(), self.platform_certificate.der()];
        let room =
            64 * (keys.earlier_roots.len() + 8 + 2) + certificates.map(<[u8]>::len).iter().sum::<usize>();
        let mut out = Zeroizing::new(Vec::with_capacity(room + 64));
        for root in keys.roots() {
            put(&mut out, &root.description, root.key.expose());
        }
        put(&mut out, &keys.blind_index.description, keys.blind_index.key.expose());
        put(&mut out, &keys.pepper.description, keys.pepper.key.expose());
        put(&mut out, &keys.pin_pepper.description, keys.pin_pepper.key.expose());
        put(&mut out, &keys.authority.description, keys.authority.key.expose().expose());
        put(&mut out, &keys.platform.description, keys.platform.key.expose().expose());
        put(&mut out, &keys.envelope.description, keys.envelope.key.expose());
        put(&mut out, &keys.block.description, keys.block.key.expose());
        for (kind, certificate) in [ROOT_CERTIFICATE, PLATFORM_CERTIFICATE].into_iter().zip(certificates) {
            put_entry(&mut out, kind, &[0; 16], 1, 0, certificate);
        }
        out
    }

    /// Reads what [`Contents::encode`] wrote. The bytes come out of an authenticated seal, so
    /// anything unexpected means damage or a version from the future.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let entries = Entries::read(bytes)?;
        let mut roots = Vec::new();
        for entry in entries.of(KeyPurpose::KeyEncryption) {
            roots.push(entry.held(KeyPurpose::KeyEncryption, data_key)?);
        }
        let present_root = roots.pop().ok_or(KeystoreError::Damaged)?;
        let pepper = |bytes: &[u8]| Some(Pepper::from_bytes(bytes.try_into().ok()?));
        let keys = Keys {
            earlier_roots: roots,
            present_root,
            blind_index: entries.held(KeyPurpose::BlindIndex, |bytes| {
                Some(BlindIndexKey::from_bytes(bytes.try_into().ok()?))
            })?,
            pepper: entries.held(KeyPurpose::Pepper, pepper)?,
            pin_pepper: entries.held(KeyPurpose::PinPepper, pepper)?,
            authority: entries.held(KeyPurpose::CertificateAuthority, SigningKey::from_bytes)?,
            platform: entries.held(KeyPurpose::PlatformSigning, SigningKey::from_bytes)?,
            envelope: entries
                .held(KeyPurpose::Envelope, |bytes| Some(EnvelopeKey::from_bytes(bytes.try_into().ok()?)))?,
            block: entries.held(KeyPurpose::KeyBlock, |bytes| ProtectionKey::aes(bytes).ok())?,
        };
        Ok(Self {
            keys,
            root_certificate: entries.certificate(ROOT_CERTIFICATE)?,
            platform_certificate: entries.certificate(PLATFORM_CERTIFICATE)?,
        })
    }
}

fn data_key(bytes: &[u8]) -> Option<DataKey> {
    Some(DataKey::from_bytes(bytes.try_into().ok()?))
}

fn put(out: &mut Vec<u8>, key: &KeyDescription, bytes: &[u8]) {
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

struct Entry<'a> {
    kind: u8,
    id: KeyId,
    version: u32,
    created_at_s: i64,
    bytes: &'a [u8],
}

impl Entry<'_> {
    fn held<K>(
        &self,
        purpose: KeyPurpose,
        key: impl FnOnce(&[u8]) -> Option<K>,
    ) -> Result<Held<K>, KeystoreError> {
        let description =
            KeyDescription { id: self.id, purpose, version: self.version, created_at_s: self.created_at_s };
        Ok(Held { description, key: key(self.bytes).ok_or(KeystoreError::Damaged)? })
    }
}

struct Entries<'a>(Vec<Entry<'a>>);

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

    fn of(&self, purpose: KeyPurpose) -> impl Iterator<Item = &Entry<'a>> {
        self.0.iter().filter(move |entry| entry.kind == kind_of(purpose))
    }

    fn held<K>(
        &self,
        purpose: KeyPurpose,
        key: impl FnOnce(&[u8]) -> Option<K>,
    ) -> Result<Held<K>, KeystoreError> {
        self.of(purpose).last().ok_or(KeystoreError::Damaged)?.held(purpose, key)
    }

    fn certificate(&self, kind: u8) -> Result<Certificate, KeystoreError> {
        let entry = self.0.iter().find(|entry| entry.kind == kind).ok_or(KeystoreError::Damaged)?;
        Certificate::parse(entry.bytes).map_err(|_| KeystoreError::Damaged)
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
        Ok(self.keys.descriptions())
    }

    fn wrapping_key_id(&self) -> Result<KeyId, HsmError> {
        Ok(self.keys.root_id())
    }

    fn wrap(&self, clear: &[u8], context: &[u8]) -> Result<Vec<u8>, HsmError> {
        let Held { description, key } = &self.keys.present_root;
        Ok(seal::seal(key, description.id, &wrap_context(context), clear, self.random))
    }

    fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let id = seal::key_id(wrapped).ok_or(HsmError::Refused)?;
        let key = self.keys.root_with(id).ok_or(HsmError::UnknownKey(id))?;
        seal::open(key, &wrap_context(context), wrapped).map_err(|_| HsmError::Refused)
    }

    fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError> {
        Ok(self.keys.signer(signer).sign(message))
    }

    fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError> {
        Ok(self.keys.signer(signer).public_key())
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HsmError> {
        self.random.fill(bytes);
        Ok(())
    }
}

/// Keeps a wrapped key from being taken for a sealed value of the same bytes.
fn wrap_context(context: &[u8]) -> Vec<u8> {
    [b"starpay wrapped key v1 ", context].concat()
}
