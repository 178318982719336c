//! What the list says when something goes wrong.

use super::*;
use crate::activation::{Activation, ActivationEvent, Step};
use crate::application::{Application, ApplicationEvent, ReturnTo};
use crate::capability::Capability;
use crate::device::{Device, DeviceEvent};
use crate::machine::Machine;
use crate::material::MaterialKind;
use crate::party::{Desk, Outside};
use crate::registration::{Registration, RegistrationEvent};
use crate::shipment::{Shipment, ShipmentEvent};
use crate::subject::SubjectType;
use crate::visit::{Absent, Visit, VisitEvent, VisitMode};
use proptest::prelude::*;

use RequirementCode as R;

fn list(situation: &Situation) -> Vec<Requirement> {
    open_requirements(situation, NOON)
}

fn on_application(situation: &mut Situation, event: ApplicationEvent) {
    situation.application = Some(situation.application.take().unwrap().apply(event, NOON).unwrap());
}

fn reject(reasons: Vec<ReasonCode>, reapply_from: Option<Timestamp>) -> ApplicationEvent {
    ApplicationEvent::Reject {
        by: "staff:r".into(),
        reasons,
        fields: vec![],
        appeal_until: NOON.plus_seconds(1_296_000),
        reapply_from,
    }
}

#[test]
fn a_stranger_is_asked_for_all_the_form_and_can_begin_at_once() {
    let situation = road::first_contact();
    let entries = list(&situation);
    for field in FormField::required(SubjectType::SoleProprietor) {
        assert!(entries.iter().any(|entry| entry.field == Some(field.as_str())), "{field:?}");
    }
    let card = entries.iter().find(|entry| entry.field == Some("documents.settle_card")).unwrap();
    assert_eq!(card.alternatives, [[FormField::DocumentAcctProof]]);
    assert_eq!(entries[0].code, R::ContactUnverified);
    assert_eq!(entries[0].status, DueStatus::CurrentlyDue);
}

#[test]
fn an_alternative_takes_the_place_of_what_it_stands_for() {
    let mut situation = road::until("upload the documents");
    let missing =
        |situation: &Situation, field| list(situation).iter().any(|entry| entry.field == Some(field));
    let provide = |situation: &mut Situation, kind| {
        situation.materials.push(MaterialStatus {
            kind,
            condition: MaterialCondition::Provided,
            reasons: vec![],
        });
    };
    assert!(missing(&situation, "documents.settle_card") && missing(&situation, "documents.id_front"));
    provide(&mut situation, MaterialKind::AcctProof);
    assert!(!missing(&situation, "documents.settle_card"));
    provide(&mut situation, MaterialKind::IdAlt);
    assert!(!missing(&situation, "documents.id_front") && !missing(&situation, "documents.id_back"));
}

#[test]
fn conditional_fields_count_only_when_the_case_calls_for_them() {
    let mut situation = road::until("submit");
    assert_eq!(codes(&list(&situation))[0], R::ApplicationUnsubmitted);
    situation.materials.push(MaterialStatus {
        kind: MaterialKind::SpecialPermit,
        condition: MaterialCondition::Missing,
        reasons: vec![],
    });
    let entries = list(&situation);
    assert_eq!((entries[0].code, entries[0].field), (R::DocumentMissing, Some("documents.special_permit")));
}

#[test]
fn a_correction_names_only_what_was_flagged_and_its_remedy() {
    let mut situation = road::until("approve");
    let row = situation.fields.iter_mut().find(|row| row.field == FormField::LicenceUscc).unwrap();
    row.condition = FieldCondition::Flagged;
    row.reasons = vec![ReasonCode::A101];
    let request = ApplicationEvent::RequestInfo {
        by: "staff:r".into(),
        fields: vec![FormField::LicenceUscc],
        reasons: vec![ReasonCode::A101],
        note: None,
        return_to: ReturnTo::InReview,
    };
    on_application(&mut situation, request);
    let entries = list(&situation);
    assert_eq!(codes(&entries)[..2], [R::FieldInvalid, R::ApplicationUncorrected]);
    assert_eq!(entries[0].field, Some("licence.uscc"));
    assert_eq!(entries[0].remedy.to_string(), "reason-A101");
    assert_eq!(entries[1].remedy.to_string(), "requirement-application_uncorrected");
    assert_eq!(entries[1].deadline, Some(NOON.plus_seconds(30 * 86_400)));
    assert_eq!(find(&entries, R::ReviewPending).status, DueStatus::EventuallyDue);
    let late = open_requirements(&situation, NOON.plus_seconds(31 * 86_400));
    assert_eq!(find(&late, R::ApplicationUncorrected).status, DueStatus::PastDue);
}

#[test]
fn a_listed_merchant_learns_nothing_about_the_list() {
    let mut situation = road::until("approve");
    on_application(&mut situation, reject(vec![ReasonCode::G701], None));
    let entries = list(&situation);
    let refusal = find(&entries, R::ApplicationRejected);
    assert_eq!(refusal.errors, [ReasonCode::G701], "the desk sees why");
    assert_eq!(refusal.merchant_errors(), ["unavailable"]);
    assert_eq!(refusal.remedy.to_string(), "reason-unavailable");
}

#[test]
fn a_refusal_blocks_applying_again_only_until_its_date() {
    let mut situation = road::until("approve");
    let later = NOON.plus_seconds(1000);
    on_application(&mut situation, reject(vec![ReasonCode::B202], Some(later)));
    let blocks = |now| {
        let entries = open_requirements(&situation, now);
        find(&entries, R::ApplicationRejected).blocks(CapabilityKind::Apply)
    };
    assert!(blocks(NOON));
    assert!(!blocks(later));
}

#[test]
fn a_missed_visit_is_the_merchants_turn_again() {
    let mut situation = road::until("start the visit");
    let absent = VisitEvent::MarkNoShow { absent: Absent::Merchant };
    situation.visit = Some(situation.visit.take().unwrap().apply(absent, NOON).unwrap());
    let entries = list(&situation);
    assert_eq!(entries[0].code, R::VisitUnarranged);
    assert_eq!(entries[0].status, DueStatus::CurrentlyDue);
    situation.visit = Some(Visit::Cancelled { since: NOON, reason: "storm".into() });
    assert_eq!(list(&situation)[0].code, R::VisitUnarranged);
    situation.visit_rule = None;
    on_application(&mut situation, ApplicationEvent::VisitPassed { visit: crate::walk::id(1) });
    assert!(!codes(&list(&situation)).contains(&R::VisitUnarranged));
}

#[test]
fn a_video_visit_is_asked_for_where_there_is_no_fixed_place() {
    let mut situation = road::first_contact();
    situation.visit_rule = Some(VisitMode::Video);
    assert_eq!(find(&list(&situation), R::VisitPending).field, Some("video_verify"));
    situation.visit_rule = None;
    assert!(!codes(&list(&situation)).contains(&R::VisitPending));
}

#[test]
fn a_refused_report_is_ours_to_repair_and_keeps_the_terminal_waiting() {
    let mut situation = road::until("register the channels that open cards");
    let row = &mut situation.channels[0];
    let refuse = RegistrationEvent::Refuse { reason: "A101".into(), field: Some("licence.uscc".into()) };
    let sent = Registration::Sent { since: NOON, attempt: 1, message: "m".into() };
    row.registration = Some(sent.apply(refuse, NOON).unwrap());
    let entries = list(&situation);
    let refused = find(&entries, R::RegistrationRefused);
    assert_eq!(refused.awaiting, Party::Us(Desk::Operations));
    assert_eq!(
        (refused.field, refused.errors.as_slice()),
        (Some("clearing_institution"), &[ReasonCode::A101][..])
    );
    assert!(before_keys(&entries).iter().any(|entry| entry.code == R::RegistrationRefused));
}

#[test]
fn the_terminal_came_first_and_is_told_what_the_merchant_lacks() {
    let mut situation = road::until("sign");
    situation.device =
        Some(Device::Delivered { since: NOON, merchant: crate::walk::id(5), store: crate::walk::id(6) });
    let begun = Activation::begin(crate::walk::id(4), crate::walk::id(6), NOON.plus_seconds(99), NOON);
    let claim =
        ActivationEvent::Claim { device_auth: crate::walk::id(9), expires_at: NOON.plus_seconds(999) };
    let claimed = begun.apply(claim, NOON).unwrap();
    let lacking: Vec<R> = before_keys(&list(&situation)).iter().map(|entry| entry.code).collect();
    assert_eq!(lacking, [R::AgreementUnsigned, R::RegistrationPending, R::RegistrationPending]);
    let waiting = claimed.apply(ActivationEvent::Wait { requirements: lacking }, NOON).unwrap();
    situation.activation = Some(waiting);
    let entries = list(&situation);
    assert_eq!(find(&entries, R::ActivationUnfinished).status, DueStatus::EventuallyDue);
    assert!(!codes(&entries).contains(&R::ReceiptUnconfirmed), "handed over in person: there is no parcel");
}

#[test]
fn a_parcel_gone_astray_is_somebodys_turn() {
    let packed = road::until("deliver");
    let after = |events: &[ShipmentEvent]| {
        let mut situation = packed.clone();
        for event in events {
            let shipment = situation.shipment.take().unwrap();
            situation.shipment = Some(shipment.apply(event.clone(), NOON).unwrap());
        }
        find(&list(&situation), R::DeliveryFailed).awaiting
    };
    let failed = ShipmentEvent::FailDelivery { reason: "moved".into() };
    assert_eq!(after(std::slice::from_ref(&failed)), Party::ThirdParty(Outside::Carrier));
    assert_eq!(after(&[failed, ShipmentEvent::TakeBack {}]), Party::Merchant);
    assert_eq!(after(&[ShipmentEvent::ReportLost { claim: None }]), Party::Us(Desk::Logistics));
}

#[test]
fn a_broken_seal_stops_the_activation() {
    let mut situation = road::until("issue the code");
    situation.shipment = Some(Shipment::Received {
        since: NOON,
        device: crate::walk::id(4),
        serial: "S".into(),
        seal_intact: false,
        by: "con_1".into(),
        tracking_no: None,
    });
    let entries = list(&situation);
    assert!(find(&entries, R::DeviceUnusable).blocks(CapabilityKind::Activate));
    assert!(before_keys(&entries).iter().any(|entry| entry.code == R::DeviceUnusable));
}

#[test]
fn a_failed_step_names_step_and_code() {
    let mut situation = road::until("pass the network test");
    let fail = ActivationEvent::Fail { step: Step::NetworkOk, code: ReasonCode::T201 };
    situation.activation = Some(situation.activation.take().unwrap().apply(fail, NOON).unwrap());
    let entries = list(&situation);
    let failed = find(&entries, R::ActivationFailed);
    assert_eq!((failed.field, failed.awaiting), (Some("network_ok"), Party::Device));
    assert_eq!(failed.remedy.to_string(), "reason-T201");
}

#[test]
fn a_lost_terminal_stops_taking_money() {
    let mut situation = road::until("register the wallet");
    let lost = DeviceEvent::ReportLost { by: "con_1".into() };
    situation.device = Some(situation.device.take().unwrap().apply(lost, NOON).unwrap());
    let entries = list(&situation);
    assert!(find(&entries, R::DeviceUnusable).blocks(CapabilityKind::AcceptCard));
    assert!(
        for_capability(&entries, CapabilityKind::Settle).is_empty(),
        "money already taken is still paid out"
    );
}

#[test]
fn a_paused_capability_blocks_itself_alone() {
    let mut situation = road::until("register the wallet");
    let paused = Capability::Paused {
        since: NOON,
        requested_at: NOON,
        by: "staff:r".into(),
        reason: "complaints".into(),
    };
    situation.capabilities = vec![(CapabilityKind::Refund, paused)];
    let entries = list(&situation);
    assert_eq!(find(&entries, R::CapabilityPaused).impact, [CapabilityKind::Refund]);
}

#[test]
fn the_account_concerns_settlement_not_the_terminal() {
    let mut situation = road::until("register the wallet");
    situation.settlement = SettlementStatus::Refused;
    situation.account_change = AccountChangeStatus::Open;
    let entries = list(&situation);
    assert!(for_capability(&entries, CapabilityKind::AcceptCard).is_empty());
    let account = find(&entries, R::SettlementAccountUnverified);
    assert_eq!((account.awaiting, account.status), (Party::Merchant, DueStatus::CurrentlyDue));
    assert_eq!(for_capability(&entries, CapabilityKind::ChangeAccount).len(), 2);
}

proptest! {
    /// Whatever an application goes through, the list stays one that somebody can work on.
    #[test]
    fn every_state_leaves_somebody_something_to_do(picks in crate::walk::picks()) {
        for (_, state) in crate::walk::stroll::<Application>(&picks) {
            let mut situation = road::until("begin");
            situation.application = Some(state.clone());
            let entries = list(&situation);
            prop_assert_eq!(names(&entries).len(), entries.len(), "an entry stands twice: {:?}", state);
            let open = entries.iter().any(|entry| entry.status != DueStatus::EventuallyDue);
            prop_assert!(open, "nobody can act in {:?}", state);
            for entry in &entries {
                prop_assert!(!entry.impact.is_empty(), "{:?} blocks nothing", entry.code);
                prop_assert!(entry.awaiting != Party::Merchant || entry.expected_wait_seconds.is_none());
            }
        }
    }

    /// The subject type alone never makes the engine fail, and the form is asked for in full.
    #[test]
    fn every_subject_can_begin(subject in proptest::sample::select(SubjectType::ALL)) {
        let situation = Situation::blank(subject, crate::term::in_force_today(), WaitTable::default());
        let entries = list(&situation);
        for field in FormField::required(subject) {
            prop_assert!(entries.iter().any(|entry| entry.field == Some(field.as_str())), "{:?}", field);
        }
    }
}
