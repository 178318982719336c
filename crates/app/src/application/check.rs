//! 自动预检: the checks that need no person. A job: asks outside any transaction, then writes.
//!
//! Asking twice is harmless, so a crash between the answers and the write only asks again.

use super::open_form;
use crate::error::Error;
use crate::form::Form;
use crate::message::{News, Template};
use crate::platform::Platform;
use crate::port::{AdapterName, IdentityQuestion, LicenceQuestion, ListQuestion, Verdict};
use crate::step::Loaded;
use crate::{Action, Actor};
use secrecy::SecretString;
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{ApplicationId, CheckId, TypedId, VisitId};
use starpay_domain::identifier::SubjectType;
use starpay_domain::machine::Machine;
use starpay_domain::reason::ReasonCode;
use starpay_domain::term::Term;
use starpay_domain::visit::{Visit, VisitMode};
use starpay_store::Value;
use starpay_store::aggregate::application as rows;
use starpay_store::check_result::{self, CheckResultRow};

/// One check's answer.
#[derive(Clone)]
struct Checked {
    kind: &'static str,
    adapter: AdapterName,
    verdict: Verdict,
}

impl Platform {
    /// Runs the automatic checks of an application that was handed in.
    pub(crate) async fn check_application(&self, actor: &Actor, id: ApplicationId) -> Result<(), Error> {
        actor.may(Action::RunJobs)?;
        let begun = self
            .apply(actor, move |step| {
                let found = step.lock::<Application>(id)?;
                let found = match found.machine.state() {
                    "submitted" => step.advance(found, ApplicationEvent::BeginChecks {})?,
                    "checking" => found,
                    // Somebody moved it on: there is nothing left to check.
                    _ => return Ok(None),
                };
                open_form(step, &found).map(Some)
            })
            .await?;
        let Some(form) = begun else { return Ok(()) };
        let checked = self.ask_outside(&form).await?;
        self.apply(actor, move |step| {
            let found: Loaded<Application> = step.lock(id)?;
            if found.machine.state() != "checking" {
                return Ok(());
            }
            for answer in &checked {
                let (outcome, reason, reference) = match &answer.verdict {
                    Verdict::Match { reference } => ("match", None, reference),
                    Verdict::Mismatch { reference, reason_code } => {
                        ("mismatch", Some((*reason_code).to_owned()), reference)
                    }
                    Verdict::Inconclusive { reference } => ("inconclusive", None, reference),
                };
                let row = CheckResultRow {
                    id: step.new_id::<CheckId>().uuid(),
                    merchant_id: found.merchant.uuid(),
                    application_id: id.uuid(),
                    kind: answer.kind.to_owned(),
                    outcome: outcome.to_owned(),
                    reason,
                    reference: format!("{}:{reference}", answer.adapter.name),
                    created_at: step.at,
                };
                check_result::insert(step.tx, &row)?;
            }
            conclude(step, found, &form, &checked)
        })
        .await
    }

    async fn ask_outside(&self, form: &Form) -> Result<Vec<Checked>, Error> {
        let ports = &self.shared.ports;
        let secret = |field: Field| form.expect(field).map(|text| SecretString::from(text.to_owned()));
        let mut checked = Vec::new();
        let question = IdentityQuestion {
            name: secret(Field::PrincipalName)?,
            id_number: secret(Field::PrincipalIdNumber)?,
            card_number: secret(Field::SettlementCardNumber).ok(),
            mobile: secret(Field::ContactMobile).ok(),
        };
        let verdict = ports.identity.verify(question).await?;
        checked.push(Checked { kind: "identity", adapter: ports.identity.adapter(), verdict });
        if let Some(licence_no) = form.get(Field::LicenceUscc) {
            let question = LicenceQuestion {
                licence_no: licence_no.to_owned(),
                name: form.expect(Field::LicenceName)?.to_owned(),
                principal: secret(Field::PrincipalName)?,
            };
            let verdict = ports.licences.look_up(question).await?;
            checked.push(Checked { kind: "licence", adapter: ports.licences.adapter(), verdict });
        }
        let question = ListQuestion {
            licence_no: form.get(Field::LicenceUscc).map(str::to_owned),
            merchant_name: form.expect(Field::ShopName)?.to_owned(),
            principal: secret(Field::PrincipalName)?,
            id_number: secret(Field::PrincipalIdNumber)?,
        };
        let verdict = ports.lists.screen(question).await?;
        checked.push(Checked { kind: "lists", adapter: ports.lists.adapter(), verdict });
        Ok(checked)
    }
}

/// What the answers mean for the application.
fn conclude(
    step: &mut crate::step::Step<'_>,
    found: Loaded<Application>,
    form: &Form,
    checked: &[Checked],
) -> Result<(), Error> {
    let let_pass = step.let_pass(&found)?;
    let others = others_of_subject(step, &found, let_pass.len())?;
    let micro = super::subject_of(form)? == SubjectType::Micro;
    let new = |other: &&ApplicationId| !let_pass.contains(&(ReasonCode::F602, **other));
    if let (false, Some(other)) = (micro, others.iter().find(new)) {
        let (event, merchant) = (duplicate_of(*other), found.merchant);
        step.advance(found, event)?;
        return step.tell(merchant, Template::OnHold, News::default());
    }
    let mut reasons: Vec<ReasonCode> = checked
        .iter()
        .filter_map(|answer| match &answer.verdict {
            Verdict::Mismatch { reason_code, .. } => ReasonCode::parse(reason_code),
            Verdict::Match { .. } | Verdict::Inconclusive { .. } => None,
        })
        .collect();
    reasons.extend(disagreements(step, form)?);
    // one person, so many 小微 merchants at one acquirer.
    if micro && others.len() >= usize::from(step.policy().micro_per_acquirer_count) {
        reasons.push(ReasonCode::F601);
    }
    if reasons.is_empty() {
        let fixed = form.get(Field::ShopFixed) != Some("false");
        let mode = if fixed { VisitMode::Onsite } else { VisitMode::Video };
        let (application, merchant) = (found.id, found.merchant);
        step.advance(found, ApplicationEvent::ChecksPassed { visit: Some(mode) })?;
        let visit: VisitId = step.new_id();
        let columns = vec![Value::Bytes(application.uuid().as_bytes().to_vec()), Value::Null, Value::Null];
        step.create(visit, merchant, Visit::Offered { since: step.at, mode }, columns)?;
        return Ok(());
    }
    let fields: Vec<Field> = reasons.iter().filter_map(|reason| reason.form_field()).collect();
    let event = if reasons.contains(&ReasonCode::G701) {
        let appeal_until = step.at.plus_seconds(step.terms().seconds(Term::Objection));
        ApplicationEvent::ChecksFailed { fields, reasons, appeal_until, reapply_from: None }
    } else {
        ApplicationEvent::ChecksFlagged { fields, reasons }
    };
    step.advance(found, event)?;
    Ok(())
}

fn duplicate_of(other: ApplicationId) -> ApplicationEvent {
    ApplicationEvent::Freeze { duplicate_of: Some(other), reason: ReasonCode::F602 }
}

/// The subject's other applications that are under way or through: one more than were let pass, or as
/// many as make one person too many 小微 merchants. The subject is the licence, or for 小微 the person.
fn others_of_subject(
    step: &mut crate::step::Step<'_>,
    found: &Loaded<Application>,
    let_pass: usize,
) -> Result<Vec<ApplicationId>, Error> {
    let index: Option<Vec<u8>> = found.column("subject_index")?;
    let Some(index) = index else { return Ok(Vec::new()) };
    let beside = i64::try_from(let_pass).unwrap_or(i64::MAX).saturating_add(1);
    let most = i64::from(step.policy().micro_per_acquirer_count).max(beside);
    let others = rows::in_the_way(step.tx, &index, found.id.uuid(), most)?;
    Ok(others.into_iter().map(|row| ApplicationId::from_uuid(row.id)).collect())
}

/// What the form says against itself.
fn disagreements(step: &crate::step::Step<'_>, form: &Form) -> Result<Vec<ReasonCode>, Error> {
    let mut reasons = Vec::new();
    let own_card = form.get(Field::SettlementKind) == Some("own_card");
    if own_card && form.get(Field::SettlementHolder) != form.get(Field::PrincipalName) {
        reasons.push(ReasonCode::C304);
    }
    let licensed = &step.shared.deployment.licensed_provinces;
    if let Some(code) = form.get(Field::LicenceUscc) {
        let province: String = code.chars().skip(2).take(2).collect();
        if !licensed.is_empty() && !licensed.contains(&province) {
            reasons.push(ReasonCode::F603);
        }
    }
    Ok(reasons)
}
