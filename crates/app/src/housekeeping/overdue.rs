//! 逾期: what is late, still in the same state, and somebody's to do.
//!
//! Read from the index of those of whom somebody was told; nothing is opened for it, so a list of a
//! thousand names no merchant's data.

use super::time_out::MACHINES;
use crate::actor::{Action, Actor};
use crate::error::Error;
use crate::platform::Platform;
use crate::step::{PLATFORM, prefixed};
use crate::view::{List, OverdueView, Page};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_domain::party::{Limit, Owner};
use starpay_domain::term::Terms;
use starpay_store::aggregate::limit::{self, Told};
use starpay_store::{Cursor, Page as Found, StoreError, Tx};

impl Platform {
    /// What is overdue, in the order in which it became known: for whoever supervises.
    ///
    /// # Errors
    /// `forbidden`; `validation_failed` for a cursor that is not one of ours.
    pub async fn overdue(&self, actor: &Actor, page: Page) -> Result<List<OverdueView>, Error> {
        actor.may(Action::OverdueView)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let mut late = Vec::new();
            let mut more = false;
            for watched in &MACHINES {
                let told = limit::list_told(step.tx, watched.table, after, limit)?;
                more |= told.next.is_some();
                late.extend(told.rows.into_iter().map(|told| (watched.table.name, watched.owners, told)));
            }
            late.sort_by_key(|(_, _, told)| (told.told_at, told.id));
            let keep = usize::try_from(limit).unwrap_or(usize::MAX);
            more |= late.len() > keep;
            late.truncate(keep);
            let last = late.last().filter(|_| more);
            let next = last.map(|(_, _, told)| Cursor { at: told.told_at, id: told.id });
            let terms = step.terms();
            crate::paging::write(Found { rows: late, next }, |(kind, owners, told)| {
                Ok(view(kind, owners.iter().find(|owner| owner.state == told.state), &told, terms))
            })
        })
        .await
    }
}

/// How many things are overdue.
pub(crate) fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    MACHINES
        .iter()
        .try_fold(0_i64, |sum, watched| Ok(sum.saturating_add(limit::count_told(tx, watched.table)?)))
}

fn view(kind: &str, owner: Option<&'static Owner>, told: &Told, terms: &Terms) -> OverdueView {
    let due_at = match owner.map(|owner| owner.limit) {
        Some(Limit::Within(term, _)) => told.limit_at.plus_seconds(terms.seconds(term)),
        Some(Limit::Until(..) | Limit::Unlimited(_)) | None => told.limit_at,
    };
    OverdueView {
        id: prefixed(kind, told.id),
        aggregate: kind.to_owned(),
        state: told.state.clone(),
        merchant_id: (told.merchant_id != PLATFORM)
            .then(|| MerchantId::from_uuid(told.merchant_id).to_string()),
        waits_for: owner.map_or_else(String::new, |owner| owner.party.to_string()),
        due_at: due_at.to_string(),
        told_at: told.told_at.to_string(),
    }
}
