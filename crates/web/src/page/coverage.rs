//! Every code that other crates can put on a page has its words, in both languages.

use starpay_app::Role;
use starpay_domain::activation::Activation;
use starpay_domain::agreement::Agreement;
use starpay_domain::application::Application;
use starpay_domain::capability::{Capability, CapabilityKind};
use starpay_domain::device::Device;
use starpay_domain::device_auth::DeviceAuth;
use starpay_domain::field::FormField;
use starpay_domain::key_slot::KeySlot;
use starpay_domain::machine::Machine;
use starpay_domain::material::MaterialKind;
use starpay_domain::party::{Desk, Outside};
use starpay_domain::reason::{ReasonCode, Remedy};
use starpay_domain::registration::{Channel, Registration};
use starpay_domain::requirement::RequirementCode;
use starpay_domain::requirement::state::RequirementState;
use starpay_domain::shipment::Shipment;
use starpay_domain::visit::Visit;
use starpay_text::{Language, missing};

fn assert_worded(keys: &[String]) {
    for language in Language::ALL {
        let without = missing(*language, keys.iter().map(String::as_str));
        assert!(without.is_empty(), "{} has no words for {without:?}", language.tag());
    }
}

fn with_remedy(kind: &str, codes: impl Iterator<Item = &'static str>) -> Vec<String> {
    codes.flat_map(|code| [format!("{kind}-{code}"), format!("{kind}-{code}.remedy")]).collect()
}

fn states<M: Machine>() -> Vec<String> {
    let states = M::STATES.iter().map(|state| format!("state-{}-{state}", M::NAME));
    states.chain([format!("machine-{}", M::NAME)]).collect()
}

#[test]
fn every_requirement_and_every_reason_says_what_and_what_to_do() {
    assert_worded(&with_remedy("requirement", RequirementCode::ALL.iter().map(|code| code.as_str())));
    assert_worded(&with_remedy("reason", ReasonCode::ALL.iter().map(|code| code.as_str())));
    assert_worded(&with_remedy("reason", ReasonCode::ALL.iter().map(|code| code.merchant_code())));
}

#[test]
fn a_listed_person_reads_the_same_neutral_sentence_from_every_source() {
    for language in Language::ALL {
        assert_eq!(starpay_text::reason(*language, "G701"), starpay_text::reason(*language, "unavailable"));
    }
}

#[test]
fn every_state_of_every_machine_has_a_name() {
    assert_worded(&states::<Application>());
    assert_worded(&states::<Agreement>());
    assert_worded(&states::<Registration>());
    assert_worded(&states::<RequirementState>());
    assert_worded(&states::<Capability>());
    assert_worded(&states::<Visit>());
    assert_worded(&states::<Shipment>());
    assert_worded(&states::<Device>());
    assert_worded(&states::<Activation>());
    assert_worded(&states::<DeviceAuth>());
    assert_worded(&states::<KeySlot>());
}

#[test]
fn everything_else_that_is_shown_by_code_has_a_name() {
    let named = |prefix: &str, codes: &mut dyn Iterator<Item = &'static str>| {
        assert_worded(&codes.map(|code| format!("{prefix}-{}", code.replace('.', "-"))).collect::<Vec<_>>());
    };
    named("capability", &mut CapabilityKind::ALL.iter().map(|code| code.as_str()));
    named("remedy", &mut Remedy::ALL.iter().map(|code| code.as_str()));
    named("field", &mut FormField::ALL.iter().map(|code| code.as_str()));
    named("field", &mut Channel::ALL.iter().map(|code| code.as_str()));
    named("document", &mut MaterialKind::ALL.iter().map(|code| code.as_str()));
    named("desk", &mut Desk::ALL.iter().map(|code| code.as_str()));
    named("desk", &mut Outside::ALL.iter().map(|code| code.as_str()));
    named("party", &mut ["merchant", "us", "third_party", "device"].into_iter());
    named("role", &mut Role::ALL.iter().map(|code| code.as_str()));
}
