//! Verification of the event chains, which names what happened.
//!
//! Three passes, each in pages: every event against its own hash and its neighbour; every chain's
//! end against its last event; every root file against the events it speaks of and against what the
//! database remembers of it. A chain's end remembers that it stood in a root, so roots that are gone
//! together with their records are noticed while one such end is left. What it cannot see: events
//! cut off the end, together with their chain's end, since the last root that is left.

use crate::error::StoreError;
use crate::event::{GENESIS, Hash, StoredEvent, chain_hash};
use crate::params;
use crate::root::{self, Head, RootFile, RootMark};
use crate::sql::sql;
use crate::tx::Tx;
use starpay_domain::instant::Timestamp;
use std::collections::BTreeSet;
use std::fmt;
use uuid::Uuid;

sql! {
    EVENTS = "SELECT id, merchant_id, kind, aggregate_id, version, name, actor_kind, actor_id, at, \
              payload, previous, hash FROM event \
              WHERE (aggregate_id, version, merchant_id) > ($1, $2, $3) \
              ORDER BY aggregate_id, version, merchant_id LIMIT $4";
    HEAD = "SELECT kind, merchant_id, aggregate_id, version, hash FROM chain_head WHERE aggregate_id = $1";
    BARE_HEADS = "SELECT kind, merchant_id, aggregate_id, version, hash FROM chain_head AS head \
                  WHERE (aggregate_id, merchant_id) > ($1, $2) AND NOT EXISTS \
                  (SELECT 1 FROM event WHERE event.aggregate_id = head.aggregate_id) \
                  ORDER BY aggregate_id, merchant_id LIMIT $3";
    EVENT_HASH = "SELECT hash FROM event WHERE aggregate_id = $1 AND version = $2";
    LAST_VERSION = "SELECT version FROM event WHERE aggregate_id = $1 ORDER BY version DESC LIMIT 1";
    ROOTED = "SELECT rooted_version FROM chain_head WHERE aggregate_id = $1";
    REMEMBERED = "SELECT aggregate_id, merchant_id, rooted_version FROM chain_head \
                  WHERE (aggregate_id, merchant_id) > ($1, $2) ORDER BY aggregate_id, merchant_id LIMIT $3";
}

/// Rows of one page.
const PAGE: i64 = 500;
/// Findings that are named; more are only said to exist.
const FINDINGS_MAX: usize = 1000;
/// Versions tried when an event is looked for at another place of its chain.
const VERSIONS_TRIED: i64 = 10_000;

/// The aggregate a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Its machine.
    pub kind: String,
    /// Whose it is.
    pub merchant_id: Uuid,
    /// Its id.
    pub aggregate_id: Uuid,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of merchant {}", self.kind, self.aggregate_id.simple(), self.merchant_id.simple())
    }
}

/// One thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Finding {
    /// A stored event is not the one that was hashed: a byte of it was changed.
    #[error("event {version} of {subject} was changed")]
    EventChanged {
        /// Whose event.
        subject: Subject,
        /// Which.
        version: i64,
    },
    /// An event stands at another place of its chain than it was written at.
    #[error("event {belongs_at} of {subject} was moved: it stands at {found_at}")]
    EventMoved {
        /// Whose event.
        subject: Subject,
        /// Where it was written.
        belongs_at: i64,
        /// Where it stands.
        found_at: i64,
    },
    /// Events are missing before others.
    #[error("events {from} to {to} of {subject} were removed")]
    EventMissing {
        /// Whose events.
        subject: Subject,
        /// The first one missing.
        from: i64,
        /// The last one missing.
        to: i64,
    },
    /// Events are missing at the end.
    #[error("the last events of {subject} were deleted: {last_known} is known, {found} is the last one left")]
    LastEventDeleted {
        /// Whose events.
        subject: Subject,
        /// The last one left.
        found: i64,
        /// The last one known from the chain's end or a root.
        last_known: i64,
    },
    /// An aggregate that is known has no event any more.
    #[error("all events of {subject} were removed: {last_known} were known")]
    AggregateRemoved {
        /// Which.
        subject: Subject,
        /// Its last known version.
        last_known: i64,
    },
    /// An event is whole in itself but does not follow the one before it.
    #[error("event {version} of {subject} does not follow event {before}: one of them was replaced")]
    LinkBroken {
        /// Whose event.
        subject: Subject,
        /// Which.
        version: i64,
        /// The one before.
        before: i64,
    },
    /// The record of a chain's end does not fit its last event.
    #[error("the chain end of {subject} was changed or removed")]
    HeadChanged {
        /// Whose.
        subject: Subject,
    },
    /// An event is whole and linked, but a root knows another one: the chain was written anew.
    #[error("the chain of {subject} was rewritten: root {sequence} knows another event {version}")]
    Rewritten {
        /// Whose.
        subject: Subject,
        /// Which event.
        version: i64,
        /// The root that knows better.
        sequence: i64,
    },
    /// A root file is missing.
    #[error("root {sequence} is missing")]
    RootMissing {
        /// Which.
        sequence: i64,
    },
    /// A root file is not the one that was written.
    #[error("root {sequence} was changed, or the one before it was")]
    RootChanged {
        /// Which.
        sequence: i64,
    },
    /// Root files are there, and the database has lost its record of them.
    #[error("the record of roots {from} to {to} was removed")]
    MarksRemoved {
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// Chains remember that they stood in a root of which neither file nor record is left.
    #[error("{chains} chains stood in a root of which nothing is left")]
    RootsRemoved {
        /// How many chains.
        chains: i64,
    },
}

/// What a verification saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// Aggregates with at least one event.
    pub aggregates: u64,
    /// Events.
    pub events: u64,
    /// Root files.
    pub roots: u64,
    /// The moment of the last root that was verified.
    pub covered_until: Option<Timestamp>,
    /// What is wrong, sorted; empty when all is well.
    pub findings: Vec<Finding>,
    /// Whether there is more wrong than is named.
    pub more: bool,
}

impl AuditReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && !self.more
    }
}

/// A verification under way: the chains first, in one transaction; then the root files, one after
/// the other, so that they need not be held in memory together. Events are never changed or
/// removed, so a root that is read later than the chains says nothing that it did not say then.
#[derive(Debug, Clone)]
pub struct Verification {
    report: AuditReport,
    found: BTreeSet<Finding>,
    /// The last root read, and its hash.
    sequence: i64,
    previous: Hash,
    /// The last root that the database knew when the chains were walked.
    last: i64,
    /// Roots whose record is missing, as long as more of them may follow.
    unmarked: Option<Unmarked>,
    /// Chains whose last root was read.
    rooted: i64,
    /// Chains of which a root knows more than their end remembers: the root is not marked yet, or the
    /// end was set back.
    ahead: BTreeSet<Uuid>,
}

/// Root files of which the database has no record.
#[derive(Debug, Clone, Copy)]
struct Unmarked {
    from: i64,
    to: i64,
    /// Whether the record was there once: a crash can leave the last file without one.
    removed: bool,
}

impl Verification {
    /// Verifies every chain. Run it in a read transaction: it sees one moment of the store.
    ///
    /// # Errors
    /// The store's own.
    pub fn of_chains(tx: &mut Tx) -> Result<Self, StoreError> {
        let mut audit = Self {
            report: AuditReport::default(),
            found: BTreeSet::new(),
            sequence: 0,
            previous: GENESIS,
            last: root::last(tx)?.map_or(0, |mark| mark.sequence),
            unmarked: None,
            rooted: 0,
            ahead: BTreeSet::new(),
        };
        audit.walk_events(tx)?;
        audit.walk_heads(tx)?;
        Ok(audit)
    }

    /// Verifies the next root, in the order of their sequence. The caller has checked its
    /// signature.
    ///
    /// # Errors
    /// The store's own.
    pub fn root(&mut self, tx: &mut Tx, file: &RootFile) -> Result<(), StoreError> {
        self.report.roots += 1;
        if self.missing(file.sequence) {
            self.previous = file.previous;
        }
        let hash = file.hash()?;
        let marked = root::find(tx, file.sequence)?;
        self.check_mark(tx, file.sequence, marked.as_ref())?;
        if file.previous != self.previous || marked.is_some_and(|mark| mark.hash != hash) {
            self.find(Finding::RootChanged { sequence: file.sequence });
        }
        (self.sequence, self.previous) = (file.sequence, hash);
        self.report.covered_until = Some(file.at);
        file.heads.iter().try_for_each(|head| {
            self.check_remembered(tx, head, marked.is_none())?;
            self.check_rooted(tx, head, file.sequence)
        })
    }

    /// The number of the last root that was verified; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// What was seen, once every root there is was verified.
    ///
    /// # Errors
    /// The store's own.
    pub fn end(mut self, tx: &mut Tx) -> Result<AuditReport, StoreError> {
        self.missing(self.last.saturating_add(1));
        if let Some(Unmarked { from, to, removed: true }) = self.unmarked {
            self.find(Finding::MarksRemoved { from, to });
        }
        self.check_traces(tx)?;
        Ok(AuditReport { findings: self.found.into_iter().collect(), ..self.report })
    }

    /// Checks that the database remembers a root whose file is there.
    fn check_mark(
        &mut self,
        tx: &mut Tx,
        sequence: i64,
        marked: Option<&RootMark>,
    ) -> Result<(), StoreError> {
        // A root is marked before the next one is written: one that is still without a mark now,
        // with a next one there, has lost it.
        let before = match self.unmarked.take() {
            Some(before) if before.removed || root::find(tx, before.to)?.is_none() => Some(before.from),
            Some(_) | None => None,
        };
        match (before, marked) {
            (Some(from), Some(_)) => {
                self.find(Finding::MarksRemoved { from, to: sequence.saturating_sub(1) })
            }
            (Some(from), None) => self.unmarked = Some(Unmarked { from, to: sequence, removed: true }),
            (None, None) => self.unmarked = Some(Unmarked { from: sequence, to: sequence, removed: false }),
            (None, Some(_)) => {}
        }
        Ok(())
    }

    /// Holds what a root says of a chain against what the chain's end remembers of roots.
    fn check_remembered(&mut self, tx: &mut Tx, head: &Head, unmarked: bool) -> Result<(), StoreError> {
        let remembered = tx.query_opt(&ROOTED, params![head.aggregate_id])?;
        let Some(rooted) = remembered.map(|row| row.get::<i64>(0)).transpose()? else { return Ok(()) };
        if unmarked && rooted >= head.version {
            // Mark and memory are written together: the mark was there.
            self.unmarked.iter_mut().for_each(|unmarked| unmarked.removed = true);
        }
        if rooted == head.version {
            self.rooted = self.rooted.saturating_add(1);
        } else if rooted < head.version && self.ahead.len() <= FINDINGS_MAX {
            self.ahead.insert(head.aggregate_id);
        }
        Ok(())
    }

    /// Looks for chains that stood in a root of which nothing is left. Not when a root is named as
    /// missing or changed already, and not when roots were signed that were not verified: their
    /// chains would be counted without them.
    fn check_traces(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let explained = self
            .found
            .iter()
            .any(|finding| matches!(finding, Finding::RootMissing { .. } | Finding::RootChanged { .. }));
        let unseen = root::last(tx)?.is_some_and(|mark| mark.sequence > self.sequence);
        if explained || unseen || self.ahead.len() > FINDINGS_MAX {
            return Ok(());
        }
        let ahead = i64::try_from(self.ahead.len()).unwrap_or(i64::MAX);
        let chains = rooted_chains(tx)?.saturating_sub(self.rooted).saturating_sub(ahead);
        if chains > 0 {
            self.find(Finding::RootsRemoved { chains });
        }
        Ok(())
    }

    /// Names the roots that are missing before this one; whether there are any.
    fn missing(&mut self, before: i64) -> bool {
        let first = self.sequence.saturating_add(1);
        for sequence in first..before {
            self.find(Finding::RootMissing { sequence });
            if self.report.more {
                break;
            }
        }
        first < before
    }
}

/// Verifies every chain, and the root files given in the order of their sequence, in one
/// transaction: for a store with few of them.
///
/// # Errors
/// The store's own, or the first error the iterator gives.
pub fn verify<I>(tx: &mut Tx, roots: I) -> Result<AuditReport, StoreError>
where
    I: IntoIterator<Item = Result<RootFile, StoreError>>,
{
    let mut audit = Verification::of_chains(tx)?;
    for file in roots {
        audit.root(tx, &file?)?;
    }
    audit.end(tx)
}

/// The chain that is being walked.
struct Chain {
    subject: Subject,
    version: i64,
    hash: Hash,
    intact: bool,
}

impl Verification {
    fn find(&mut self, finding: Finding) {
        if self.found.len() < FINDINGS_MAX {
            self.found.insert(finding);
        } else {
            self.report.more = true;
        }
    }

    fn walk_events(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut chain: Option<Chain> = None;
        let mut after = (Uuid::nil(), i64::MIN, Uuid::nil());
        loop {
            let rows = tx.query(&EVENTS, params![after.0, after.1, after.2, PAGE])?;
            let Some(last) = rows.last() else { break };
            after = (last.get(3)?, last.get(4)?, last.get(1)?);
            for row in &rows {
                let stored = StoredEvent::read(row)?;
                chain = Some(match chain.take() {
                    Some(open) if open.subject.aggregate_id == stored.event.aggregate_id => {
                        self.next_event(open, &stored)
                    }
                    ended => {
                        if let Some(ended) = ended {
                            self.chain_end(tx, &ended)?;
                        }
                        self.report.aggregates += 1;
                        let before =
                            Chain { subject: subject(&stored), version: 0, hash: GENESIS, intact: true };
                        self.next_event(before, &stored)
                    }
                });
            }
        }
        chain.map_or(Ok(()), |ended| self.chain_end(tx, &ended))
    }

    /// Checks an event against its own hash and the event before it.
    fn next_event(&mut self, before: Chain, stored: &StoredEvent) -> Chain {
        self.report.events += 1;
        let version = stored.event.version;
        let subject = before.subject;
        let gap = version != before.version.saturating_add(1);
        if gap && version > before.version {
            let (from, to) = (before.version.saturating_add(1), version.saturating_sub(1));
            self.find(Finding::EventMissing { subject: subject.clone(), from, to });
        }
        let intact = chain_hash(&stored.previous, &stored.event) == stored.hash;
        if !intact {
            self.find(match written_at(stored) {
                Some(belongs_at) => {
                    Finding::EventMoved { subject: subject.clone(), belongs_at, found_at: version }
                }
                None => Finding::EventChanged { subject: subject.clone(), version },
            });
        } else if !gap && before.intact && stored.previous != before.hash {
            self.find(Finding::LinkBroken { subject: subject.clone(), version, before: before.version });
        }
        Chain { subject, version, hash: stored.hash, intact }
    }

    /// Checks a chain's recorded end against its last event.
    fn chain_end(&mut self, tx: &mut Tx, chain: &Chain) -> Result<(), StoreError> {
        let subject = || chain.subject.clone();
        let head = tx.query_opt(&HEAD, params![chain.subject.aggregate_id])?;
        let Some(head) = head.as_ref().map(Head::read).transpose()? else {
            self.find(Finding::HeadChanged { subject: subject() });
            return Ok(());
        };
        if head.version > chain.version {
            self.find(Finding::LastEventDeleted {
                subject: subject(),
                found: chain.version,
                last_known: head.version,
            });
        } else if chain.intact && (head.version != chain.version || head.hash != chain.hash) {
            self.find(Finding::HeadChanged { subject: subject() });
        }
        Ok(())
    }

    /// Finds chain ends without any event.
    fn walk_heads(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut after = (Uuid::nil(), Uuid::nil());
        loop {
            let rows = tx.query(&BARE_HEADS, params![after.0, after.1, PAGE])?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                let head = Head::read(row)?;
                after = (head.aggregate_id, head.merchant_id);
                let last_known = head.version;
                self.find(Finding::AggregateRemoved { subject: known(&head), last_known });
            }
        }
    }

    /// Checks what a root says about one chain.
    fn check_rooted(&mut self, tx: &mut Tx, head: &Head, sequence: i64) -> Result<(), StoreError> {
        let version = head.version;
        let stored = tx.query_opt(&EVENT_HASH, params![head.aggregate_id, version])?;
        if let Some(row) = stored {
            if row.get::<Hash>(0)? != head.hash {
                let subject = known(head);
                // An event already named as changed need not be named again.
                let named = Finding::EventChanged { subject: subject.clone(), version };
                if !self.found.contains(&named) {
                    self.find(Finding::Rewritten { subject, version, sequence });
                }
            }
            return Ok(());
        }
        let left = tx.query_opt(&LAST_VERSION, params![head.aggregate_id])?;
        match left.map(|row| row.get::<i64>(0)).transpose()? {
            None => self.removed(known(head), version),
            Some(found) if found < version => {
                self.cut_off(known(head), found, version);
            }
            // A hole before a later event: named as missing when the events were walked.
            Some(_) => {}
        }
        Ok(())
    }

    /// Names a removed aggregate once, with the highest version that is known of it.
    fn removed(&mut self, subject: Subject, version: i64) {
        let mut last_known = version;
        self.found.retain(|finding| {
            if let Finding::AggregateRemoved { subject: named, last_known: known } = finding
                && *named == subject
            {
                last_known = last_known.max(*known);
                return false;
            }
            true
        });
        self.find(Finding::AggregateRemoved { subject, last_known });
    }

    /// Names a cut-off chain once, with the highest version that is known of it.
    fn cut_off(&mut self, subject: Subject, found: i64, version: i64) {
        let mut last_known = version;
        self.found.retain(|finding| {
            if let Finding::LastEventDeleted { subject: named, last_known: known, .. } = finding
                && *named == subject
            {
                last_known = last_known.max(*known);
                return false;
            }
            true
        });
        self.find(Finding::LastEventDeleted { subject, found, last_known });
    }
}

/// How many chains remember that they stood in a root.
fn rooted_chains(tx: &mut Tx) -> Result<i64, StoreError> {
    let (mut after, mut count) = ((Uuid::nil(), Uuid::nil()), 0_i64);
    loop {
        let rows = tx.query(&REMEMBERED, params![after.0, after.1, PAGE])?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = (last.get(0)?, last.get(1)?);
        for row in &rows {
            count = count.saturating_add(i64::from(row.get::<i64>(2)? > 0));
        }
    }
}

fn subject(stored: &StoredEvent) -> Subject {
    let event = &stored.event;
    Subject { kind: event.kind.clone(), merchant_id: event.merchant_id, aggregate_id: event.aggregate_id }
}

fn known(head: &Head) -> Subject {
    Subject { kind: head.kind.clone(), merchant_id: head.merchant_id, aggregate_id: head.aggregate_id }
}

/// The version under which a stored event has the hash it carries, if there is one.
fn written_at(stored: &StoredEvent) -> Option<i64> {
    let mut event = stored.event.clone();
    (1..=VERSIONS_TRIED).find(|version| {
        event.version = *version;
        chain_hash(&stored.previous, &event) == stored.hash
    })
}
