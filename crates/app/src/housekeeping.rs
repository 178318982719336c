//! 清理: what is over goes away, and what waited too long ends.
//!
//! One sweep is many small transactions: each removes or ends a bounded number of rows, so that a
//! payment never waits for the broom. A sweep that is cut off is finished by the next one.

use crate::actor::{Action, Actor};
use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::{Loaded, Step, Stored};
use starpay_domain::activation::{Activation, ActivationEvent};
use starpay_domain::agreement::{Agreement, AgreementEvent};
use starpay_domain::application::{Application, ApplicationEvent};
use starpay_domain::id::TypedId;
use starpay_domain::instant::Timestamp;
use starpay_domain::machine::MachineEvent;
use starpay_domain::party::{Limit, Owned, Then};
use starpay_store::aggregate::{self, AggregateRow};
use starpay_store::work::{self, JOB, OUTBOX};
use starpay_store::{Cursor, Page, StoreError, Tx, attempt, idempotency, nonce};

/// Rows one transaction removes.
const SLICE: i64 = 200;
/// Slices of one table in one sweep; the rest waits for the next sweep.
const SLICES_MAX: usize = 500;
/// Aggregates that one transaction ends.
const EXPIRE_SLICE: usize = 10;
/// Aggregates of one page that are looked at.
const LOOK_SLICE: i64 = 100;
/// Days for which finished work stays to be looked at.
const WORK_DAYS: i64 = 7;
/// Days for which counted failures stay: far longer than any window or lock.
const ATTEMPT_DAYS: i64 = 9;
const DAY_SECONDS: i64 = 86_400;

/// What one sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepSummary {
    /// Expired nonces removed.
    pub nonces: u64,
    /// Counted failures removed.
    pub attempts: u64,
    /// Idempotent answers removed.
    pub answers: u64,
    /// Finished jobs and outbox rows removed.
    pub work: u64,
    /// Applications, agreements and activations ended because their time was over.
    pub expired: u64,
}

/// A machine that a job ends when its time is over, by an event that needs no facts.
trait Expiring: Owned + Stored {
    fn expire() -> Self::Event;

    /// Ends one, with whatever depends on it.
    fn end(step: &mut Step<'_>, found: Loaded<Self>) -> Result<(), Error> {
        step.advance(found, Self::expire()).map(|_| ())
    }
}

impl Expiring for Application {
    fn expire() -> ApplicationEvent {
        ApplicationEvent::Expire {}
    }
}

impl Expiring for Agreement {
    fn expire() -> AgreementEvent {
        AgreementEvent::Expire {}
    }
}

impl Expiring for Activation {
    fn expire() -> ActivationEvent {
        ActivationEvent::Expire {}
    }

    fn end(step: &mut Step<'_>, found: Loaded<Self>) -> Result<(), Error> {
        step.expire_activation(found).map(|_| ())
    }
}

impl Platform {
    /// Removes what is over and ends what waited too long.
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
            answers: self.purge(move |tx| idempotency::purge(tx, now, SLICE)).await?,
            ..SweepSummary::default()
        };
        for queue in [&JOB, &OUTBOX] {
            done.work += self.purge(move |tx| work::purge(tx, queue, work_before, SLICE)).await?;
        }
        done.expired += self.expire_due::<Application>(actor, now).await?;
        done.expired += self.expire_due::<Agreement>(actor, now).await?;
        done.expired += self.expire_due::<Activation>(actor, now).await?;
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

    async fn expire_due<M>(&self, actor: &Actor, now: Timestamp) -> Result<u64, Error>
    where
        M: Expiring + Send + 'static,
        M::Id: Send + Sync + 'static,
    {
        let mut expired = 0;
        for owner in M::OWNERS {
            if !ends_by::<M>(owner.limit) {
                continue;
            }
            let mut after = None;
            loop {
                let (due, next) =
                    self.look(actor, move |step| due_of::<M>(step, owner.state, after, now)).await?;
                for slice in due.chunks(EXPIRE_SLICE) {
                    let slice = slice.to_vec();
                    expired += self.apply(actor, move |step| expire_slice::<M>(step, &slice, now)).await?;
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(expired)
    }
}

/// Whether the limit ends the state by the machine's expiring event.
fn ends_by<M: Expiring>(limit: Limit) -> bool {
    match limit {
        Limit::Within(_, Then::Apply(event)) | Limit::Until(_, Then::Apply(event)) => {
            event == M::expire().name()
        }
        Limit::Within(_, Then::Remind | Then::Escalate)
        | Limit::Until(_, Then::Remind | Then::Escalate)
        | Limit::Unlimited(_) => false,
    }
}

type Due<M> = (Vec<<M as Stored>::Id>, Option<Cursor>);

/// The aggregates of one page whose time is over, and where the next page starts. A state that
/// lasts a named period cannot be over before that period has passed since the aggregate began:
/// at the first younger row the walk ends.
fn due_of<M: Expiring>(
    step: &mut Step<'_>,
    state: &'static str,
    after: Option<Cursor>,
    now: Timestamp,
) -> Result<Due<M>, Error> {
    let Page { rows, next } = aggregate::list_by_state(step.tx, M::TABLE, state, after, LOOK_SLICE)?;
    let youngest = M::OWNERS.iter().find(|owner| owner.state == state).and_then(|owner| match owner.limit {
        Limit::Within(term, _) => Some(now.plus_seconds(-step.terms().seconds(term))),
        Limit::Until(..) | Limit::Unlimited(_) => None,
    });
    let mut due = Vec::new();
    for row in rows {
        if youngest.is_some_and(|youngest| row.created_at > youngest) {
            return Ok((due, None));
        }
        let id = M::Id::from_uuid(row.id);
        if is_due::<M>(step, row, now)? {
            due.push(id);
        }
    }
    Ok((due, next))
}

fn is_due<M: Expiring>(step: &mut Step<'_>, row: AggregateRow, now: Timestamp) -> Result<bool, Error> {
    let loaded = match step.load::<M>(row) {
        Ok(loaded) => loaded,
        // An erased merchant's things cannot be opened any more, and nobody waits for them.
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(matches!(loaded.machine.timeout(step.terms()), Some((at, Then::Apply(_))) if at <= now))
}

fn expire_slice<M: Expiring>(step: &mut Step<'_>, due: &[M::Id], now: Timestamp) -> Result<u64, Error> {
    let mut expired = 0;
    for id in due {
        let found = match step.lock::<M>(*id) {
            Ok(found) => found,
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        // Somebody may have acted since it was looked at.
        let limit = found.machine.owner().map(|owner| owner.limit);
        let over = matches!(found.machine.timeout(step.terms()), Some((at, Then::Apply(_))) if at <= now);
        if over && limit.is_some_and(ends_by::<M>) {
            M::end(step, found)?;
            expired += 1;
        }
    }
    Ok(expired)
}
