//! Who acts, and what each role may do: one table.

use crate::error::Error;
use starpay_domain::id::MerchantId;
use starpay_domain::text_enum;
use std::sync::Arc;

text_enum! {
    /// 角色: what a credential stands for.
    pub enum Role {
        /// 商户: the shop owner, signed in with a one-time code.
        Applicant "applicant",
        /// 法定代表人/负责人: opened the signing link sent to the merchant's mobile.
        Signer "signer",
        /// 现场核实员.
        FieldVerifier "field_verifier",
        /// 审核员.
        Reviewer "reviewer",
        /// 仓库.
        Warehouse "warehouse",
        /// 承运商 (webhook).
        Courier "courier",
        /// 清算机构 (webhook).
        Registry "registry",
        /// 集成商: acts for merchants through the API.
        Integrator "integrator",
        /// 客服: sees, does not decide.
        Support "support",
        /// 系统管理员.
        Admin "admin",
        /// 终端, proved by its device key.
        Terminal "terminal",
        /// 平台自身: jobs.
        System "system",
    }
}

text_enum! {
    /// What can be done. Each use case names exactly one.
    pub enum Action {
        /// Start and edit an application, upload documents.
        ApplicationEdit "application_edit",
        /// Hand an application in, or withdraw it.
        ApplicationSubmit "application_submit",
        /// See an application.
        ApplicationView "application_view",
        /// Work the review queue.
        ApplicationReview "application_review",
        /// Choose the time of a visit.
        VisitBook "visit_book",
        /// Carry a visit out.
        VisitCarryOut "visit_carry_out",
        /// See visits.
        VisitView "visit_view",
        /// Read an agreement offered.
        AgreementView "agreement_view",
        /// Sign an agreement.
        AgreementSign "agreement_sign",
        /// See registrations.
        RegistrationView "registration_view",
        /// Answer a registration.
        RegistrationAnswer "registration_answer",
        /// Confirm the address, confirm receipt.
        ShipmentConfirm "shipment_confirm",
        /// Pack and hand over.
        ShipmentPack "shipment_pack",
        /// Report what happened to a parcel.
        ShipmentTrack "shipment_track",
        /// See shipments.
        ShipmentView "shipment_view",
        /// Take devices into stock.
        DeviceStock "device_stock",
        /// See devices.
        DeviceView "device_view",
        /// Take a terminal's certificate back.
        CertificateRecall "certificate_recall",
        /// Ask for, reissue or abort an activation code.
        ActivationManage "activation_manage",
        /// See an activation.
        ActivationView "activation_view",
        /// Speak as a terminal.
        TerminalSpeak "terminal_speak",
        /// See a merchant's requirements and timeline.
        MerchantView "merchant_view",
        /// See what is overdue, at every desk.
        OverdueView "overdue_view",
        /// Create and revoke credentials, back up, verify the audit chain.
        Administer "administer",
        /// Run the platform's own jobs.
        RunJobs "run_jobs",
    }
}

/// Which roles may do what. Nothing else grants anything.
pub const PERMISSIONS: &[(Action, &[Role])] = {
    use Action as A;
    use Role as R;
    &[
        (A::ApplicationEdit, &[R::Applicant, R::Integrator]),
        (A::ApplicationSubmit, &[R::Applicant, R::Integrator]),
        (
            A::ApplicationView,
            &[R::Applicant, R::Integrator, R::Reviewer, R::FieldVerifier, R::Support, R::Admin],
        ),
        (A::ApplicationReview, &[R::Reviewer]),
        (A::VisitBook, &[R::Applicant, R::Integrator]),
        (A::VisitCarryOut, &[R::FieldVerifier]),
        (A::VisitView, &[R::Applicant, R::Integrator, R::FieldVerifier, R::Reviewer, R::Support, R::Admin]),
        (A::AgreementView, &[R::Applicant, R::Signer, R::Integrator, R::Reviewer, R::Support, R::Admin]),
        (A::AgreementSign, &[R::Signer]),
        (A::RegistrationView, &[R::Applicant, R::Integrator, R::Registry, R::Reviewer, R::Support, R::Admin]),
        (A::RegistrationAnswer, &[R::Registry, R::System]),
        (A::ShipmentConfirm, &[R::Applicant, R::Integrator]),
        (A::ShipmentPack, &[R::Warehouse]),
        (A::ShipmentTrack, &[R::Courier, R::System]),
        (A::ShipmentView, &[R::Applicant, R::Integrator, R::Warehouse, R::Courier, R::Support, R::Admin]),
        (A::DeviceStock, &[R::Warehouse, R::Admin]),
        (A::DeviceView, &[R::Applicant, R::Integrator, R::Warehouse, R::Support, R::Admin]),
        (A::CertificateRecall, &[R::Admin]),
        (A::ActivationManage, &[R::Applicant, R::Integrator]),
        (A::ActivationView, &[R::Applicant, R::Integrator, R::Support, R::Admin]),
        (A::TerminalSpeak, &[R::Terminal]),
        (A::MerchantView, &[R::Applicant, R::Integrator, R::Reviewer, R::Support, R::Admin]),
        (A::OverdueView, &[R::Reviewer, R::FieldVerifier, R::Warehouse, R::Support, R::Admin]),
        (A::Administer, &[R::Admin]),
        (A::RunJobs, &[R::System]),
    ]
};

text_enum! {
    /// What a credential is bound to; it sees and moves nothing else.
    pub enum Scope {
        /// Nothing in particular: staff see every merchant's things.
        Everything "everything",
        /// One merchant (a link credential: one agreement of theirs).
        Merchant "merchant",
        /// One carrier: the parcels handed to it.
        Carrier "carrier",
        /// One channel: the registrations at it.
        Channel "channel",
    }
}

/// What each role's credentials are bound to. Nothing else widens or narrows them.
pub const SCOPES: &[(Role, Scope)] = &[
    (Role::Applicant, Scope::Merchant),
    (Role::Signer, Scope::Merchant),
    (Role::FieldVerifier, Scope::Everything),
    (Role::Reviewer, Scope::Everything),
    (Role::Warehouse, Scope::Everything),
    (Role::Courier, Scope::Carrier),
    (Role::Registry, Scope::Channel),
    (Role::Integrator, Scope::Merchant),
    (Role::Support, Scope::Everything),
    (Role::Admin, Scope::Everything),
    (Role::Terminal, Scope::Merchant),
    (Role::System, Scope::Everything),
];

/// Which actions move which machine by which events. Every event stands here once; those of no
/// action are the platform's own, and nobody is told that they are legal.
pub const TRIGGERS: &[(&str, &[Action], &[&str])] = {
    use Action as A;
    &[
        ("application", &[A::ApplicationEdit], &["edit"]),
        ("application", &[A::ApplicationSubmit], &["submit", "resubmit", "withdraw", "appeal"]),
        (
            "application",
            &[A::ApplicationReview],
            &["claim", "approve", "reject", "request_info", "reconsider", "uphold", "unfreeze", "report"],
        ),
        ("application", &[A::AgreementSign], &["sign"]),
        ("application", &[A::VisitCarryOut], &["visit_passed", "visit_failed"]),
        ("application", &[A::RegistrationAnswer], &["registered", "report_refused"]),
        (
            "application",
            &[],
            &[
                "begin_checks",
                "checks_passed",
                "checks_flagged",
                "checks_failed",
                "request_visit",
                "freeze",
                "first_approve",
                "release",
                "offer_agreement",
                "expire",
            ],
        ),
        ("visit", &[A::VisitBook], &["book", "rebook"]),
        ("visit", &[A::VisitCarryOut], &["start", "finish"]),
        ("visit", &[], &["break_off", "cancel", "mark_no_show"]),
        ("agreement", &[A::AgreementSign], &["sign"]),
        ("agreement", &[], &["expire", "supersede"]),
        ("registration", &[A::RegistrationAnswer], &["accept", "refuse"]),
        (
            "registration",
            &[],
            &[
                "send",
                "correct",
                "give_up_waiting",
                "abandon",
                "request_change",
                "accept_change",
                "refuse_change",
                "close",
                "confirm_closed",
            ],
        ),
        (
            "shipment",
            &[A::ShipmentConfirm],
            &["confirm_address", "confirm_receipt", "report_damaged", "reopen"],
        ),
        ("shipment", &[A::ShipmentPack], &["pack", "dispatch"]),
        ("shipment", &[A::ShipmentTrack], &["deliver", "fail_delivery", "take_back", "report_lost"]),
        ("shipment", &[], &["cancel", "delay", "unpack"]),
        ("device", &[A::ShipmentPack], &["reserve", "dispatch"]),
        ("device", &[A::ShipmentTrack, A::ShipmentConfirm], &["deliver"]),
        ("device", &[A::ShipmentTrack], &["report_lost", "come_back"]),
        ("device", &[A::ShipmentConfirm], &["report_tampered"]),
        ("device", &[A::TerminalSpeak], &["start_activation", "activate"]),
        ("device", &[A::ActivationManage], &["end_activation"]),
        (
            "device",
            &[],
            &[
                "consign",
                "find",
                "finish_repair",
                "hand_over",
                "release",
                "report_closure",
                "resume",
                "retire",
                "send_to_repair",
                "suspend",
                "take_back",
                "unbind",
            ],
        ),
        ("activation", &[A::ActivationManage], &["reissue", "abort"]),
        (
            "activation",
            &[A::TerminalSpeak],
            &[
                "claim",
                "prove_identity",
                "confirm_compatible",
                "pass_network",
                "locate",
                "back_up",
                "load_keys",
                "apply_config",
                "sign_in",
                "set_pin",
                "pass_test",
                "retry",
            ],
        ),
        ("activation", &[], &["activate", "await_first_payment", "expire", "fail", "resume", "wait"]),
        ("device_auth", &[A::TerminalSpeak], &["accept", "certify", "renew"]),
        ("device_auth", &[A::CertificateRecall], &["recall"]),
        ("device_auth", &[], &["reject"]),
        ("key_slot", &[A::TerminalSpeak], &["load", "confirm"]),
        ("key_slot", &[], &["fail", "revoke", "rotate"]),
        ("capability", &[], &["invalidate", "pause", "recheck", "reject", "request", "resume", "validate"]),
    ]
};

/// Events that a caller can trigger from some of their states only: elsewhere they are a job's.
const ONLY_FROM: &[(&str, &str, &str)] = &[("application", "report", "report_failed")];

/// Events that are asked for under another name: the last part of the route that asks for them. None
/// for what comes of something done to another thing, or by a request that names no thing. All others
/// are called as they are named; `edit` is the `PATCH` of the thing itself.
const ASKED_AS: &[(&str, &str, Option<&str>)] = &[
    ("application", "resubmit", Some("submit")),
    ("application", "request_info", Some("request-info")),
    ("application", "sign", None),
    ("application", "visit_passed", None),
    ("application", "visit_failed", None),
    ("application", "registered", None),
    ("application", "report_refused", None),
    ("visit", "rebook", Some("book")),
    ("registration", "accept", Some("answer")),
    ("registration", "refuse", Some("answer")),
    ("shipment", "confirm_address", Some("confirm-address")),
    ("shipment", "reopen", Some("confirm-address")),
    ("shipment", "confirm_receipt", Some("receive")),
    ("shipment", "report_damaged", Some("receive")),
    ("shipment", "dispatch", Some("hand-over")),
    ("shipment", "deliver", Some("track")),
    ("shipment", "fail_delivery", Some("track")),
    ("shipment", "take_back", Some("track")),
    ("shipment", "report_lost", Some("track")),
    ("device", "reserve", None),
    ("device", "dispatch", None),
    ("device", "deliver", None),
    ("device", "report_lost", None),
    ("device", "come_back", None),
    ("device", "report_tampered", None),
    ("device", "start_activation", None),
    ("device", "activate", None),
    ("device", "end_activation", None),
    ("activation", "claim", None),
    ("activation", "retry", None),
    ("activation", "prove_identity", Some("identity")),
    ("activation", "confirm_compatible", Some("compatibility")),
    ("activation", "pass_network", Some("network")),
    ("activation", "locate", Some("location")),
    ("activation", "back_up", Some("backup")),
    ("activation", "load_keys", Some("keys")),
    ("activation", "apply_config", Some("config")),
    ("activation", "sign_in", Some("sign-in")),
    ("activation", "set_pin", Some("pin")),
    ("activation", "pass_test", Some("test")),
    ("device_auth", "accept", None),
    ("device_auth", "certify", None),
    ("device_auth", "renew", None),
    ("device_auth", "recall", Some("certificate-recall")),
    ("key_slot", "load", None),
    ("key_slot", "confirm", None),
];

/// Under which name an event is asked for.
fn asked_as(machine: &str, event: &'static str) -> Option<&'static str> {
    let row = ASKED_AS.iter().find(|(of, name, _)| *of == machine && *name == event);
    row.map_or(Some(event), |(.., operation)| *operation)
}

/// Every operation that an answer may name as allowed, by machine: each is the last part of a route.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let asked = TRIGGERS.iter().filter(|(_, actions, _)| !actions.is_empty());
    asked.flat_map(|(machine, _, events)| {
        events.iter().filter_map(|event| Some((*machine, asked_as(machine, event)?)))
    })
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The credential's id, or `system:<job>`: stands in every event.
    pub id: String,
    /// What the credential stands for.
    pub role: Role,
    /// The merchant it is bound to; staff are bound to none.
    pub merchant: Option<MerchantId>,
    /// What it is bound to besides a merchant: a link's agreement, a courier's carrier, a
    /// registry's channel, a terminal's device.
    pub subject: Option<String>,
    /// The name of the request they ask by, if it has one: stands beside what they were shown.
    pub request: Option<Arc<str>>,
}

impl Actor {
    /// The platform itself, doing a job.
    #[must_use]
    pub fn system(job: &str) -> Self {
        Self { id: format!("system:{job}"), role: Role::System, merchant: None, subject: None, request: None }
    }

    /// The same, asking by the request of this name.
    #[must_use]
    pub fn asking_by(self, request: Arc<str>) -> Self {
        Self { request: Some(request), ..self }
    }

    /// Whether this is somebody of ours or of a partner, to whom a merchant is somebody else.
    #[must_use]
    pub const fn is_staff(&self) -> bool {
        match self.role {
            Role::FieldVerifier
            | Role::Reviewer
            | Role::Warehouse
            | Role::Courier
            | Role::Registry
            | Role::Support
            | Role::Admin => true,
            Role::Applicant | Role::Signer | Role::Integrator | Role::Terminal | Role::System => false,
        }
    }

    /// Whose idempotency keys these are: a merchant's stay good over a new sign-in.
    #[must_use]
    pub fn account(&self) -> String {
        let owner = self.merchant.map_or_else(|| self.id.clone(), |merchant| merchant.to_string());
        format!("{}:{owner}", self.role.as_str())
    }

    /// Whether the role allows the action.
    ///
    /// # Errors
    /// `forbidden`, with the roles that may: the table is no secret.
    pub fn may(&self, action: Action) -> Result<(), Error> {
        if allowed(action).contains(&self.role) { Ok(()) } else { Err(Error::denied(action)) }
    }

    /// Those among the legal events of a machine's state that this role can trigger, by the names
    /// under which they are asked for ([`operations`]).
    #[must_use]
    pub fn triggers(&self, machine: &str, state: &str, legal: &[&'static str]) -> Vec<&'static str> {
        let can = |event: &&'static str| {
            let elsewhere =
                ONLY_FROM.iter().any(|(of, name, from)| *of == machine && name == event && *from != state);
            let mut rows = TRIGGERS.iter().filter(|(of, _, events)| *of == machine && events.contains(event));
            !elsewhere && rows.any(|(_, actions, _)| actions.iter().any(|action| self.may(*action).is_ok()))
        };
        let mut named = Vec::new();
        for operation in legal.iter().copied().filter(can).filter_map(|event| asked_as(machine, event)) {
            if !named.contains(&operation) {
                named.push(operation);
            }
        }
        named
    }

    /// What this role's credentials are bound to.
    #[must_use]
    pub fn scope(&self) -> Scope {
        scope_of(self.role)
    }

    /// Whether a thing of this merchant is this actor's business. Somebody else's thing does not
    /// exist for a merchant.
    ///
    /// # Errors
    /// `not_found`.
    pub fn owns(&self, merchant: MerchantId) -> Result<(), Error> {
        match self.scope() {
            Scope::Merchant if self.merchant != Some(merchant) => Err(Error::not_found()),
            Scope::Merchant | Scope::Carrier | Scope::Channel | Scope::Everything => Ok(()),
        }
    }

    /// Whether a thing in the hands of this carrier, or at this channel, is this actor's business.
    /// To a partner, another one's thing does not exist.
    ///
    /// # Errors
    /// `not_found`.
    pub fn handles(&self, scope: Scope, name: Option<&str>) -> Result<(), Error> {
        let own = self.subject.is_some() && self.subject.as_deref() == name;
        if self.scope() != scope || own { Ok(()) } else { Err(Error::not_found()) }
    }
}

/// The roles that may do this.
pub(crate) fn allowed(action: Action) -> &'static [Role] {
    let row = PERMISSIONS.iter().find(|(named, _)| *named == action);
    row.map_or(&[], |(_, roles)| roles)
}

/// What the credentials of a role are bound to.
#[must_use]
pub(crate) fn scope_of(role: Role) -> Scope {
    let row = SCOPES.iter().find(|(named, _)| *named == role);
    // A role without a row would be bound to a merchant it has not: it sees nothing.
    row.map_or(Scope::Merchant, |(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use starpay_domain::machine::Machine;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_exactly_one_row_and_somebody_who_may_do_it() {
        for action in Action::ALL {
            let rows: Vec<_> = PERMISSIONS.iter().filter(|(named, _)| named == action).collect();
            assert_eq!(rows.len(), 1, "{}", action.as_str());
            assert!(!rows[0].1.is_empty(), "{}", action.as_str());
        }
    }

    #[test]
    fn every_role_says_once_what_it_is_bound_to() {
        for role in Role::ALL {
            assert_eq!(SCOPES.iter().filter(|(named, _)| named == role).count(), 1, "{}", role.as_str());
        }
    }

    #[test]
    fn a_partner_handles_its_own_things_only() {
        let courier = Actor { subject: Some("sandbox".into()), ..anybody(Role::Courier) };
        assert!(courier.handles(Scope::Carrier, Some("sandbox")).is_ok());
        assert!(courier.handles(Scope::Carrier, Some("other")).is_err());
        assert!(courier.handles(Scope::Carrier, None).is_err());
        assert!(anybody(Role::Courier).handles(Scope::Carrier, None).is_err(), "a key without its carrier");
        assert!(anybody(Role::Warehouse).handles(Scope::Carrier, Some("other")).is_ok());
        assert!(anybody(Role::Registry).handles(Scope::Channel, Some("unionpay")).is_err());
    }

    fn anybody(role: Role) -> Actor {
        Actor { id: "x".into(), role, merchant: None, subject: None, request: None }
    }

    fn events_of<M: Machine>() -> (&'static str, BTreeSet<&'static str>) {
        (M::NAME, M::EDGES.iter().map(|edge| edge.event).collect())
    }

    #[test]
    fn every_event_of_every_machine_says_once_who_triggers_it() {
        use starpay_domain as domain;
        let machines = [
            events_of::<domain::application::Application>(),
            events_of::<domain::visit::Visit>(),
            events_of::<domain::agreement::Agreement>(),
            events_of::<domain::registration::Registration>(),
            events_of::<domain::shipment::Shipment>(),
            events_of::<domain::device::Device>(),
            events_of::<domain::activation::Activation>(),
            events_of::<domain::device_auth::DeviceAuth>(),
            events_of::<domain::key_slot::KeySlot>(),
            events_of::<domain::capability::Capability>(),
        ];
        for (machine, events) in &machines {
            let rows = TRIGGERS.iter().filter(|(of, ..)| of == machine);
            let listed: Vec<&str> = rows.flat_map(|(_, _, events)| events.iter().copied()).collect();
            assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), *events, "{machine}");
            assert_eq!(listed.len(), events.len(), "{machine}: an event stands twice");
        }
        assert!(TRIGGERS.iter().all(|(of, ..)| machines.iter().any(|(machine, _)| machine == of)));
    }

    #[test]
    fn nobody_is_told_of_events_that_are_not_theirs() {
        let reviewed =
            ["approve", "reject", "request_info", "withdraw", "freeze", "offer_agreement", "report"];
        let seen = |role, state| anybody(role).triggers("application", state, &reviewed);
        assert_eq!(seen(Role::Applicant, "in_review"), ["withdraw"]);
        assert_eq!(seen(Role::Reviewer, "in_review"), ["approve", "reject", "request-info"]);
        assert_eq!(seen(Role::Reviewer, "report_failed"), ["approve", "reject", "request-info", "report"]);
        assert_eq!(seen(Role::Support, "in_review"), [""; 0]);
        assert_eq!(
            anybody(Role::Terminal).triggers("activation", "claimed", &["abort", "wait", "prove_identity"]),
            ["identity"]
        );
        let correcting = ["edit", "resubmit", "withdraw", "expire"];
        assert_eq!(
            anybody(Role::Applicant).triggers("application", "needs_info", &correcting),
            ["edit", "submit", "withdraw"]
        );
        let tracked = anybody(Role::Courier).triggers("shipment", "shipped", &["deliver", "report_lost"]);
        assert_eq!(tracked, ["track"], "once, however many events it stands for");
    }

    #[test]
    fn what_is_asked_under_another_name_is_an_event_that_somebody_triggers() {
        for (machine, event, _) in ASKED_AS {
            let mut rows = TRIGGERS.iter().filter(|(of, actions, _)| of == machine && !actions.is_empty());
            assert!(rows.any(|(.., events)| events.contains(event)), "{machine} {event}");
        }
    }

    #[test]
    fn a_refusal_names_the_roles_that_may() {
        for (action, roles) in PERMISSIONS {
            for role in Role::ALL {
                match anybody(*role).may(*action) {
                    Ok(()) => assert!(roles.contains(role), "{}", action.as_str()),
                    Err(refused) => assert_eq!((refused.code, refused.roles()), ("forbidden", *roles)),
                }
            }
        }
    }

    #[test]
    fn whoever_collects_material_cannot_decide() {
        let collects = [Action::ApplicationEdit, Action::VisitCarryOut];
        for (_, roles) in PERMISSIONS.iter().filter(|(action, _)| collects.contains(action)) {
            for role in *roles {
                let actor = anybody(*role);
                assert!(actor.may(Action::ApplicationReview).is_err(), "R-103: {}", role.as_str());
            }
        }
    }
}
