//! 查阅个人信息: which of the staff was shown whose personal data.
//!
//! Whatever puts personal data into an answer says so to its [`Step`]; the row is written in the
//! transaction of the answer, or after a read and before its answer is given: what cannot be
//! recorded is not shown. A merchant who looks at their own is nobody's business. Who is shown the
//! same again within ten minutes leaves no second row, and a read of nothing new writes nothing.

use crate::error::Error;
use crate::form::Form;
use crate::platform::Platform;
use crate::step::Step;
use crate::view::{List, LookView, Page};
use crate::{Action, Actor};
use serde::{Deserialize, Serialize};
use starpay_domain::field::Holds;
use starpay_domain::id::{MerchantId, TypedId};
use starpay_domain::instant::Timestamp;
use starpay_store::merchant;
use starpay_store::pii_access::{self, Onlooker, Thing};
use uuid::Uuid;

/// Longest record of one look, in bytes.
const WHAT_BYTES_MAX: usize = 1000;
/// Seconds within which the same look of the same actor stands once.
const SAME_LOOK_SECONDS: i64 = 600;

/// What somebody is about to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    merchant: uuid::Bytes,
    what: String,
}

impl Platform {
    /// Who of the staff and partners was shown personal data of a merchant, oldest first. Stays
    /// readable when the merchant is erased.
    ///
    /// # Errors
    /// `forbidden`; `not_found`; `validation_failed` for a cursor that is not one of ours.
    pub async fn looks(
        &self,
        actor: &Actor,
        merchant: MerchantId,
        page: Page,
    ) -> Result<List<LookView>, Error> {
        actor.may(Action::Administer)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            merchant::get(step.tx, merchant.uuid())?;
            let found = pii_access::list_by_merchant(step.tx, merchant.uuid(), after, limit)?;
            crate::paging::write(found, |row| {
                Ok(LookView {
                    actor: row.actor,
                    role: row.role,
                    what: row.what,
                    at: row.at.to_string(),
                    request_id: row.request_id,
                })
            })
        })
        .await
    }
}

impl Step<'_> {
    /// Says that this answer shows personal data of a merchant: which thing, which fields.
    pub(crate) fn shows(&mut self, merchant: MerchantId, what: impl FnOnce() -> String) {
        if self.actor.is_staff() {
            let mut what = what();
            what.truncate(what.floor_char_boundary(WHAT_BYTES_MAX));
            self.shows_again(vec![Shown { merchant: merchant.uuid().into_bytes(), what }]);
        }
    }

    /// Says that this answer shows what one given before did.
    pub(crate) fn shows_again(&mut self, shown: Vec<Shown>) {
        for one in shown {
            if !self.shown.contains(&one) {
                self.shown.push(one);
            }
        }
    }

    /// What was said to be shown so far, to be kept elsewhere.
    pub(crate) fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// The same, or nothing when all of it is on record.
    pub(crate) fn take_news(&mut self) -> Result<Vec<Shown>, Error> {
        let shown = self.take_shown();
        let things = self.things(&shown);
        let news = pii_access::any_news(self.tx, &self.actor.id, &things, self.same_since())?;
        Ok(if news { shown } else { Vec::new() })
    }

    /// Records what was said to be shown.
    pub(crate) fn keep_shown(&mut self, shown: &[Shown]) -> Result<(), Error> {
        let things = self.things(shown);
        let by = Onlooker {
            actor: &self.actor.id,
            role: self.actor.role.as_str(),
            request_id: self.actor.request.as_deref(),
            at: self.at,
        };
        let since = self.same_since();
        pii_access::insert_news(self.tx, by, &things, since)?;
        Ok(())
    }

    fn same_since(&self) -> Timestamp {
        self.at.plus_seconds(-SAME_LOOK_SECONDS)
    }

    fn things(&mut self, shown: &[Shown]) -> Vec<Thing> {
        let mut thing = |one: &Shown| Thing {
            id: starpay_domain::id::new_v7(self.at, self.draw()),
            merchant_id: Uuid::from_bytes(one.merchant),
            what: one.what.clone(),
        };
        shown.iter().map(&mut thing).collect()
    }
}

/// The filled fields of a form that concern a person, by name.
pub(crate) fn personal_fields(form: &Form) -> String {
    let personal = form.filled().filter(|(field, _)| field.holds() == Holds::Personal);
    personal.map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(", ")
}
