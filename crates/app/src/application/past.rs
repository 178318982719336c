//! 经过: what an application's own events say that its state does not.

use crate::error::Error;
use crate::step::{EventPayload, Loaded, Step, event_context};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::field::FormField as Field;
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_domain::reason::ReasonCode;
use starpay_store::event;

/// Events of an application read at once.
const EVENTS_PAGE: i64 = 200;

impl Step<'_> {
    /// Its events of these names, oldest first.
    fn past(
        &mut self,
        application: &Loaded<Application>,
        named: &[&str],
    ) -> Result<Vec<ApplicationEvent>, Error> {
        let (id, merchant) = (application.id.uuid(), application.merchant.uuid());
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let page = event::list_of_aggregate(self.tx, id, merchant, after, EVENTS_PAGE)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.event.version;
            for stored in page {
                let event = stored.event;
                if !named.contains(&event.name.as_str()) {
                    continue;
                }
                let payload = self.open(merchant, &event_context(id, event.version), &event.payload)?;
                let payload: EventPayload = serde_json::from_slice(&payload)?;
                found.push(ApplicationEvent::restore(&event.name, &payload.facts)?);
            }
        }
    }

    /// The fields a correction must still touch: those named, less those edited since.
    pub(crate) fn flagged(&mut self, application: &Loaded<Application>) -> Result<Vec<Field>, Error> {
        let Application::NeedsInfo { fields, .. } = &application.machine else { return Ok(Vec::new()) };
        let mut open = fields.clone();
        for event in self.past(application, &["request_info", "checks_flagged", "edit"])? {
            match event {
                ApplicationEvent::Edit { fields: edited, .. } => open.retain(|one| !edited.contains(one)),
                _ => open.clone_from(fields),
            }
        }
        Ok(open)
    }

    /// Of the fields last asked about, those whose value the merchant sent again as it was.
    pub(super) fn confirmed(&mut self, application: &Loaded<Application>) -> Result<Vec<Field>, Error> {
        // Whoever was asked nothing has confirmed nothing: most are not looked through.
        let asked = match &application.machine {
            Application::NeedsInfo { .. } => true,
            Application::Submitted { attempt, .. }
            | Application::Checking { attempt, .. }
            | Application::Verifying { attempt, .. }
            | Application::InReview { attempt, .. } => *attempt > 1,
            _ => false,
        };
        let mut kept = Vec::new();
        if !asked {
            return Ok(kept);
        }
        for event in self.past(application, &["request_info", "checks_flagged", "edit"])? {
            match event {
                ApplicationEvent::Edit { fields, confirmed } => {
                    kept.retain(|field| !fields.contains(field));
                    kept.extend(confirmed);
                }
                _ => kept.clear(),
            }
        }
        Ok(kept)
    }

    /// What a reviewer saw and let pass: the same finding does not freeze the application again,
    /// another one does.
    pub(super) fn let_pass(
        &mut self,
        application: &Loaded<Application>,
    ) -> Result<Vec<(ReasonCode, ApplicationId)>, Error> {
        let unfrozen = self.past(application, &["unfreeze"])?.into_iter();
        Ok(unfrozen
            .filter_map(|event| match event {
                ApplicationEvent::Unfreeze { despite, duplicate_of, .. } => despite.zip(duplicate_of),
                _ => None,
            })
            .collect())
    }
}
