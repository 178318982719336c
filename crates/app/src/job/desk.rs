//! What a person sees of the work for later, and what a person does when it was given up.

use super::Work;
use crate::error::Error;
use crate::platform::{Call, IdempotencyKey, Platform, Reply};
use crate::step::{PLATFORM, deed};
use crate::view::{List, Page, WorkView};
use crate::{Action, Actor};
use starpay_domain::id::{JobId, MerchantId, MessageId, TypedId};
use starpay_domain::text_enum;
use starpay_store::StoreError;
use starpay_store::work::{self, JOB, OUTBOX, Queue, Standing, Work as Row};

text_enum! {
    /// 队列: where work waits.
    pub enum WorkQueue {
        /// What we do ourselves.
        Job "job",
        /// What is told to others.
        Outbox "outbox",
    }
}

text_enum! {
    /// Which work is listed.
    pub enum WorkState {
        /// To be done, due or not.
        Waiting "waiting",
        /// Given up after too many tries.
        Dead "dead",
    }
}

impl WorkQueue {
    const fn table(self) -> &'static Queue {
        match self {
            Self::Job => &JOB,
            Self::Outbox => &OUTBOX,
        }
    }
}

impl Platform {
    /// Work for later in one queue: what waits, or what was given up. Longest due first.
    ///
    /// # Errors
    /// `forbidden`; `validation_failed` for a cursor that is not one of ours.
    pub async fn work_list(
        &self,
        actor: &Actor,
        queue: WorkQueue,
        state: WorkState,
        page: Page,
    ) -> Result<List<WorkView>, Error> {
        actor.may(Action::Administer)?;
        let (after, limit) = crate::paging::read(&page)?;
        self.look(actor, move |step| {
            let standing = match state {
                WorkState::Waiting => Standing::Waiting,
                WorkState::Dead => Standing::Dead,
            };
            let found = work::list(step.tx, queue.table(), standing, after, limit)?;
            crate::paging::write(found, |row| Ok(view(queue, standing, &row)))
        })
        .await
    }

    /// Lets work that was given up be tried again, at once and with all its tries. Who did it
    /// stands in the audit chain.
    ///
    /// # Errors
    /// `not_found`; `work_not_dead` when it was not given up; `work_waiting` when the same work
    /// has been ordered again and waits already.
    pub async fn revive_work(
        &self,
        actor: &Actor,
        key: Option<IdempotencyKey>,
        id: JobId,
    ) -> Result<Reply<WorkView>, Error> {
        actor.may(Action::Administer)?;
        self.command(actor, Call::new("work.revive", key, id.to_string()), move |step| {
            for queue in [WorkQueue::Job, WorkQueue::Outbox] {
                let table = queue.table();
                let Some((row, state)) = work::lock(step.tx, table, id.uuid())? else { continue };
                if state != WorkState::Dead.as_str() {
                    return Err(Error::conflict("work_not_dead").about("id"));
                }
                work::revive(step.tx, table, row.id, row.merchant_id, step.at).map_err(
                    |error| match error {
                        StoreError::Constraint { .. } => Error::conflict("work_waiting").about("id"),
                        error => error.into(),
                    },
                )?;
                let said = [
                    ("queue", queue.as_str().to_owned()),
                    ("topic", row.topic.clone()),
                    ("attempts", row.attempts.to_string()),
                    ("last_error", row.last_error.clone().unwrap_or_default()),
                ];
                let state = WorkState::Waiting.as_str();
                step.record_deed(JobId::PREFIX, id.uuid(), "revive", state, &deed(said))?;
                let row = Row { attempts: 0, due_at: step.at, ..row };
                return Ok(view(queue, Standing::Waiting, &row));
            }
            Err(Error::not_found())
        })
        .await
    }
}

fn view(queue: WorkQueue, standing: Standing, row: &Row) -> WorkView {
    let message = (row.topic == crate::message::TOPIC).then(|| MessageId::from_uuid(row.subject).to_string());
    WorkView {
        id: JobId::from_uuid(row.id).to_string(),
        queue: queue.as_str().to_owned(),
        topic: row.topic.clone(),
        subject: message.or_else(|| Work::parse(&row.topic, row.subject).and_then(Work::about)),
        merchant_id: (row.merchant_id != PLATFORM)
            .then(|| MerchantId::from_uuid(row.merchant_id).to_string()),
        state: standing.as_str().to_owned(),
        attempts: row.attempts,
        due_at: row.due_at.to_string(),
        created_at: row.created_at.to_string(),
        last_error: row.last_error.clone(),
    }
}
