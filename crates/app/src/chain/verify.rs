//! The verification: chains and rows in one snapshot, then the roots, a few at a time.
//!
//! A deployment signs a root a minute; a year of them is more than should stand in memory. Chains
//! only ever grow, so a root that is read after the snapshot is true of it as well.

use super::finding::{named, subject_of};
use super::row::RowWalk;
use super::{ChainFinding, ChainReport, ROOTS, read_root, root_sequence};
use crate::error::Error;
use crate::port::{FileMeta, Files};
use crate::vault::Vault;
use starpay_domain::instant::Timestamp;
use starpay_keys::signature::PublicKey;
use starpay_store::audit::{AuditReport, Finding, Verification};
use starpay_store::root::{self, RootFile};
use starpay_store::{Db, StoreError, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Rows of one page of the verification.
pub(super) const PAGE: i64 = 500;
/// Chains without a root that are counted; beyond it the report says "at least".
const UNCOVERED_MAX: i64 = 500;
/// Findings that are named; more are only said to exist.
pub(super) const FINDINGS_MAX: usize = 1000;
/// Times the root files are listed at most: roots are signed while others are verified.
const LISTED_MAX: usize = 5;
/// Root files held in memory at once.
const ROOTS_HELD: usize = 16;
/// The largest root file that is read: several times what the most chains of one root take.
const ROOT_BYTES_MAX: u64 = 1024 * 1024;

/// What a verification needs besides the store.
pub(crate) struct Means<'m, V> {
    /// Where the roots are.
    pub(crate) files: &'m dyn Files,
    /// The keys that sign roots, and those that did before.
    pub(crate) keys: &'m [PublicKey],
    /// Opens what events say of their rows.
    pub(crate) vault: Arc<V>,
    /// Now.
    pub(crate) at: Timestamp,
}

/// Verifies a store against the roots in a files port.
pub(crate) async fn verify<V>(db: &Db, means: Means<'_, V>) -> Result<ChainReport, Error>
where
    V: AsRef<Vault> + Send + Sync + 'static,
{
    let Means { files, keys, vault, at } = means;
    let seen = db
        .read(move |tx: &mut Tx| {
            let audit = Verification::of_chains(tx)?;
            let rows = RowWalk::of_all(tx, (*vault).as_ref())?;
            let uncovered = root::collect(tx, UNCOVERED_MAX)?.len();
            Ok::<_, Error>((audit, rows, uncovered))
        })
        .await?;
    let (audit, rows, uncovered) = seen;
    // Listed after the snapshot: every root it knows has its file by then.
    let (audit, roots, bad) = verify_roots(db, files, keys, audit).await?;
    let audit = db
        .read(move |tx: &mut Tx| audit.clone().end(tx))
        .await
        .map_err(|error: StoreError| Error::from(error))?;
    let mut report = ChainReport {
        clean: false,
        verified_at: at.to_string(),
        aggregates: audit.aggregates,
        events: audit.events,
        roots,
        covered_until: audit.covered_until.map(|at| at.to_string()),
        uncovered_chains: u64::try_from(uncovered).unwrap_or(u64::MAX),
        erased: rows.erased,
        more: audit.more || rows.more,
        findings: Vec::new(),
    };
    report.findings = findings(audit, &bad, rows);
    report.clean = report.findings.is_empty() && !report.more;
    Ok(report)
}

/// Verifies the roots in their order: how many there are, and the numbers of those that cannot be
/// believed. Those signed meanwhile are verified as well: chains remember them already.
async fn verify_roots(
    db: &Db,
    files: &dyn Files,
    keys: &[PublicKey],
    mut audit: Verification,
) -> Result<(Verification, u64, BTreeSet<i64>), Error> {
    let (mut roots, mut bad, mut last) = (0, BTreeSet::new(), 0);
    for _ in 0..LISTED_MAX {
        let mut listed: Vec<(i64, FileMeta)> = files
            .list(ROOTS.to_owned())
            .await?
            .into_iter()
            .filter_map(|meta| Some((root_sequence(&meta.key)?, meta)))
            .filter(|(sequence, _)| *sequence > last)
            .collect();
        listed.sort_by_key(|(sequence, _)| *sequence);
        let Some((sequence, _)) = listed.last() else { break };
        last = *sequence;
        roots += u64::try_from(listed.len()).unwrap_or(0);
        for part in listed.chunks(ROOTS_HELD) {
            audit = verify_part(db, files, keys, audit, part, &mut bad).await?;
        }
    }
    Ok((audit, roots, bad))
}

/// Verifies a few roots, held in memory together.
async fn verify_part(
    db: &Db,
    files: &dyn Files,
    keys: &[PublicKey],
    audit: Verification,
    part: &[(i64, FileMeta)],
    bad: &mut BTreeSet<i64>,
) -> Result<Verification, Error> {
    let mut good: Vec<RootFile> = Vec::with_capacity(part.len());
    for (sequence, meta) in part {
        let file = if meta.size > ROOT_BYTES_MAX {
            None
        } else {
            let bytes = files.get(meta.key.clone()).await?.unwrap_or_default();
            read_root(&bytes, keys).filter(|file| file.sequence == *sequence)
        };
        match file {
            Some(file) => good.push(file),
            None => {
                bad.insert(*sequence);
            }
        }
    }
    db.read(move |tx: &mut Tx| {
        let mut audit = audit.clone();
        good.iter().try_for_each(|file| audit.root(tx, file))?;
        Ok::<_, StoreError>(audit)
    })
    .await
    .map_err(Error::from)
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
