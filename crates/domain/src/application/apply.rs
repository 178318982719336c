//! The moves of an application: one arm per event, one function per stage.

use super::{Application, ApplicationEvent, ReturnTo};
use crate::instant::Timestamp;
use crate::machine::{Illegal, Machine};
use crate::visit::{VisitMode, VisitOutcome};

use Application as A;
use ApplicationEvent as E;

type Moved = Result<Application, Illegal>;

/// The state after `event` at the moment `at`.
pub(super) fn apply(state: Application, event: ApplicationEvent, at: Timestamp) -> Moved {
    match event {
        E::Edit { .. }
        | E::Submit { .. }
        | E::Resubmit { .. }
        | E::Withdraw { .. }
        | E::Expire { .. }
        | E::Appeal { .. } => by_merchant(state, event, at),
        E::BeginChecks { .. }
        | E::ChecksPassed { .. }
        | E::ChecksFlagged { .. }
        | E::ChecksFailed { .. }
        | E::VisitPassed { .. }
        | E::VisitFailed { .. }
        | E::Freeze { .. }
        | E::Unfreeze { .. } => verify(state, event, at),
        E::RequestVisit { .. }
        | E::Claim { .. }
        | E::Release { .. }
        | E::FirstApprove { .. }
        | E::RequestInfo { .. }
        | E::Approve { .. }
        | E::Reject { .. }
        | E::Reconsider { .. }
        | E::Uphold { .. } => review(state, event, at),
        E::OfferAgreement { .. }
        | E::Sign { .. }
        | E::Report { .. }
        | E::ReportRefused { .. }
        | E::Registered { .. } => enter(state, event, at),
    }
}

fn by_merchant(state: Application, event: ApplicationEvent, at: Timestamp) -> Moved {
    let left = state.name().to_owned();
    match (state, event) {
        (A::Draft { started_at, .. }, E::Edit { .. }) => Ok(A::Draft { since: at, started_at }),
        // Saving a correction does not move the day by which it is due.
        (state @ A::NeedsInfo { .. }, E::Edit { .. }) => Ok(state),
        (A::Draft { .. }, E::Submit { by }) => {
            Ok(A::Submitted { since: at, submitted_by: by, submitted_at: at, attempt: 1 })
        }
        (A::NeedsInfo { return_to, attempt, visit, visit_outcome, .. }, E::Resubmit { by }) => {
            let attempt = attempt.saturating_add(1);
            Ok(match return_to {
                ReturnTo::Submitted => {
                    A::Submitted { since: at, submitted_by: by, submitted_at: at, attempt }
                }
                ReturnTo::InReview => A::InReview {
                    since: at,
                    submitted_by: by,
                    submitted_at: at,
                    attempt,
                    visit,
                    visit_outcome,
                    claimed_by: None,
                    first_approved_by: None,
                },
            })
        }
        (
            A::Draft { .. }
            | A::Submitted { .. }
            | A::Checking { .. }
            | A::Verifying { .. }
            | A::InReview { .. }
            | A::NeedsInfo { .. }
            | A::Approved { .. }
            | A::ToBeSigned { .. }
            | A::ReportFailed { .. }
            | A::Frozen { .. },
            E::Withdraw { by },
        ) => Ok(A::Withdrawn { since: at, by, left }),
        (A::Draft { .. } | A::NeedsInfo { .. } | A::ToBeSigned { .. } | A::Frozen { .. }, E::Expire {}) => {
            Ok(A::Expired { since: at, left })
        }
        (
            A::Rejected { by: rejected_by, reasons, submitted_by, submitted_at, attempt, .. },
            E::Appeal { statement, .. },
        ) => Ok(A::Appealed {
            since: at,
            rejected_by,
            reasons,
            statement,
            submitted_by,
            submitted_at,
            attempt,
        }),
        (state, event) => Err(state.illegal(event.name())),
    }
}

fn verify(state: Application, event: ApplicationEvent, at: Timestamp) -> Moved {
    match (state, event) {
        (A::Submitted { submitted_by, submitted_at, attempt, .. }, E::BeginChecks {}) => {
            Ok(A::Checking { since: at, submitted_by, submitted_at, attempt })
        }
        (A::Checking { submitted_by, submitted_at, attempt, .. }, E::ChecksPassed { visit }) => {
            Ok(after_checks(visit, Filing { submitted_by, submitted_at, attempt }, at))
        }
        (A::Checking { submitted_by, submitted_at, attempt, .. }, E::ChecksFlagged { fields, reasons }) => {
            Ok(A::NeedsInfo {
                since: at,
                submitted_by,
                submitted_at,
                attempt,
                fields,
                reasons,
                note: None,
                requested_by: "checks".to_owned(),
                return_to: ReturnTo::Submitted,
                visit: None,
                visit_outcome: None,
            })
        }
        (
            A::Checking { submitted_by, submitted_at, attempt, .. },
            E::ChecksFailed { fields, reasons, appeal_until, reapply_from },
        ) => Ok(A::Rejected {
            since: at,
            by: "checks".to_owned(),
            reasons,
            fields,
            appeal_until,
            reapply_from,
            submitted_by,
            submitted_at,
            attempt,
        }),
        (A::Verifying { submitted_by, submitted_at, attempt, .. }, E::VisitPassed { visit }) => {
            let filing = Filing { submitted_by, submitted_at, attempt };
            Ok(filing.in_review(Some(visit), Some(VisitOutcome::Pass), at))
        }
        (A::Verifying { submitted_by, submitted_at, attempt, .. }, E::VisitFailed { visit, .. }) => {
            let filing = Filing { submitted_by, submitted_at, attempt };
            Ok(filing.in_review(Some(visit), Some(VisitOutcome::Fail), at))
        }
        (
            A::Submitted { submitted_by, submitted_at, attempt, .. }
            | A::Checking { submitted_by, submitted_at, attempt, .. }
            | A::InReview { submitted_by, submitted_at, attempt, .. },
            E::Freeze { duplicate_of, reason },
        ) => Ok(A::Frozen { since: at, duplicate_of, reason, submitted_by, submitted_at, attempt }),
        (A::Frozen { submitted_by, submitted_at, attempt, .. }, E::Unfreeze { .. }) => {
            Ok(A::Submitted { since: at, submitted_by, submitted_at, attempt })
        }
        (state, event) => Err(state.illegal(event.name())),
    }
}

/// Who handed the application in, when, and for the how-manieth time.
struct Filing {
    submitted_by: String,
    submitted_at: Timestamp,
    attempt: u32,
}

impl Filing {
    fn in_review(
        self,
        visit: Option<crate::id::VisitId>,
        visit_outcome: Option<VisitOutcome>,
        at: Timestamp,
    ) -> Application {
        let Self { submitted_by, submitted_at, attempt } = self;
        A::InReview {
            since: at,
            submitted_by,
            submitted_at,
            attempt,
            visit,
            visit_outcome,
            claimed_by: None,
            first_approved_by: None,
        }
    }
}

fn after_checks(visit: Option<VisitMode>, filing: Filing, at: Timestamp) -> Application {
    match visit {
        None => filing.in_review(None, None, at),
        Some(mode) => {
            let Filing { submitted_by, submitted_at, attempt } = filing;
            A::Verifying { since: at, submitted_by, submitted_at, attempt, mode }
        }
    }
}

fn review(state: Application, event: ApplicationEvent, at: Timestamp) -> Moved {
    match (state, event) {
        (A::Appealed { submitted_by, submitted_at, attempt, .. }, E::Reconsider { .. }) => {
            Ok(Filing { submitted_by, submitted_at, attempt }.in_review(None, None, at))
        }
        (A::Appealed { reasons, .. }, E::Uphold { by }) => Ok(A::Upheld { since: at, by, reasons }),
        (state, event) => decide(state, event, at),
    }
}

fn decide(state: Application, event: ApplicationEvent, at: Timestamp) -> Moved {
    let A::InReview {
        since,
        submitted_by,
        submitted_at,
        attempt,
        visit,
        visit_outcome,
        first_approved_by,
        ..
    } = state.clone()
    else {
        return Err(state.illegal(event.name()));
    };
    // Claiming, releasing and a first approval do not restart the desk's clock.
    let stays = |claimed_by: Option<String>, first_approved_by: Option<String>| A::InReview {
        since,
        submitted_by: submitted_by.clone(),
        submitted_at,
        attempt,
        visit,
        visit_outcome,
        claimed_by,
        first_approved_by,
    };
    match event {
        E::Claim { by } => Ok(stays(Some(by), first_approved_by)),
        E::Release { .. } => Ok(stays(None, first_approved_by)),
        E::FirstApprove { by } => Ok(stays(None, Some(by))),
        E::RequestVisit { mode, .. } => {
            Ok(A::Verifying { since: at, submitted_by, submitted_at, attempt, mode })
        }
        E::RequestInfo { by, fields, reasons, note, return_to } => Ok(A::NeedsInfo {
            since: at,
            submitted_by,
            submitted_at,
            attempt,
            fields,
            reasons,
            note,
            requested_by: by,
            return_to,
            visit,
            visit_outcome,
        }),
        E::Approve { by } => Ok(A::Approved { since: at, approved_by: by, first_approved_by }),
        E::Reject { by, reasons, fields, appeal_until, reapply_from } => Ok(A::Rejected {
            since: at,
            by,
            reasons,
            fields,
            appeal_until,
            reapply_from,
            submitted_by,
            submitted_at,
            attempt,
        }),
        event => Err(state.illegal(event.name())),
    }
}

fn enter(state: Application, event: ApplicationEvent, at: Timestamp) -> Moved {
    match (state, event) {
        (
            A::Approved { approved_by, .. } | A::ToBeSigned { approved_by, .. },
            E::OfferAgreement { agreement },
        ) => Ok(A::ToBeSigned { since: at, approved_by, agreement }),
        (A::ToBeSigned { .. }, E::Sign { agreement }) => Ok(A::Signed { since: at, agreement }),
        (A::Signed { agreement, .. }, E::Report {}) => Ok(A::Reporting { since: at, agreement, attempt: 1 }),
        (A::ReportFailed { agreement, attempt, .. }, E::Report {}) => {
            Ok(A::Reporting { since: at, agreement, attempt: attempt.saturating_add(1) })
        }
        (A::Reporting { agreement, attempt, .. }, E::ReportRefused { registration, reason, field }) => {
            Ok(A::ReportFailed { since: at, agreement, attempt, registration, reason, field })
        }
        (A::Reporting { agreement, .. }, E::Registered {}) => Ok(A::Ready { since: at, agreement }),
        (state, event) => Err(state.illegal(event.name())),
    }
}
