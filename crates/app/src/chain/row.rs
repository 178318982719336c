//! Every aggregate's row against its chain: each knows the other's version, and the last event
//! knows the row's state and facts.
//!
//! The event's payload is sealed, so an erased merchant's rows can be held against the versions
//! only; the report counts them. A row's look-up columns and limits stand in no event.

use super::ChainFinding;
use super::finding::{facts_changed, named, row_damaged, row_unreadable, state_differs};
use super::verify::{FINDINGS_MAX, PAGE};
use crate::error::Error;
use crate::step::{EventPayload, event_context, facts_context, row_digest};
use crate::vault::{Examined, SeenKeys, Vault};
use starpay_store::aggregate::{self, AggregateRow};
use starpay_store::audit::{Finding, Subject};
use starpay_store::root::{self, Head};
use starpay_store::{Cursor, StoreError, Tx, event};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Holds every aggregate's row against its chain.
#[derive(Default)]
pub(super) struct RowWalk {
    /// What only the rows tell, one finding for each aggregate.
    pub(super) found: BTreeMap<Uuid, ChainFinding>,
    /// Whether there is more.
    pub(super) more: bool,
    /// Rows of erased merchants: nobody can open what their events say.
    pub(super) erased: u64,
    seen: SeenKeys,
}

impl RowWalk {
    /// Every chain's end and every row.
    pub(super) fn of_all(tx: &mut Tx, vault: &Vault) -> Result<Self, Error> {
        let mut walk = Self::default();
        walk.walk_heads(tx, vault)?;
        walk.walk_tables(tx)?;
        walk.seen.clear();
        Ok(walk)
    }

    fn find(&mut self, id: Uuid, finding: ChainFinding) {
        if self.found.len() < FINDINGS_MAX {
            self.found.insert(id, finding);
        } else {
            self.more = true;
        }
    }

    /// Finds chains whose row is gone, of another version, or not as the last event left it.
    fn walk_heads(&mut self, tx: &mut Tx, vault: &Vault) -> Result<(), Error> {
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
                    Some(row) if row.version == head.version => self.hold(tx, vault, table.name, &row)?,
                    Some(row) if row.version > head.version => {
                        self.cut_off(&subject_of_row(table.name, &row), head.version, row.version);
                    }
                    found => self.row_damaged(head, found.map(|row| row.version)),
                }
            }
        }
    }

    /// Holds a row against what its last event says of it.
    fn hold(&mut self, tx: &mut Tx, vault: &Vault, kind: &str, row: &AggregateRow) -> Result<(), Error> {
        // An event that is not there is named by the chain.
        let Some(last) = event::find(tx, row.id, row.merchant_id, row.version)? else { return Ok(()) };
        let context = event_context(row.id, row.version);
        let payload = &last.event.payload;
        let subject = || subject_of_row(kind, row);
        let said = match vault.examine(tx, &mut self.seen, row.merchant_id, &context, payload)? {
            Examined::Whole(plain) => serde_json::from_slice::<EventPayload>(&plain).ok(),
            Examined::Erased => {
                self.erased = self.erased.saturating_add(1);
                return Ok(());
            }
            Examined::Damaged => None,
        };
        let Some(said) = said else {
            self.find(row.id, row_unreadable(&subject(), row.version));
            return Ok(());
        };
        let facts_differ = match &said.row {
            Some(digest) => *digest != row_digest(&row.facts),
            // An event from before the digest was written: the seal alone has to tell.
            None => {
                let context = facts_context(kind, row.id);
                let opened = vault.examine(tx, &mut self.seen, row.merchant_id, &context, &row.facts)?;
                matches!(opened, Examined::Damaged)
            }
        };
        if said.state != row.state {
            self.find(row.id, state_differs(&subject(), row, &said.state));
        } else if facts_differ {
            self.find(row.id, facts_changed(&subject(), row.version));
        }
        Ok(())
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
