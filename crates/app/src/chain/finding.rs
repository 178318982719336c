//! The words for what a verification found, with ids as people see them elsewhere.

use super::{ChainFinding, root_key};
use crate::step::prefixed;
use starpay_domain::id::{MerchantId, TypedId};
use starpay_store::aggregate::AggregateRow;
use starpay_store::audit::{Finding, Subject};
use starpay_store::root::Head;

/// A row that is gone, or that stands at another version than its events.
pub(super) fn row_damaged(head: Head, version: Option<i64>) -> ChainFinding {
    let known = head.version;
    let subject = Subject { kind: head.kind, merchant_id: head.merchant_id, aggregate_id: head.aggregate_id };
    match version {
        None => finding(
            "row_removed",
            &subject,
            Some(known),
            format!("the row of {} was removed; its {known} events are still there", words(&subject)),
        ),
        Some(version) => finding(
            "row_changed",
            &subject,
            Some(known),
            format!("the row of {} stands at version {version}, its events at {known}", words(&subject)),
        ),
    }
}

/// A row whose state is not the one its last event left it in.
pub(super) fn state_differs(subject: &Subject, row: &AggregateRow, said: &str) -> ChainFinding {
    finding(
        "state_differs",
        subject,
        Some(row.version),
        format!(
            "the row of {} stands in state {}, its last event left it in {said}",
            words(subject),
            row.state
        ),
    )
}

/// A row whose facts are not the ones its last event left there.
pub(super) fn facts_changed(subject: &Subject, version: i64) -> ChainFinding {
    finding(
        "facts_changed",
        subject,
        Some(version),
        format!("the facts in the row of {} are not those of its last event", words(subject)),
    )
}

/// A row whose last event is as it was written and still does not open.
pub(super) fn row_unreadable(subject: &Subject, version: i64) -> ChainFinding {
    finding(
        "event_unreadable",
        subject,
        Some(version),
        format!(
            "event {version} of {} does not open: the merchant's data key was changed or removed",
            words(subject)
        ),
    )
}

/// The aggregate a finding is about, if it is about one.
pub(super) fn subject_of(finding: &Finding) -> Option<&Subject> {
    match finding {
        Finding::EventChanged { subject, .. }
        | Finding::EventMoved { subject, .. }
        | Finding::EventMissing { subject, .. }
        | Finding::LastEventDeleted { subject, .. }
        | Finding::AggregateRemoved { subject, .. }
        | Finding::LinkBroken { subject, .. }
        | Finding::HeadChanged { subject }
        | Finding::Rewritten { subject, .. } => Some(subject),
        Finding::RootMissing { .. }
        | Finding::RootChanged { .. }
        | Finding::MarksRemoved { .. }
        | Finding::RootsRemoved { .. } => None,
    }
}

/// A finding of the store under its code, with ids as people see them elsewhere.
pub(super) fn named(found: &Finding) -> ChainFinding {
    let name = |subject: &Subject| words(subject);
    match found {
        Finding::EventChanged { subject, version } => finding(
            "event_changed",
            subject,
            Some(*version),
            format!("event {version} of {} was changed", name(subject)),
        ),
        Finding::EventMoved { subject, belongs_at, found_at } => finding(
            "event_moved",
            subject,
            Some(*belongs_at),
            format!("event {belongs_at} of {} was moved: it stands at {found_at}", name(subject)),
        ),
        Finding::EventMissing { subject, from, to } => finding(
            "event_missing",
            subject,
            Some(*from),
            format!("events {from} to {to} of {} were removed", name(subject)),
        ),
        Finding::LastEventDeleted { subject, found, last_known } => finding(
            "last_event_deleted",
            subject,
            Some(*last_known),
            format!(
                "the last events of {} were deleted: {last_known} is known, {found} is the last one left",
                name(subject)
            ),
        ),
        Finding::AggregateRemoved { subject, last_known } => finding(
            "aggregate_removed",
            subject,
            Some(*last_known),
            format!("all events of {} were removed: {last_known} were known", name(subject)),
        ),
        Finding::LinkBroken { subject, version, before } => finding(
            "link_broken",
            subject,
            Some(*version),
            format!("event {version} of {} does not follow event {before}: one was replaced", name(subject)),
        ),
        Finding::HeadChanged { subject } => finding(
            "head_changed",
            subject,
            None,
            format!("the recorded chain end of {} was changed or removed", name(subject)),
        ),
        Finding::Rewritten { subject, version, sequence } => ChainFinding {
            root: Some(*sequence),
            ..finding(
                "rewritten",
                subject,
                Some(*version),
                format!(
                    "the chain of {} was rewritten: root {sequence} knows another event {version}",
                    name(subject)
                ),
            )
        },
        Finding::RootMissing { .. }
        | Finding::RootChanged { .. }
        | Finding::MarksRemoved { .. }
        | Finding::RootsRemoved { .. } => of_roots(found),
    }
}

/// A finding about roots; one about an aggregate says no more here than the store does.
fn of_roots(found: &Finding) -> ChainFinding {
    match found {
        Finding::RootMissing { sequence } => root_finding(
            "root_missing",
            Some(*sequence),
            format!("root file {} is missing", root_key(*sequence)),
        ),
        Finding::RootChanged { sequence } => root_finding(
            "root_changed",
            Some(*sequence),
            format!("root file {} was changed, or the one before it was", root_key(*sequence)),
        ),
        Finding::MarksRemoved { from, to } => root_finding(
            "root_marks_removed",
            Some(*from),
            format!("root files {from} to {to} are there, the database's record of them was removed"),
        ),
        Finding::RootsRemoved { chains } => root_finding(
            "roots_removed",
            None,
            format!(
                "signed roots were removed, files and records: {chains} chains remember that they stood in one"
            ),
        ),
        Finding::EventChanged { .. }
        | Finding::EventMoved { .. }
        | Finding::EventMissing { .. }
        | Finding::LastEventDeleted { .. }
        | Finding::AggregateRemoved { .. }
        | Finding::LinkBroken { .. }
        | Finding::HeadChanged { .. }
        | Finding::Rewritten { .. } => root_finding("chain", None, found.to_string()),
    }
}

fn finding(code: &str, subject: &Subject, event: Option<i64>, text: String) -> ChainFinding {
    let merchant = MerchantId::from_uuid(subject.merchant_id);
    ChainFinding {
        code: code.to_owned(),
        kind: Some(subject.kind.clone()),
        aggregate: Some(prefixed(&subject.kind, subject.aggregate_id)),
        merchant: (!subject.merchant_id.is_nil()).then(|| merchant.to_string()),
        event,
        root: None,
        text,
    }
}

fn root_finding(code: &str, root: Option<i64>, text: String) -> ChainFinding {
    ChainFinding {
        code: code.to_owned(),
        kind: None,
        aggregate: None,
        merchant: None,
        event: None,
        root,
        text,
    }
}

fn words(subject: &Subject) -> String {
    let id = prefixed(&subject.kind, subject.aggregate_id);
    if subject.merchant_id.is_nil() {
        format!("{} {id}", subject.kind)
    } else {
        format!("{} {id} of merchant {}", subject.kind, MerchantId::from_uuid(subject.merchant_id))
    }
}
