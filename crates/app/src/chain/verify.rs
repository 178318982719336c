//! The verification: chains and rows in one snapshot, then the roots, a few at a time.
//!
//! A deployment signs a root a minute; a year of them is more than should stand in memory. Chains
//! only ever grow, so a root that is read after the snapshot is true of it as well.

use super::finding::{named, row_damaged, subject_of};
use super::{ChainFinding, ChainReport, ROOTS, read_root, root_sequence};
use crate::error::Error;
use crate::port::{FileMeta, Files};
use starpay_domain::instant::Timestamp;
use starpay_keys::signature::PublicKey;
use starpay_store::aggregate::{self, AggregateRow};
use starpay_store::audit::{AuditReport, Finding, Subject, Verification};
use starpay_store::root::{self, Head, RootFile};
use starpay_store::{Cursor, Db, StoreError, Tx, event};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Rows of one page of the verification.
const PAGE: i64 = 500;
/// Chains without a root that are counted; beyond it the report says "at least".
const UNCOVERED_MAX: i64 = 500;
/// Findings that are named; more are only said to exist.
const FINDINGS_MAX: usize = 1000;
/// Root files held in memory at once.
const ROOTS_HELD: usize = 16;
/// The largest root file that is read: several times what the most chains of one root take.
const ROOT_BYTES_MAX: u64 = 1024 * 1024;

/// Verifies a store against the roots in a files port.
pub(crate) async fn verify(
    db: &Db,
    files: &dyn Files,
    keys: &[PublicKey],
    at: Timestamp,
) -> Result<ChainReport, Error> {
    let seen = db
        .read(|tx: &mut Tx| {
            let audit = Verification::of_chains(tx)?;
            let mut rows = RowWalk::default();
            rows.walk_heads(tx)?;
            rows.walk_tables(tx)?;
            let uncovered = root::collect(tx, UNCOVERED_MAX)?.len();
            Ok::<_, StoreError>((audit, rows, root::last(tx)?, uncovered))
        })
        .await?;
    let (audit, rows, last, uncovered) = seen;
    // Listed after the snapshot: every root it knows has its file by then.
    let (audit, roots, bad) = verify_roots(db, files, keys, audit).await?;
    let audit = audit.end();
    let mut report = ChainReport {
        clean: false,
        verified_at: at.to_string(),
        aggregates: audit.aggregates,
        events: audit.events,
        roots,
        covered_until: last.map(|mark| mark.at.to_string()),
        uncovered_chains: u64::try_from(uncovered).unwrap_or(u64::MAX),
        more: audit.more || rows.more,
        findings: Vec::new(),
    };
    report.findings = findings(audit, &bad, rows);
    report.clean = report.findings.is_empty() && !report.more;
    Ok(report)
}

/// Verifies the roots in their order: how many there are, and the numbers of those that cannot be
/// believed.
async fn verify_roots(
    db: &Db,
    files: &dyn Files,
    keys: &[PublicKey],
    mut audit: Verification,
) -> Result<(Verification, u64, BTreeSet<i64>), Error> {
    let mut listed: Vec<(i64, FileMeta)> = files
        .list(ROOTS.to_owned())
        .await?
        .into_iter()
        .filter_map(|meta| Some((root_sequence(&meta.key)?, meta)))
        .collect();
    listed.sort_by_key(|(sequence, _)| *sequence);
    let roots = u64::try_from(listed.len()).unwrap_or(u64::MAX);
    let mut bad = BTreeSet::new();
    for part in listed.chunks(ROOTS_HELD) {
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
        audit = db
            .read(move |tx: &mut Tx| {
                let mut audit = audit.clone();
                good.iter().try_for_each(|file| audit.root(tx, file))?;
                Ok::<_, StoreError>(audit)
            })
            .await?;
    }
    Ok((audit, roots, bad))
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
                    match last_version(tx, row)? {
                        None => {
                            let finding = Finding::AggregateRemoved { subject, last_known: row.version };
                            self.find(row.id, named(&finding));
                        }
                        Some(last) if last < row.version => self.cut_off(&subject, last, row.version),
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
        let id = head.aggregate_id;
        let finding = row_damaged(head, version);
        self.find(id, finding);
    }
}

/// The version of the last event that is left.
fn last_version(tx: &mut Tx, row: &AggregateRow) -> Result<Option<i64>, StoreError> {
    let mut last = None;
    loop {
        let page = event::list_of_aggregate(tx, row.id, row.merchant_id, last.unwrap_or(0), PAGE)?;
        match page.last() {
            Some(stored) => last = Some(stored.event.version),
            None => return Ok(last),
        }
    }
}

fn subject_of_row(kind: &str, row: &AggregateRow) -> Subject {
    Subject { kind: kind.to_owned(), merchant_id: row.merchant_id, aggregate_id: row.id }
}
