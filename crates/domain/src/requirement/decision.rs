//! What is decided about the merchant: submission, checks, visit, review, agreement, registration.

use super::list::{Entry, List};
use super::{DueStatus, RequirementCode as R};
use crate::agreement::Agreement;
use crate::application::{Application, ReturnTo};
use crate::capability::CapabilityKind;
use crate::party::{Desk, Outside, Party};
use crate::reason::ReasonCode;
use crate::registration::{Channel, Registration};
use crate::visit::{Visit, VisitMode};

/// How far the application has come. The order is that of the journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// Not handed in.
    Open,
    /// Handed in.
    Submitted,
    /// The checks are done.
    Checked,
    /// The visit is done, or none is needed.
    Visited,
    /// Approved.
    Approved,
    /// The agreement is offered.
    Offered,
    /// The agreement is signed.
    Signed,
}

impl Progress {
    /// How far this application has come; a refused one has been reviewed, but not approved.
    pub(super) const fn of(application: Option<&Application>) -> Self {
        match application {
            None
            | Some(Application::Draft { .. } | Application::Withdrawn { .. } | Application::Expired { .. }) => {
                Self::Open
            }
            Some(
                Application::Submitted { .. } | Application::Checking { .. } | Application::Frozen { .. },
            ) => Self::Submitted,
            Some(Application::NeedsInfo { return_to, .. }) => match return_to {
                ReturnTo::Submitted => Self::Submitted,
                ReturnTo::InReview => Self::Visited,
            },
            Some(Application::Verifying { .. }) => Self::Checked,
            Some(
                Application::InReview { .. }
                | Application::Rejected { .. }
                | Application::Appealed { .. }
                | Application::Upheld { .. },
            ) => Self::Visited,
            Some(Application::Approved { .. }) => Self::Approved,
            Some(Application::ToBeSigned { .. }) => Self::Offered,
            Some(
                Application::Signed { .. }
                | Application::Reporting { .. }
                | Application::ReportFailed { .. }
                | Application::Ready { .. },
            ) => Self::Signed,
        }
    }
}

/// Adds what is still undecided.
pub(super) fn add(list: &mut List<'_>) {
    let application = list.situation.application.as_ref();
    let progress = Progress::of(application);
    add_obstacle(list);
    if progress == Progress::Open {
        let due = Entry::new(R::ApplicationUnsubmitted, DueStatus::CurrentlyDue);
        match application {
            Some(draft @ Application::Draft { .. }) => list.push_timed(due, draft),
            None | Some(_) => list.push(due),
        }
    }
    if progress < Progress::Checked {
        match application {
            Some(state @ (Application::Submitted { .. } | Application::Checking { .. })) => {
                list.push_timed(Entry::new(R::ChecksRunning, DueStatus::PendingVerification), state);
            }
            None | Some(_) => list.push(Entry::new(R::ChecksRunning, DueStatus::EventuallyDue)),
        }
    }
    if progress < Progress::Visited {
        add_visit(list);
    }
    if progress < Progress::Approved {
        add_review(list);
    }
    add_agreement(list, progress);
    add_registrations(list, progress);
}

/// What stands in the way apart from the milestones: a correction, a refusal, an end.
fn add_obstacle(list: &mut List<'_>) {
    let Some(application) = list.situation.application.as_ref() else { return };
    let now = DueStatus::CurrentlyDue;
    match application {
        Application::NeedsInfo { fields, reasons, .. } => {
            // A reason that lies in a named field stands with that field.
            let elsewhere =
                |reason: &ReasonCode| reason.form_field().is_none_or(|field| !fields.contains(&field));
            let general: Vec<ReasonCode> = reasons.iter().copied().filter(elsewhere).collect();
            list.push_timed(Entry::new(R::ApplicationUncorrected, now).because(&general), application);
        }
        Application::Frozen { reason, .. } => {
            list.push_timed(
                Entry::new(R::ApplicationFrozen, DueStatus::PendingVerification).because(&[*reason]),
                application,
            );
        }
        Application::Rejected { reasons, reapply_from, .. } => {
            let entry = Entry::new(R::ApplicationRejected, now).because(reasons);
            // While the merchant may not apply again yet, the refusal blocks applying too.
            let closed = reapply_from.is_some_and(|from| list.now() < from);
            list.push(if closed { entry.blocking(CapabilityKind::ALL) } else { entry });
        }
        Application::Appealed { reasons, .. } => {
            list.push_timed(
                Entry::new(R::AppealPending, DueStatus::PendingVerification).because(reasons),
                application,
            );
        }
        Application::Upheld { reasons, .. } => {
            list.push(Entry::new(R::ApplicationEnded, now).because(reasons));
        }
        Application::Withdrawn { .. } | Application::Expired { .. } => {
            list.push(Entry::new(R::ApplicationEnded, now));
        }
        Application::Draft { .. }
        | Application::Submitted { .. }
        | Application::Checking { .. }
        | Application::Verifying { .. }
        | Application::InReview { .. }
        | Application::Approved { .. }
        | Application::ToBeSigned { .. }
        | Application::Signed { .. }
        | Application::Reporting { .. }
        | Application::ReportFailed { .. }
        | Application::Ready { .. } => {}
    }
}

fn add_visit(list: &mut List<'_>) {
    let situation = list.situation;
    let mode = match &situation.application {
        Some(Application::Verifying { mode, .. }) => Some(*mode),
        None | Some(_) => situation.visit_rule,
    };
    let Some(mode) = mode else { return };
    let field = match mode {
        VisitMode::Onsite => "onsite_visit",
        VisitMode::Video => "video_verify",
    };
    let arrange = |status| Entry::new(R::VisitUnarranged, status).at(field);
    let carry_out = |status| Entry::new(R::VisitPending, status).at(field);
    match &situation.visit {
        Some(Visit::Done { .. }) => {}
        Some(visit @ (Visit::Offered { .. } | Visit::NoShow { .. })) => {
            list.push_timed(arrange(DueStatus::CurrentlyDue), visit);
            list.push(carry_out(DueStatus::EventuallyDue));
        }
        Some(visit @ (Visit::Booked { .. } | Visit::Rebooked { .. } | Visit::UnderWay { .. })) => {
            list.push_timed(carry_out(DueStatus::PendingVerification), visit);
        }
        None | Some(Visit::Cancelled { .. }) => {
            let due = match &situation.application {
                Some(Application::Verifying { .. }) => DueStatus::CurrentlyDue,
                None | Some(_) => DueStatus::EventuallyDue,
            };
            list.push(arrange(due));
            list.push(carry_out(DueStatus::EventuallyDue));
        }
    }
}

fn add_review(list: &mut List<'_>) {
    match list.situation.application.as_ref() {
        Some(state @ Application::InReview { .. }) => {
            list.push_timed(Entry::new(R::ReviewPending, DueStatus::PendingVerification), state);
        }
        None | Some(_) => list.push(Entry::new(R::ReviewPending, DueStatus::EventuallyDue)),
    }
}

fn add_agreement(list: &mut List<'_>, progress: Progress) {
    if progress >= Progress::Signed {
        return;
    }
    let situation = list.situation;
    match &situation.agreement {
        Some(Agreement::Signed { .. }) => {}
        Some(agreement @ Agreement::Offered { .. }) => {
            list.push_timed(Entry::new(R::AgreementUnsigned, DueStatus::CurrentlyDue), agreement);
        }
        None | Some(Agreement::Expired { .. } | Agreement::Superseded { .. }) => {
            let prepare = |status| Entry::new(R::AgreementUnprepared, status);
            match situation.application.as_ref() {
                Some(state @ Application::Approved { .. }) => {
                    list.push_timed(prepare(DueStatus::CurrentlyDue), state);
                }
                Some(Application::ToBeSigned { .. }) => list.push(prepare(DueStatus::CurrentlyDue)),
                None | Some(_) => list.push(prepare(DueStatus::EventuallyDue)),
            }
            list.push(Entry::new(R::AgreementUnsigned, DueStatus::EventuallyDue));
        }
    }
}

fn add_registrations(list: &mut List<'_>, progress: Progress) {
    let situation = list.situation;
    for channel in Channel::ALL.iter().copied() {
        let listed = situation.channels.iter().any(|row| row.channel == channel);
        if listed || channel.opens_terminal() {
            add_registration(list, channel, progress);
        }
    }
}

fn add_registration(list: &mut List<'_>, channel: Channel, progress: Progress) {
    let wallet = [CapabilityKind::AcceptQr];
    let about = |code, status| {
        let entry = Entry::new(code, status).at(channel.as_str());
        if channel.is_wallet() { entry.blocking(&wallet) } else { entry }
    };
    let answering = match channel {
        Channel::ClearingInstitution => Party::ThirdParty(Outside::Registry),
        Channel::Unionpay | Channel::Wechat | Channel::Alipay | Channel::Nucc => {
            Party::ThirdParty(Outside::Network)
        }
    };
    match list.situation.registration(channel) {
        Some(Registration::Registered { .. } | Registration::ChangePending { .. }) => {}
        Some(state @ Registration::Sent { .. }) => {
            let entry = about(R::RegistrationPending, DueStatus::PendingVerification).awaiting(answering);
            list.push_timed(entry, state);
        }
        Some(state @ Registration::Refused { reason, .. }) => {
            let reasons: Vec<ReasonCode> = ReasonCode::parse(reason).into_iter().collect();
            list.push_timed(about(R::RegistrationRefused, DueStatus::CurrentlyDue).because(&reasons), state);
        }
        Some(state @ Registration::Pending { .. }) => {
            let entry = about(R::RegistrationPending, DueStatus::CurrentlyDue);
            list.push_timed(entry.awaiting(Party::Us(Desk::Operations)), state);
        }
        None | Some(Registration::Closing { .. } | Registration::Closed { .. }) => {
            let status =
                if progress >= Progress::Signed { DueStatus::CurrentlyDue } else { DueStatus::EventuallyDue };
            list.push(about(R::RegistrationPending, status).awaiting(Party::Us(Desk::Operations)));
        }
    }
}
