//! 数据密钥: what every record is sealed under, and its rotation.
//!
//! Rotating the root key replaces the key above the data keys and wraps each of them anew; rotating the
//! data keys gives each merchant another one, under which lies what is sealed from then on. Nothing that
//! was sealed is touched, and whatever still lies under an earlier key opens as before. Erasure
//! ([`crate::erasure`]) destroys a merchant's data keys: their records stay, unreadable, so the event chains over the
//! sealed bytes still verify. A backup made before still holds the keys: it must not outlive the
//! retention that erasure is for.

use crate::actor::{Action, Actor};
use crate::error::Error;
use crate::platform::Platform;
use crate::step::{PLATFORM, Step, deed};
use serde::{Deserialize, Serialize};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_keys::hsm::{Hsm, KeyDescription, KeyPurpose, SignerName};
use starpay_keys::keystore::{Keystore, KeystoreError};
use starpay_keys::seal::KeyId;
use starpay_store::{data_key, event, merchant};
use utoipa::ToSchema;
use uuid::Uuid;

/// Data keys one transaction wraps anew.
const SLICE: i64 = 50;
/// Data keys one transaction makes: it holds each merchant's lock, and a hardware module takes its time.
const MADE_AT_ONCE: i64 = 4;
/// Who records a rotation of which nobody did.
pub(crate) const KEEPER: &str = "keystore";

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotationReport {
    /// The id of the key that wraps from now on.
    pub key: String,
    /// Its version: 1 for the first ever.
    pub version: u32,
    /// Data keys wrapped anew.
    pub rewrapped: u64,
}

/// What the rotation of the data keys did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataKeysReport {
    /// Data keys made: one for each merchant that is not erased, and the platform's own.
    pub made: u64,
}

/// What the rotation of a signing key did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningKeyReport {
    /// The id of the key that signs from now on.
    pub key: String,
    /// Its version: 1 for the first ever.
    pub version: u32,
}

impl Platform {
    /// Makes a new key-encryption key and wraps every data key under it, in slices. A call that
    /// was cut off is finished by the next one.
    ///
    /// Other nodes over the same keystore file read it again as soon as they meet the new key, or
    /// within a minute.
    ///
    /// # Errors
    /// `forbidden`; the keystore's and the store's own.
    pub async fn rotate_keys(&self, actor: &Actor) -> Result<RotationReport, Error> {
        actor.may(Action::Administer)?;
        let made =
            self.rotated(actor, KeyPurpose::KeyEncryption, |keystore, now_s| keystore.rotate(now_s)).await?;
        let keys = self.keystore_keys().await?;
        let (present, version) = (made.id, made.version);
        let mut report = RotationReport { key: hex::encode(present), version, rewrapped: 0 };
        for key in keys.iter().filter(|key| key.purpose == KeyPurpose::KeyEncryption) {
            if key.id != present {
                report.rewrapped += self.rewrap_all(actor, hex::encode(key.id)).await?;
            }
        }
        Ok(report)
    }

    /// Gives every merchant and the platform itself a new data key, in slices. A call that was cut off
    /// has given some of them theirs; the next one gives all of them another.
    ///
    /// # Errors
    /// `forbidden`; the keystore's and the store's own.
    pub async fn rotate_data_keys(&self, actor: &Actor) -> Result<DataKeysReport, Error> {
        actor.may(Action::Administer)?;
        let (mut after, mut report) = ((Uuid::nil(), i64::MIN), DataKeysReport { made: 0 });
        loop {
            let (next, made) = self.apply_quietly(actor, move |step| renew_slice(step, after)).await?;
            report.made += made;
            match next {
                Some(next) => after = next,
                None => return Ok(report),
            }
        }
    }

    /// Replaces the platform's signing key and its certificate. What the earlier key signed still
    /// verifies; its private half is destroyed.
    ///
    /// Other nodes over the same keystore file read it again within a minute. A key statement under
    /// way in that moment may be refused by its terminal, which then asks anew.
    ///
    /// # Errors
    /// `forbidden`; the keystore's own.
    pub async fn rotate_signing_key(&self, actor: &Actor) -> Result<SigningKeyReport, Error> {
        self.rotate_signer(actor, SignerName::Platform).await
    }

    /// Replaces the certificate authority's key, and with it the root certificate. Certificates of
    /// the earlier root go on until each terminal renews; a terminal believes what is signed under
    /// the new root once it has that root's certificate.
    ///
    /// # Errors
    /// `forbidden`; the keystore's own.
    pub async fn rotate_ca_key(&self, actor: &Actor) -> Result<SigningKeyReport, Error> {
        self.rotate_signer(actor, SignerName::CertificateAuthority).await
    }

    async fn rotate_signer(&self, actor: &Actor, signer: SignerName) -> Result<SigningKeyReport, Error> {
        actor.may(Action::Administer)?;
        let rotate = move |keystore: &Keystore, now_s| keystore.rotate_signer(signer, now_s);
        let made = self.rotated(actor, signer.purpose(), rotate).await?;
        Ok(SigningKeyReport { key: hex::encode(made.id), version: made.version })
    }

    /// Puts a key in the place of another, and both halves of that into the audit chain: who is
    /// about to do it, before anything changes, under the present key's id; that it was done, under
    /// the new key's. The keystore is no part of the transaction. Where the second half cannot be
    /// written, or this process ends before, [`Platform::record_new_keys`] catches up.
    async fn rotated<F>(&self, actor: &Actor, purpose: KeyPurpose, rotate: F) -> Result<KeyDescription, Error>
    where
        F: FnOnce(&Keystore, i64) -> Result<KeyId, KeystoreError> + Send + 'static,
    {
        self.record_new_keys(&Actor::system(KEEPER)).await?;
        let keys = self.keystore_keys().await?;
        let present = keys.iter().filter(|key| key.purpose == purpose).max_by_key(|key| key.version);
        let present = *present.ok_or_else(|| Error::internal(format!("there is no {purpose} key")))?;
        self.apply_quietly(actor, move |step| record(step, &present, "begin_rotation")).await?;
        let (now_s, shared) = (self.now().millis().div_euclid(1000), std::sync::Arc::clone(&self.shared));
        let rotated = tokio::task::spawn_blocking(move || rotate(shared.vault.keystore(), now_s))
            .await
            .map_err(|error| Error::internal(error.to_string()))?;
        // Also when it failed: a module may have made its key before the file could not be written.
        self.record_new_keys(actor).await?;
        let id = rotated
            .map_err(|error| Error::internal(format!("the {purpose} key could not be rotated: {error}")))?;
        let made = self.keystore_keys().await?.into_iter().find(|key| key.id == id);
        made.ok_or_else(|| Error::internal(format!("the new {purpose} key is gone")))
    }

    /// Records each key that took another's place and of which the audit chain does not know yet.
    pub(crate) async fn record_new_keys(&self, actor: &Actor) -> Result<(), Error> {
        let keys = self.keystore_keys().await?;
        let unsaid = self
            .look(actor, move |step| {
                let mut unsaid = Vec::new();
                for key in keys.iter().filter(|key| key.version > 1) {
                    if event::version(step.tx, Uuid::from_bytes(key.id), PLATFORM)? == 0 {
                        unsaid.push(*key);
                    }
                }
                Ok(unsaid)
            })
            .await?;
        for key in unsaid {
            self.apply_quietly(actor, move |step| {
                // Another node may have been quicker.
                match event::version(step.tx, Uuid::from_bytes(key.id), PLATFORM)? {
                    0 => record(step, &key, "rotate"),
                    _ => Ok(()),
                }
            })
            .await?;
        }
        Ok(())
    }

    async fn keystore_keys(&self) -> Result<Vec<KeyDescription>, Error> {
        let shared = std::sync::Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.vault.keystore().keys())
            .await
            .map_err(|error| Error::internal(error.to_string()))?
            .map_err(|error| Error::internal(error.to_string()))
    }

    /// Wraps anew whatever still lies under one earlier key.
    async fn rewrap_all(&self, actor: &Actor, under: String) -> Result<u64, Error> {
        let (mut after, mut rewrapped) = ((Uuid::nil(), i64::MIN), 0);
        loop {
            let under = under.clone();
            let (next, done) =
                self.apply_quietly(actor, move |step| rewrap_slice(step, &under, after)).await?;
            rewrapped += done;
            match next {
                Some(next) => after = next,
                None => return Ok(rewrapped),
            }
        }
    }
}

/// What somebody does to a key of the keystore, in the chain of that key.
fn record(step: &mut Step<'_>, key: &KeyDescription, event: &str) -> Result<(), Error> {
    let said = [("purpose", key.purpose.word().to_owned()), ("version", key.version.to_string())];
    step.record_deed("key", Uuid::from_bytes(key.id), event, "present", &deed(said))
}

type Slice = (Option<(Uuid, i64)>, u64);

fn rewrap_slice(step: &mut Step<'_>, under: &str, after: (Uuid, i64)) -> Result<Slice, Error> {
    let rows = data_key::list_wrapped_under(step.tx, under, after, SLICE)?;
    let mut rewrapped = 0;
    for row in &rows {
        let Some((wrapped, now_under)) = step.shared.vault.rewrap(row)? else { continue };
        if data_key::rewrap(step.tx, row, &wrapped, &now_under)? {
            rewrapped += 1;
        }
    }
    Ok((rows.last().map(|row| (row.merchant_id, row.version)), rewrapped))
}

fn renew_slice(step: &mut Step<'_>, after: (Uuid, i64)) -> Result<Slice, Error> {
    let rows = data_key::list_present(step.tx, after, MADE_AT_ONCE)?;
    let mut made = 0;
    for row in &rows {
        if row.merchant_id != PLATFORM {
            // An erasure holds this lock too: no key may appear behind its back.
            merchant::lock(step.tx, row.merchant_id)?;
            let present = data_key::find_current(step.tx, row.merchant_id)?;
            if present.is_none_or(|key| key.version != row.version || key.destroyed_at.is_some()) {
                continue;
            }
        }
        let version = row.version.saturating_add(1);
        step.shared.vault.make(step.tx, row.merchant_id, version, step.at)?;
        let said = [("version", version.to_string())];
        step.record_deed(MerchantId::PREFIX, row.merchant_id, "rotate_data_key", "present", &deed(said))?;
        made += 1;
    }
    // Past every version of the last one, the new one too.
    Ok((rows.last().map(|row| (row.merchant_id, i64::MAX)), made))
}
