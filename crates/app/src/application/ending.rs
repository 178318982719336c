//! 撤回与过期: what ends with an application. Nobody may sign, come or be reported for the sake of
//! one that is over.

use crate::error::Error;
use crate::step::{Loaded, Step};
use starpay_domain::agreement::{Agreement, AgreementEvent};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::id::{AgreementId, RegistrationId, TypedId, VisitId};
use starpay_domain::machine::Machine;
use starpay_domain::registration::{Registration, RegistrationEvent};
use starpay_domain::visit::{Visit, VisitEvent};
use starpay_store::{access_key, aggregate};

/// Links sent out for one agreement.
const LINKS_MAX: i64 = 50;

impl Step<'_> {
    /// Ends an application that its merchant gave up or left lying, and whatever waits for it.
    pub(crate) fn end_application(
        &mut self,
        found: Loaded<Application>,
        event: ApplicationEvent,
    ) -> Result<Loaded<Application>, Error> {
        let left = found.machine.state();
        let ended = self.advance(found, event)?;
        let reason = format!("the application ended in {left}");
        self.take_agreement_back(&ended)?;
        self.call_visit_off(&ended, &reason)?;
        let (id, merchant) = (ended.id.uuid(), ended.merchant.uuid());
        for row in aggregate::registration::list_by_application(self.tx, id, merchant)? {
            let registration = self.lock::<Registration>(RegistrationId::from_uuid(row.id))?;
            self.abandon(registration, &reason)?;
        }
        Ok(ended)
    }

    /// The text offered cannot be signed any more, and the link to it opens nothing.
    fn take_agreement_back(&mut self, ended: &Loaded<Application>) -> Result<(), Error> {
        let (id, merchant) = (ended.id.uuid(), ended.merchant.uuid());
        let Some(row) = aggregate::agreement::latest_of_application(self.tx, id, merchant)? else {
            return Ok(());
        };
        let agreement = self.lock::<Agreement>(AgreementId::from_uuid(row.id))?;
        if agreement.machine.state() != "offered" {
            return Ok(());
        }
        let (subject, at) = (agreement.id.to_string(), self.at);
        self.advance(agreement, AgreementEvent::Expire {})?;
        for link in access_key::list_by_subject(self.tx, &subject, None, LINKS_MAX)?.rows {
            if link.kind == "link" && link.revoked_at.is_none() {
                access_key::revoke(self.tx, link.id, at)?;
            }
        }
        Ok(())
    }

    /// Nobody comes. Whoever is there already breaks off.
    fn call_visit_off(&mut self, ended: &Loaded<Application>, reason: &str) -> Result<(), Error> {
        let (id, merchant) = (ended.id.uuid(), ended.merchant.uuid());
        let Some(row) = aggregate::visit::latest_of_application(self.tx, id, merchant)? else {
            return Ok(());
        };
        let mut visit = self.lock::<Visit>(VisitId::from_uuid(row.id))?;
        if visit.machine.state() == "under_way" {
            visit = self.advance(visit, VisitEvent::BreakOff { reason: reason.to_owned() })?;
        }
        if visit.machine.legal_events().contains(&"cancel") {
            self.advance(visit, VisitEvent::Cancel { reason: reason.to_owned() })?;
        }
        Ok(())
    }

    /// A report that is not out is not sent any more.
    pub(crate) fn abandon(&mut self, registration: Loaded<Registration>, reason: &str) -> Result<(), Error> {
        if registration.machine.legal_events().contains(&"abandon") {
            self.advance(registration, RegistrationEvent::Abandon { reason: reason.to_owned() })?;
        }
        Ok(())
    }
}
