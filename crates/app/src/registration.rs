//! 报送/入网: one registration per channel (R-155: within two days). Sent by a job, answered by
//! the registry's webhook or by asking; the merchant is ready when every channel that a terminal
//! needs has answered yes.

use crate::error::Error;
use crate::form::Form;
use crate::job::Work;
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::port::{FiveElements, RegistrationAnswer, RegistrationRequest};
use crate::step::{Loaded, Step};
use crate::vault::domain_of;
use crate::view::{List, Page, RegistrationResult, RegistrationView};
use crate::{Action, Actor, Scope};
use secrecy::SecretString;
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{ApplicationId, MerchantId, RegistrationId, ShipmentId, StoreId, TypedId};
use starpay_domain::identifier::{TerminalNo, UnionPayMerchantNo};
use starpay_domain::machine::Machine;
use starpay_domain::registration::{Channel, Registration, RegistrationEvent};
use starpay_domain::shipment::Shipment;
use starpay_store::aggregate::registration as rows;
use starpay_store::settlement_account::{self, SettlementAccountRow};
use starpay_store::store_place::{self, StorePlaceRow};
use starpay_store::{Page as Found, Value};
use uuid::Uuid;

impl Platform {
    /// Registrations: of one application, a merchant's own, those at the channel that asks, or all
    /// for staff.
    ///
    /// # Errors
    /// `validation_failed` for a cursor that is not one of ours.
    pub async fn registrations(
        &self,
        actor: &Actor,
        application: Option<ApplicationId>,
        page: Page,
    ) -> Result<List<RegistrationView>, Error> {
        actor.may(Action::RegistrationView)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let found = match application {
                Some(application) => {
                    let owner = step.get::<Application>(application)?.merchant;
                    let rows = rows::list_by_application(step.tx, application.uuid(), owner.uuid())?;
                    Found { rows, next: None }
                }
                None if step.actor.scope() == Scope::Channel => {
                    let own = step.actor.subject.clone().unwrap_or_default();
                    rows::list_of_channel(step.tx, &own, after, limit)?
                }
                None => step.page_of::<Registration>(after, limit)?,
            };
            crate::paging::write(found, |row| {
                let found: Loaded<Registration> = step.load(row)?;
                refuse_other_channel(step, &found)?;
                view(&found)
            })
        })
        .await
    }

    /// The registry's webhook: it decided.
    ///
    /// # Errors
    /// `validation_failed` naming what is missing or malformed; `illegal_transition`.
    pub async fn answer_registration(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: RegistrationId,
        result: RegistrationResult,
    ) -> Result<Reply<RegistrationView>, Error> {
        actor.may(Action::RegistrationAnswer)?;
        let answer = parse_answer(&result)?;
        self.command(
            actor,
            Call::new("registration.answer", key, (id.to_string(), result.clone())),
            move |step| {
                let (application, found) = lock_both(step, id)?;
                refuse_other_channel(step, &found)?;
                let settled = settle(step, application, found, &answer)?;
                view(&settled)
            },
        )
        .await
    }

    /// Reports a merchant again after what a channel refused has been put right with it.
    ///
    /// # Errors
    /// `illegal_transition` unless the report had failed.
    pub async fn report_again(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
    ) -> Result<Reply<List<RegistrationView>>, Error> {
        actor.may(Action::ApplicationReview)?;
        self.command(actor, Call::new("application.report", key, id.to_string()), move |step| {
            let found = step.lock::<Application>(id)?;
            if found.machine.state() != "report_failed" {
                return Err(found.machine.illegal("report").into());
            }
            step.order(Work::Report { application: id }, found.merchant)?;
            let rows = rows::list_by_application(step.tx, id.uuid(), found.merchant.uuid())?;
            crate::paging::write(Found { rows, next: None }, |row| {
                let registration: Loaded<Registration> = step.load(row)?;
                view(&registration)
            })
        })
        .await
    }

    /// Creates the registrations of a signed application and orders their sending.
    pub(crate) async fn report_application(&self, actor: &Actor, id: ApplicationId) -> Result<(), Error> {
        actor.may(Action::RunJobs)?;
        self.apply(actor, move |step| {
            let found = step.lock::<Application>(id)?;
            if !matches!(found.machine.state(), "signed" | "report_failed") {
                return Ok(());
            }
            let merchant = found.merchant;
            let known = rows::list_by_application(step.tx, id.uuid(), merchant.uuid())?;
            let reported = step.advance(found, ApplicationEvent::Report {})?;
            if known.is_empty() {
                keep_account_and_place(step, &reported)?;
            }
            for row in &known {
                let refused: Loaded<Registration> = step.load(row.clone())?;
                if refused.machine.state() == "refused" {
                    let corrected = step.advance(refused, RegistrationEvent::Correct { field: None })?;
                    step.order(Work::SendRegistration { registration: corrected.id }, merchant)?;
                }
            }
            for channel in &step.shared.deployment.channels {
                if known.iter().any(|row| row.columns.get(1) == Some(&Value::Text(channel.clone()))) {
                    continue;
                }
                let registration: RegistrationId = step.new_id();
                let columns = vec![
                    Value::Bytes(id.uuid().as_bytes().to_vec()),
                    Value::Text(channel.clone()),
                    Value::Null,
                    Value::Null,
                    Value::Null,
                ];
                step.create(registration, merchant, Registration::begin(step.at), columns)?;
                step.order(Work::SendRegistration { registration }, merchant)?;
            }
            Ok(())
        })
        .await
    }

    /// Sends one registration. The registry knows our id: sending twice is one registration.
    pub(crate) async fn send_registration(&self, actor: &Actor, id: RegistrationId) -> Result<(), Error> {
        actor.may(Action::RunJobs)?;
        let request = self
            .apply(actor, move |step| {
                let (application, found) = lock_both(step, id)?;
                if !application.machine.is_live() {
                    let reason = format!("the application is {}", application.machine.state());
                    return step.abandon(found, &reason).map(|()| None);
                }
                let Some(message) = message_of(&found) else { return Ok(None) };
                let request = request(step, &found, message.clone())?;
                if found.machine.state() == "pending" {
                    step.advance(found, RegistrationEvent::Send { message })?;
                }
                Ok(Some(request))
            })
            .await?;
        let Some(request) = request else { return Ok(()) };
        let answer = self.shared.ports.clearing.submit(request).await?;
        self.take_answer(actor, id, answer).await
    }

    /// Asks the registry how a registration stands.
    pub(crate) async fn query_registration(&self, actor: &Actor, id: RegistrationId) -> Result<(), Error> {
        actor.may(Action::RunJobs)?;
        let message = self.look(actor, move |step| Ok(message_of(&step.get::<Registration>(id)?))).await?;
        let Some(message) = message else { return Ok(()) };
        match self.shared.ports.clearing.query(message).await? {
            Some(answer) => self.take_answer(actor, id, answer).await,
            None => self.send_registration(actor, id).await,
        }
    }

    async fn take_answer(
        &self,
        actor: &Actor,
        id: RegistrationId,
        answer: RegistrationAnswer,
    ) -> Result<(), Error> {
        self.apply(actor, move |step| {
            let (application, found) = lock_both(step, id)?;
            if found.machine.state() != "sent" {
                return Ok(());
            }
            if let RegistrationAnswer::Pending { .. } = &answer {
                return step.order(Work::QueryRegistration { registration: id }, found.merchant);
            }
            settle(step, application, found, &answer).map(|_| ())
        })
        .await
    }
}

/// A registration and its application, locked: the application first, as whoever ends it does.
fn lock_both(
    step: &mut Step<'_>,
    id: RegistrationId,
) -> Result<(Loaded<Application>, Loaded<Registration>), Error> {
    let application: Uuid = step.get::<Registration>(id)?.column("application_id")?;
    let application = step.lock::<Application>(ApplicationId::from_uuid(application))?;
    Ok((application, step.lock(id)?))
}

/// To a channel, other channels' registrations do not exist.
fn refuse_other_channel(step: &Step<'_>, found: &Loaded<Registration>) -> Result<(), Error> {
    let channel: String = found.column("channel")?;
    step.actor.handles(Scope::Channel, Some(&channel))
}

fn parse_answer(result: &RegistrationResult) -> Result<RegistrationAnswer, Error> {
    let needed = |text: &Option<String>, field: &str| {
        text.clone().ok_or_else(|| Error::invalid("field_required", field))
    };
    let network_ref = result.network_ref.clone();
    match result.result.as_str() {
        "registered" => {
            let merchant_no = UnionPayMerchantNo::parse(&needed(&result.merchant_no, "merchant_no")?)
                .map_err(|error| Error::identifier(error, "merchant_no"))?;
            let terminal_no = TerminalNo::parse(&needed(&result.terminal_no, "terminal_no")?)
                .map_err(|error| Error::identifier(error, "terminal_no"))?;
            Ok(RegistrationAnswer::Registered {
                network_ref,
                merchant_no: merchant_no.as_str().to_owned(),
                terminal_no: terminal_no.as_str().to_owned(),
            })
        }
        "refused" => Ok(RegistrationAnswer::Refused {
            network_ref,
            reason: needed(&result.reason, "reason")?,
            field: needed(&result.field, "field")?,
        }),
        _ => Err(Error::choice("result", ["registered", "refused"])),
    }
}

/// Applies a decision, and readies the merchant when it was the last one a terminal needs.
fn settle(
    step: &mut Step<'_>,
    application: Loaded<Application>,
    mut found: Loaded<Registration>,
    answer: &RegistrationAnswer,
) -> Result<Loaded<Registration>, Error> {
    let form = crate::application::open_form(step, &application)?;
    let mcc = form.expect(Field::ShopMcc)?.to_owned();
    match answer {
        RegistrationAnswer::Pending { .. } => Ok(found),
        RegistrationAnswer::Registered { network_ref, merchant_no, terminal_no } => {
            found.set("merchant_no", Value::Text(merchant_no.clone()));
            found.set("terminal_no", Value::Text(terminal_no.clone()));
            found.set("network_ref", Value::Text(network_ref.clone()));
            let event = RegistrationEvent::Accept {
                merchant_no: merchant_no.clone(),
                terminal_no: Some(terminal_no.clone()),
                mcc,
            };
            let settled = step.advance(found, event)?;
            ready_if_complete(step, application)?;
            Ok(settled)
        }
        RegistrationAnswer::Refused { network_ref, reason, field } => {
            found.set("network_ref", Value::Text(network_ref.clone()));
            let (reason, field) = (reason.clone(), Some(field.clone()));
            let event = RegistrationEvent::Refuse { reason: reason.clone(), field: field.clone() };
            let settled = step.advance(found, event)?;
            if application.machine.state() == "reporting" {
                let event = ApplicationEvent::ReportRefused { registration: settled.id, reason, field };
                step.advance(application, event)?;
            }
            Ok(settled)
        }
    }
}

/// Cards may open while a wallet waits: only the channels a terminal needs are asked.
fn ready_if_complete(step: &mut Step<'_>, application: Loaded<Application>) -> Result<(), Error> {
    if application.machine.state() != "reporting" {
        return Ok(());
    }
    let all = rows::list_by_application(step.tx, application.id.uuid(), application.merchant.uuid())?;
    for row in all {
        let registration: Loaded<Registration> = step.load(row)?;
        let channel: String = registration.column("channel")?;
        let needed = Channel::parse(&channel).is_none_or(Channel::opens_terminal);
        if needed && !registration.machine.is_live() {
            return Ok(());
        }
    }
    let form = crate::application::open_form(step, &application)?;
    let address =
        form.get(Field::DeliveryAddress).or(form.get(Field::ShopAddress)).unwrap_or_default().to_owned();
    let merchant = application.merchant;
    let ready = step.advance(application, ApplicationEvent::Registered {})?;
    let shipment: ShipmentId = step.new_id();
    let sealed =
        step.seal(merchant.uuid(), &crate::shipment::address_context(shipment), address.as_bytes())?;
    let columns = vec![
        Value::Bytes(ready.id.uuid().as_bytes().to_vec()),
        Value::Null,
        Value::Bytes(sealed),
        Value::Null,
    ];
    step.create(shipment, merchant, Shipment::begin("1".to_owned(), step.at), columns)?;
    step.refresh_capabilities(merchant)
}

/// What the five elements and the terminal's place are made of, kept apart from the form. An
/// earlier application, given up after its report, may have left some: what was signed last counts.
fn keep_account_and_place(step: &mut Step<'_>, application: &Loaded<Application>) -> Result<(), Error> {
    let form = crate::application::open_form(step, application)?;
    keep_account(step, application.merchant, &form)?;
    keep_place(step, application.merchant, &form)
}

fn keep_account(step: &mut Step<'_>, merchant: MerchantId, form: &Form) -> Result<(), Error> {
    let account = form
        .get(Field::SettlementCardNumber)
        .or(form.get(Field::SettlementAccountNumber))
        .ok_or_else(|| Error::internal("a signed application has no settlement account"))?;
    let account_index = step.shared.vault.index(domain_of::ACCOUNT, account);
    if let Some(live) = settlement_account::find_live(step.tx, merchant.uuid())? {
        if live.account_index == account_index {
            return Ok(());
        }
        settlement_account::update_state(step.tx, live.id, merchant.uuid(), "live", "closed")?;
    }
    let id = step.draw::<10>();
    let id = starpay_domain::id::new_v7(step.at, id);
    let sealed =
        step.seal(merchant.uuid(), &format!("settlement-account|{}", id.simple()), account.as_bytes())?;
    settlement_account::insert(
        step.tx,
        &SettlementAccountRow {
            id,
            merchant_id: merchant.uuid(),
            state: "live".to_owned(),
            account: sealed,
            account_index,
            created_at: step.at,
        },
    )?;
    Ok(())
}

fn keep_place(step: &mut Step<'_>, merchant: MerchantId, form: &Form) -> Result<(), Error> {
    let known = store_place::list_by_merchant(step.tx, merchant.uuid(), None, 1)?.rows.pop();
    let store = known.as_ref().map_or_else(|| step.new_id(), |place| StoreId::from_uuid(place.id));
    let profile = serde_json::json!({"name": form.expect(Field::ShopName)?, "address": form.expect(Field::ShopAddress)?});
    let profile = step.seal(merchant.uuid(), &format!("store|{store}"), profile.to_string().as_bytes())?;
    let degrees = |field: Field| -> Result<i64, Error> {
        form.expect(field)?.parse().map_err(|_| Error::internal("a stored coordinate is not a number"))
    };
    let place = StorePlaceRow {
        id: store.uuid(),
        merchant_id: merchant.uuid(),
        profile,
        latitude_e6: degrees(Field::ShopLatitude)?,
        longitude_e6: degrees(Field::ShopLongitude)?,
        created_at: step.at,
    };
    match known {
        Some(_) => store_place::update(step.tx, &place)?,
        None => store_place::insert(step.tx, &place)?,
    }
    Ok(())
}

/// The reference of the report that is under way or comes next: one per attempt, so that a
/// corrected report is a new one and a repeated one is not.
fn message_of(found: &Loaded<Registration>) -> Option<String> {
    match &found.machine {
        Registration::Pending { attempt, .. } => Some(format!("{}.{}", found.id, attempt.saturating_add(1))),
        Registration::Sent { message, .. } => Some(message.clone()),
        Registration::Registered { .. }
        | Registration::Refused { .. }
        | Registration::ChangePending { .. }
        | Registration::Closing { .. }
        | Registration::Closed { .. } => None,
    }
}

fn request(
    step: &mut Step<'_>,
    found: &Loaded<Registration>,
    reference: String,
) -> Result<RegistrationRequest, Error> {
    let application: Uuid = found.column("application_id")?;
    let application = step.get::<Application>(ApplicationId::from_uuid(application))?;
    let form = crate::application::open_form(step, &application)?;
    let secret = |text: &str| SecretString::from(text.to_owned());
    let degrees = |field: Field| -> Result<i64, Error> {
        form.expect(field)?.parse().map_err(|_| Error::internal("a stored coordinate is not a number"))
    };
    let subject = form.get(Field::LicenceUscc).unwrap_or(form.expect(Field::PrincipalIdNumber)?);
    let account = form
        .get(Field::SettlementCardNumber)
        .or(form.get(Field::SettlementAccountNumber))
        .ok_or_else(|| Error::internal("a signed application has no settlement account"))?;
    Ok(RegistrationRequest {
        reference,
        channel: found.column("channel")?,
        merchant_name: form.get(Field::LicenceName).unwrap_or(form.expect(Field::ShopName)?).to_owned(),
        mcc: form.expect(Field::ShopMcc)?.to_owned(),
        elements: FiveElements {
            acquirer_code: step.shared.deployment.acquirer_code.clone(),
            merchant_no: found.column("merchant_no")?,
            subject_no: secret(subject),
            settlement_account: secret(account),
            latitude_e6: degrees(Field::ShopLatitude)?,
            longitude_e6: degrees(Field::ShopLongitude)?,
        },
    })
}

fn view(found: &Loaded<Registration>) -> Result<RegistrationView, Error> {
    let application: Uuid = found.column("application_id")?;
    Ok(RegistrationView {
        id: found.id.to_string(),
        application_id: ApplicationId::from_uuid(application).to_string(),
        merchant_id: found.merchant.to_string(),
        channel: found.column("channel")?,
        state: found.machine.state().to_owned(),
        merchant_no: found.column("merchant_no")?,
        terminal_no: found.column("terminal_no")?,
    })
}
