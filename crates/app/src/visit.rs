//! 现场/视频核实: booked by the merchant, carried out by somebody who decides nothing.

use crate::error::{Error, ErrorKind};
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{Loaded, Step};
use crate::view::{BookVisit, FinishVisit, List, Page, VisitView};
use crate::{Action, Actor};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{ApplicationId, TypedId, VisitId};
use starpay_domain::instant::Timestamp;
use starpay_domain::machine::Machine;
use starpay_domain::place::{Place, distance_m};
use starpay_domain::reason::ReasonCode;
use starpay_domain::visit::{Visit, VisitEvent, VisitOutcome};
use starpay_store::aggregate::visit as rows;
use starpay_store::{Page as Found, Value};
use uuid::Uuid;

/// Farthest from the shop at which a visit can pass, in metres (house value, as for terminals).
const DISTANCE_M_MAX: u32 = 500;
/// Longest slot.
const SLOT_SECONDS_MAX: i64 = 8 * 3600;

impl Platform {
    /// Visits: of one application, a merchant's own, or all for staff.
    ///
    /// # Errors
    /// `validation_failed` for a cursor that is not one of ours.
    pub async fn visits(
        &self,
        actor: &Actor,
        application: Option<ApplicationId>,
        page: Page,
    ) -> Result<List<VisitView>, Error> {
        actor.may(Action::VisitView)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let found = match application {
                Some(application) => {
                    let owner = step.get::<Application>(application)?.merchant;
                    let latest = rows::latest_of_application(step.tx, application.uuid(), owner.uuid())?;
                    Found { rows: latest.into_iter().collect(), next: None }
                }
                None => step.page_of::<Visit>(after, limit)?,
            };
            crate::paging::write(found, |row| {
                let visit: Loaded<Visit> = step.load(row)?;
                view(&visit)
            })
        })
        .await
    }

    /// Chooses a time, or another one.
    ///
    /// # Errors
    /// `slot_format`, `slot_reversed`, `slot_past`, `slot_too_long`, `slot_too_far` beyond the policy's
    /// `visit_booking_days`, `illegal_transition`.
    pub async fn book_visit(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: VisitId,
        wanted: BookVisit,
    ) -> Result<Reply<VisitView>, Error> {
        actor.may(Action::VisitBook)?;
        let parse = |text: &str, field: &str| {
            Timestamp::parse(text).ok_or_else(|| Error::invalid("slot_format", field))
        };
        let (from, until) = (parse(&wanted.from, "from")?, parse(&wanted.until, "until")?);
        self.command(actor, Call::new("visit.book", key, (id.to_string(), wanted.clone())), move |step| {
            let mut found = step.lock::<Visit>(id)?;
            check_slot(from, until, step.at, step.policy().visit_booking_days)?;
            found.set("booked_for", Value::Int(from.micros()));
            // Whoever of the field desk is free at that time takes it.
            let visitor = "desk:field".to_owned();
            let event = match &found.machine {
                Visit::Offered { .. } => VisitEvent::Book { from, until, visitor },
                _ => VisitEvent::Rebook { from, until, visitor },
            };
            view(&step.advance(found, event)?)
        })
        .await
    }

    /// Begins a visit. Not only at the time booked: visitor and merchant may meet before or after
    /// it, and the visit says when it really was.
    ///
    /// # Errors
    /// `illegal_transition`.
    pub async fn start_visit(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: VisitId,
    ) -> Result<Reply<VisitView>, Error> {
        actor.may(Action::VisitCarryOut)?;
        self.command(actor, Call::new("visit.start", key, id.to_string()), move |step| {
            let mut found = step.lock::<Visit>(id)?;
            let visitor = step.actor.id.clone();
            found.set("assigned_to", Value::Text(visitor.clone()));
            view(&step.advance(found, VisitEvent::Start { visitor })?)
        })
        .await
    }

    /// Reports what was found. The application goes to review either way; a failed visit is
    /// decided there.
    ///
    /// # Errors
    /// `must_be_true` without the risk notice, `not_yours` when a colleague began it,
    /// `field_required` for a failure without reasons.
    pub async fn finish_visit(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: VisitId,
        wanted: FinishVisit,
    ) -> Result<Reply<VisitView>, Error> {
        actor.may(Action::VisitCarryOut)?;
        let outcome = VisitOutcome::parse(&wanted.result)
            .ok_or_else(|| Error::choice("result", VisitOutcome::ALL.iter().map(|one| one.as_str())))?;
        if !wanted.risk_notice_confirmed {
            return Err(Error::invalid("must_be_true", "risk_notice_confirmed"));
        }
        let stood = Place::new(wanted.latitude_e6, wanted.longitude_e6)
            .ok_or_else(|| Error::invalid("range", "latitude_e6"))?;
        let reasons = wanted
            .reasons
            .iter()
            .map(|text| {
                ReasonCode::parse(text)
                    .ok_or_else(|| Error::choice("reasons", ReasonCode::ALL.iter().map(|one| one.as_str())))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if outcome == VisitOutcome::Fail && reasons.is_empty() {
            return Err(Error::invalid("field_required", "reasons"));
        }
        self.command(actor, Call::new("visit.finish", key, (id.to_string(), wanted.clone())), move |step| {
            finish(step, id, outcome, &reasons, stood)
        })
        .await
    }
}

/// A slot has a beginning and a later end, is not over, begins within the days that may be booked
/// ahead, and keeps nobody waiting all day.
fn check_slot(from: Timestamp, until: Timestamp, now: Timestamp, days_ahead: u16) -> Result<(), Error> {
    let length = until.seconds_since(from);
    if length <= 0 {
        return Err(Error::invalid("slot_reversed", "until"));
    }
    if until <= now {
        return Err(Error::invalid("slot_past", "from"));
    }
    if length > SLOT_SECONDS_MAX {
        return Err(Error::invalid("slot_too_long", "until"));
    }
    if from.seconds_since(now) > i64::from(days_ahead) * 86_400 {
        return Err(Error::invalid("slot_too_far", "from"));
    }
    Ok(())
}

fn finish(
    step: &mut Step<'_>,
    id: VisitId,
    outcome: VisitOutcome,
    reasons: &[ReasonCode],
    stood: Place,
) -> Result<VisitView, Error> {
    // The application first, as whoever ends it does.
    let application: Uuid = step.get::<Visit>(id)?.column("application_id")?;
    let application = step.lock::<Application>(ApplicationId::from_uuid(application))?;
    let found = step.lock::<Visit>(id)?;
    if let Visit::UnderWay { visitor, .. } = &found.machine
        && *visitor != step.actor.id
    {
        return Err(Error::conflict("not_yours"));
    }
    let form = crate::application::open_form(step, &application)?;
    let distance = match (form.get(Field::ShopLatitude), form.get(Field::ShopLongitude)) {
        (Some(latitude), Some(longitude)) => latitude
            .parse()
            .ok()
            .zip(longitude.parse().ok())
            .and_then(|(latitude, longitude)| Place::new(latitude, longitude))
            .map(|shop| distance_m(shop, stood)),
        _ => None,
    };
    // whoever passes a shop has stood in it.
    if outcome == VisitOutcome::Pass && distance.is_some_and(|metres| metres > DISTANCE_M_MAX) {
        return Err(Error::new(ErrorKind::Unprocessable, "visit_too_far").about("latitude_e6"));
    }
    let event = VisitEvent::Finish { outcome, reasons: reasons.to_vec(), report: None, distance_m: distance };
    let done = step.advance(found, event)?;
    if application.machine.state() == "verifying" {
        let event = match outcome {
            VisitOutcome::Pass => ApplicationEvent::VisitPassed { visit: id },
            VisitOutcome::Fail => ApplicationEvent::VisitFailed { visit: id, reasons: reasons.to_vec() },
        };
        step.advance(application, event)?;
    }
    view(&done)
}

fn view(found: &Loaded<Visit>) -> Result<VisitView, Error> {
    let application: Uuid = found.column("application_id")?;
    let booked: Option<Timestamp> = found.column("booked_for")?;
    let (started, finished) = match &found.machine {
        Visit::UnderWay { since, .. } => (Some(*since), None),
        Visit::Done { since, begun, .. } => (*begun, Some(*since)),
        Visit::Offered { .. }
        | Visit::Booked { .. }
        | Visit::Rebooked { .. }
        | Visit::NoShow { .. }
        | Visit::Cancelled { .. } => (None, None),
    };
    Ok(VisitView {
        id: found.id.to_string(),
        application_id: ApplicationId::from_uuid(application).to_string(),
        merchant_id: found.merchant.to_string(),
        state: found.machine.state().to_owned(),
        version: found.version,
        booked_for: booked.map(|at| at.to_string()),
        started_at: started.map(|at| at.to_string()),
        finished_at: finished.map(|at| at.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_slot_says_what_is_wrong_with_it() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let now = at("2027-03-01T08:00:00+08:00");
        let slot = |from: &str, until: &str| {
            check_slot(at(from), at(until), now, 30).map_err(|error| (error.code, error.field.unwrap()))
        };
        let (nine, ten) = ("2027-03-01T09:00:00+08:00", "2027-03-01T10:00:00+08:00");
        assert_eq!(slot(nine, ten), Ok(()));
        assert_eq!(slot(ten, nine), Err(("slot_reversed", "until".to_owned())));
        assert_eq!(slot(nine, nine), Err(("slot_reversed", "until".to_owned())));
        let (seven, eight) = ("2027-03-01T07:00:00+08:00", "2027-03-01T08:00:00+08:00");
        assert_eq!(slot(seven, eight), Err(("slot_past", "from".to_owned())));
        assert_eq!(slot(nine, "2027-03-01T17:00:01+08:00"), Err(("slot_too_long", "until".to_owned())));
        assert_eq!(slot("2027-03-31T08:00:00+08:00", "2027-03-31T09:00:00+08:00"), Ok(()));
        let far = slot("2027-03-31T08:00:01+08:00", "2027-03-31T09:00:00+08:00");
        assert_eq!(far, Err(("slot_too_far", "from".to_owned())));
    }
}
