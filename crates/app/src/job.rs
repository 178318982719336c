//! 作业: work that follows from a transaction and must not run inside it.
//!
//! A job is a row written with its cause. Runners claim due rows under a lease with a fencing
//! token; a runner that dies loses the lease and another one takes over. Every job is idempotent
//! by the state of what it works on, so "twice" is the same as "once". Wake-ups are hints:
//! runners poll as well, so a lost hint costs only time.

use crate::error::{Error, ErrorKind};
use crate::platform::Platform;
use crate::step::{PLATFORM, Step};
use crate::{Action, Actor};
use starpay_domain::id::{ApplicationId, JobId, MerchantId, MessageId, RegistrationId, ShipmentId, TypedId};
use starpay_store::work::{self, BackOff, NewWork, OUTBOX, Queue, Verdict, Work as Claimed};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use starpay_store::work::JOB;

/// Rows claimed at once.
const CLAIM_MAX: i64 = 16;
/// A claimed row's lease.
const LEASE_SECONDS: i64 = 60;
/// Longest sleep between two looks.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How failed work comes back.
const BACK_OFF: BackOff = BackOff { first_seconds: 1, longest_seconds: 600, attempts_max: 40 };
/// How long a registry is given before it is asked.
const REGISTRY_SECONDS: i64 = 5;
/// Seconds between two signed roots: for as long, what was cut off the end of a chain with all its
/// traces is not noticed. Nothing is signed when nothing changed.
const ROOT_SECONDS: i64 = 60;
/// Seconds between two sweeps of what is over.
const SWEEP_SECONDS: i64 = 600;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Run the automatic checks.
    CheckApplication { application: ApplicationId },
    /// Create and send the registrations of a signed application.
    Report { application: ApplicationId },
    /// Send one registration.
    SendRegistration { registration: RegistrationId },
    /// Ask how a registration stands.
    QueryRegistration { registration: RegistrationId },
    /// Ask the carrier how a parcel stands.
    TrackShipment { shipment: ShipmentId },
    /// Sign a root over the chain heads that changed.
    SignRoot,
    /// Remove what is over: nonces, answers, finished work, attempts.
    Sweep,
}

impl Work {
    const fn topic(self) -> &'static str {
        match self {
            Self::CheckApplication { .. } => "check_application",
            Self::Report { .. } => "report",
            Self::SendRegistration { .. } => "send_registration",
            Self::QueryRegistration { .. } => "query_registration",
            Self::TrackShipment { .. } => "track_shipment",
            Self::SignRoot => "sign_root",
            Self::Sweep => "sweep",
        }
    }

    fn subject(self) -> Uuid {
        match self {
            Self::CheckApplication { application } | Self::Report { application } => application.uuid(),
            Self::SendRegistration { registration } | Self::QueryRegistration { registration } => {
                registration.uuid()
            }
            Self::TrackShipment { shipment } => shipment.uuid(),
            Self::SignRoot | Self::Sweep => Uuid::nil(),
        }
    }

    fn parse(topic: &str, subject: Uuid) -> Option<Self> {
        let application = ApplicationId::from_uuid(subject);
        let registration = RegistrationId::from_uuid(subject);
        match topic {
            "check_application" => Some(Self::CheckApplication { application }),
            "report" => Some(Self::Report { application }),
            "send_registration" => Some(Self::SendRegistration { registration }),
            "query_registration" => Some(Self::QueryRegistration { registration }),
            "track_shipment" => Some(Self::TrackShipment { shipment: ShipmentId::from_uuid(subject) }),
            "sign_root" => Some(Self::SignRoot),
            "sweep" => Some(Self::Sweep),
            _ => None,
        }
    }

    /// Seconds after its cause.
    const fn delay_seconds(self) -> i64 {
        match self {
            Self::CheckApplication { .. } | Self::Report { .. } | Self::SendRegistration { .. } => 0,
            Self::QueryRegistration { .. } | Self::TrackShipment { .. } => REGISTRY_SECONDS,
            Self::SignRoot => ROOT_SECONDS,
            Self::Sweep => SWEEP_SECONDS,
        }
    }
}

impl Step<'_> {
    /// Orders work in the transaction of its cause. The same work waits only once.
    pub(crate) fn order(&mut self, work: Work, merchant: MerchantId) -> Result<(), Error> {
        self.order_for(work, merchant.uuid())
    }

    fn order_for(&mut self, work: Work, merchant: Uuid) -> Result<(), Error> {
        let id: JobId = self.new_id();
        let row = NewWork {
            id: id.uuid(),
            merchant_id: merchant,
            topic: work.topic().to_owned(),
            subject: work.subject(),
            version: 0,
            payload: Vec::new(),
            dedup: Some(work.subject().simple().to_string()),
            due_at: self.at.plus_seconds(work.delay_seconds()),
            created_at: self.at,
        };
        work::put(self.tx, &JOB, &row)?;
        Ok(())
    }
}

impl Platform {
    /// Runs jobs and the outbox until `stop` says so. Several of these may run, here and on other
    /// nodes, each under a name of its own: whoever had this name before is gone, and what it held
    /// is taken up at once instead of when its lease ends.
    pub async fn run_jobs(&self, name: String, mut stop: watch::Receiver<bool>) {
        let actor = Actor::system("jobs");
        self.keep_house(&actor, &name).await;
        loop {
            let mut done = 0;
            for queue in [&OUTBOX, &JOB] {
                match self.run_due(&actor, &name, queue).await {
                    Ok(count) => done += count,
                    Err(error) => {
                        tracing::warn!(queue = queue.name, %error, detail = error.detail, "claiming work failed")
                    }
                }
            }
            if *stop.borrow() {
                // A clean stop leaves nothing that no root covers.
                if let Err(error) = self.sign_root(&actor).await {
                    tracing::warn!(%error, detail = error.detail, "signing the last root failed");
                }
                return;
            }
            if done > 0 {
                continue;
            }
            tokio::select! {
                () = self.work.notified() => {}
                () = tokio::time::sleep(POLL_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// The work that repeats itself is always waiting once, and no work is held by a dead runner
    /// of this name.
    async fn keep_house(&self, actor: &Actor, name: &str) {
        let name = name.to_owned();
        let kept = self
            .apply(actor, move |step| {
                for queue in [&OUTBOX, &JOB] {
                    work::release(step.tx, queue, &name)?;
                }
                step.order_for(Work::SignRoot, PLATFORM)?;
                step.order_for(Work::Sweep, PLATFORM)
            })
            .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "ordering the repeating work failed");
        }
    }

    /// Claims what is due and does it; answers how much there was.
    pub(crate) async fn run_due(
        &self,
        actor: &Actor,
        owner: &str,
        queue: &'static Queue,
    ) -> Result<usize, Error> {
        let name = owner.to_owned();
        let due = self.look(actor, move |step| Ok(work::next_due(step.tx, queue)?)).await?;
        let now = self.now();
        if due.is_none_or(|due| due > now) {
            return Ok(0);
        }
        let claimed = self
            .apply_quietly(actor, move |step| {
                Ok(work::claim(step.tx, queue, &name, step.at, LEASE_SECONDS, CLAIM_MAX)?)
            })
            .await?;
        let count = claimed.len();
        for row in claimed {
            self.run_one(actor, queue, row).await?;
        }
        Ok(count)
    }

    async fn run_one(&self, actor: &Actor, queue: &'static Queue, row: Claimed) -> Result<(), Error> {
        let outcome = self.do_work(actor, &row).await;
        if let Err(error) = &outcome {
            tracing::warn!(
                job.topic = row.topic, job.attempts = row.attempts, %error, detail = error.detail,
                "work failed and comes back later"
            );
        }
        let failure = outcome.err().map(|error| error.detail.clone().unwrap_or_else(|| error.to_string()));
        let settled = self
            .apply_quietly(actor, move |step| match &failure {
                None => {
                    work::complete(step.tx, queue, &row, step.at)?;
                    again(step, &row)
                }
                Some(why) => {
                    let verdict = BACK_OFF.after(row.attempts, step.at);
                    if verdict == Verdict::GiveUp {
                        tracing::error!(job.topic = row.topic, "work was given up: a person must look");
                    }
                    Ok(work::fail(step.tx, queue, &row, verdict, why, step.at)?)
                }
            })
            .await;
        match settled {
            // Another worker has it: it is idempotent there, too.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            other => other,
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
            Work::SignRoot | Work::Sweep => Ok(()),
        }
    }
}

/// Work that repeats itself is ordered again when it is done.
fn again(step: &mut Step<'_>, row: &Claimed) -> Result<(), Error> {
    match Work::parse(&row.topic, row.subject) {
        Some(work @ (Work::SignRoot | Work::Sweep)) => step.order_for(work, PLATFORM),
        Some(
            Work::CheckApplication { .. }
            | Work::Report { .. }
            | Work::SendRegistration { .. }
            | Work::QueryRegistration { .. }
            | Work::TrackShipment { .. },
        )
        | None => Ok(()),
    }
}
