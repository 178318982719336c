//! The life of one requirement, as a machine.
//!
//! Requirements are computed, not stored: no aggregate holds this state. The machine fixes which
//! statuses there are and in which order they may follow each other, so that a list computed
//! twice can be compared.

use crate::instant::Timestamp;
use crate::machine::{Edge, Illegal, Machine, edge};
use crate::party::{Desk, Limit, Owned, Owner, Party, Then, owner};
use crate::reason::ReasonCode;
use crate::term::Term;

crate::facts_enum! {
    /// The state of a requirement, with its facts.
    pub enum RequirementState {
        /// 将来需要.
        EventuallyDue "eventually_due" { since: Timestamp },
        /// 现在需要.
        CurrentlyDue "currently_due" { since: Timestamp, errors: Vec<ReasonCode> },
        /// 已逾期.
        PastDue "past_due" { since: Timestamp, errors: Vec<ReasonCode> },
        /// 核验中.
        PendingVerification "pending_verification" { since: Timestamp },
        /// 已满足.
        Satisfied "satisfied" { since: Timestamp },
        /// 有误.
        Errored "errored" { since: Timestamp, errors: Vec<ReasonCode> },
    }
}

crate::facts_enum! {
    /// What moves a requirement.
    pub enum RequirementEvent {
        /// It is needed now.
        BecomeDue "become_due" {},
        /// Its deadline passed.
        FallOverdue "fall_overdue" {},
        /// The owner provided it.
        Provide "provide" {},
        /// It was verified.
        Satisfy "satisfy" {},
        /// It was found wrong.
        Err "err" { errors: Vec<ReasonCode> },
        /// It must be provided again (after an error, or when it ran out).
        Reopen "reopen" { errors: Vec<ReasonCode> },
    }
}

/// Every legal move of a requirement.
pub const EDGES: &[Edge] = &[
    edge("eventually_due", "become_due", "currently_due"),
    edge("eventually_due", "provide", "pending_verification"),
    edge("currently_due", "provide", "pending_verification"),
    edge("currently_due", "fall_overdue", "past_due"),
    edge("past_due", "provide", "pending_verification"),
    edge("pending_verification", "satisfy", "satisfied"),
    edge("pending_verification", "err", "errored"),
    edge("errored", "reopen", "currently_due"),
    edge("satisfied", "reopen", "currently_due"),
];

impl Owned for RequirementState {
    const OWNERS: &'static [Owner] = &[
        owner("eventually_due", Party::Merchant, Limit::Unlimited("nothing waits for it yet")),
        owner(
            "currently_due",
            Party::Merchant,
            Limit::Within(Term::RequirementDue, Then::Apply("fall_overdue")),
        ),
        owner(
            "past_due",
            Party::Merchant,
            Limit::Unlimited("what it blocks stays blocked until it is provided"),
        ),
        owner(
            "pending_verification",
            Party::Us(Desk::Review),
            Limit::Within(Term::RequirementCheck, Then::Escalate),
        ),
        owner("errored", Party::Us(Desk::Operations), Limit::Within(Term::CheckStart, Then::Apply("reopen"))),
        owner("satisfied", Party::Merchant, Limit::Unlimited("it holds until what proves it runs out")),
    ];
}

crate::machine!(RequirementState, RequirementEvent, "requirement", EDGES, apply);

fn apply(
    state: RequirementState,
    event: RequirementEvent,
    at: Timestamp,
) -> Result<RequirementState, Illegal> {
    use RequirementEvent as E;
    use RequirementState as S;
    match (state, event) {
        (S::EventuallyDue { .. }, E::BecomeDue {}) => Ok(S::CurrentlyDue { since: at, errors: Vec::new() }),
        (S::EventuallyDue { .. } | S::CurrentlyDue { .. } | S::PastDue { .. }, E::Provide {}) => {
            Ok(S::PendingVerification { since: at })
        }
        (S::CurrentlyDue { errors, .. }, E::FallOverdue {}) => Ok(S::PastDue { since: at, errors }),
        (S::PendingVerification { .. }, E::Satisfy {}) => Ok(S::Satisfied { since: at }),
        (S::PendingVerification { .. }, E::Err { errors }) => Ok(S::Errored { since: at, errors }),
        (S::Errored { .. } | S::Satisfied { .. }, E::Reopen { errors }) => {
            Ok(S::CurrentlyDue { since: at, errors })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::{NOON, Walk, check};

    impl Walk for RequirementState {
        const EVENTS: &'static [&'static str] = RequirementEvent::NAMES;
        fn starts() -> Vec<Self> {
            vec![Self::EventuallyDue { since: NOON }]
        }
        fn events() -> Vec<RequirementEvent> {
            vec![
                RequirementEvent::BecomeDue {},
                RequirementEvent::FallOverdue {},
                RequirementEvent::Provide {},
                RequirementEvent::Satisfy {},
                RequirementEvent::Err { errors: vec![ReasonCode::B203] },
                RequirementEvent::Reopen { errors: vec![ReasonCode::B201] },
            ]
        }
    }

    #[test]
    fn requirement_follows_its_edges() {
        check::<RequirementState>();
    }
}
