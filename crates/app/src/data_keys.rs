//! 数据密钥: what every record is sealed under; its rotation, and erasure by its destruction.
//!
//! Rotation replaces the key above the data keys and wraps each of them anew; nothing that was
//! sealed is touched, and whatever still lies under an earlier key opens as before. Erasure
//! destroys a merchant's data keys: their records stay, unreadable, so the event chains over the
//! sealed bytes still verify. A backup made before still holds the keys: it must not outlive the
//! retention that erasure is for.

use crate::actor::{Action, Actor};
use crate::error::Error;
use crate::platform::Platform;
use crate::step::{PLATFORM, Step, deed};
use serde::{Deserialize, Serialize};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_keys::hsm::{Hsm, KeyPurpose, SignerName};
use starpay_keys::keystore::KeystoreError;
use starpay_keys::seal::KeyId;
use starpay_store::aggregate::limit;
use starpay_store::{access_key, data_key, merchant};
use utoipa::ToSchema;
use uuid::Uuid;

/// Data keys one transaction wraps anew.
const SLICE: i64 = 50;

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

/// What the rotation of a signing key did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningKeyReport {
    /// The id of the key that signs from now on.
    pub key: String,
    /// Its version: 1 for the first ever.
    pub version: u32,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureReport {
    /// `mer_…`
    pub merchant_id: String,
    /// Data keys destroyed now; 0 when it had been done before.
    pub keys_destroyed: u64,
    /// Sign-in contacts whose number was removed.
    pub contacts_cleared: u64,
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
        let now_s = self.now().millis().div_euclid(1000);
        let shared = std::sync::Arc::clone(&self.shared);
        let present = tokio::task::spawn_blocking(move || shared.vault.keystore().rotate(now_s))
            .await
            .map_err(|error| Error::internal(error.to_string()))?
            .map_err(|error| Error::internal(format!("the keystore could not be rotated: {error}")))?;
        let keys = self.shared.vault.keystore().keys().map_err(|error| Error::internal(error.to_string()))?;
        let version = keys.iter().find(|key| key.id == present).map_or(0, |key| key.version);
        self.record_rotation(actor, KeyPurpose::KeyEncryption, present, version).await?;
        let mut report = RotationReport { key: hex::encode(present), version, rewrapped: 0 };
        for key in keys.iter().filter(|key| key.purpose == KeyPurpose::KeyEncryption) {
            if key.id != present {
                report.rewrapped += self.rewrap_all(actor, hex::encode(key.id)).await?;
            }
        }
        Ok(report)
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
        let now_s = self.now().millis().div_euclid(1000);
        let shared = std::sync::Arc::clone(&self.shared);
        let rotated = tokio::task::spawn_blocking(move || {
            let keystore = shared.vault.keystore();
            let id = keystore.rotate_signer(signer, now_s)?;
            Ok::<_, KeystoreError>((id, keystore.keys()?))
        });
        let (id, keys) =
            rotated.await.map_err(|error| Error::internal(error.to_string()))?.map_err(|error| {
                Error::internal(format!("the {} key could not be rotated: {error}", signer.purpose()))
            })?;
        let version = keys.iter().find(|key| key.id == id).map_or(0, |key| key.version);
        self.record_rotation(actor, signer.purpose(), id, version).await?;
        Ok(SigningKeyReport { key: hex::encode(id), version })
    }

    /// Who changed a key of the keystore stands in the audit chain, under the new key's id.
    async fn record_rotation(
        &self,
        actor: &Actor,
        purpose: KeyPurpose,
        key: KeyId,
        version: u32,
    ) -> Result<(), Error> {
        self.apply_quietly(actor, move |step| {
            let said = [("purpose", purpose.word().to_owned()), ("version", version.to_string())];
            step.record_deed("key", Uuid::from_bytes(key), "rotate", "present", &deed(said))
        })
        .await
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

    /// Erases a merchant: destroys their data keys and the numbers they signed in with, and ends
    /// their sessions, links and keys. Nothing
    /// sealed for them can be opened again, by anybody; their event chains still verify. Erasing
    /// twice is the same as once.
    ///
    /// # Errors
    /// `forbidden`, `not_found`.
    pub async fn erase_merchant(&self, actor: &Actor, id: MerchantId) -> Result<ErasureReport, Error> {
        actor.may(Action::Administer)?;
        if id.uuid() == PLATFORM {
            return Err(Error::not_found());
        }
        let report = self
            .apply(actor, move |step| {
                merchant::find(step.tx, id.uuid())?.ok_or_else(Error::not_found)?;
                let contacts_cleared = step.clear_contacts(id)?;
                limit::forget_of_merchant(step.tx, id.uuid())?;
                let credentials_ended = access_key::revoke_of_merchant(step.tx, id.uuid(), step.at)?;
                let keys_destroyed = data_key::destroy(step.tx, id.uuid(), step.at)?;
                if keys_destroyed > 0 {
                    let said = [
                        ("keys_destroyed", keys_destroyed.to_string()),
                        ("contacts_cleared", contacts_cleared.to_string()),
                        ("credentials_ended", credentials_ended.to_string()),
                    ];
                    step.record_deed(MerchantId::PREFIX, id.uuid(), "erase", "erased", &deed(said))?;
                }
                Ok(ErasureReport { merchant_id: id.to_string(), keys_destroyed, contacts_cleared })
            })
            .await?;
        self.shared.vault.forget(id.uuid());
        Ok(report)
    }
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
