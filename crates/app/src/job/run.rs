//! Claiming what is due and doing it.

use super::Work;
use super::crew::Crew;
use crate::error::Error;
use crate::platform::Platform;
use crate::step::{PLATFORM, Step};
use crate::{Action, Actor};
use starpay_domain::id::{MessageId, TypedId};
use starpay_store::StoreError;
use starpay_store::work::{self, BackOff, Ended, JOB, OUTBOX, Queue, Verdict, Work as Claimed};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A claimed row's lease. Work that takes longer has it lengthened in time.
const LEASE_SECONDS: i64 = 60;
/// How often the lease of work under way is lengthened: two of these may fail.
const LENGTHEN_EVERY: Duration = Duration::from_secs(20);
/// Longest sleep between two looks.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How long work under way may take once the runner is to stop; then it is given back.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// How failed work comes back.
const BACK_OFF: BackOff = BackOff { first_seconds: 1, longest_seconds: 600, attempts_max: 40 };

impl Platform {
    /// Runs jobs and the outbox until `stop` says so. Several of these may run, here and on other
    /// nodes, each under a name of its own: whoever had this name before is gone, and what it held
    /// is taken up at once instead of when its lease ends.
    ///
    /// Told to stop, it claims no more, finishes what is under way or gives it back, and signs the
    /// last root.
    pub async fn run_jobs(&self, name: String, mut stop: watch::Receiver<bool>) {
        let actor = Actor::system("jobs");
        self.keep_house(&actor, &name).await;
        let mut crews = [&OUTBOX, &JOB].map(|queue| Crew::new(self, &actor, queue));
        while !*stop.borrow() {
            for crew in &mut crews {
                // The other queue's rows may have been long in coming.
                if !*stop.borrow() {
                    self.claim_for(&actor, &name, crew).await;
                }
            }
            let [outbox, jobs] = &mut crews;
            tokio::select! {
                () = outbox.one_done() => {}
                () = jobs.one_done() => {}
                () = self.work.notified() => {}
                () = tokio::time::sleep(POLL_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
        self.wind_up(&actor, &name, crews).await;
    }

    /// One round of [`Platform::run_jobs`]: claims once what is due, does it, and ends.
    pub async fn run_jobs_once(&self, name: String) {
        let actor = Actor::system("jobs");
        self.keep_house(&actor, &name).await;
        let mut crews = [&OUTBOX, &JOB].map(|queue| Crew::new(self, &actor, queue));
        for crew in &mut crews {
            self.claim_for(&actor, &name, crew).await;
        }
        self.wind_up(&actor, &name, crews).await;
    }

    async fn claim_for(&self, actor: &Actor, name: &str, crew: &mut Crew) {
        if let Err(error) = self.fill(actor, name, crew).await {
            let queue = crew.queue.name;
            tracing::warn!(queue, %error, detail = error.detail, "claiming work failed");
        }
    }

    /// Finishes what is under way, gives the rest back and signs the last root.
    async fn wind_up(&self, actor: &Actor, name: &str, [mut outbox, mut jobs]: [Crew; 2]) {
        tokio::join!(outbox.finish(STOP_PATIENCE), jobs.finish(STOP_PATIENCE));
        self.give_back(actor, name).await;
        // A clean stop leaves nothing that no root covers.
        if let Err(error) = self.sign_root(actor).await {
            tracing::warn!(%error, detail = error.detail, "signing the last root failed");
        }
    }

    /// The work that repeats itself is always waiting once, and no work is held by a dead runner
    /// of this name.
    async fn keep_house(&self, actor: &Actor, name: &str) {
        self.give_back(actor, name).await;
        let kept = self
            .apply(actor, |step| {
                Work::REPEATING.into_iter().try_for_each(|work| step.order_for(work, PLATFORM))
            })
            .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "ordering the repeating work failed");
        }
    }

    /// Gives back whatever is held under a name.
    async fn give_back(&self, actor: &Actor, name: &str) {
        let owner = name.to_owned();
        let given = self
            .apply_quietly(actor, move |step| {
                for queue in [&OUTBOX, &JOB] {
                    work::release(step.tx, queue, &owner)?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = given {
            tracing::warn!(%error, "work could not be given back: it is taken up when its lease ends");
        }
    }

    /// Claims as much of what is due as the crew may hold.
    async fn fill(&self, actor: &Actor, name: &str, crew: &mut Crew) -> Result<(), Error> {
        let (queue, free) = (crew.queue, i64::try_from(crew.free()).unwrap_or(0));
        if free == 0 {
            return Ok(());
        }
        let due = self.look(actor, move |step| Ok(work::next_due(step.tx, queue)?)).await?;
        if due.is_none_or(|due| due > self.now()) {
            return Ok(());
        }
        let owner = name.to_owned();
        let claimed = self
            .apply_quietly(actor, move |step| {
                Ok(work::claim(step.tx, queue, &owner, step.at, LEASE_SECONDS, free)?)
            })
            .await?;
        let now = Instant::now();
        claimed.into_iter().for_each(|row| crew.take(row, now));
        Ok(())
    }

    /// Does one row's work and settles it.
    pub(super) async fn run_one(
        &self,
        actor: &Actor,
        queue: &'static Queue,
        (row, claimed): (Claimed, Instant),
    ) {
        let outcome = tokio::select! {
            outcome = self.do_work(actor, &row), if !spent(&row) => outcome,
            () = self.hold(actor, queue, &row, claimed), if !spent(&row) => return,
            else => Err(Error::internal("it never came to an end: every try broke off")),
        };
        if let Err(error) = &outcome {
            tracing::warn!(
                job.topic = row.topic, job.attempts = row.attempts, %error, detail = error.detail,
                "work failed and comes back later"
            );
        }
        let failure = outcome.err().map(|error| error.detail.clone().unwrap_or_else(|| error.to_string()));
        let topic = row.topic.clone();
        let settled = self
            .apply_quietly(actor, move |step| match settle(step, queue, &row, failure.as_deref()) {
                // Another worker has it: it is idempotent there, too.
                Err(StoreError::LeaseLost) => Ok(()),
                Ok(_) if failure.is_none() => again(step, &row),
                settled => Ok(settled.map(drop)?),
            })
            .await;
        if let Err(error) = settled {
            tracing::warn!(job.topic = topic, %error, "settled work could not be written down");
        }
    }

    /// Lengthens the lease again and again; ends when it was lost.
    async fn hold(&self, actor: &Actor, queue: &'static Queue, row: &Claimed, claimed: Instant) {
        // A row that waited behind another one is lengthened before it is too late.
        tokio::time::sleep(LENGTHEN_EVERY.saturating_sub(claimed.elapsed())).await;
        loop {
            let held = row.clone();
            let lengthened = self
                .apply_quietly(actor, move |step| {
                    match work::extend(step.tx, queue, &held, step.at, LEASE_SECONDS) {
                        Err(StoreError::LeaseLost) => Ok(false),
                        extended => Ok(extended.map(|()| true)?),
                    }
                })
                .await;
            match lengthened {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(job.topic = row.topic, "the lease was lost: another runner has this work");
                    return;
                }
                Err(error) => tracing::warn!(%error, "a lease could not be lengthened"),
            }
            tokio::time::sleep(LENGTHEN_EVERY).await;
        }
    }

    async fn do_work(&self, actor: &Actor, row: &Claimed) -> Result<(), Error> {
        if row.topic == crate::message::TOPIC {
            return self.send_message(actor, MessageId::from_uuid(row.subject)).await;
        }
        let work = Work::parse(&row.topic, row.subject)
            .ok_or_else(|| Error::internal(format!("nobody knows how to do {:?}", row.topic)))?;
        actor.may(Action::RunJobs)?;
        match work {
            Work::CheckApplication { application } => self.check_application(actor, application).await,
            Work::Report { application } => self.report_application(actor, application).await,
            Work::SendRegistration { registration } => self.send_registration(actor, registration).await,
            Work::QueryRegistration { registration } => self.query_registration(actor, registration).await,
            Work::TrackShipment { shipment } => self.track_shipment(actor, shipment).await,
            Work::SignRoot => self.sign_root(actor).await.map(drop),
            Work::Sweep => self.sweep(actor).await.map(drop),
            Work::Deadlines => self.pass_deadlines(actor).await.map(drop),
        }
    }
}

/// Writes down what became of a row.
fn settle(
    step: &mut Step<'_>,
    queue: &'static Queue,
    row: &Claimed,
    failure: Option<&str>,
) -> Result<Ended, StoreError> {
    let Some(why) = failure else { return work::complete(step.tx, queue, row, step.at) };
    let verdict = match BACK_OFF.after(row.attempts, step.at) {
        // What repeats itself is never given up: nobody else would order it again.
        Verdict::GiveUp if repeats(row) => Verdict::RetryAt(step.at.plus_seconds(BACK_OFF.longest_seconds)),
        verdict => verdict,
    };
    let ended = work::fail(step.tx, queue, row, verdict, why, step.at)?;
    if ended == Ended::Dead {
        tracing::error!(
            job.topic = row.topic, job.id = %row.id.simple(),
            "work was given up: a person must look (starpay admin job list)"
        );
    }
    Ok(ended)
}

/// Whether a row had its last try without an end: it panicked, or took its runner with it.
fn spent(row: &Claimed) -> bool {
    row.attempts > BACK_OFF.attempts_max && !repeats(row)
}

fn repeats(row: &Claimed) -> bool {
    Work::parse(&row.topic, row.subject).is_some_and(|work| Work::REPEATING.contains(&work))
}

/// Work that repeats itself is ordered again when it is done.
fn again(step: &mut Step<'_>, row: &Claimed) -> Result<(), Error> {
    match Work::parse(&row.topic, row.subject) {
        Some(work) if Work::REPEATING.contains(&work) => step.order_for(work, PLATFORM),
        Some(_) | None => Ok(()),
    }
}
