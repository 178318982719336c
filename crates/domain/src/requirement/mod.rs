//! Why not yet? (还差什么) One engine answers, for every capability and every door.
//!
//! [`open_requirements`] turns the facts of one merchant into the list of what is still missing:
//! what, where, who must act, by when, how long it usually takes, and what it blocks. The list is
//! computed on each question and never stored, so it can never be out of date. Every milestone is
//! one entry from the first day until it is met: along the good way the list only shrinks.

mod account;
mod code;
mod decision;
mod intake;
mod list;
mod situation;
pub mod state;
mod terminal;
#[cfg(test)]
mod tests;

pub use code::RequirementCode;
pub use situation::{
    AccountChangeStatus, ChannelStatus, ContactStatus, FieldCondition, FieldStatus, MaterialCondition,
    MaterialStatus, SettlementStatus, Situation, WaitTable,
};

use crate::capability::CapabilityKind;
use crate::field::FormField;
use crate::instant::Timestamp;
use crate::party::Party;
use crate::reason::ReasonCode;
use std::fmt;

crate::text_enum! {
    /// How urgent an open requirement is.
    pub enum DueStatus {
        /// Its deadline passed.
        PastDue "past_due",
        /// Its owner can provide it now.
        CurrentlyDue "currently_due",
        /// It was provided and is being verified.
        PendingVerification "pending_verification",
        /// Something else comes first.
        EventuallyDue "eventually_due",
    }
}

/// Where the advice is found: in the catalogue of reasons when something is wrong, else in that
/// of requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemedyKey {
    /// The advice for this requirement.
    Requirement(RequirementCode),
    /// The advice for this reason of refusal.
    Reason(ReasonCode),
}

impl fmt::Display for RemedyKey {
    /// The message key: `requirement-agreement_unsigned`, `reason-B203`. A reason that stays
    /// inside has the neutral key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requirement(code) => write!(f, "requirement-{}", code.as_str()),
            Self::Reason(code) => write!(f, "reason-{}", code.merchant_code()),
        }
    }
}

/// One thing that is still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What.
    pub code: RequirementCode,
    /// Where: a form field, a channel or an activation step.
    pub field: Option<&'static str>,
    /// Who must act.
    pub awaiting: Party,
    /// How urgent it is.
    pub status: DueStatus,
    /// What is wrong with what is there.
    pub errors: Vec<ReasonCode>,
    /// Where the advice is found.
    pub remedy: RemedyKey,
    /// What it blocks.
    pub impact: Vec<CapabilityKind>,
    /// By when.
    pub deadline: Option<Timestamp>,
    /// How long it will usually still take, where somebody other than the merchant must act.
    pub expected_wait_seconds: Option<i64>,
    /// Other sets of fields, any one of which would do instead.
    pub alternatives: Vec<Vec<FormField>>,
}

impl Requirement {
    /// The codes of what is wrong, as far as the merchant may see them.
    #[must_use]
    pub fn merchant_errors(&self) -> Vec<&'static str> {
        self.errors.iter().map(|code| code.merchant_code()).collect()
    }

    /// Whether it blocks this capability.
    #[must_use]
    pub fn blocks(&self, kind: CapabilityKind) -> bool {
        self.impact.contains(&kind)
    }
}

/// Everything that is still missing, what the merchant can do now first.
#[must_use]
pub fn open_requirements(situation: &Situation, now: Timestamp) -> Vec<Requirement> {
    let mut list = list::List::new(situation, now);
    intake::add(&mut list);
    decision::add(&mut list);
    terminal::add(&mut list);
    account::add(&mut list);
    list.finish()
}

/// The entries that block one capability, in the same order.
#[must_use]
pub fn for_capability(requirements: &[Requirement], kind: CapabilityKind) -> Vec<&Requirement> {
    requirements.iter().filter(|requirement| requirement.blocks(kind)).collect()
}

/// The entries a terminal must wait for before it gets keys: all that block `activate` except
/// those that the activation itself will meet.
#[must_use]
pub fn before_keys(requirements: &[Requirement]) -> Vec<&Requirement> {
    requirements
        .iter()
        .filter(|requirement| {
            requirement.blocks(CapabilityKind::Activate) && !requirement.code.comes_with_activation()
        })
        .collect()
}
