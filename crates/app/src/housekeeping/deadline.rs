//! 到期: what is late is found and passed on, the same way for every machine.
//!
//! A machine's table of owners says how long a state may last and what happens then; the store's
//! index finds the rows whose limit may have passed, so a round costs what is due and not what is
//! there. Each row is then read again, locked, in a transaction of its own: whoever acted in the
//! meantime was in time, and of two rounds at once (another node, a job whose lease passed on)
//! one finds nothing left to do.

use super::time_out::{MACHINES, Watched};
use crate::actor::{Action, Actor};
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::{Loaded, Step, Stored};
use starpay_domain::instant::Timestamp;
use starpay_domain::party::{Limit, Owner, Then};
use starpay_domain::term::Terms;
use starpay_store::StoreError;
use starpay_store::aggregate::limit::{self, Due};
use starpay_store::aggregate::{self, Table};

/// Rows of one page of what is due.
const PAGE: i64 = 100;

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeadlineSummary {
    /// States that ended because their time was over.
    pub ended: u64,
    /// States that stay and of which somebody was told.
    pub told: u64,
    /// Rows with which something went wrong: the log says what; the next round tries again.
    pub failed: u64,
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// Its state ended.
    Ended,
    /// Somebody was told; its state stays.
    Told,
    /// It is not late (any more).
    NotNow,
}

/// A row that may be late, and the rule it was found by.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) row: Due,
    pub(super) owner: &'static Owner,
}

/// What happens to a row that is late.
pub(super) type Pass = fn(&mut Step<'_>, &Candidate) -> Result<Passed, Error>;

impl Platform {
    /// Passes on everything whose time is over: ends it, reminds its owner, or tells a desk.
    ///
    /// # Errors
    /// `forbidden`; the store's own. What was done until then stays done.
    pub async fn pass_deadlines(&self, actor: &Actor) -> Result<DeadlineSummary, Error> {
        actor.may(Action::RunJobs).or_else(|_| actor.may(Action::Administer))?;
        let mut done = DeadlineSummary::default();
        for watched in &MACHINES {
            for owner in watched.owners {
                if let Some((then, cutoff)) = cutoff(owner.limit, &self.shared.rules().terms, self.now()) {
                    self.pass_state(actor, watched, owner, (watched.pass(then)?, cutoff), &mut done).await?;
                }
            }
        }
        Ok(done)
    }

    /// Passes on what is late in one state of one machine.
    async fn pass_state(
        &self,
        actor: &Actor,
        watched: &'static Watched,
        owner: &'static Owner,
        (pass, cutoff): (Pass, Timestamp),
        done: &mut DeadlineSummary,
    ) -> Result<(), Error> {
        let table = watched.table;
        let mut after = None;
        loop {
            let page = self
                .db
                .read(move |tx| limit::list_due(tx, table, owner.state, cutoff, after, PAGE))
                .await
                .map_err(|error: StoreError| Error::from(error))?;
            for row in page.rows {
                let candidate = Candidate { row, owner };
                match self.apply(actor, move |step| pass(step, &candidate)).await {
                    Ok(Passed::Ended) => done.ended += 1,
                    Ok(Passed::Told) => {
                        done.told += 1;
                        note(table, owner, &row);
                    }
                    Ok(Passed::NotNow) => {}
                    Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
                    Err(error) => {
                        done.failed += 1;
                        tracing::error!(
                            aggregate.kind = table.name, aggregate.id = %row.id.simple(), state = owner.state,
                            %error, detail = error.detail, "a deadline could not be passed on"
                        );
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// A supervisor reads the log and the list of what is overdue.
fn note(table: &Table, owner: &Owner, row: &Due) {
    tracing::warn!(
        aggregate.kind = table.name, aggregate.id = %row.id.simple(), state = owner.state,
        owner = %owner.party, "late"
    );
}

/// What follows a limit, and the moment from which, or until which, a row that is late counts at
/// the latest. `None` when the state may last.
fn cutoff(limit: Limit, terms: &Terms, now: Timestamp) -> Option<(Then, Timestamp)> {
    match limit {
        Limit::Within(term, then) => Some((then, now.plus_seconds(-terms.seconds(term)))),
        Limit::Until(_, then) => Some((then, now)),
        Limit::Unlimited(_) => None,
    }
}

impl Step<'_> {
    /// The machine of a candidate, locked, if it is late still: in the same state, by the same
    /// rule, at this moment.
    pub(super) fn lock_late<M: Stored>(&mut self, late: &Candidate) -> Result<Option<Loaded<M>>, Error> {
        let Due { id, merchant_id, .. } = late.row;
        let row = match aggregate::lock(self.tx, M::TABLE, id, merchant_id) {
            Ok(row) if row.state == late.owner.state => row,
            Ok(_) | Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let limit_at = row.limit_at;
        let found = match self.load::<M>(row) {
            Ok(found) => found,
            // An erased merchant's things cannot be opened any more, and nobody waits for them.
            Err(error) if error.kind == ErrorKind::NotFound => {
                limit::set(self.tx, M::TABLE, id, merchant_id, None)?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // Rows older than their index say too early a moment once.
        if found.machine.limit_at() != limit_at {
            limit::set(self.tx, M::TABLE, id, merchant_id, found.machine.limit_at())?;
        }
        let over = found.machine.timeout(self.terms()).is_some_and(|(end, _)| end <= self.at);
        Ok(over.then_some(found))
    }
}
