//! 审计链: signed roots over the ends of all event chains, and the verification that names what
//! happened to the records.
//!
//! [`Platform::sign_root`] writes `roots/<sequence>.jsonl` through the files port and only then
//! marks it in the database; a crash between the two leaves a file that the next round adopts.
//! [`Platform::verify_chain`] signs nothing and changes nothing. What it can prove has a limit,
//! and the report says where it is: events cut off the end *together* with every trace of them in
//! the database are noticed only when a root speaks of them. Whoever can also rewrite the files
//! port can remove the newest roots: keep a copy of `roots/` where the database's owner cannot
//! write.
//!
//! * this file: what is said of the chain, and signing
//! * `verify`: the verification of chains and roots
//! * `row`: every aggregate's row against its last event
//! * `files`: the files that the records name
//! * `finding`: the words for what it found

mod files;
mod finding;
mod row;
mod verify;

pub use files::{FileCheck, FileKind};
pub(crate) use verify::{Means, verify};

use crate::actor::{Action, Actor};
use crate::error::{Error, ErrorKind};
use crate::platform::{Platform, Shared};
use crate::vault::Vault;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use starpay_domain::instant::Timestamp;
use starpay_keys::hsm::{Hsm, SignerName};
use starpay_keys::signature::{PublicKey, Signature};
use starpay_store::root::{self, RootFile, RootMark};
use starpay_store::{StoreError, Tx, event};
use std::sync::Arc;
use utoipa::ToSchema;

/// The folder of the roots in the files port.
pub(crate) const ROOTS: &str = "roots/";
/// Chains that one root names: what one write transaction may mark.
const HEADS_MAX: i64 = 500;
/// Roots that one call signs at most; more wait for the next call.
const ROUNDS_MAX: usize = 200;
/// What a call of [`Platform::sign_root`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RootSummary {
    /// Roots signed or adopted now.
    pub roots: u64,
    /// Chains they name.
    pub heads: u64,
    /// The number of the last one, when there is one now.
    pub sequence: Option<i64>,
}

/// One thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct ChainFinding {
    /// Stable code, for example `event_changed`.
    pub code: String,
    /// The machine of the aggregate, for example `application`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The aggregate, for example `app_0190…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    /// Whose it is; absent for the platform's own things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// The event's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<i64>,
    /// The root's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<i64>,
    /// What happened, in words.
    pub text: String,
}

/// What a verification saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainReport {
    /// Whether nothing is wrong.
    pub clean: bool,
    /// When it was made: RFC 3339.
    pub verified_at: String,
    /// Aggregates with at least one event.
    pub aggregates: u64,
    /// Events.
    pub events: u64,
    /// Root files.
    pub roots: u64,
    /// The moment of the last root there is: whatever was recorded before it cannot be cut off
    /// unnoticed. Absent when there is none.
    pub covered_until: Option<String>,
    /// Chains that grew since, at most 500: their newest events could still be cut off unnoticed.
    pub uncovered_chains: u64,
    /// Rows of erased merchants: what their events say of them cannot be opened any more, so only
    /// their versions were compared.
    pub erased: u64,
    /// What is wrong; empty when all is well.
    pub findings: Vec<ChainFinding>,
    /// Whether there is more wrong than is named.
    pub more: bool,
}

impl Platform {
    /// Signs roots over every chain that grew since the last one. Nothing grew: nothing is signed.
    ///
    /// # Errors
    /// `forbidden`; `root_conflict` when a file stands where the next root belongs and is not one
    /// of ours; the store's and the files port's own.
    pub async fn sign_root(&self, actor: &Actor) -> Result<RootSummary, Error> {
        actor.may(Action::RunJobs).or_else(|_| actor.may(Action::Administer))?;
        let mut done = RootSummary::default();
        // One moment for the whole call, taken before the first look: a root never claims more.
        let at = self.now();
        for _ in 0..ROUNDS_MAX {
            let Some(file) = self.next_root(at).await? else { break };
            done.roots += 1;
            done.heads += u64::try_from(file.heads.len()).unwrap_or(0);
            done.sequence = Some(file.sequence);
            self.db.write(move |tx: &mut Tx| root::mark_rooted(tx, &file)).await?;
        }
        Ok(done)
    }

    /// The next root, its file written; `None` when no chain grew.
    async fn next_root(&self, at: Timestamp) -> Result<Option<RootFile>, Error> {
        let look = |tx: &mut Tx| Ok::<_, StoreError>((root::last(tx)?, root::collect(tx, HEADS_MAX)?));
        let (last, heads) = self.db.read(look).await?;
        let next = last.map_or(1, |mark| mark.sequence.saturating_add(1));
        let files = &self.shared.ports.files;
        if let Some(bytes) = files.get(root_key(next)).await? {
            // A crash left the file without its mark: it is adopted as it stands.
            return adopt(&bytes, last, next, &self.platform_keys()?).map(Some);
        }
        if heads.is_empty() {
            return Ok(None);
        }
        let mut file = RootFile::after(last, at, heads);
        let hsm: &dyn Hsm = self.shared.vault.keystore();
        let signature = hsm
            .sign(SignerName::Platform, &file.signed_bytes()?)
            .map_err(|error| Error::internal(error.to_string()))?;
        file.signature = Some(hex::encode(signature.to_bytes()));
        files.put(root_key(file.sequence), Bytes::from(file.to_bytes()?)).await?;
        Ok(Some(file))
    }

    /// Verifies every chain and every aggregate's row in one snapshot, then every root there is.
    ///
    /// # Errors
    /// `forbidden`; the store's and the files port's own. What is wrong with the records is not
    /// an error: the report names it.
    pub async fn verify_chain(&self, actor: &Actor) -> Result<ChainReport, Error> {
        actor.may(Action::Administer)?;
        let keys = self.platform_keys()?;
        let files = self.shared.ports.files.as_ref();
        let vault = Arc::clone(&self.shared);
        verify(&self.db, Means { files, keys: &keys, vault, at: self.now() }).await
    }

    /// The key that signs roots, and those that did before it was replaced.
    fn platform_keys(&self) -> Result<Vec<PublicKey>, Error> {
        let keystore = self.shared.vault.keystore();
        keystore.platform_keys().map_err(|error| Error::internal(error.to_string()))
    }
}

impl AsRef<Vault> for Shared {
    fn as_ref(&self) -> &Vault {
        &self.vault
    }
}

/// The name of a root in the files port. Twelve digits: names sort as numbers do.
pub(crate) fn root_key(sequence: i64) -> String {
    format!("{ROOTS}{sequence:012}.jsonl")
}

/// The number in a root's name; `None` for anything else.
pub(crate) fn root_sequence(key: &str) -> Option<i64> {
    let sequence = key.strip_prefix(ROOTS)?.strip_suffix(".jsonl")?.parse().ok()?;
    (root_key(sequence) == key).then_some(sequence)
}

fn adopt(bytes: &[u8], last: Option<RootMark>, next: i64, keys: &[PublicKey]) -> Result<RootFile, Error> {
    let previous = last.map_or(event::GENESIS, |mark| mark.hash);
    read_root(bytes, keys).filter(|file| file.sequence == next && file.previous == previous).ok_or_else(
        || Error {
            detail: Some(format!("{} is not the root that follows", root_key(next))),
            ..Error::new(ErrorKind::Conflict, "root_conflict")
        },
    )
}

/// A root file whose signature is the platform's; `None` for anything else.
fn read_root(bytes: &[u8], keys: &[PublicKey]) -> Option<RootFile> {
    let file = RootFile::parse(bytes).ok()?;
    let signature = hex::decode(file.signature.as_deref()?).ok()?;
    let signature = Signature::from_bytes(&signature).ok()?;
    let signed = file.signed_bytes().ok()?;
    keys.iter().any(|key| key.verify(&signed, &signature).is_ok()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_by_its_name_only() {
        assert_eq!(root_key(7), "roots/000000000007.jsonl");
        assert_eq!(root_sequence("roots/000000000007.jsonl"), Some(7));
        for other in ["roots/7.jsonl", "roots/000000000007.jsonl.tmp", "documents/000000000007.jsonl"] {
            assert_eq!(root_sequence(other), None, "{other}");
        }
    }
}
