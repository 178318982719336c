//! New keys in the place of present ones, and another seal around all of them.

use super::file::{self, Lock};
use super::master::{FileRotation, MasterKey, Sealer};
use super::{Contents, Keystore, KeystoreError, OnDisk};
use crate::certificate::Certificate;
use crate::hsm::{KeyDescription, KeyPurpose, SignerName};
use crate::seal::KeyId;
use std::sync::{Arc, PoisonError};

impl Keystore {
    /// Adds a new root key-encryption key; answers its id. Earlier ones stay, so that whatever
    /// they wrapped still opens: [`rewrap`](crate::hsm::Hsm::rewrap) moves it over.
    ///
    /// # Errors
    /// When the file cannot be written; the keystore is then unchanged. A module keeps the key it
    /// made all the same, and wraps under it.
    pub fn rotate(&self, now_s: i64) -> Result<KeyId, KeystoreError> {
        let mut disk = self.writing();
        let lock = self.unchanged(&disk)?;
        let mut next = (*self.contents()).clone();
        let id = next.keys.trust.rotate_root(now_s, &*self.random)?;
        if next.keys.trust.module().is_some() {
            // The file's own key moves under the new root key with the rest.
            disk.sealer = Sealer::for_new(&disk.master, &*self.random)?;
        }
        self.replace(&lock, &mut disk, next)?;
        Ok(id)
    }

    /// Replaces a signing key and issues the certificates anew; answers the new key's id. The
    /// earlier private key is destroyed, its certificate stays: [`Keystore::platform_keys`].
    ///
    /// A new authority key makes a new root certificate. Devices' certificates of the earlier one
    /// still verify against [`Keystore::root_certificates`], but a terminal believes this
    /// platform's statements only once it has the new root: replace that key when it must be.
    ///
    /// # Errors
    /// When a certificate cannot be issued or the file cannot be written. The keystore is then
    /// unchanged; a module that made its key already is caught up with by
    /// [`Keystore::renew_certificate`].
    pub fn rotate_signer(&self, signer: SignerName, now_s: i64) -> Result<KeyId, KeystoreError> {
        let mut disk = self.writing();
        // Before a module destroys a key, not after.
        let lock = self.unchanged(&disk)?;
        let mut next = (*self.contents()).clone();
        let id = next.keys.trust.rotate_signer(signer, now_s, &*self.random)?;
        let next = next.with_renewed_certificates(now_s, &*self.random)?;
        self.replace(&lock, &mut disk, next)?;
        Ok(id)
    }

    /// Renews the platform's own certificate, for the key that signs at present.
    ///
    /// # Errors
    /// When it cannot be issued or the file cannot be written; the keystore is then unchanged.
    pub fn renew_certificate(&self, now_s: i64) -> Result<Certificate, KeystoreError> {
        let mut disk = self.writing();
        let lock = self.unchanged(&disk)?;
        let next = self.contents().with_renewed_certificates(now_s, &*self.random)?;
        let renewed = next.platform_certificate.clone();
        self.replace(&lock, &mut disk, next)?;
        Ok(renewed)
    }

    /// Draws a new master key: into the place of the present one's file, or under the module.
    ///
    /// # Errors
    /// [`KeystoreError::MasterKeyGiven`] for a passphrase or a key from elsewhere: use
    /// [`Keystore::reseal`]. When a file cannot be written; the keystore opens all the same.
    pub fn renew_master_key(&self) -> Result<(), KeystoreError> {
        let mut disk = self.writing();
        let master = disk.master.clone();
        match (master.path(), master.held_by()) {
            (Some(path), _) => {
                let lock = Lock::take(&self.path)?;
                let rotation = FileRotation::begin(&lock, path, &*self.random)?;
                let bytes = rotation.sealer.seal(&self.contents().encode(), &*self.random);
                file::replace(&lock, &self.path, &disk.bytes, &bytes)?;
                *disk = OnDisk { sealer: rotation.finish()?, master, bytes };
                Ok(())
            }
            (None, Some(_)) => self.seal_under(&mut disk, master),
            (None, None) => Err(KeystoreError::MasterKeyGiven),
        }
    }

    /// Seals the same keys under another master key.
    ///
    /// # Errors
    /// When the master key cannot be used or the file cannot be written; nothing changed then.
    /// [`KeystoreError::OtherMasterKind`] from or to a module: keys move there by
    /// [`Keystore::export`] and [`Keystore::import`].
    pub fn reseal(&self, master: &MasterKey) -> Result<(), KeystoreError> {
        let mut disk = self.writing();
        match (self.contents().keys.trust.module(), master.held_by()) {
            (None, None) | (Some(_), Some(_)) => self.seal_under(&mut disk, master.clone()),
            (Some(_), None) => Err(KeystoreError::OtherMasterKind("under a hardware module")),
            (None, Some(_)) => Err(KeystoreError::OtherMasterKind("not under a hardware module")),
        }
    }

    /// Reads the file again when another process has written it since; whether it had. Every key
    /// that was there must still be: a rotation adds, it never takes away what unwraps.
    ///
    /// # Errors
    /// When the file cannot be read or opened, or is another keystore; this one is then as it was.
    pub fn refresh(&self) -> Result<bool, KeystoreError> {
        let mut disk = self.writing();
        let bytes = {
            let _lock = Lock::take(&self.path)?;
            file::read(&self.path)?
        };
        if bytes == disk.bytes {
            return Ok(false);
        }
        let sealer = Sealer::for_existing(&disk.master, &bytes)?;
        let next = Contents::decode(&sealer.open(&bytes)?, disk.master.held_by())?;
        let known = next.keys.trust.descriptions()?;
        let lost = |old: &KeyDescription| {
            old.purpose == KeyPurpose::KeyEncryption && !known.iter().any(|key| key.id == old.id)
        };
        if self.contents().keys.trust.descriptions()?.iter().any(lost) {
            return Err(KeystoreError::ChangedElsewhere);
        }
        (disk.sealer, disk.bytes) = (sealer, bytes);
        *self.contents.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(true)
    }

    fn seal_under(&self, disk: &mut OnDisk, master: MasterKey) -> Result<(), KeystoreError> {
        let sealer = Sealer::for_new(&master, &*self.random)?;
        let bytes = sealer.seal(&self.contents().encode(), &*self.random);
        file::replace(&Lock::take(&self.path)?, &self.path, &disk.bytes, &bytes)?;
        *disk = OnDisk { master, sealer, bytes };
        Ok(())
    }

    /// Holds the file, which nobody has written since this keystore read it.
    fn unchanged(&self, disk: &OnDisk) -> Result<Lock, KeystoreError> {
        let lock = Lock::take(&self.path)?;
        if file::read(&self.path)? == disk.bytes { Ok(lock) } else { Err(KeystoreError::ChangedElsewhere) }
    }

    fn replace(&self, lock: &Lock, disk: &mut OnDisk, next: Contents) -> Result<(), KeystoreError> {
        let bytes = disk.sealer.seal(&next.encode(), &*self.random);
        file::replace(lock, &self.path, &disk.bytes, &bytes)?;
        disk.bytes = bytes;
        *self.contents.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }
}
