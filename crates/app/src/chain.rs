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

use crate::actor::{Action, Actor};
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::port::Files;
use crate::step::prefixed;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_keys::hsm::{Hsm, SignerName};
use starpay_keys::signature::{PublicKey, Signature};
use starpay_store::aggregate::{self, AggregateRow};
use starpay_store::audit::{self, AuditReport, Finding, Subject};
use starpay_store::root::{self, Head, RootFile, RootMark};
use starpay_store::{Cursor, Db, StoreError, Tx, event};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// The folder of the roots in the files port.
pub(crate) const ROOTS: &str = "roots/";
/// Chains that one root names: what one write transaction may mark.
const HEADS_MAX: i64 = 500;
/// Roots that one call signs at most; more wait for the next call.
const ROUNDS_MAX: usize = 200;
/// Rows of one page of the verification.
const PAGE: i64 = 500;
/// Chains without a root that are counted; beyond it the report says "at least".
const UNCOVERED_MAX: i64 = 500;
/// Findings that are named; more are only said to exist.
const FINDINGS_MAX: usize = 1000;

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
    /// The moment of the last root: whatever was recorded before it cannot be cut off unnoticed.
    /// Absent when no root was signed yet.
    pub covered_until: Option<String>,
    /// Chains that grew since, at most 500: their newest events could still be cut off unnoticed.
    pub uncovered_chains: u64,
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

    /// Verifies every chain, every root and every aggregate's row in one snapshot.
    ///
    /// # Errors
    /// `forbidden`; the store's and the files port's own. What is wrong with the records is not
    /// an error: the report names it.
    pub async fn verify_chain(&self, actor: &Actor) -> Result<ChainReport, Error> {
        actor.may(Action::Administer)?;
        let keys = self.platform_keys()?;
        verify(&self.db, self.shared.ports.files.as_ref(), &keys, self.now()).await
    }

    /// The key that signs roots, and those that did before it was replaced.
    fn platform_keys(&self) -> Result<Vec<PublicKey>, Error> {
        let keystore = self.shared.vault.keystore();
        keystore.platform_keys().map_err(|error| Error::internal(error.to_string()))
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

/// The roots that can be believed, in order, and the numbers of those that cannot.
struct Roots {
    good: Vec<RootFile>,
    bad: BTreeSet<i64>,
}

async fn read_roots(files: &dyn Files, keys: &[PublicKey]) -> Result<Roots, Error> {
    let mut roots = Roots { good: Vec::new(), bad: BTreeSet::new() };
    for meta in files.list(ROOTS.to_owned()).await? {
        let Some(sequence) = root_sequence(&meta.key) else { continue };
        let bytes = files.get(meta.key).await?.unwrap_or_default();
        match read_root(&bytes, keys) {
            Some(file) if file.sequence == sequence => roots.good.push(file),
            Some(_) | None => {
                roots.bad.insert(sequence);
            }
        }
    }
    roots.good.sort_by_key(|file| file.sequence);
    Ok(roots)
}

/// Verifies a store against the roots in a files port.
pub(crate) async fn verify(
    db: &Db,
    files: &dyn Files,
    keys: &[PublicKey],
    at: Timestamp,
) -> Result<ChainReport, Error> {
    let Roots { good, bad } = read_roots(files, keys).await?;
    let read = u64::try_from(good.len() + bad.len()).unwrap_or(u64::MAX);
    let seen = db
        .read(move |tx: &mut Tx| {
            let audit = audit::verify(tx, good.iter().cloned().map(Ok))?;
            let mut rows = RowWalk::default();
            rows.walk_heads(tx)?;
            rows.walk_tables(tx)?;
            let uncovered = root::collect(tx, UNCOVERED_MAX)?.len();
            Ok::<_, StoreError>((audit, rows, root::last(tx)?, uncovered))
        })
        .await?;
    let (audit, rows, last, uncovered) = seen;
    let mut report = ChainReport {
        clean: false,
        verified_at: at.to_string(),
        aggregates: audit.aggregates,
        events: audit.events,
        roots: read,
        covered_until: last.map(|mark| mark.at.to_string()),
        uncovered_chains: u64::try_from(uncovered).unwrap_or(u64::MAX),
        more: audit.more || rows.more,
        findings: Vec::new(),
    };
    report.findings = findings(audit, &bad, rows);
    report.clean = report.findings.is_empty() && !report.more;
    Ok(report)
}

/// Every finding once: the chains' own first, then what only the rows tell.
fn findings(audit: AuditReport, bad: &BTreeSet<i64>, rows: RowWalk) -> Vec<ChainFinding> {
    let mut found = BTreeSet::new();
    let mut chains = BTreeSet::new();
    for finding in audit.findings {
        match finding {
            // It is there, but it cannot be believed: said below.
            Finding::RootMissing { sequence } if bad.contains(&sequence) => {}
            other => {
                if let Some(subject) = subject_of(&other) {
                    chains.insert(subject.aggregate_id);
                }
                found.insert(named(&other));
            }
        }
    }
    found.extend(bad.iter().map(|sequence| named(&Finding::RootChanged { sequence: *sequence })));
    // A chain that is known to be cut is not told again by its row.
    found.extend(rows.found.into_iter().filter(|(id, _)| !chains.contains(id)).map(|(_, finding)| finding));
    found.into_iter().collect()
}

/// Holds every aggregate's row against its chain: each knows the other's version.
#[derive(Default)]
struct RowWalk {
    found: BTreeMap<Uuid, ChainFinding>,
    more: bool,
}

impl RowWalk {
    fn find(&mut self, id: Uuid, finding: ChainFinding) {
        if self.found.len() < FINDINGS_MAX {
            self.found.insert(id, finding);
        } else {
            self.more = true;
        }
    }

    /// Finds chains whose row is gone or of another version.
    fn walk_heads(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut after = (Uuid::nil(), Uuid::nil());
        loop {
            let heads = root::list_heads(tx, after, PAGE)?;
            let Some(last) = heads.last() else { return Ok(()) };
            after = (last.aggregate_id, last.merchant_id);
            for head in heads {
                let Some(table) = aggregate::TABLES.iter().find(|table| table.name == head.kind) else {
                    continue;
                };
                match aggregate::find(tx, table, head.aggregate_id, head.merchant_id)? {
                    Some(row) if row.version == head.version => {}
                    Some(row) if row.version > head.version => {
                        self.cut_off(&subject_of_row(table.name, &row), head.version, row.version);
                    }
                    found => self.row_damaged(head, found.map(|row| row.version)),
                }
            }
        }
    }

    /// Finds rows whose chain is gone.
    fn walk_tables(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        for table in aggregate::TABLES {
            let mut after: Option<Cursor> = None;
            loop {
                let page = aggregate::list_all(tx, table, after, PAGE)?;
                for row in &page.rows {
                    if event::find(tx, row.id, row.merchant_id, row.version)?.is_some() {
                        continue;
                    }
                    let subject = subject_of_row(table.name, row);
                    let left = event::list_of_aggregate(tx, row.id, row.merchant_id, 0, PAGE)?;
                    match left.last() {
                        None => {
                            let finding = Finding::AggregateRemoved { subject, last_known: row.version };
                            self.find(row.id, named(&finding));
                        }
                        Some(last) if last.event.version < row.version => {
                            self.cut_off(&subject, last.event.version, row.version);
                        }
                        // The row is behind its events: said when the chains' ends were walked.
                        Some(_) => {}
                    }
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn cut_off(&mut self, subject: &Subject, found: i64, last_known: i64) {
        let finding = Finding::LastEventDeleted { subject: subject.clone(), found, last_known };
        self.find(subject.aggregate_id, named(&finding));
    }

    fn row_damaged(&mut self, head: Head, version: Option<i64>) {
        let known = head.version;
        let id = head.aggregate_id;
        let subject = Subject { kind: head.kind, merchant_id: head.merchant_id, aggregate_id: id };
        let finding = match version {
            None => finding(
                "row_removed",
                &subject,
                Some(known),
                format!("the row of {} was removed; its {known} events are still there", words(&subject)),
            ),
            Some(version) => finding(
                "row_changed",
                &subject,
                Some(known),
                format!("the row of {} stands at version {version}, its events at {known}", words(&subject)),
            ),
        };
        self.find(id, finding);
    }
}

fn subject_of_row(kind: &str, row: &AggregateRow) -> Subject {
    Subject { kind: kind.to_owned(), merchant_id: row.merchant_id, aggregate_id: row.id }
}

fn subject_of(finding: &Finding) -> Option<&Subject> {
    match finding {
        Finding::EventChanged { subject, .. }
        | Finding::EventMoved { subject, .. }
        | Finding::EventMissing { subject, .. }
        | Finding::LastEventDeleted { subject, .. }
        | Finding::AggregateRemoved { subject, .. }
        | Finding::LinkBroken { subject, .. }
        | Finding::HeadChanged { subject }
        | Finding::Rewritten { subject, .. } => Some(subject),
        Finding::RootMissing { .. } | Finding::RootChanged { .. } => None,
    }
}

/// A finding of the store under its code, with ids as people see them elsewhere.
fn named(found: &Finding) -> ChainFinding {
    let name = |subject: &Subject| words(subject);
    match found {
        Finding::EventChanged { subject, version } => finding(
            "event_changed",
            subject,
            Some(*version),
            format!("event {version} of {} was changed", name(subject)),
        ),
        Finding::EventMoved { subject, belongs_at, found_at } => finding(
            "event_moved",
            subject,
            Some(*belongs_at),
            format!("event {belongs_at} of {} was moved: it stands at {found_at}", name(subject)),
        ),
        Finding::EventMissing { subject, from, to } => finding(
            "event_missing",
            subject,
            Some(*from),
            format!("events {from} to {to} of {} were removed", name(subject)),
        ),
        Finding::LastEventDeleted { subject, found, last_known } => finding(
            "last_event_deleted",
            subject,
            Some(*last_known),
            format!(
                "the last events of {} were deleted: {last_known} is known, {found} is the last one left",
                name(subject)
            ),
        ),
        Finding::AggregateRemoved { subject, last_known } => finding(
            "aggregate_removed",
            subject,
            Some(*last_known),
            format!("all events of {} were removed: {last_known} were known", name(subject)),
        ),
        Finding::LinkBroken { subject, version, before } => finding(
            "link_broken",
            subject,
            Some(*version),
            format!("event {version} of {} does not follow event {before}: one was replaced", name(subject)),
        ),
        Finding::HeadChanged { subject } => finding(
            "head_changed",
            subject,
            None,
            format!("the recorded chain end of {} was changed or removed", name(subject)),
        ),
        Finding::Rewritten { subject, version, sequence } => ChainFinding {
            root: Some(*sequence),
            ..finding(
                "rewritten",
                subject,
                Some(*version),
                format!(
                    "the chain of {} was rewritten: root {sequence} knows another event {version}",
                    name(subject)
                ),
            )
        },
        Finding::RootMissing { sequence } => {
            root_finding("root_missing", *sequence, format!("root file {} is missing", root_key(*sequence)))
        }
        Finding::RootChanged { sequence } => root_finding(
            "root_changed",
            *sequence,
            format!("root file {} was changed, or the one before it was", root_key(*sequence)),
        ),
    }
}

fn finding(code: &str, subject: &Subject, event: Option<i64>, text: String) -> ChainFinding {
    let merchant = MerchantId::from_uuid(subject.merchant_id);
    ChainFinding {
        code: code.to_owned(),
        kind: Some(subject.kind.clone()),
        aggregate: Some(prefixed(&subject.kind, subject.aggregate_id)),
        merchant: (!subject.merchant_id.is_nil()).then(|| merchant.to_string()),
        event,
        root: None,
        text,
    }
}

fn root_finding(code: &str, sequence: i64, text: String) -> ChainFinding {
    ChainFinding {
        code: code.to_owned(),
        kind: None,
        aggregate: None,
        merchant: None,
        event: None,
        root: Some(sequence),
        text,
    }
}

fn words(subject: &Subject) -> String {
    let id = prefixed(&subject.kind, subject.aggregate_id);
    if subject.merchant_id.is_nil() {
        format!("{} {id}", subject.kind)
    } else {
        format!("{} {id} of merchant {}", subject.kind, MerchantId::from_uuid(subject.merchant_id))
    }
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
