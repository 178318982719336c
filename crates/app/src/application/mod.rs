//! 进件: an application from a draft to a decision.
//!
//! * this file: starting, filling, handing in, withdrawing, seeing
//! * `governing`: which one counts, and why there is no second
//! * `ending`: what ends with it
//! * `document`: uploads
//! * `check`: the automatic checks, a job
//! * `review`: the reviewer's decisions
//! * `appeal`: the ways out of a refusal, and out of a duplicate
//! * `past`: what its events say that its state does not

mod appeal;
mod check;
pub(crate) mod document;
mod ending;
mod governing;
mod past;
mod quota;
mod review;

pub(crate) use review::refuse_approval;

use crate::error::Error;
use crate::form::{Form, FormRules};
use crate::job::Work;
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{Loaded, Step};
use crate::vault::domain_of;
use crate::view::{
    ApplicationView, CheckView, DocumentView, FormField, List, NewApplication, Page, PatchApplication,
};
use crate::{Action, Actor};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::capability::CapabilityKind;
use starpay_domain::fact::Record;
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{ApplicationId, CheckId, DocumentId, MerchantId, TypedId};
use starpay_domain::identifier::SubjectType;
use starpay_domain::machine::Machine;
use starpay_store::aggregate::application as rows;
use starpay_store::{Value, aggregate, check_result, merchant};
use starpay_text::{fl, texts};

/// Documents and checks shown with one application.
pub(crate) const ROWS_MAX: i64 = 200;
/// Longest business number of a caller.
const BUSINESS_NO_CHARS_MAX: usize = 64;

impl Platform {
    /// Starts an application. A merchant has one at a time: after a refusal, a withdrawal or an
    /// expiry another one may be begun. It begins with what was filled in last time and still is
    /// good; pictures and consents are given anew.
    ///
    /// # Errors
    /// `choice`, `length`; `business_no_taken`; `application_live`. Both name the application that is
    /// in the way.
    pub async fn start_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        wanted: NewApplication,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationEdit)?;
        let merchant = actor.merchant.ok_or_else(Error::forbidden)?;
        let subject = SubjectType::parse(&wanted.subject_type)
            .ok_or_else(|| Error::choice("subject_type", SubjectType::ALL.iter().map(|one| one.as_str())))?;
        if wanted.business_no.as_deref().is_some_and(|text| {
            text.is_empty()
                || text.chars().count() > BUSINESS_NO_CHARS_MAX
                || text.chars().any(crate::form::unseen)
        }) {
            return Err(Error::invalid("length", "business_no"));
        }
        self.command(actor, Call::new("application.start", key, wanted.clone()), move |step| {
            // Two that begin at once wait for each other here.
            merchant::lock(step.tx, merchant.uuid())?;
            step.refuse_more_applications(merchant)?;
            let id: ApplicationId = step.new_id();
            let business_no = wanted.business_no.clone().unwrap_or_else(|| id.to_string());
            if let Some(taken) = rows::find_by_business_no(step.tx, merchant.uuid(), &business_no)? {
                let existing: Loaded<Application> = step.load(taken)?;
                return Err(governing::in_the_way("business_no_taken", &existing).about("business_no"));
            }
            step.refuse_second(merchant)?;
            let rules = FormRules { subject, at: step.at, policy: step.policy() };
            let mut form = match step.governing_form(merchant)? {
                Some((_, before)) => before.begun_again(&rules),
                None => Form::default(),
            };
            form.set(Field::SubjectType, subject.as_str());
            let (_, contact) = step.contact_of(merchant)?;
            form.set(Field::ContactMobile, contact.mobile);
            if let Some(email) = contact.email {
                form.set(Field::ContactEmail, email);
            }
            let sealed = seal_form(step, merchant, id, &form)?;
            let index = subject_index(step, &form)?;
            let columns = vec![Value::Text(business_no), index, Value::Bytes(sealed), Value::Null];
            let machine = Application::begin(step.at);
            let opened = step.create(id, merchant, machine, columns)?;
            view(step, &opened)
        })
        .await
    }

    /// An application.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn application(&self, actor: &Actor, id: ApplicationId) -> Result<ApplicationView, Error> {
        actor.may(Action::ApplicationView)?;
        self.look(actor, move |step| {
            let seen = step.get::<Application>(id)?;
            view(step, &seen)
        })
        .await
    }

    /// Applications: a merchant's own, or for staff those in one state.
    ///
    /// # Errors
    /// `validation_failed` for a cursor that is not one of ours.
    pub async fn applications(
        &self,
        actor: &Actor,
        state: Option<String>,
        page: Page,
    ) -> Result<List<ApplicationView>, Error> {
        actor.may(Action::ApplicationView)?;
        if state.as_deref().is_some_and(|state| !Application::NAMES.contains(&state)) {
            return Err(Error::choice("state", Application::NAMES.iter().copied()));
        }
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let found = match (step.actor.merchant, &state) {
                (Some(merchant), Some(state)) => {
                    rows::list_of_merchant_in_state(step.tx, merchant.uuid(), state, after, limit)?
                }
                (Some(merchant), None) => aggregate::list_by_merchant(
                    step.tx,
                    &aggregate::APPLICATION,
                    merchant.uuid(),
                    after,
                    limit,
                )?,
                (None, Some(state)) => {
                    aggregate::list_by_state(step.tx, &aggregate::APPLICATION, state, after, limit)?
                }
                (None, None) => aggregate::list_all(step.tx, &aggregate::APPLICATION, after, limit)?,
            };
            crate::paging::write(found, |row| {
                let seen = step.load::<Application>(row)?;
                view(step, &seen)
            })
        })
        .await
    }

    /// Fills fields in: all given ones, or none. A field that was asked about and comes with the same
    /// value again is confirmed: nothing more is asked of the merchant, and the reviewer sees it.
    ///
    /// # Errors
    /// `validation_failed` naming every wrong field; `stale_version`; `illegal_transition`;
    /// `field_closed` for a field that a correction does not open.
    pub async fn patch_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
        seen: Option<i64>,
        patch: PatchApplication,
    ) -> Result<ApplicationView, Error> {
        actor.may(Action::ApplicationEdit)?;
        self.apply(actor, move |step| {
            let mut found = step.lock::<Application>(id)?;
            found.expect_version(seen)?;
            let mut form = open_form(step, &found)?;
            let fields: Vec<Field> = patch.fields.keys().filter_map(|name| Field::parse(name)).collect();
            refuse_closed(&found.machine, &fields)?;
            let rules = FormRules { subject: subject_of(&form)?, at: step.at, policy: step.policy() };
            let before = form.clone();
            form.patch(&patch.fields, &rules)?;
            let mut confirmed = step.flagged(&found)?;
            confirmed.retain(|field| {
                fields.contains(field) && form.get(*field).is_some() && form.get(*field) == before.get(*field)
            });
            // Saying the same again unasked is no edit: it leaves no event and no new version.
            if form == before && confirmed.is_empty() {
                return view(step, &found);
            }
            refuse_unproved_mobile(step, found.merchant, &form)?;
            let sealed = seal_form(step, found.merchant, id, &form)?;
            found.set("form", Value::Bytes(sealed));
            let index = subject_index(step, &form)?;
            found.set("subject_index", index);
            let edited = step.advance(found, ApplicationEvent::Edit { fields, confirmed })?;
            view(step, &edited)
        })
        .await
    }

    /// Hands an application in (again, after corrections).
    ///
    /// # Errors
    /// `requirements_open` naming what is missing; `illegal_transition`; `stale_version`.
    pub async fn submit_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationSubmit)?;
        self.command(actor, Call::new("application.submit", key, id.to_string()), move |step| {
            let found = step.lock::<Application>(id)?;
            found.expect_version(seen)?;
            let by = step.actor.id.clone();
            let event = match &found.machine {
                Application::NeedsInfo { .. } => ApplicationEvent::Resubmit { by },
                _ => ApplicationEvent::Submit { by },
            };
            // The state first: a closed application is "not now", not "incomplete".
            found.machine.clone().apply(event.clone(), step.at)?;
            step.refuse_incomplete(found.merchant, CapabilityKind::Apply)?;
            let submitted = step.advance(found, event)?;
            if submitted.machine.state() == "submitted" {
                step.order(Work::CheckApplication { application: id }, submitted.merchant)?;
            }
            view(step, &submitted)
        })
        .await
    }

    /// Gives an application up, and with it its pictures and checks, the agreement offered, the visit
    /// and the reports not sent. It does not come back; a new one begins with its fields.
    ///
    /// # Errors
    /// `illegal_transition`, `stale_version`.
    pub async fn withdraw_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationSubmit)?;
        self.command(actor, Call::new("application.withdraw", key, id.to_string()), move |step| {
            let found = step.lock::<Application>(id)?;
            found.expect_version(seen)?;
            let by = step.actor.id.clone();
            let withdrawn = step.end_application(found, ApplicationEvent::Withdraw { by })?;
            view(step, &withdrawn)
        })
        .await
    }
}

/// A correction opens only what was named; a draft is open as a whole.
fn refuse_closed(machine: &Application, fields: &[Field]) -> Result<(), Error> {
    let Application::NeedsInfo { fields: open, .. } = machine else { return Ok(()) };
    match fields.iter().find(|field| !open.contains(field)) {
        None => Ok(()),
        Some(closed) => Err(Error::conflict("field_closed").about(closed.as_str())),
    }
}

/// The contact number is the one that proved itself: another one must prove itself first.
fn refuse_unproved_mobile(step: &mut Step<'_>, merchant: MerchantId, form: &Form) -> Result<(), Error> {
    let (_, contact) = step.contact_of(merchant)?;
    match form.get(Field::ContactMobile) {
        Some(mobile) if mobile == contact.mobile => Ok(()),
        Some(_) | None => Err(Error::conflict("mobile_unproved").about(Field::ContactMobile.as_str())),
    }
}

/// Whose application it is, as a blind index: the licence, or for 小微 the person.
fn subject_index(step: &Step<'_>, form: &Form) -> Result<Value, Error> {
    let subject = match subject_of(form)? {
        SubjectType::Micro => form.get(Field::PrincipalIdNumber),
        SubjectType::SoleProprietor | SubjectType::Enterprise | SubjectType::OtherOrg => {
            form.get(Field::LicenceUscc)
        }
    };
    let index = subject.map(|no| step.shared.vault.index(domain_of::SUBJECT, no));
    Ok(index.map_or(Value::Null, Value::Bytes))
}

/// The declared subject type.
pub(crate) fn subject_of(form: &Form) -> Result<SubjectType, Error> {
    form.get(Field::SubjectType)
        .and_then(SubjectType::parse)
        .ok_or_else(|| Error::internal("an application has no subject type"))
}

fn form_context(id: ApplicationId) -> String {
    format!("form|{id}")
}

fn seal_form(
    step: &mut Step<'_>,
    merchant: MerchantId,
    id: ApplicationId,
    form: &Form,
) -> Result<Vec<u8>, Error> {
    step.seal(merchant.uuid(), &form_context(id), &serde_json::to_vec(&form.to_record())?)
}

/// The form of an application, in clear.
pub(crate) fn open_form(step: &mut Step<'_>, found: &Loaded<Application>) -> Result<Form, Error> {
    let sealed: Vec<u8> = found.column("form")?;
    let plain = step.open(found.merchant.uuid(), &form_context(found.id), &sealed)?;
    let record: Record = serde_json::from_slice(&plain)?;
    Ok(Form::from_record(&record))
}

/// An application as it may be shown.
fn view(step: &mut Step<'_>, found: &Loaded<Application>) -> Result<ApplicationView, Error> {
    let form = open_form(step, found)?;
    let id = found.id;
    step.shows(found.merchant, || format!("{id}: {}", crate::look::personal_fields(&form)));
    let documents = starpay_store::document::list_by_application(
        step.tx,
        found.id.uuid(),
        found.merchant.uuid(),
        None,
        ROWS_MAX,
    )?
    .rows
    .into_iter()
    .map(|row| DocumentView {
        id: DocumentId::from_uuid(row.id).to_string(),
        kind: row.kind,
        outcome: row.outcome,
        media_type: row.media_type,
        width: row.width,
        height: row.height,
        bytes: row.byte_count,
    })
    .collect();
    let checks =
        check_result::list_by_application(step.tx, found.id.uuid(), found.merchant.uuid(), None, ROWS_MAX)?
            .rows
            .into_iter()
            .map(|row| CheckView {
                id: CheckId::from_uuid(row.id).to_string(),
                kind: row.kind,
                outcome: row.outcome,
                adapter: row.reference.split_once(':').map_or("", |(adapter, _)| adapter).to_owned(),
                at: row.created_at.to_string(),
            })
            .collect();
    Ok(ApplicationView {
        id: found.id.to_string(),
        merchant_id: found.merchant.to_string(),
        subject_type: subject_of(&form)?.as_str().to_owned(),
        business_no: found.column("business_no")?,
        state: found.machine.state().to_owned(),
        version: found.version,
        allowed: step
            .actor
            .triggers(Application::NAME, found.machine.state(), &found.machine.legal_events())
            .into_iter()
            .map(str::to_owned)
            .collect(),
        fields: form
            .filled()
            .map(|(field, value)| FormField {
                name: field.as_str().to_owned(),
                value: Form::shown(field, value),
            })
            .collect(),
        documents,
        checks,
        confirmed: step.confirmed(found)?.into_iter().map(|field| field.as_str().to_owned()).collect(),
        notice: matches!(found.machine, Application::Withdrawn { .. })
            .then(|| fl!(texts(step.language), "application-withdrawn-notice")),
        updated_at: found.updated_at.to_string(),
    })
}
