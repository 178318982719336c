//! 作业班: what one runner has under way in one queue.
//!
//! So many rows at the same time and no more; the rows about one subject one after the other, in
//! the order they were claimed in, so that a thing's news never overtake each other here.

use crate::actor::Actor;
use crate::platform::Platform;
use starpay_store::work::{Queue, Work as Claimed};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinSet};
use uuid::Uuid;

/// Rows of one queue that one runner holds at once; each is worked on, or waits for another one
/// about the same subject.
pub(super) const HELD_MAX: usize = 16;

/// What is under way.
pub(super) struct Crew {
    /// The queue it works on.
    pub(super) queue: &'static Queue,
    platform: Platform,
    actor: Actor,
    tasks: JoinSet<()>,
    /// The lane of each task.
    lanes: HashMap<Id, Uuid>,
    /// For each lane that is under way, what comes after.
    after: HashMap<Uuid, VecDeque<(Claimed, Instant)>>,
}

impl Crew {
    pub(super) fn new(platform: &Platform, actor: &Actor, queue: &'static Queue) -> Self {
        Self {
            queue,
            platform: platform.clone(),
            actor: actor.clone(),
            tasks: JoinSet::new(),
            lanes: HashMap::new(),
            after: HashMap::new(),
        }
    }

    /// How many more rows it may hold.
    pub(super) fn free(&self) -> usize {
        let waiting: usize = self.after.values().map(VecDeque::len).sum();
        HELD_MAX.saturating_sub(self.tasks.len().saturating_add(waiting))
    }

    /// Takes on a row, claimed at that moment.
    pub(super) fn take(&mut self, row: Claimed, claimed: Instant) {
        // What is about nothing in particular stands in nobody's way.
        let lane = if row.subject.is_nil() { row.id } else { row.subject };
        match self.after.get_mut(&lane) {
            Some(after) => after.push_back((row, claimed)),
            None => {
                self.after.insert(lane, VecDeque::new());
                self.start(lane, (row, claimed));
            }
        }
    }

    fn start(&mut self, lane: Uuid, row: (Claimed, Instant)) {
        let (platform, actor, queue) = (self.platform.clone(), self.actor.clone(), self.queue);
        let task = self.tasks.spawn(async move { platform.run_one(&actor, queue, row).await });
        self.lanes.insert(task.id(), lane);
    }

    /// Waits until one is done, and goes on with what comes after it. Never ends when none is
    /// under way.
    pub(super) async fn one_done(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            None => return std::future::pending().await,
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                // Its lease ends, and somebody else takes it up.
                tracing::error!(queue = self.queue.name, %error, "work broke off");
                error.id()
            }
        };
        let Some(lane) = self.lanes.remove(&id) else { return };
        match self.after.get_mut(&lane).and_then(VecDeque::pop_front) {
            Some(next) => self.start(lane, next),
            None => {
                self.after.remove(&lane);
            }
        }
    }

    /// Finishes what is under way and begins nothing more; what is not done within `patience` is
    /// broken off. Whatever it still holds has to be given back.
    pub(super) async fn finish(&mut self, patience: Duration) {
        self.after.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!(
                queue = self.queue.name,
                count = self.tasks.len(),
                "work is given back unfinished"
            );
            self.tasks.shutdown().await;
        }
    }
}
