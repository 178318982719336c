//! The list along the good way of a sole proprietor with a fixed shop, and off it.

mod off_the_road;
mod road;

use super::*;
use crate::walk::NOON;
use std::collections::BTreeSet;

/// An entry without its status: what it is and where.
type Name = (RequirementCode, Option<&'static str>);

fn names(requirements: &[Requirement]) -> BTreeSet<Name> {
    let name = |requirement: &Requirement| match requirement.code {
        // One milestone whose field says how far it has come.
        RequirementCode::ActivationUnfinished => (requirement.code, None),
        code => (code, requirement.field),
    };
    requirements.iter().map(name).collect()
}

fn codes(requirements: &[Requirement]) -> Vec<RequirementCode> {
    requirements.iter().map(|requirement| requirement.code).collect()
}

fn find(requirements: &[Requirement], code: RequirementCode) -> &Requirement {
    requirements
        .iter()
        .find(|requirement| requirement.code == code)
        .unwrap_or_else(|| panic!("{code:?} is not in {:?}", codes(requirements)))
}

#[test]
fn the_list_only_shrinks_on_the_good_way_and_ends_empty() {
    let mut situation = road::first_contact();
    let mut before = names(&open_requirements(&situation, NOON));
    for (number, (what, step)) in road::STEPS.iter().enumerate() {
        let now = NOON.plus_seconds(i64::try_from(number).unwrap() * 60);
        step(&mut situation, now);
        let list = open_requirements(&situation, now);
        let after = names(&list);
        let new: Vec<_> = after.difference(&before).collect();
        assert!(new.is_empty(), "{what} added {new:?}");
        assert_eq!(after.len(), list.len(), "{what}: an entry stands twice");
        if !for_capability(&list, CapabilityKind::Activate).is_empty() {
            assert!(
                list.iter().any(|entry| entry.status != DueStatus::EventuallyDue),
                "{what}: nobody can act"
            );
        }
        before = after;
    }
    assert_eq!(before, BTreeSet::new());
}

#[test]
fn each_step_meets_what_it_is_for() {
    use RequirementCode as R;
    let met = |what: &str| -> BTreeSet<RequirementCode> {
        let place = road::STEPS.iter().position(|(name, _)| *name == what).unwrap();
        let (mut situation, now) = (road::first_contact(), NOON);
        road::STEPS[..place].iter().for_each(|(_, step)| step(&mut situation, now));
        let before = names(&open_requirements(&situation, now));
        road::STEPS[place].1(&mut situation, now);
        let after = names(&open_requirements(&situation, now));
        before.difference(&after).map(|(code, _)| *code).collect()
    };
    let expected = [
        ("prove the contact", R::ContactUnverified),
        ("fill the form", R::FieldMissing),
        ("upload the documents", R::DocumentMissing),
        ("agree to the notices", R::ConsentMissing),
        ("submit", R::ApplicationUnsubmitted),
        ("pass the checks", R::ChecksRunning),
        ("book the visit", R::VisitUnarranged),
        ("pass the visit", R::VisitPending),
        ("approve", R::ReviewPending),
        ("offer the agreement", R::AgreementUnprepared),
        ("sign", R::AgreementUnsigned),
        ("register the channels that open cards", R::RegistrationPending),
        ("confirm the address", R::AddressUnconfirmed),
        ("pack", R::DeviceUnpacked),
        ("deliver", R::DeviceInTransit),
        ("confirm the receipt", R::ReceiptUnconfirmed),
        ("claim", R::ActivationUnstarted),
        ("set the operator password", R::OperatorPinUnset),
        ("become active", R::ActivationUnfinished),
    ];
    for (what, code) in expected {
        assert!(met(what).contains(&code), "{what} met {:?}", met(what));
    }
}

#[test]
fn cards_may_open_while_a_wallet_waits() {
    let situation = road::until("register the wallet");
    let list = open_requirements(&situation, NOON);
    assert!(
        for_capability(&list, CapabilityKind::AcceptCard).iter().all(|entry| entry.field != Some("wechat"))
    );
    let wallet = list.iter().find(|entry| entry.field == Some("wechat")).unwrap();
    assert_eq!(wallet.impact, [CapabilityKind::AcceptQr]);
    assert!(!before_keys(&list).contains(&wallet));
}

#[test]
fn what_the_merchant_can_do_now_comes_first() {
    for (what, _) in road::STEPS {
        let list = open_requirements(&road::until(what), NOON);
        let can_act: Vec<bool> = list
            .iter()
            .map(|entry| {
                entry.awaiting == Party::Merchant
                    && matches!(entry.status, DueStatus::CurrentlyDue | DueStatus::PastDue)
            })
            .collect();
        assert!(can_act.is_sorted_by(|first, second| first >= second), "before {what}: {list:#?}");
    }
}

#[test]
fn a_terminal_never_waits_for_itself() {
    let list = open_requirements(&road::until("prove the identity"), NOON);
    assert!(!for_capability(&list, CapabilityKind::Activate).is_empty());
    assert_eq!(before_keys(&list), Vec::<&Requirement>::new());
}

#[test]
fn waits_and_deadlines_come_from_the_tables() {
    let situation = road::until("pass the checks");
    let begun = NOON.plus_seconds(0);
    let at = |seconds| open_requirements(&situation, begun.plus_seconds(seconds));
    let running = |seconds| find(&at(seconds), RequirementCode::ChecksRunning).clone();
    assert_eq!(running(0).expected_wait_seconds, Some(30));
    assert_eq!(running(20).expected_wait_seconds, Some(10));
    assert_eq!(running(500).expected_wait_seconds, Some(0));
    assert_eq!(running(0).deadline, Some(begun.plus_seconds(60)));
    assert_eq!(running(0).status, DueStatus::PendingVerification);
    assert_eq!(find(&at(0), RequirementCode::ReviewPending).expected_wait_seconds, None);
}

#[test]
fn the_list_does_not_depend_on_the_order_of_the_facts() {
    for (what, _) in road::STEPS {
        let situation = road::until(what);
        let mut turned = situation.clone();
        turned.fields.reverse();
        turned.materials.reverse();
        turned.channels.reverse();
        assert_eq!(open_requirements(&situation, NOON), open_requirements(&turned, NOON), "{what}");
    }
}
