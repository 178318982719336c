//! 进件申请: from a draft to a merchant that may have a terminal.
//!
//! Facts that recur: `since` when the state began (in a draft: when it was last saved),
//! `submitted_by`/`submitted_at` who handed it in and when, `attempt` how many times it was
//! handed in, `by` who acted (an actor reference, never a name), `note` a reference to a sealed
//! text. A corrected application after `rejected` is a new one, so there is no edge for it.

mod apply;
#[cfg(test)]
mod tests;

use crate::field::FormField;
use crate::id::{AgreementId, ApplicationId, RegistrationId, VisitId};
use crate::instant::Timestamp;
use crate::machine::{Edge, edge};
use crate::party::{Desk, Limit, Outside, Owned, Owner, Party, Then, owner};
use crate::reason::ReasonCode;
use crate::term::Term;
use crate::visit::{VisitMode, VisitOutcome};

crate::text_enum! {
    /// Where a corrected application goes on.
    pub enum ReturnTo {
        /// Through the automatic checks again: what was corrected is checked by machine.
        Submitted "submitted",
        /// Straight back to the reviewer who asked.
        InReview "in_review",
    }
}

crate::facts_enum! {
    /// The state of an application, with its facts.
    pub enum Application {
        /// 草稿.
        Draft "draft" { since: Timestamp, started_at: Timestamp },
        /// 已提交.
        Submitted "submitted" { since: Timestamp, submitted_by: String, submitted_at: Timestamp, attempt: u32 },
        /// 自动预检.
        Checking "checking" { since: Timestamp, submitted_by: String, submitted_at: Timestamp, attempt: u32 },
        /// 待核实.
        Verifying "verifying" { since: Timestamp, submitted_by: String, submitted_at: Timestamp, attempt: u32, mode: VisitMode },
        /// 待审.
        InReview "in_review" {
            since: Timestamp, submitted_by: String, submitted_at: Timestamp, attempt: u32,
            visit: Option<VisitId>, visit_outcome: Option<VisitOutcome>,
            claimed_by: Option<String>, first_approved_by: Option<String>,
        },
        /// 待补件.
        NeedsInfo "needs_info" {
            since: Timestamp, submitted_by: String, submitted_at: Timestamp, attempt: u32,
            fields: Vec<FormField>, reasons: Vec<ReasonCode>, note: Option<String>, requested_by: String,
            return_to: ReturnTo, visit: Option<VisitId>, visit_outcome: Option<VisitOutcome>,
        },
        /// 已通过.
        Approved "approved" { since: Timestamp, approved_by: String, first_approved_by: Option<String> },
        /// 待签约.
        ToBeSigned "to_be_signed" { since: Timestamp, approved_by: String, agreement: AgreementId },
        /// 已签约.
        Signed "signed" { since: Timestamp, agreement: AgreementId },
        /// 报送中.
        Reporting "reporting" { since: Timestamp, agreement: AgreementId, attempt: u32 },
        /// 报送失败.
        ReportFailed "report_failed" {
            since: Timestamp, agreement: AgreementId, attempt: u32,
            registration: RegistrationId, reason: String, field: Option<String>,
        },
        /// 已入网.
        Ready "ready" { since: Timestamp, agreement: AgreementId },
        /// 已驳回.
        Rejected "rejected" {
            since: Timestamp, by: String, reasons: Vec<ReasonCode>, fields: Vec<FormField>,
            appeal_until: Timestamp, reapply_from: Option<Timestamp>,
            submitted_by: String, submitted_at: Timestamp, attempt: u32,
        },
        /// 申诉中.
        Appealed "appealed" {
            since: Timestamp, rejected_by: String, reasons: Vec<ReasonCode>, statement: String,
            submitted_by: String, submitted_at: Timestamp, attempt: u32,
        },
        /// 维持驳回.
        Upheld "upheld" { since: Timestamp, by: String, reasons: Vec<ReasonCode> },
        /// 已撤回.
        Withdrawn "withdrawn" { since: Timestamp, by: String, left: String },
        /// 已冻结: the subject has an application already.
        Frozen "frozen" {
            since: Timestamp, duplicate_of: Option<ApplicationId>, reason: ReasonCode,
            submitted_by: String, submitted_at: Timestamp, attempt: u32,
        },
        /// 已过期.
        Expired "expired" { since: Timestamp, left: String },
    }
}

crate::facts_enum! {
    /// What moves an application.
    pub enum ApplicationEvent {
        /// The merchant saved some fields; of those asked about, `confirmed` ones with the same value.
        Edit "edit" { fields: Vec<FormField>, confirmed: Vec<FormField> },
        /// The merchant handed it in.
        Submit "submit" { by: String },
        /// The automatic checks started.
        BeginChecks "begin_checks" {},
        /// The checks passed; `visit` says which visit is needed, if any.
        ChecksPassed "checks_passed" { visit: Option<VisitMode> },
        /// The checks found what the merchant can correct.
        ChecksFlagged "checks_flagged" { fields: Vec<FormField>, reasons: Vec<ReasonCode> },
        /// The checks found what nobody can correct.
        ChecksFailed "checks_failed" {
            fields: Vec<FormField>, reasons: Vec<ReasonCode>, appeal_until: Timestamp, reapply_from: Option<Timestamp>,
        },
        /// The visit confirmed the business.
        VisitPassed "visit_passed" { visit: VisitId },
        /// The visit did not confirm it; the reviewer decides what follows.
        VisitFailed "visit_failed" { visit: VisitId, reasons: Vec<ReasonCode> },
        /// The reviewer wants a visit, or another one.
        RequestVisit "request_visit" { by: String, mode: VisitMode },
        /// A reviewer took it.
        Claim "claim" { by: String },
        /// The reviewer gave it back, or a supervisor took it away.
        Release "release" { by: String },
        /// The first of two approvals.
        FirstApprove "first_approve" { by: String },
        /// The reviewer asks for corrections.
        RequestInfo "request_info" {
            by: String, fields: Vec<FormField>, reasons: Vec<ReasonCode>, note: Option<String>, return_to: ReturnTo,
        },
        /// The merchant handed in the corrections.
        Resubmit "resubmit" { by: String },
        /// Approved.
        Approve "approve" { by: String },
        /// Refused.
        Reject "reject" {
            by: String, reasons: Vec<ReasonCode>, fields: Vec<FormField>,
            appeal_until: Timestamp, reapply_from: Option<Timestamp>,
        },
        /// The agreement was offered; a later offer supersedes it.
        OfferAgreement "offer_agreement" { agreement: AgreementId },
        /// The merchant signed.
        Sign "sign" { agreement: AgreementId },
        /// We reported the merchant.
        Report "report" {},
        /// A channel refused the report.
        ReportRefused "report_refused" { registration: RegistrationId, reason: String, field: Option<String> },
        /// Every channel asked for has registered the merchant.
        Registered "registered" {},
        /// The merchant gave up.
        Withdraw "withdraw" { by: String },
        /// The subject has an application already.
        Freeze "freeze" { duplicate_of: Option<ApplicationId>, reason: ReasonCode },
        /// The duplicate was cleared up, or is let pass: then despite what, and beside which other one.
        Unfreeze "unfreeze" {
            by: String, despite: Option<ReasonCode>, duplicate_of: Option<ApplicationId>,
        },
        /// The time is over.
        Expire "expire" {},
        /// The merchant objects to the refusal.
        Appeal "appeal" { by: String, statement: String },
        /// The objection is accepted: it is reviewed again.
        Reconsider "reconsider" { by: String },
        /// The refusal stands.
        Uphold "uphold" { by: String },
    }
}

/// The states in which an application is over, unless an appeal brings it back: its merchant may
/// begin another one (decision 0010).
pub const OVER: &[&str] = &["rejected", "upheld", "withdrawn", "expired"];

/// Every legal move of an application.
pub const EDGES: &[Edge] = &[
    edge("draft", "edit", "draft"),
    edge("draft", "submit", "submitted"),
    edge("draft", "withdraw", "withdrawn"),
    edge("draft", "expire", "expired"),
    edge("submitted", "begin_checks", "checking"),
    edge("submitted", "freeze", "frozen"),
    edge("submitted", "withdraw", "withdrawn"),
    edge("checking", "checks_passed", "verifying"),
    edge("checking", "checks_passed", "in_review"),
    edge("checking", "checks_flagged", "needs_info"),
    edge("checking", "checks_failed", "rejected"),
    edge("checking", "freeze", "frozen"),
    edge("checking", "withdraw", "withdrawn"),
    edge("verifying", "visit_passed", "in_review"),
    edge("verifying", "visit_failed", "in_review"),
    edge("verifying", "withdraw", "withdrawn"),
    edge("in_review", "claim", "in_review"),
    edge("in_review", "release", "in_review"),
    edge("in_review", "first_approve", "in_review"),
    edge("in_review", "request_visit", "verifying"),
    edge("in_review", "request_info", "needs_info"),
    edge("in_review", "approve", "approved"),
    edge("in_review", "reject", "rejected"),
    edge("in_review", "freeze", "frozen"),
    edge("in_review", "withdraw", "withdrawn"),
    edge("needs_info", "edit", "needs_info"),
    edge("needs_info", "resubmit", "submitted"),
    edge("needs_info", "resubmit", "in_review"),
    edge("needs_info", "withdraw", "withdrawn"),
    edge("needs_info", "expire", "expired"),
    edge("approved", "offer_agreement", "to_be_signed"),
    edge("approved", "withdraw", "withdrawn"),
    edge("to_be_signed", "offer_agreement", "to_be_signed"),
    edge("to_be_signed", "sign", "signed"),
    edge("to_be_signed", "withdraw", "withdrawn"),
    edge("to_be_signed", "expire", "expired"),
    edge("signed", "report", "reporting"),
    edge("reporting", "report_refused", "report_failed"),
    edge("reporting", "registered", "ready"),
    edge("report_failed", "report", "reporting"),
    edge("report_failed", "withdraw", "withdrawn"),
    edge("rejected", "appeal", "appealed"),
    edge("appealed", "reconsider", "in_review"),
    edge("appealed", "uphold", "upheld"),
    edge("frozen", "unfreeze", "submitted"),
    edge("frozen", "withdraw", "withdrawn"),
    edge("frozen", "expire", "expired"),
];

impl Owned for Application {
    const OWNERS: &'static [Owner] = &[
        owner("draft", Party::Merchant, Limit::Within(Term::DraftKept, Then::Apply("expire"))),
        owner("submitted", Party::Us(Desk::Operations), Limit::Within(Term::CheckStart, Then::Escalate)),
        owner(
            "checking",
            Party::ThirdParty(Outside::Verification),
            Limit::Within(Term::Checks, Then::Escalate),
        ),
        owner("verifying", Party::Us(Desk::Field), Limit::Within(Term::Verification, Then::Escalate)),
        owner("in_review", Party::Us(Desk::Review), Limit::Within(Term::Review, Then::Escalate)),
        owner("needs_info", Party::Merchant, Limit::Within(Term::Correction, Then::Apply("expire"))),
        owner("approved", Party::Us(Desk::Operations), Limit::Within(Term::AgreementOffer, Then::Escalate)),
        owner("to_be_signed", Party::Merchant, Limit::Within(Term::Signing, Then::Apply("expire"))),
        owner("signed", Party::Us(Desk::Operations), Limit::Within(Term::ReportStart, Then::Escalate)),
        owner("reporting", Party::ThirdParty(Outside::Registry), Limit::Within(Term::Report, Then::Escalate)),
        owner(
            "report_failed",
            Party::Us(Desk::Operations),
            Limit::Within(Term::ReportRepair, Then::Escalate),
        ),
        owner(
            "rejected",
            Party::Merchant,
            Limit::Unlimited("an appeal is a right with its own date, not a duty"),
        ),
        owner("appealed", Party::Us(Desk::Risk), Limit::Within(Term::Appeal, Then::Escalate)),
        owner("frozen", Party::Us(Desk::Review), Limit::Within(Term::FreezeReview, Then::Apply("expire"))),
    ];
}

crate::machine!(Application, ApplicationEvent, "application", EDGES, apply::apply);

/// Which approval is being given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalRule {
    /// One reviewer decides.
    Single,
    /// Two different reviewers decide (四眼原则).
    FourEyes,
}

/// Why this person may not approve this application now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefusal {
    /// The application is not in review.
    #[error("the application is not in review")]
    NotInReview,
    /// Whoever handed it in can never approve it.
    #[error("the submitter can never approve")]
    Submitter,
    /// Two people must approve and the first has not.
    #[error("a first approval by another reviewer is missing")]
    FirstApprovalMissing,
    /// The second approval must come from somebody else.
    #[error("the second approval must come from another reviewer")]
    SamePerson,
    /// The visit did not confirm the business.
    #[error("the visit failed; another one must pass first")]
    VisitFailed,
}

impl Application {
    /// A new draft.
    #[must_use]
    pub const fn begin(at: Timestamp) -> Self {
        Self::Draft { since: at, started_at: at }
    }

    /// Whether it stands in the way of another one: a merchant has one live application at a time
    /// (decision 0010). The others are [`OVER`].
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Draft { .. }
            | Self::Submitted { .. }
            | Self::Checking { .. }
            | Self::Verifying { .. }
            | Self::InReview { .. }
            | Self::NeedsInfo { .. }
            | Self::Approved { .. }
            | Self::ToBeSigned { .. }
            | Self::Signed { .. }
            | Self::Reporting { .. }
            | Self::ReportFailed { .. }
            | Self::Ready { .. }
            | Self::Appealed { .. }
            | Self::Frozen { .. } => true,
            Self::Rejected { .. } | Self::Upheld { .. } | Self::Withdrawn { .. } | Self::Expired { .. } => {
                false
            }
        }
    }

    /// Whether `by` may give the final approval under `rule`.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn may_approve(&self, by: &str, rule: ApprovalRule) -> Result<(), ApprovalRefusal> {
        let Self::InReview { submitted_by, visit_outcome, first_approved_by, .. } = self else {
            return Err(ApprovalRefusal::NotInReview);
        };
        if submitted_by == by {
            return Err(ApprovalRefusal::Submitter);
        }
        if *visit_outcome == Some(VisitOutcome::Fail) {
            return Err(ApprovalRefusal::VisitFailed);
        }
        match (rule, first_approved_by) {
            (ApprovalRule::Single, _) => Ok(()),
            (ApprovalRule::FourEyes, None) => Err(ApprovalRefusal::FirstApprovalMissing),
            (ApprovalRule::FourEyes, Some(first)) if first == by => Err(ApprovalRefusal::SamePerson),
            (ApprovalRule::FourEyes, Some(_)) => Ok(()),
        }
    }

    /// The fields the merchant may change now: all in a draft, the flagged ones while correcting.
    #[must_use]
    pub fn may_edit(&self, field: FormField) -> bool {
        match self {
            Self::Draft { .. } => true,
            Self::NeedsInfo { fields, .. } => fields.contains(&field),
            Self::Rejected { .. } => field == FormField::AppealStatement,
            Self::Submitted { .. }
            | Self::Checking { .. }
            | Self::Verifying { .. }
            | Self::InReview { .. }
            | Self::Approved { .. }
            | Self::ToBeSigned { .. }
            | Self::Signed { .. }
            | Self::Reporting { .. }
            | Self::ReportFailed { .. }
            | Self::Ready { .. }
            | Self::Appealed { .. }
            | Self::Upheld { .. }
            | Self::Withdrawn { .. }
            | Self::Frozen { .. }
            | Self::Expired { .. } => false,
        }
    }
}
