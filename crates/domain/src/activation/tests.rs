//! Every step, every way off the road and back.

use super::*;
use crate::machine::Machine;
use crate::walk::{NOON, Walk, check, id, picks, stroll};
use proptest::prelude::*;

impl Walk for Activation {
    const EVENTS: &'static [&'static str] = ActivationEvent::NAMES;
    fn starts() -> Vec<Self> {
        vec![Self::begin(id(1), id(2), NOON.plus_seconds(259_200), NOON)]
    }
    fn events() -> Vec<ActivationEvent> {
        use ActivationEvent as E;
        let mut events = steps();
        events.extend([
            E::AwaitFirstPayment { plan: "plan-1".into() },
            E::Activate { receipt: "ab".into() },
            E::Wait { requirements: vec![RequirementCode::AgreementUnsigned] },
            E::Resume { expires_at: NOON.plus_seconds(9) },
            E::Fail { step: Step::NetworkOk, code: ReasonCode::T201 },
            E::Retry {},
            E::Expire {},
            E::Reissue { expires_at: NOON.plus_seconds(8) },
            E::Abort { by: "con_1".into(), reason: "wrong terminal".into() },
        ]);
        events
    }
}

/// The events of the straight road.
fn steps() -> Vec<ActivationEvent> {
    use ActivationEvent as E;
    vec![
        E::Claim { device_auth: id(3), expires_at: NOON.plus_seconds(604_800) },
        E::ProveIdentity { request_sha256: "ab".into() },
        E::ConfirmCompatible { model: "STAR-A1".into(), firmware: "1.0.0".into() },
        E::PassNetwork { slowest_leg: "tls".into(), slowest_ms: 80 },
        E::Locate { source: "gnss".into(), accuracy_m: 10, distance_m: 14 },
        E::BackUp { sha256: "ab".into() },
        E::LoadKeys { key_version: 1, kcv: "08D7B4".into() },
        E::ApplyConfig { version: 1, sha256: "ab".into() },
        E::SignIn { key_version: 1 },
        E::SetPin { operators: 1 },
        E::PassTest { printed: true },
    ]
}

#[test]
fn activation_follows_its_edges() {
    check::<Activation>();
}

#[test]
fn the_straight_road_takes_every_step_once() {
    let mut here = Activation::starts().remove(0);
    for (event, step) in steps().into_iter().zip(Step::ALL.iter().skip(1)) {
        assert_eq!(here.next_step(), Some(*step));
        here = here.apply(event, NOON).unwrap();
        assert_eq!(here.state(), step.as_str());
        assert_eq!(here.completed(), step.up_to());
        assert!(!here.is_active());
    }
    let active = here.apply(ActivationEvent::Activate { receipt: "ab".into() }, NOON).unwrap();
    assert!(active.is_active() && active.next_step().is_none());
    assert_eq!(active.completed(), Step::ALL);
}

#[test]
fn a_step_out_of_order_names_the_legal_ones() {
    let here = Activation::starts().remove(0);
    let refusal = here.apply(ActivationEvent::SignIn { key_version: 1 }, NOON).unwrap_err();
    assert_eq!(refusal.legal, ["claim", "reissue", "expire", "abort"]);
}

#[test]
fn a_new_code_counts_and_starts_from_the_beginning() {
    let claimed = Activation::starts().remove(0).apply(steps().remove(0), NOON).unwrap();
    let expired = claimed.apply(ActivationEvent::Expire {}, NOON).unwrap();
    let reissued =
        expired.apply(ActivationEvent::Reissue { expires_at: NOON.plus_seconds(5) }, NOON).unwrap();
    assert!(matches!(reissued, Activation::CodeIssued { issue: 2, .. }), "{reissued:?}");
    assert_eq!(reissued.device_auth(), None);
}

proptest! {
    #[test]
    fn completed_steps_are_lost_only_with_the_code(picks in picks()) {
        let mut before = Step::CodeIssued;
        for (event, state) in stroll::<Activation>(&picks) {
            let now = state.last_step();
            if !matches!(event, ActivationEvent::Reissue { .. }) {
                prop_assert!(now >= before, "{:?} fell from {:?} to {:?}", event, before, now);
                prop_assert!(now as usize <= before as usize + 1);
            }
            before = now;
        }
    }

    #[test]
    fn active_is_reached_only_through_the_test(picks in picks()) {
        let mut tested = false;
        for (_, state) in stroll::<Activation>(&picks) {
            tested |= state.last_step() == Step::Tested;
            prop_assert!(!state.is_active() || tested);
            prop_assert_eq!((state.device(), state.store()), (id(1), id(2)));
        }
    }
}
