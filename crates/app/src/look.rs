//! 查阅个人信息: which of the staff was shown whose personal data.
//!
//! Whatever puts personal data into an answer says so to its [`Step`]; the row is written in the
//! transaction of the answer, or after a read and before its answer is given: what cannot be
//! recorded is not shown. A merchant who looks at their own is nobody's business.

use crate::error::Error;
use crate::form::Form;
use crate::step::Step;
use serde_json::Value;
use starpay_domain::field::Holds;
use starpay_domain::id::{MerchantId, TypedId};
use starpay_store::pii_access::{self, PiiAccessRow};

/// Longest record of one look, in bytes.
const WHAT_BYTES_MAX: usize = 1000;

/// What somebody is about to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    merchant: MerchantId,
    what: String,
}

impl Step<'_> {
    /// Says that this answer shows personal data of a merchant: which thing, which fields.
    pub(crate) fn shows(&mut self, merchant: MerchantId, what: impl FnOnce() -> String) {
        if self.actor.is_staff() {
            let mut what = what();
            what.truncate(what.floor_char_boundary(WHAT_BYTES_MAX));
            self.shown.push(Shown { merchant, what });
        }
    }

    /// Says that this answer repeats one given before, which may have shown a merchant's form.
    pub(crate) fn shows_again(&mut self, answer: &[u8]) -> Result<(), Error> {
        if !self.actor.is_staff() {
            return Ok(());
        }
        let answer: Value = serde_json::from_slice(answer)?;
        let text = |field: &str| answer.get(field).and_then(Value::as_str);
        if let (Some(merchant), Some(id), Some(_)) =
            (text("merchant_id").and_then(MerchantId::parse), text("id"), answer.get("fields"))
        {
            self.shows(merchant, || format!("{id}: the form, in an answer repeated"));
        }
        Ok(())
    }

    /// What was said to be shown so far, to be kept elsewhere.
    pub(crate) fn take_shown(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.shown)
    }

    /// Records what was said to be shown.
    pub(crate) fn keep_shown(&mut self, shown: &[Shown]) -> Result<(), Error> {
        for Shown { merchant, what } in shown {
            let random = self.draw();
            let row = PiiAccessRow {
                id: starpay_domain::id::new_v7(self.at, random),
                merchant_id: merchant.uuid(),
                actor: self.actor.id.clone(),
                what: what.clone(),
                at: self.at,
            };
            pii_access::insert(self.tx, &row)?;
        }
        Ok(())
    }
}

/// The filled fields of a form that concern a person, by name.
pub(crate) fn personal_fields(form: &Form) -> String {
    let personal = form.filled().filter(|(field, _)| field.holds() == Holds::Personal);
    personal.map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(", ")
}
