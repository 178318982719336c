//! Every way through intake, review and entry.

use super::*;
use crate::machine::Machine;
use crate::walk::{NOON, Walk, check, id, picks, stroll};
use proptest::prelude::*;

impl Walk for Application {
    const EVENTS: &'static [&'static str] = ApplicationEvent::NAMES;
    fn starts() -> Vec<Self> {
        vec![Self::begin(NOON)]
    }
    fn events() -> Vec<ApplicationEvent> {
        use ApplicationEvent as E;
        let (by, fields, reasons) = (
            "staff:a".to_owned(),
            vec![FormField::LicenceUscc, FormField::DocumentIdBack],
            vec![ReasonCode::A101],
        );
        let (appeal_until, reapply_from) = (NOON.plus_seconds(1_296_000), None);
        let mut events = vec![
            E::Edit { fields: fields.clone(), confirmed: vec![FormField::LicenceUscc] },
            E::Submit { by: "con_1".into() },
            E::BeginChecks {},
            E::ChecksPassed { visit: Some(VisitMode::Onsite) },
            E::ChecksPassed { visit: None },
            E::ChecksFlagged { fields: fields.clone(), reasons: reasons.clone() },
            E::ChecksFailed { fields: fields.clone(), reasons: reasons.clone(), appeal_until, reapply_from },
            E::VisitPassed { visit: id(1) },
            E::VisitFailed { visit: id(1), reasons: vec![ReasonCode::D403] },
            E::RequestVisit { by: by.clone(), mode: VisitMode::Video },
            E::Claim { by: by.clone() },
            E::Release { by: by.clone() },
            E::FirstApprove { by: by.clone() },
            E::Resubmit { by: "con_1".into() },
            E::Approve { by: "staff:b".into() },
            E::Reject {
                by: by.clone(),
                reasons: reasons.clone(),
                fields: fields.clone(),
                appeal_until,
                reapply_from,
            },
            E::OfferAgreement { agreement: id(2) },
            E::Sign { agreement: id(2) },
            E::Report {},
            E::ReportRefused { registration: id(3), reason: "A101".into(), field: None },
            E::Registered {},
            E::Withdraw { by: "con_1".into() },
            E::Freeze { duplicate_of: Some(id(4)), reason: ReasonCode::F602 },
            E::Unfreeze { by: by.clone(), despite: Some(ReasonCode::F602), duplicate_of: Some(id(9)) },
            E::Expire {},
            E::Appeal { by: "con_1".into(), statement: "note_1".into() },
            E::Reconsider { by: by.clone() },
            E::Uphold { by: by.clone() },
        ];
        events.extend(ReturnTo::ALL.iter().map(|return_to| E::RequestInfo {
            by: by.clone(),
            fields: fields.clone(),
            reasons: reasons.clone(),
            note: Some("note_2".into()),
            return_to: *return_to,
        }));
        events
    }
}

fn in_review(visit_outcome: Option<VisitOutcome>, first_approved_by: Option<&str>) -> Application {
    Application::InReview {
        since: NOON,
        submitted_by: "con_1".into(),
        submitted_at: NOON,
        attempt: 1,
        visit: Some(id(1)),
        visit_outcome,
        claimed_by: None,
        first_approved_by: first_approved_by.map(str::to_owned),
    }
}

#[test]
fn application_follows_its_edges() {
    check::<Application>();
}

#[test]
fn nobody_approves_alone_what_needs_two_nor_what_they_handed_in() {
    use ApprovalRefusal as No;
    use ApprovalRule::{FourEyes, Single};
    let passed = Some(VisitOutcome::Pass);
    let cases = [
        (in_review(passed, None), "staff:a", Single, Ok(())),
        (in_review(None, None), "staff:a", Single, Ok(())),
        (in_review(passed, None), "con_1", Single, Err(No::Submitter)),
        (in_review(passed, Some("staff:a")), "con_1", FourEyes, Err(No::Submitter)),
        (in_review(passed, None), "staff:a", FourEyes, Err(No::FirstApprovalMissing)),
        (in_review(passed, Some("staff:a")), "staff:a", FourEyes, Err(No::SamePerson)),
        (in_review(passed, Some("staff:a")), "staff:b", FourEyes, Ok(())),
        (in_review(Some(VisitOutcome::Fail), None), "staff:a", Single, Err(No::VisitFailed)),
        (Application::begin(NOON), "staff:a", Single, Err(No::NotInReview)),
    ];
    for (state, by, rule, expected) in cases {
        assert_eq!(state.may_approve(by, rule), expected, "{by} {rule:?} {state:?}");
    }
}

#[test]
fn a_correction_opens_only_the_flagged_fields() {
    let asked = in_review(None, None).apply(Application::events().pop().unwrap(), NOON).unwrap();
    assert!(asked.may_edit(FormField::LicenceUscc) && asked.may_edit(FormField::DocumentIdBack));
    assert!(!asked.may_edit(FormField::ShopMcc));
    assert!(Application::begin(NOON).may_edit(FormField::ShopMcc));
    assert!(!in_review(None, None).may_edit(FormField::LicenceUscc));
}

#[test]
fn saving_a_correction_does_not_move_its_deadline() {
    let terms = crate::term::in_force_today();
    let asked = in_review(None, None).apply(Application::events().pop().unwrap(), NOON).unwrap();
    let due = asked.timeout(&terms);
    let edited = asked
        .apply(
            ApplicationEvent::Edit { fields: vec![FormField::LicenceUscc], confirmed: Vec::new() },
            NOON.plus_seconds(999),
        )
        .unwrap();
    assert_eq!(edited.timeout(&terms), due);
}

proptest! {
    #[test]
    fn nothing_is_signed_that_was_not_approved(picks in picks()) {
        let mut approved = false;
        for (event, state) in stroll::<Application>(&picks) {
            approved |= matches!(event, ApplicationEvent::Approve { .. });
            let beyond = ["approved", "to_be_signed", "signed", "reporting", "report_failed", "ready"];
            prop_assert!(approved || !beyond.contains(&state.state()), "{:?}", state);
        }
    }

    #[test]
    fn an_application_is_live_until_it_is_over(picks in picks()) {
        for (_, state) in stroll::<Application>(&picks) {
            prop_assert_eq!(state.is_live(), !OVER.contains(&state.state()), "{:?}", state);
        }
    }

    #[test]
    fn hand_ins_are_counted(picks in picks()) {
        let mut handed_in = 0_u32;
        for (event, state) in stroll::<Application>(&picks) {
            handed_in +=
                u32::from(matches!(event, ApplicationEvent::Submit { .. } | ApplicationEvent::Resubmit { .. }));
            if let Application::InReview { attempt, .. } | Application::NeedsInfo { attempt, .. } = &state {
                prop_assert_eq!(*attempt, handed_in);
            }
        }
    }
}
