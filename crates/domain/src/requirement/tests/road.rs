//! The good way, played on the real machines.

use super::*;
use crate::activation::{Activation, ActivationEvent, Step};
use crate::agreement::{Agreement, AgreementEvent};
use crate::application::{Application, ApplicationEvent};
use crate::device::{Device, DeviceEvent};
use crate::field::Holds;
use crate::machine::Machine;
use crate::material::{MaterialKind, Need, Origin};
use crate::registration::{Channel, Registration, RegistrationEvent};
use crate::shipment::{Shipment, ShipmentEvent};
use crate::subject::SubjectType;
use crate::visit::{Visit, VisitEvent, VisitMode, VisitOutcome};
use crate::walk::id;

/// A step of the way: its name and what it changes.
pub(super) type RoadStep = (&'static str, fn(&mut Situation, Timestamp));

/// A sole proprietor with a fixed shop, at the first contact.
pub(super) fn first_contact() -> Situation {
    let waits = WaitTable::new([(RequirementCode::ChecksRunning, 30), (RequirementCode::VisitPending, 3600)]);
    let mut situation = Situation::blank(SubjectType::SoleProprietor, crate::term::in_force_today(), waits);
    situation.visit_rule = Some(VisitMode::Onsite);
    situation.channels = [Channel::ClearingInstitution, Channel::Unionpay, Channel::Wechat]
        .map(|channel| ChannelStatus { channel, registration: None })
        .to_vec();
    situation
}

/// The situation just before the step of that name.
pub(super) fn until(what: &str) -> Situation {
    let mut situation = first_contact();
    for (_, step) in STEPS.iter().take_while(|(name, _)| *name != what) {
        step(&mut situation, NOON);
    }
    situation
}

fn drive<M: Machine>(place: &mut Option<M>, event: M::Event, at: Timestamp) {
    *place = Some(place.take().unwrap().apply(event, at).unwrap());
}

fn fill(situation: &mut Situation, wanted: impl Fn(FormField) -> bool) {
    let subject = situation.subject;
    let fields = FormField::ALL.iter().copied().filter(|field| {
        let needed = field.need(subject) == Need::Required || *field == FormField::SettlementCardNumber;
        needed && field.holds() != Holds::Document && wanted(*field)
    });
    situation.fields.extend(fields.map(|field| FieldStatus {
        field,
        condition: FieldCondition::Filled,
        reasons: vec![],
    }));
}

fn upload(situation: &mut Situation, kinds: impl Iterator<Item = MaterialKind>) {
    situation.materials.extend(kinds.map(|kind| MaterialStatus {
        kind,
        condition: MaterialCondition::Provided,
        reasons: vec![],
    }));
}

fn on_application(situation: &mut Situation, event: ApplicationEvent, at: Timestamp) {
    drive(&mut situation.application, event, at);
}

fn register(situation: &mut Situation, wanted: fn(Channel) -> bool, at: Timestamp) {
    for row in situation.channels.iter_mut().filter(|row| wanted(row.channel)) {
        drive(&mut row.registration, RegistrationEvent::Send { message: "m".into() }, at);
        let accept = RegistrationEvent::Accept {
            merchant_no: "999584058120001".into(),
            terminal_no: None,
            mcc: "5812".into(),
        };
        drive(&mut row.registration, accept, at);
    }
}

/// The whole way.
pub(super) const STEPS: &[RoadStep] = &[
    ("prove the contact", |s, _| s.contact = ContactStatus::Verified),
    ("begin", |s, at| s.application = Some(Application::begin(at))),
    ("fill the form", |s, _| fill(s, |field| !field.is_consent())),
    ("upload the documents", |s, _| {
        let subject = s.subject;
        let required = MaterialKind::ALL.iter().copied().filter(move |kind| {
            kind.origin() == Origin::Upload
                && (kind.need(subject) == Need::Required || *kind == MaterialKind::SettleCard)
        });
        upload(s, required);
    }),
    ("agree to the notices", |s, _| fill(s, FormField::is_consent)),
    ("submit", |s, at| on_application(s, ApplicationEvent::Submit { by: "con_1".into() }, at)),
    ("begin the checks", |s, at| {
        s.settlement = SettlementStatus::UnderVerification;
        on_application(s, ApplicationEvent::BeginChecks {}, at);
    }),
    ("pass the checks", |s, at| {
        s.settlement = SettlementStatus::Live;
        on_application(s, ApplicationEvent::ChecksPassed { visit: Some(VisitMode::Onsite) }, at);
    }),
    ("offer the visit", |s, at| s.visit = Some(Visit::Offered { since: at, mode: VisitMode::Onsite })),
    ("book the visit", |s, at| {
        let event = VisitEvent::Book { from: at, until: at.plus_seconds(3600), visitor: "staff:v".into() };
        drive(&mut s.visit, event, at);
    }),
    ("start the visit", |s, at| {
        drive(&mut s.visit, VisitEvent::Start { visitor: "staff:v".into() }, at);
    }),
    ("pass the visit", |s, at| {
        let event = VisitEvent::Finish {
            outcome: VisitOutcome::Pass,
            reasons: vec![],
            report: None,
            distance_m: Some(9),
        };
        drive(&mut s.visit, event, at);
        on_application(s, ApplicationEvent::VisitPassed { visit: id(1) }, at);
    }),
    ("claim the review", |s, at| on_application(s, ApplicationEvent::Claim { by: "staff:r".into() }, at)),
    ("approve", |s, at| on_application(s, ApplicationEvent::Approve { by: "staff:r".into() }, at)),
    ("offer the agreement", |s, at| {
        s.agreement = Some(Agreement::Offered {
            since: at,
            version: "2026-1".into(),
            document: id(2),
            sha256: "ab".into(),
            sign_by: at.plus_seconds(604_800),
        });
        on_application(s, ApplicationEvent::OfferAgreement { agreement: id(3) }, at);
    }),
    ("sign", |s, at| {
        let event = AgreementEvent::Sign { signer: "con_1".into(), certificate: "c".into() };
        drive(&mut s.agreement, event, at);
        on_application(s, ApplicationEvent::Sign { agreement: id(3) }, at);
    }),
    ("report", |s, at| {
        for row in &mut s.channels {
            row.registration = Some(Registration::begin(at));
        }
        on_application(s, ApplicationEvent::Report {}, at);
    }),
    ("register the channels that open cards", |s, at| register(s, Channel::opens_terminal, at)),
    ("prepare the shipment", |s, at| s.shipment = Some(Shipment::begin("addr-1".into(), at))),
    ("confirm the address", |s, at| {
        drive(&mut s.shipment, ShipmentEvent::ConfirmAddress { address: "addr-1".into() }, at);
    }),
    ("pack", |s, at| {
        let event = ShipmentEvent::Pack { device: id(4), serial: "S".into(), seal: "1".into() };
        drive(&mut s.shipment, event, at);
        s.device = Some(Device::InStock { since: at, place: "A1".into() });
        drive(
            &mut s.device,
            DeviceEvent::Reserve { merchant: id(5), store: id(6), shipment: Some(id(7)) },
            at,
        );
    }),
    ("dispatch", |s, at| {
        let event = ShipmentEvent::Dispatch {
            carrier: "sandbox".into(),
            tracking_no: "T".into(),
            expected_at: at.plus_seconds(86_400),
        };
        drive(&mut s.shipment, event, at);
        drive(&mut s.device, DeviceEvent::Dispatch { shipment: id(7) }, at);
    }),
    ("deliver", |s, at| {
        drive(&mut s.shipment, ShipmentEvent::Deliver {}, at);
        drive(&mut s.device, DeviceEvent::Deliver {}, at);
    }),
    ("confirm the receipt", |s, at| {
        let event =
            ShipmentEvent::ConfirmReceipt { serial: "S".into(), seal_intact: true, by: "con_1".into() };
        drive(&mut s.shipment, event, at);
    }),
    ("issue the code", |s, at| {
        s.activation = Some(Activation::begin(id(4), id(6), at.plus_seconds(259_200), at));
        drive(&mut s.device, DeviceEvent::StartActivation { activation: id(8) }, at);
    }),
    ("claim", |s, at| walk_to(s, Step::Claimed, at)),
    ("prove the identity", |s, at| walk_to(s, Step::IdentityProven, at)),
    ("pass the network test", |s, at| walk_to(s, Step::NetworkOk, at)),
    ("load the keys", |s, at| walk_to(s, Step::KeysLoaded, at)),
    ("sign in", |s, at| walk_to(s, Step::SignedIn, at)),
    ("set the operator password", |s, at| {
        s.operators_with_pin = 1;
        walk_to(s, Step::PinSet, at);
    }),
    ("pass the test", |s, at| walk_to(s, Step::Tested, at)),
    ("become active", |s, at| {
        drive(&mut s.activation, ActivationEvent::Activate { receipt: "ab".into() }, at);
        drive(&mut s.device, DeviceEvent::Activate {}, at);
        let list = open_requirements(s, at);
        assert!(for_capability(&list, CapabilityKind::Activate).is_empty(), "{list:#?}");
        assert!(for_capability(&list, CapabilityKind::AcceptCard).is_empty(), "{list:#?}");
    }),
    ("register the wallet", |s, at| {
        register(s, Channel::is_wallet, at);
        on_application(s, ApplicationEvent::Registered {}, at);
    }),
];

/// Takes the activation's steps up to this one.
fn walk_to(situation: &mut Situation, step: Step, at: Timestamp) {
    while situation.activation.as_ref().is_some_and(|activation| activation.last_step() < step) {
        let legal =
            situation.activation.as_ref().and_then(|activation| activation.legal_events().first().copied());
        let event = <Activation as crate::walk::Walk>::events()
            .into_iter()
            .find(|event| Some(event.name()) == legal)
            .unwrap();
        drive(&mut situation.activation, event, at);
    }
}
