//! "Why not yet?": the facts of one merchant, gathered for the one engine that answers.
//!
//! The engine is `domain::requirement::open_requirements`; the same list goes to the merchant's
//! page, the review desk, the terminal and the API.

use crate::application::document::documents_of;
use crate::application::subject_of;
use crate::error::{Error, ErrorKind, FieldError};
use crate::form::{Form, FormRules};
use crate::platform::Platform;
use crate::step::{Loaded, Step, Stored};
use crate::view::{RequirementView, RequirementsView, WaitingFor};
use crate::{Action, Actor};
use starpay_domain::activation::Activation;
use starpay_domain::agreement::Agreement;
use starpay_domain::application::Application;
use starpay_domain::capability::{Capability, CapabilityEvent, CapabilityKind};
use starpay_domain::device::Device;
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{CapabilityId, MerchantId, TypedId};
use starpay_domain::identifier::SubjectType;
use starpay_domain::machine::Machine;
use starpay_domain::material::MaterialKind;
use starpay_domain::party::Party;
use starpay_domain::reason::ReasonCode;
use starpay_domain::registration::{Channel, Registration};
use starpay_domain::requirement::{
    AccountChangeStatus, ChannelStatus, ContactStatus, FieldCondition, FieldStatus, MaterialCondition,
    MaterialStatus, RemedyKey, Requirement, RequirementCode, SettlementStatus, Situation, WaitTable,
    open_requirements,
};
use starpay_domain::shipment::Shipment;
use starpay_domain::visit::{Visit, VisitMode};
use starpay_store::aggregate::{self, AggregateRow};
use starpay_store::{Value, operator, settlement_account};
use starpay_text::Language;
use std::collections::BTreeMap;

impl Platform {
    /// What is still missing, and who must act.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn requirements(
        &self,
        actor: &Actor,
        merchant: MerchantId,
        language: Language,
    ) -> Result<RequirementsView, Error> {
        actor.may(Action::MerchantView)?;
        actor.owns(merchant)?;
        self.look(actor, move |step| {
            starpay_store::merchant::get(step.tx, merchant.uuid())?;
            let situation = step.situation(merchant)?;
            let open = open_requirements(&situation, step.at);
            let capabilities = CapabilityKind::ALL
                .iter()
                .map(|kind| {
                    let blocked = open.iter().any(|requirement| requirement.blocks(*kind));
                    let state = situation
                        .capabilities
                        .iter()
                        .find(|(known, _)| known == kind)
                        .map_or("unrequested", |(_, capability)| capability.state());
                    let shown = if state == "pending" && !blocked { "valid" } else { state };
                    (kind.as_str().to_owned(), shown.to_owned())
                })
                .collect::<BTreeMap<_, _>>();
            let requirements = open.iter().map(|requirement| shown(requirement, language)).collect();
            Ok(RequirementsView { merchant_id: merchant.to_string(), requirements, capabilities })
        })
        .await
    }
}

impl Step<'_> {
    /// Refuses while something that this capability needs from the merchant is open.
    pub(crate) fn refuse_incomplete(
        &mut self,
        merchant: MerchantId,
        kind: CapabilityKind,
    ) -> Result<(), Error> {
        let situation = self.situation(merchant)?;
        let open = open_requirements(&situation, self.at);
        let missing: Vec<FieldError> = open
            .iter()
            .filter(|requirement| requirement.blocks(kind) && requirement.awaiting == Party::Merchant)
            // Handing in is what the caller is doing right now.
            .filter(|requirement| {
                !matches!(
                    requirement.code,
                    RequirementCode::ApplicationUnsubmitted | RequirementCode::ApplicationUncorrected
                )
            })
            .map(|requirement| {
                let code = requirement.code.as_str();
                FieldError::new(requirement.field.unwrap_or(code), code)
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let field = missing.first().map(|wrong| wrong.field.clone());
        Err(Error { field, fields: missing, ..Error::new(ErrorKind::Invalid, "requirements_open") })
    }

    /// Asks for every capability when a merchant begins to exist.
    pub(crate) fn request_capabilities(&mut self, merchant: MerchantId) -> Result<(), Error> {
        for kind in CapabilityKind::ALL {
            let id: CapabilityId = self.new_id();
            let columns = vec![Value::Text(kind.as_str().to_owned())];
            let machine = Capability::Unrequested { since: self.at };
            let opened = self.create(id, merchant, machine, columns)?;
            self.advance(opened, CapabilityEvent::Request {})?;
        }
        Ok(())
    }

    /// Marks as valid every capability that lacks nothing any more.
    pub(crate) fn refresh_capabilities(&mut self, merchant: MerchantId) -> Result<(), Error> {
        let situation = self.situation(merchant)?;
        let open = open_requirements(&situation, self.at);
        for row in aggregate::capability::list_of_merchant(self.tx, merchant.uuid())? {
            let capability: Loaded<Capability> = self.load(row)?;
            let name: String = capability.column("name")?;
            let blocked = CapabilityKind::parse(&name)
                .is_none_or(|kind| open.iter().any(|requirement| requirement.blocks(kind)));
            if !blocked && capability.machine.state() == "pending" {
                self.advance(capability, CapabilityEvent::Validate {})?;
            }
        }
        Ok(())
    }

    /// Everything known about a merchant that bears on what is missing.
    pub(crate) fn situation(&mut self, merchant: MerchantId) -> Result<Situation, Error> {
        let (governing, form, subject) = match self.governing_form(merchant)? {
            Some((application, form)) => {
                let subject = subject_of(&form)?;
                (Some(application), form, subject)
            }
            None => (None, Form::default(), SubjectType::SoleProprietor),
        };
        let mut situation = Situation::blank(subject, self.terms().clone(), WaitTable::house(self.terms()));
        situation.contact = ContactStatus::Verified;
        let (fixed, filled) =
            (form.get(Field::ShopFixed) != Some("false"), form.get(Field::ShopFixed).is_some());
        situation.visit_rule = filled.then_some(if fixed { VisitMode::Onsite } else { VisitMode::Video });
        let flagged = match &governing {
            Some(application) => self.flagged(application)?,
            None => Vec::new(),
        };
        let reasons = governing.as_ref().map_or(&[][..], |application| asked_because(&application.machine));
        situation.fields = self.field_statuses(&form, &flagged, reasons, subject);
        if let Some(application) = governing {
            self.add_application(&mut situation, application, &flagged)?;
        }
        self.add_terminal(&mut situation, merchant)?;
        for row in aggregate::capability::list_of_merchant(self.tx, merchant.uuid())? {
            let capability: Loaded<Capability> = self.load(row)?;
            let name: String = capability.column("name")?;
            if let Some(kind) = CapabilityKind::parse(&name) {
                situation.capabilities.push((kind, capability.machine));
            }
        }
        Ok(situation)
    }

    fn add_application(
        &mut self,
        situation: &mut Situation,
        application: Loaded<Application>,
        flagged: &[Field],
    ) -> Result<(), Error> {
        let (id, merchant) = (application.id, application.merchant);
        for row in documents_of(self, id, merchant)? {
            let Some(kind) = MaterialKind::parse(&row.kind) else { continue };
            let is_flagged = kind.field().is_some_and(|field| flagged.contains(&field));
            let condition = match row.outcome.as_str() {
                "accepted" if !is_flagged => MaterialCondition::Accepted,
                _ => MaterialCondition::Unusable,
            };
            situation.materials.retain(|known| known.kind != kind);
            let asked = if is_flagged { asked_because(&application.machine) } else { &[] };
            let reasons = kind.field().map_or_else(Vec::new, |field| lying_in(field, asked));
            situation.materials.push(MaterialStatus { kind, condition, reasons });
        }
        let visit = aggregate::visit::latest_of_application(self.tx, id.uuid(), merchant.uuid())?;
        situation.visit = self.load_found::<Visit>(visit)?.map(|found| found.machine);
        let agreement = aggregate::agreement::latest_of_application(self.tx, id.uuid(), merchant.uuid())?;
        situation.agreement = self.load_found::<Agreement>(agreement)?.map(|found| found.machine);
        let shipment = aggregate::shipment::latest_of_application(self.tx, id.uuid(), merchant.uuid())?;
        situation.shipment = self.load_found::<Shipment>(shipment)?.map(|found| found.machine);
        let rows = aggregate::registration::list_by_application(self.tx, id.uuid(), merchant.uuid())?;
        let mut known = BTreeMap::new();
        for row in rows {
            let registration: Loaded<Registration> = self.load(row)?;
            let channel: String = registration.column("channel")?;
            known.insert(channel, registration.machine);
        }
        for name in &self.shared.deployment.channels {
            let Some(channel) = Channel::parse(name) else { continue };
            situation.channels.push(ChannelStatus { channel, registration: known.remove(name) });
        }
        let live = settlement_account::find_live(self.tx, merchant.uuid())?.is_some();
        situation.settlement = if live { SettlementStatus::Live } else { SettlementStatus::Unverified };
        situation.account_change = AccountChangeStatus::Closed;
        situation.application = Some(application.machine);
        Ok(())
    }

    fn add_terminal(&mut self, situation: &mut Situation, merchant: MerchantId) -> Result<(), Error> {
        let newest = aggregate::device::latest_of_bound_merchant(self.tx, merchant.uuid())?;
        let Some(device): Option<Loaded<Device>> = self.load_found(newest)? else { return Ok(()) };
        let activation = aggregate::activation::latest_of_device(self.tx, device.id.uuid())?
            .filter(|row| row.merchant_id == merchant.uuid());
        situation.activation = self.load_found::<Activation>(activation)?.map(|found| found.machine);
        let operators = operator::list_by_device(self.tx, device.id.uuid())?;
        situation.operators_with_pin = u32::try_from(operators.len()).unwrap_or(u32::MAX);
        situation.device = Some(device.machine);
        Ok(())
    }

    fn field_statuses(
        &self,
        form: &Form,
        flagged: &[Field],
        asked: &[ReasonCode],
        subject: SubjectType,
    ) -> Vec<FieldStatus> {
        let rules = FormRules { subject, at: self.at, policy: self.policy() };
        form.filled()
            .map(|(field, value)| {
                let good = crate::form::still_good(field, value, &rules);
                let condition = match (good, flagged.contains(&field)) {
                    (false, _) => FieldCondition::Invalid,
                    (true, true) => FieldCondition::Flagged,
                    (true, false) => FieldCondition::Filled,
                };
                let reasons = if flagged.contains(&field) { lying_in(field, asked) } else { Vec::new() };
                FieldStatus { field, condition, reasons }
            })
            .collect()
    }

    fn load_found<M: Stored>(&mut self, row: Option<AggregateRow>) -> Result<Option<Loaded<M>>, Error> {
        row.map(|row| self.load(row)).transpose()
    }
}

/// Why a correction was asked for.
fn asked_because(machine: &Application) -> &[ReasonCode] {
    let Application::NeedsInfo { reasons, .. } = machine else { return &[] };
    reasons
}

/// Those reasons that are put right in this field.
fn lying_in(field: Field, reasons: &[ReasonCode]) -> Vec<ReasonCode> {
    reasons.iter().copied().filter(|reason| reason.form_field() == Some(field)).collect()
}

fn remedy(requirement: &Requirement, language: Language) -> String {
    let advice = match requirement.remedy {
        RemedyKey::Requirement(code) => starpay_text::requirement(language, code.as_str()),
        RemedyKey::Reason(code) => starpay_text::reason(language, code.merchant_code()),
    };
    advice.map_or_else(|| requirement.remedy.to_string(), |advice| advice.remedy)
}

fn message(requirement: &Requirement, language: Language) -> String {
    let code = requirement.code.as_str();
    let message =
        starpay_text::requirement(language, code).map_or_else(|| code.to_owned(), |said| said.message);
    match requirement.field {
        Some(field) => starpay_text::about(language, field, message),
        None => message,
    }
}

fn shown(requirement: &Requirement, language: Language) -> RequirementView {
    RequirementView {
        code: requirement.code.as_str().to_owned(),
        field: requirement.field.map(str::to_owned),
        awaiting: requirement.awaiting.to_string(),
        status: requirement.status.as_str().to_owned(),
        errors: requirement.merchant_errors().into_iter().map(str::to_owned).collect(),
        message: message(requirement, language),
        remedy: remedy(requirement, language),
        impact: requirement.impact.iter().map(|kind| kind.as_str().to_owned()).collect(),
        deadline: requirement.deadline.map(|at| at.to_string()),
        expected_wait_s: requirement.expected_wait_seconds,
    }
}

/// The same, for a terminal's small screen.
pub(crate) fn waiting_for(requirement: &Requirement, language: Language) -> WaitingFor {
    WaitingFor {
        code: requirement.code.as_str().to_owned(),
        awaiting: requirement.awaiting.to_string(),
        who: who(requirement.awaiting, language),
        status: requirement.status.as_str().to_owned(),
        message: message(requirement, language),
        remedy: remedy(requirement, language),
        impact: requirement.impact.iter().map(|kind| kind.as_str().to_owned()).collect(),
        expected_wait_s: requirement.expected_wait_seconds,
    }
}

/// Who must act, in words: 您, 审核组, 快递公司.
fn who(party: Party, language: Language) -> String {
    let said = match party.which() {
        Some(desk) => starpay_text::desk(language, desk),
        None => starpay_text::party(language, party.kind()),
    };
    said.unwrap_or_else(|| party.to_string())
}
