//! 清理: what is over goes away, and what waited too long ends.
//!
//! * this file: rows that nobody needs any more
//! * `deadline`: finds what is late, whatever it is, and passes it on
//! * `time_out`: the table of what then happens, one row for each time-out
//! * `overdue`: what is late and still waits for somebody
//!
//! One round is many small transactions, so that a payment never waits for the broom. A round that
//! is cut off is finished by the next one.

mod deadline;
mod overdue;
mod time_out;

pub use deadline::DeadlineSummary;
pub(crate) use overdue::count as overdue_count;

use crate::actor::{Action, Actor};
use crate::error::Error;
use crate::platform::Platform;
use starpay_domain::instant::Timestamp;
use starpay_domain::retention::looks_kept_from;
use starpay_store::work::{self, JOB, OUTBOX};
use starpay_store::{StoreError, Tx, attempt, idempotency, nonce, one_time_code, pii_access};

/// Rows one transaction removes.
const SLICE: i64 = 200;
/// Slices of one table in one sweep; the rest waits for the next sweep.
const SLICES_MAX: usize = 500;
/// Days for which finished work stays to be looked at.
const WORK_DAYS: i64 = 7;
/// Days for which counted failures stay: longer than any window or lock, of which the longest are
/// the eight days of an activation code's tries.
const ATTEMPT_DAYS: i64 = 9;
const DAY_SECONDS: i64 = 86_400;

/// What one sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepSummary {
    /// Expired nonces.
    pub nonces: u64,
    /// Counted failures.
    pub attempts: u64,
    /// One-time codes whose life is over.
    pub codes: u64,
    /// Idempotent answers.
    pub answers: u64,
    /// Finished jobs and outbox rows.
    pub work: u64,
    /// Looks at personal data whose retention period is over.
    pub looks: u64,
}

impl Platform {
    /// Removes what is over.
    ///
    /// # Errors
    /// `forbidden`; the store's own. What was done until then stays done.
    pub async fn sweep(&self, actor: &Actor) -> Result<SweepSummary, Error> {
        actor.may(Action::RunJobs).or_else(|_| actor.may(Action::Administer))?;
        let now = self.now();
        let work_before = now.plus_seconds(-WORK_DAYS * DAY_SECONDS);
        let attempts_before = now.plus_seconds(-ATTEMPT_DAYS * DAY_SECONDS);
        let mut done = SweepSummary {
            nonces: self.purge(move |tx| nonce::purge(tx, now, SLICE)).await?,
            attempts: self.purge(move |tx| attempt::purge(tx, attempts_before, SLICE)).await?,
            codes: self.purge(move |tx| one_time_code::purge(tx, now, SLICE)).await?,
            answers: self.purge(move |tx| idempotency::purge(tx, now, SLICE)).await?,
            ..SweepSummary::default()
        };
        for queue in [&JOB, &OUTBOX] {
            done.work += self.purge(move |tx| work::purge(tx, queue, work_before, SLICE)).await?;
        }
        let years_over = looks_kept_from(now.beijing_date(), &self.shared.rules().policy);
        if let Some(before) = years_over.map(Timestamp::start_of_beijing_day) {
            done.looks = self.purge(move |tx| pii_access::purge(tx, before, SLICE)).await?;
        }
        Ok(done)
    }

    /// Runs one slice after the other until one removes less than it may.
    async fn purge<F>(&self, slice: F) -> Result<u64, Error>
    where
        F: Fn(&mut Tx) -> Result<u64, StoreError> + Copy + Send + 'static,
    {
        let mut removed = 0;
        for _ in 0..SLICES_MAX {
            let now = self.db.write(move |tx: &mut Tx| slice(tx)).await?;
            removed += now;
            if now < SLICE.unsigned_abs() {
                break;
            }
        }
        Ok(removed)
    }
}
