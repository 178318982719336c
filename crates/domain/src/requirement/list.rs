//! The list being made: entries with their clocks, finished into order.

use super::{DueStatus, RemedyKey, Requirement, RequirementCode, Situation};
use crate::capability::CapabilityKind;
use crate::field::FormField;
use crate::instant::Timestamp;
use crate::party::{Owned, Party};
use crate::reason::ReasonCode;

/// The list being made for one merchant.
pub(super) struct List<'s> {
    /// What is known.
    pub(super) situation: &'s Situation,
    now: Timestamp,
    entries: Vec<Entry>,
}

/// One entry being made.
pub(super) struct Entry {
    requirement: Requirement,
    begun: Option<Timestamp>,
}

impl Entry {
    /// An entry with what is usual for its code.
    pub(super) fn new(code: RequirementCode, status: DueStatus) -> Self {
        let requirement = Requirement {
            code,
            field: None,
            awaiting: code.awaiting(),
            status,
            errors: Vec::new(),
            remedy: RemedyKey::Requirement(code),
            impact: code.impact().to_vec(),
            deadline: None,
            expected_wait_seconds: None,
            alternatives: Vec::new(),
        };
        Self { requirement, begun: None }
    }

    /// Where it is.
    pub(super) fn at(mut self, field: &'static str) -> Self {
        self.requirement.field = Some(field);
        self
    }

    /// Who must act, where that is not the usual party.
    pub(super) fn awaiting(mut self, party: Party) -> Self {
        self.requirement.awaiting = party;
        self
    }

    /// What is wrong; the first reason gives the advice.
    pub(super) fn because(mut self, reasons: &[ReasonCode]) -> Self {
        if let Some(first) = reasons.first() {
            self.requirement.remedy = RemedyKey::Reason(*first);
        }
        self.requirement.errors = reasons.to_vec();
        self
    }

    /// What it blocks, where that is not the usual.
    pub(super) fn blocking(mut self, impact: &[CapabilityKind]) -> Self {
        self.requirement.impact = impact.to_vec();
        self
    }

    /// Other sets of fields that would do.
    pub(super) fn or(mut self, alternatives: Vec<Vec<FormField>>) -> Self {
        self.requirement.alternatives = alternatives;
        self
    }

    /// A deadline of its own.
    pub(super) fn by(mut self, deadline: Option<Timestamp>) -> Self {
        self.requirement.deadline = deadline;
        self
    }
}

impl<'s> List<'s> {
    /// An empty list.
    pub(super) const fn new(situation: &'s Situation, now: Timestamp) -> Self {
        Self { situation, now, entries: Vec::new() }
    }

    /// Now.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Adds an entry that is timed by the state a machine is in: what that state waits for is
    /// this entry, so its time-out is the entry's deadline and its beginning starts the wait.
    pub(super) fn push_timed<M: Owned>(&mut self, entry: Entry, machine: &M) {
        let deadline = machine.timeout(&self.situation.terms).map(|(moment, _)| moment);
        let mut entry = entry.by(deadline);
        entry.begun = machine.since();
        self.entries.push(entry);
    }

    /// Marks what is overdue, fills in the waits and puts first what the merchant can do now.
    pub(super) fn finish(self) -> Vec<Requirement> {
        let (now, waits) = (self.now, &self.situation.waits);
        let mut requirements: Vec<Requirement> = self
            .entries
            .into_iter()
            .map(|Entry { mut requirement, begun }| {
                let overdue = requirement.deadline.is_some_and(|deadline| deadline < now);
                if overdue && requirement.status == DueStatus::CurrentlyDue {
                    requirement.status = DueStatus::PastDue;
                }
                if requirement.awaiting != Party::Merchant {
                    let spent = begun.map_or(0, |begun| now.seconds_since(begun).max(0));
                    requirement.expected_wait_seconds =
                        waits.seconds(requirement.code).map(|usual| usual.saturating_sub(spent).max(0));
                }
                requirement
            })
            .collect();
        requirements.sort_by_key(rank);
        requirements
    }
}

/// What comes first: what the merchant can do now, then the terminal, then what others do now,
/// then what comes later. Equal ranks keep the order of the journey.
fn rank(requirement: &Requirement) -> u8 {
    match requirement.status {
        DueStatus::EventuallyDue => 3,
        DueStatus::PastDue | DueStatus::CurrentlyDue => match requirement.awaiting {
            Party::Merchant => 0,
            Party::Device => 1,
            Party::Us(_) | Party::ThirdParty(_) => 2,
        },
        DueStatus::PendingVerification => 2,
    }
}
