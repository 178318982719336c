//! Which of a merchant's applications says how far the merchant is (decision 0010).
//!
//! A merchant has one live application at a time, so there is nothing to choose: the live one, or
//! where none lives the newest that is over. A second one is refused where it would begin. What was
//! filled in before, it begins with.

use super::open_form;
use crate::error::{Error, Legal};
use crate::form::Form;
use crate::step::{Loaded, Step};
use starpay_domain::application::Application;
use starpay_domain::id::{MerchantId, TypedId};
use starpay_domain::machine::Machine;
use starpay_store::aggregate::application as rows;

impl Step<'_> {
    /// The merchant's governing application.
    pub(crate) fn governing_application(
        &mut self,
        merchant: MerchantId,
    ) -> Result<Option<Loaded<Application>>, Error> {
        rows::governing(self.tx, merchant.uuid())?.map(|row| self.load(row)).transpose()
    }

    /// The same with its form.
    pub(crate) fn governing_form(
        &mut self,
        merchant: MerchantId,
    ) -> Result<Option<(Loaded<Application>, Form)>, Error> {
        let Some(application) = self.governing_application(merchant)? else { return Ok(None) };
        let form = open_form(self, &application)?;
        Ok(Some((application, form)))
    }

    /// Refuses an application beside one that lives, and names that one. The caller holds the
    /// merchant's row, so that of two that begin at once the second sees the first.
    pub(super) fn refuse_second(&mut self, merchant: MerchantId) -> Result<(), Error> {
        match self.governing_application(merchant)? {
            Some(live) if live.machine.is_live() => Err(in_the_way("application_live", &live)),
            Some(_) | None => Ok(()),
        }
    }
}

/// A refusal because of an application that is there already: which one, and what can be done with
/// it.
pub(super) fn in_the_way(code: &'static str, other: &Loaded<Application>) -> Error {
    Error {
        existing: Some(other.id.to_string()),
        legal: Some(Legal {
            machine: Application::NAME,
            state: other.machine.state().to_owned(),
            events: other.machine.legal_events(),
        }),
        ..Error::conflict(code)
    }
}
