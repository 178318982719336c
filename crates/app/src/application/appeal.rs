//! 申诉与解冻: the ways out of a refusal and out of a duplicate.
//!
//! A refusal is never the last word of the one who refused: the merchant may object until the day
//! named with it, and somebody else decides. After that, or instead, a new application may be begun
//! at any time.

use super::view;
use crate::error::Error;
use crate::job::Work;
use crate::message::{News, Template};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{Loaded, Step};
use crate::view::{Appeal, ApplicationView};
use crate::{Action, Actor};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_domain::machine::Machine;
use starpay_store::{Value, merchant};

/// Longest statement of an appeal, in characters.
const STATEMENT_CHARS_MAX: usize = 2000;

impl Platform {
    /// The merchant objects to a refusal.
    ///
    /// # Errors
    /// `field_required`, `length`; `appeal_over` after the last day; `illegal_transition`;
    /// `application_live` while another one is under way.
    pub async fn appeal_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        given: Appeal,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationSubmit)?;
        let statement = given.statement.trim().to_owned();
        if statement.is_empty() {
            return Err(Error::invalid("field_required", "statement"));
        }
        let unseen = |c: char| c != '\n' && crate::form::unseen(c);
        if statement.chars().count() > STATEMENT_CHARS_MAX || statement.chars().any(unseen) {
            return Err(Error::invalid("length", "statement"));
        }
        self.command(actor, Call::new("application.appeal", key, (id.to_string(), given)), move |step| {
            let found = step.lock::<Application>(id)?;
            if let Application::Rejected { appeal_until, .. } = &found.machine
                && *appeal_until <= step.at
            {
                return Err(Error::conflict("appeal_over").about("state"));
            }
            // The state first: what cannot be appealed at all is "not now", not "one too many".
            let by = step.actor.id.clone();
            let event = ApplicationEvent::Appeal { by, statement: statement.clone() };
            found.machine.clone().apply(event.clone(), step.at)?;
            merchant::lock(step.tx, found.merchant.uuid())?;
            step.refuse_second(found.merchant)?;
            let appealed = step.advance(found, event)?;
            view(step, &appealed)
        })
        .await
    }

    /// The objection is accepted: the application is reviewed again.
    ///
    /// # Errors
    /// `own_decision` for whoever refused it; `illegal_transition`; `stale_version`.
    pub async fn reconsider_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        self.command(actor, Call::new("application.reconsider", key, id.to_string()), move |step| {
            let mut found = appealed(step, id, seen)?;
            let by = step.actor.id.clone();
            found.set("claimed_by", Value::Null);
            let reviewed = step.advance(found, ApplicationEvent::Reconsider { by })?;
            view(step, &reviewed)
        })
        .await
    }

    /// The refusal stands.
    ///
    /// # Errors
    /// `own_decision` for whoever refused it; `illegal_transition`; `stale_version`.
    pub async fn uphold_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        self.command(actor, Call::new("application.uphold", key, id.to_string()), move |step| {
            let found = appealed(step, id, seen)?;
            let (by, merchant) = (step.actor.id.clone(), found.merchant);
            let upheld = step.advance(found, ApplicationEvent::Uphold { by })?;
            step.tell(merchant, Template::Rejected, News::default())?;
            view(step, &upheld)
        })
        .await
    }

    /// The duplicate was cleared up, or the reviewer lets it pass: the application is checked anew.
    /// What it was frozen for does not freeze it again; another finding does.
    ///
    /// # Errors
    /// `illegal_transition`, `stale_version`.
    pub async fn unfreeze_application(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: ApplicationId,
        seen: Option<i64>,
    ) -> Result<Reply<ApplicationView>, Error> {
        actor.may(Action::ApplicationReview)?;
        self.command(actor, Call::new("application.unfreeze", key, id.to_string()), move |step| {
            let found = step.lock::<Application>(id)?;
            found.expect_version(seen)?;
            let by = step.actor.id.clone();
            let (despite, duplicate_of) = match &found.machine {
                Application::Frozen { reason, duplicate_of, .. } => (Some(*reason), *duplicate_of),
                // Any other state is refused by the machine itself, which says what it allows.
                _ => (None, None),
            };
            let unfrozen = step.advance(found, ApplicationEvent::Unfreeze { by, despite, duplicate_of })?;
            step.order(Work::CheckApplication { application: id }, unfrozen.merchant)?;
            view(step, &unfrozen)
        })
        .await
    }
}

/// The appeal, for somebody who did not refuse the application (四眼原则).
fn appealed(step: &mut Step<'_>, id: ApplicationId, seen: Option<i64>) -> Result<Loaded<Application>, Error> {
    let found = step.lock::<Application>(id)?;
    found.expect_version(seen)?;
    if let Application::Appealed { rejected_by, .. } = &found.machine
        && *rejected_by == step.actor.id
    {
        return Err(Error::conflict("own_decision"));
    }
    Ok(found)
}
