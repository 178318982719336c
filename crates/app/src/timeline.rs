//! 时间线: a merchant's events, oldest first, as the merchant and the desks may see them.

use crate::error::Error;
use crate::platform::Platform;
use crate::step::{EventPayload, Step, event_context};
use crate::view::{EventView, Page, TimelineView};
use crate::{Action, Actor};
use starpay_domain::id::{EventId, MerchantId, TypedId};
use starpay_store::event::{self, StoredEvent};

impl Platform {
    /// A merchant's timeline.
    ///
    /// # Errors
    /// `not_found`; `validation_failed` for a cursor that is not one of ours.
    pub async fn timeline(
        &self,
        actor: &Actor,
        merchant: MerchantId,
        page: Page,
    ) -> Result<TimelineView, Error> {
        actor.may(Action::MerchantView)?;
        actor.owns(merchant)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            starpay_store::merchant::get(step.tx, merchant.uuid())?;
            let found = event::list_of_merchant(step.tx, merchant.uuid(), after, limit)?;
            crate::paging::write(found, |stored| view(step, stored))
        })
        .await
    }
}

fn view(step: &mut Step<'_>, stored: StoredEvent) -> Result<EventView, Error> {
    let event = stored.event;
    let context = event_context(event.aggregate_id, event.version);
    let payload = step.open(event.merchant_id, &context, &event.payload)?;
    let payload: EventPayload = serde_json::from_slice(&payload)?;
    Ok(EventView {
        id: EventId::from_uuid(event.id).to_string(),
        aggregate_id: crate::step::prefixed(&event.kind, event.aggregate_id),
        aggregate: event.kind,
        event: event.name,
        state: payload.state,
        actor: event.actor_kind,
        at: event.at.to_string(),
    })
}
