//! 审核: what a reviewer decides, and never the one who handed it in.

use super::view;
use crate::error::{Error, ErrorKind};
use crate::message::{News, Template};
use crate::platform::{Call, IdempotencyKey, Platform, Replayed, Reply};
use crate::step::{Loaded, Step};
use crate::view::{ApplicationView, InfoRequest, Rejection};
use crate::{Action, Actor};
use starpay_domain::application::{Application, ApplicationEvent, ApprovalRule, ReturnTo};
use starpay_domain::field::FormField as Field;
use starpay_domain::id::ApplicationId;
use starpay_domain::material::MaterialKind;
use starpay_domain::reason::ReasonCode;
use starpay_domain::term::Term;
use starpay_store::Value;

/// Most reasons of one decision.
const REASONS_MAX: usize = 20;

impl Platform {
    /// Takes an application from the queue.
    ///
    /// # Errors
    /// `claimed` when a colleague has it; `illegal_transition`.
    pub async fn claim_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        self.command(actor, Call::new("application.claim", key, id.to_string()), move |step| {
            let mut found = step.lock::<Application>(id)?;
            let by = step.actor.id.clone();
            if let Application::InReview { claimed_by: Some(holder), .. } = &found.machine
                && *holder != by
            {
                return Err(Error::conflict("claimed"));
            }
            found.set("claimed_by", Value::Text(by.clone()));
            let claimed = step.advance(found, ApplicationEvent::Claim { by })?;
            view(step, &claimed)
        })
        .await
    }

    /// Approves: the agreement is offered at once. What is offered was built from what is approved:
    /// an application that moved meanwhile is to be looked at again.
    ///
    /// # Errors
    /// `not_claimed`, `approval_refused` (the submitter, the verifier or a failed visit),
    /// `illegal_transition`, `stale_version`.
    pub async fn approve_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        let prepared = self.prepare_agreement(actor, id, seen).await?;
        let offered = prepared.clone();
        let reply = self.command(actor, Call::new("application.approve", key, id.to_string()), move |step| {
            let found = step.lock::<Application>(id)?;
            let by = step.actor.id.clone();
            refuse_approval(&found, &by, seen)?;
            let (merchant, version) = (found.merchant, found.version);
            let approved = step.advance(found, ApplicationEvent::Approve { by })?;
            let Some(offered) = offered.as_ref().filter(|offered| offered.of_version == version) else {
                return Err(Error::conflict("stale_version"));
            };
            step.tell(merchant, Template::Approved, News::default())?;
            let to_sign = step.offer_agreement(approved, offered)?;
            view(step, &to_sign)
        });
        let reply = reply.await;
        // Refused, or offered before: nobody will ask for the text under this name. What may have
        // been committed stays.
        let unused = match &reply {
            Ok(reply) => reply.replayed == Replayed::Yes,
            Err(error) => !matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Internal),
        };
        if let Some(prepared) = prepared.filter(|_| unused) {
            self.discard_agreement(&prepared).await;
        }
        reply
    }

    /// Asks for corrections: only the named fields open again.
    ///
    /// # Errors
    /// `validation_failed` for a field or reason that does not exist; `illegal_transition`.
    pub async fn request_info(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        wanted: InfoRequest,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        let reasons = parse_reasons(&wanted.reasons)?;
        let mut fields = reasons.iter().filter_map(|reason| reason.form_field()).collect::<Vec<_>>();
        for name in &wanted.fields {
            let field = Field::parse(name).ok_or_else(|| Error::invalid("field_unknown", "fields"))?;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        if fields.is_empty() {
            return Err(Error::invalid("field_required", "fields"));
        }
        self.command(actor, Call::new("application.request-info", key, (id.to_string(), wanted.clone())), {
            let (fields, reasons) = (fields.clone(), reasons.clone());
            move |step: &mut Step<'_>| {
                let found = step.lock::<Application>(id)?;
                let by = step.actor.id.clone();
                refuse_unclaimed(&found.machine, &by)?;
                let merchant = found.merchant;
                let event = ApplicationEvent::RequestInfo {
                    by,
                    fields: fields.clone(),
                    reasons: reasons.clone(),
                    note: None,
                    return_to: return_to(&fields),
                };
                let asked = step.advance(found, event)?;
                step.tell(merchant, Template::NeedsInfo, News { count: fields.len(), ..News::default() })?;
                view(step, &asked)
            }
        })
        .await
    }

    /// Refuses, with reasons that each point to a remedy.
    ///
    /// # Errors
    /// `validation_failed` for an unknown reason; `illegal_transition`.
    pub async fn reject_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        wanted: Rejection,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        let reasons = parse_reasons(&wanted.reasons)?;
        if reasons.is_empty() {
            return Err(Error::invalid("field_required", "reasons"));
        }
        let fields: Vec<Field> = reasons.iter().filter_map(|reason| reason.form_field()).collect();
        self.command(actor, Call::new("application.reject", key, (id.to_string(), wanted.clone())), {
            move |step: &mut Step<'_>| {
                let found = step.lock::<Application>(id)?;
                let by = step.actor.id.clone();
                refuse_unclaimed(&found.machine, &by)?;
                let merchant = found.merchant;
                let event = ApplicationEvent::Reject {
                    by,
                    reasons: reasons.clone(),
                    fields: fields.clone(),
                    appeal_until: step.at.plus_seconds(step.terms().seconds(Term::Objection)),
                    reapply_from: None,
                };
                let rejected = step.advance(found, event)?;
                step.tell(merchant, Template::Rejected, News::default())?;
                view(step, &rejected)
            }
        })
        .await
    }
}

/// Whether this reviewer may approve what they saw. An application that is not in review is refused
/// by its machine, which says what it allows.
pub(crate) fn refuse_approval(found: &Loaded<Application>, by: &str, seen: Option<i64>) -> Result<(), Error> {
    found.expect_version(seen)?;
    refuse_unclaimed(&found.machine, by)?;
    if matches!(found.machine, Application::InReview { .. }) {
        found.machine.may_approve(by, ApprovalRule::Single).map_err(|refusal| Error {
            detail: Some(refusal.to_string()),
            ..Error::conflict("approval_refused")
        })?;
    }
    Ok(())
}

/// A decision needs a reviewer who has taken the case.
fn refuse_unclaimed(machine: &Application, by: &str) -> Result<(), Error> {
    match machine {
        Application::InReview { claimed_by: Some(holder), .. } if holder == by => Ok(()),
        Application::InReview { claimed_by: Some(_), .. } => Err(Error::conflict("claimed")),
        Application::InReview { claimed_by: None, .. } => Err(Error::conflict("not_claimed")),
        // Any other state is refused by the machine itself, which says what it allows.
        _ => Ok(()),
    }
}

/// Where a correction goes on: new pictures go to the reviewer who looks at them; whatever else was
/// filled in anew is checked by machine, and verified at the shop, again.
fn return_to(fields: &[Field]) -> ReturnTo {
    let picture = |field: &Field| MaterialKind::ALL.iter().any(|kind| kind.field() == Some(*field));
    if fields.iter().all(picture) { ReturnTo::InReview } else { ReturnTo::Submitted }
}

fn parse_reasons(texts: &[String]) -> Result<Vec<ReasonCode>, Error> {
    if texts.len() > REASONS_MAX {
        return Err(Error::invalid("length", "reasons"));
    }
    texts
        .iter()
        .map(|text| {
            ReasonCode::parse(text)
                .ok_or_else(|| Error::choice("reasons", ReasonCode::ALL.iter().map(|one| one.as_str())))
        })
        .collect()
}
