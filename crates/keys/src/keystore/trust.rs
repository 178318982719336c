//! The keys everything else hangs from: in this keystore, or in a hardware module.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::contents::{Entries, Held, put};
use super::{KeystoreError, contents};
use crate::hsm::{HsmError, KeyDescription, KeyPurpose, KeyRotation, SignerName, wrap_context};
use crate::random::Random;
use crate::seal::{self, DataKey, KeyId};
use crate::signature::{PublicKey, Signature, SigningKey};

/// Root key-encryption keys and signing keys.
#[derive(Clone)]
pub(super) enum Trust {
    /// In the keystore's own file.
    Here(Own),
    /// In a module; the file only remembers which.
    Module {
        module: Arc<dyn KeyRotation>,
        /// The module's root keys as of the last write: another token is told by their absence.
        known: Vec<KeyDescription>,
        /// Root keys brought along from a software keystore: they only unwrap.
        brought: Vec<Held<DataKey>>,
    },
}

/// The keys of a software keystore.
#[derive(Clone)]
pub(super) struct Own {
    /// Root keys that only unwrap, oldest first.
    earlier_roots: Vec<Held<DataKey>>,
    present_root: Held<DataKey>,
    authority: Held<SigningKey>,
    platform: Held<SigningKey>,
}

impl Trust {
    /// Draws new keys, or takes those that the module has; it makes what it has not.
    pub(super) fn generate(
        module: Option<Arc<dyn KeyRotation>>,
        now_s: i64,
        random: &dyn Random,
    ) -> Result<Self, KeystoreError> {
        if let Some(module) = module {
            module.make_missing_keys(now_s)?;
            let known = roots_of(&*module)?;
            return Ok(Self::Module { module, known, brought: Vec::new() });
        }
        let signer =
            |name: SignerName| Held::first(name.purpose(), SigningKey::generate(random), now_s, random);
        Ok(Self::Here(Own {
            earlier_roots: Vec::new(),
            present_root: Held::first(KeyPurpose::KeyEncryption, DataKey::generate(random), now_s, random),
            authority: signer(SignerName::CertificateAuthority),
            platform: signer(SignerName::Platform),
        }))
    }

    /// What the file says, together with the module it lies under.
    pub(super) fn decode(
        entries: &Entries<'_>,
        module: Option<Arc<dyn KeyRotation>>,
    ) -> Result<Self, KeystoreError> {
        let (mut roots, mut known) = (Vec::new(), Vec::new());
        for entry in entries.of(KeyPurpose::KeyEncryption) {
            match entry.bytes {
                [] => known.push(entry.description(KeyPurpose::KeyEncryption)),
                _ => roots.push(entry.held(KeyPurpose::KeyEncryption, contents::data_key)?),
            }
        }
        if let Some(module) = module {
            let present = roots_of(&*module)?;
            if let Some(lost) = known.iter().find(|key| !present.iter().any(|there| there.id == key.id)) {
                return Err(KeystoreError::Hsm(HsmError::UnknownKey(lost.id)));
            }
            return Ok(Self::Module { module, known: present, brought: roots });
        }
        if !known.is_empty() {
            return Err(KeystoreError::ModuleNeeded);
        }
        Ok(Self::Here(Own {
            present_root: roots.pop().ok_or(KeystoreError::Damaged)?,
            earlier_roots: roots,
            authority: entries.held(KeyPurpose::CertificateAuthority, SigningKey::from_bytes)?,
            platform: entries.held(KeyPurpose::PlatformSigning, SigningKey::from_bytes)?,
        }))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Here(own) => {
                for root in own.roots() {
                    put(out, &root.description, root.key.expose());
                }
                for signer in [&own.authority, &own.platform] {
                    put(out, &signer.description, signer.key.expose().expose());
                }
            }
            Self::Module { module: _, known, brought } => {
                for root in brought {
                    put(out, &root.description, root.key.expose());
                }
                for description in known {
                    put(out, description, &[]);
                }
            }
        }
    }

    /// How many entries it writes.
    pub(super) fn entries(&self) -> usize {
        match self {
            Self::Here(own) => own.earlier_roots.len() + 3,
            Self::Module { module: _, known, brought } => known.len() + brought.len(),
        }
    }

    pub(super) fn module(&self) -> Option<&Arc<dyn KeyRotation>> {
        match self {
            Self::Here(_) => None,
            Self::Module { module, .. } => Some(module),
        }
    }

    pub(super) fn descriptions(&self) -> Result<Vec<KeyDescription>, HsmError> {
        match self {
            Self::Here(own) => {
                let mut all: Vec<KeyDescription> = own.roots().map(|held| held.description).collect();
                all.extend([own.authority.description, own.platform.description]);
                Ok(all)
            }
            Self::Module { module, known: _, brought } => {
                let mut all: Vec<KeyDescription> = brought.iter().map(|held| held.description).collect();
                all.extend(module.keys()?);
                Ok(all)
            }
        }
    }

    pub(super) fn root_id(&self) -> Result<KeyId, HsmError> {
        match self {
            Self::Here(own) => Ok(own.present_root.description.id),
            Self::Module { module, .. } => module.wrapping_key_id(),
        }
    }

    pub(super) fn wrap(
        &self,
        clear: &[u8],
        context: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, HsmError> {
        match self {
            Self::Here(Own { present_root: Held { description, key }, .. }) => {
                Ok(seal::seal(key, description.id, &wrap_context(context), clear, random))
            }
            Self::Module { module, .. } => module.wrap(clear, context),
        }
    }

    pub(super) fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let id = seal::key_id(wrapped).ok_or(HsmError::Refused)?;
        let key = match self {
            Self::Here(own) => own.roots().find(|held| held.description.id == id),
            Self::Module { module, known: _, brought } => {
                match brought.iter().find(|held| held.description.id == id) {
                    None => return module.unwrap(wrapped, context),
                    found @ Some(_) => found,
                }
            }
        };
        let key = &key.ok_or(HsmError::UnknownKey(id))?.key;
        seal::open(key, &wrap_context(context), wrapped).map_err(|_| HsmError::Refused)
    }

    pub(super) fn sign(&self, signer: SignerName, message: &[u8]) -> Result<Signature, HsmError> {
        match self {
            Self::Here(own) => Ok(own.signer(signer).key.sign(message)),
            Self::Module { module, .. } => module.sign(signer, message),
        }
    }

    pub(super) fn public_key(&self, signer: SignerName) -> Result<PublicKey, HsmError> {
        match self {
            Self::Here(own) => Ok(own.signer(signer).key.public_key()),
            Self::Module { module, .. } => module.public_key(signer),
        }
    }

    pub(super) fn random(&self, bytes: &mut [u8], random: &dyn Random) -> Result<(), HsmError> {
        match self {
            Self::Here(_) => {
                random.fill(bytes);
                Ok(())
            }
            Self::Module { module, .. } => module.random(bytes),
        }
    }

    /// Lets a module make the keys it does not have, for a keystore that moves there.
    pub(super) fn settle(&mut self, now_s: i64) -> Result<(), HsmError> {
        match self {
            Self::Here(_) => Ok(()),
            Self::Module { module, known, brought: _ } => {
                module.make_missing_keys(now_s)?;
                *known = roots_of(&**module)?;
                Ok(())
            }
        }
    }

    /// Makes the next root key; a module has it from then on, a file once it is written.
    pub(super) fn rotate_root(&mut self, now_s: i64, random: &dyn Random) -> Result<KeyId, HsmError> {
        match self {
            Self::Here(own) => {
                let fresh = own.present_root.next(DataKey::generate(random), now_s, random);
                own.earlier_roots.push(std::mem::replace(&mut own.present_root, fresh));
                Ok(own.present_root.description.id)
            }
            Self::Module { module, known, brought: _ } => {
                let id = module.rotate_root(now_s)?;
                *known = roots_of(&**module)?;
                Ok(id)
            }
        }
    }

    /// Makes a signing key in the place of the present one, which is gone then.
    pub(super) fn rotate_signer(
        &mut self,
        signer: SignerName,
        now_s: i64,
        random: &dyn Random,
    ) -> Result<KeyId, HsmError> {
        match self {
            Self::Here(own) => {
                let held = own.signer_mut(signer);
                *held = held.next(SigningKey::generate(random), now_s, random);
                Ok(held.description.id)
            }
            Self::Module { module, .. } => module.rotate_signer(signer, now_s),
        }
    }
}

impl Own {
    fn roots(&self) -> impl Iterator<Item = &Held<DataKey>> {
        self.earlier_roots.iter().chain([&self.present_root])
    }

    fn signer(&self, name: SignerName) -> &Held<SigningKey> {
        match name {
            SignerName::CertificateAuthority => &self.authority,
            SignerName::Platform => &self.platform,
        }
    }

    fn signer_mut(&mut self, name: SignerName) -> &mut Held<SigningKey> {
        match name {
            SignerName::CertificateAuthority => &mut self.authority,
            SignerName::Platform => &mut self.platform,
        }
    }
}

fn roots_of(module: &dyn KeyRotation) -> Result<Vec<KeyDescription>, HsmError> {
    let keys = module.keys()?;
    Ok(keys.into_iter().filter(|key| key.purpose == KeyPurpose::KeyEncryption).collect())
}
