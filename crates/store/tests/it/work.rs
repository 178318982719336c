//! Outbox and jobs: leases, fencing, back-off, the dead.

use crate::stand::{Stand, at, id, on_both};
use starpay_store::work::{self, Depth, JOB, NewWork, OUTBOX, Put, Queue, Standing, Verdict, Work};
use starpay_store::{Db, Engine, StoreError};
use std::collections::BTreeSet;
use uuid::Uuid;

fn new_work(topic: &str, due: i64) -> NewWork {
    NewWork {
        id: id(),
        merchant_id: Uuid::from_u128(7),
        topic: topic.into(),
        subject: Uuid::from_u128(8),
        version: 3,
        payload: b"sealed".to_vec(),
        dedup: None,
        due_at: at(due),
        created_at: at(0),
    }
}

fn put(stand: &Stand, queue: &'static Queue, work: NewWork) -> Put {
    stand.write(move |tx| work::put(tx, queue, &work)).unwrap()
}

fn claim(stand: &Stand, queue: &'static Queue, owner: &'static str, now: i64, lease: i64) -> Vec<Work> {
    stand.write(move |tx| work::claim(tx, queue, owner, at(now), lease, 10)).unwrap()
}

#[test]
fn claimed_work_is_hidden_until_its_lease_ends_and_the_late_worker_is_fenced() {
    on_both(|stand| {
        for queue in [&OUTBOX, &JOB] {
            put(stand, queue, new_work("send", 0));
            put(stand, queue, new_work("later", 100));
            let first = claim(stand, queue, "a", 10, 30);
            assert_eq!(first.len(), 1);
            assert_eq!((first[0].topic.as_str(), first[0].attempts, first[0].token), ("send", 1, 1));
            assert!(claim(stand, queue, "b", 10, 30).is_empty());
            // The lease ends: on PostgreSQL by the database's clock, so it is cut short here.
            let mine = first[0].clone();
            stand.write(move |tx| work::extend(tx, queue, &mine, at(10), -1)).unwrap();
            let second = claim(stand, queue, "b", 10, 30);
            assert_eq!((second[0].attempts, second[0].token), (2, 2));
            let late = first[0].clone();
            let refused = stand.write(move |tx| work::complete(tx, queue, &late, at(11)));
            assert_eq!(refused, Err(StoreError::LeaseLost));
            let right = second[0].clone();
            stand.write(move |tx| work::complete(tx, queue, &right, at(12))).unwrap();
            assert_eq!(stand.read(move |tx| work::depth(tx, queue)).unwrap(), Depth { waiting: 1, dead: 0 });
            assert_eq!(stand.read(move |tx| work::next_due(tx, queue)).unwrap(), Some(at(100)));
            assert_eq!(stand.write(move |tx| work::purge(tx, queue, at(12), 10)).unwrap(), 0);
            assert_eq!(stand.write(move |tx| work::purge(tx, queue, at(13), 10)).unwrap(), 1);
        }
    });
}

#[test]
fn failed_work_comes_back_dies_visibly_and_can_be_revived() {
    on_both(|stand| {
        put(stand, &JOB, new_work("ask", 0));
        let claimed = claim(stand, &JOB, "a", 0, 30).remove(0);
        stand
            .write(move |tx| work::fail(tx, &JOB, &claimed, Verdict::RetryAt(at(50)), "no answer", at(1)))
            .unwrap();
        assert!(claim(stand, &JOB, "a", 49, 30).is_empty());
        let again = claim(stand, &JOB, "a", 50, 30).remove(0);
        assert_eq!((again.attempts, again.last_error.as_deref()), (2, Some("no answer")));
        let (work_id, merchant) = (again.id, again.merchant_id);
        stand.write(move |tx| work::fail(tx, &JOB, &again, Verdict::GiveUp, "refused", at(51))).unwrap();
        assert!(claim(stand, &JOB, "a", 999, 30).is_empty());
        let dead = stand.read(|tx| work::list(tx, &JOB, Standing::Dead, None, 10)).unwrap();
        assert_eq!(dead.rows.iter().map(|work| work.id).collect::<Vec<_>>(), [work_id]);
        assert_eq!(stand.read(|tx| work::depth(tx, &JOB)).unwrap(), Depth { waiting: 0, dead: 1 });
        stand.write(move |tx| work::revive(tx, &JOB, work_id, merchant, at(60))).unwrap();
        assert_eq!(claim(stand, &JOB, "a", 60, 30)[0].attempts, 1);
        let twice = stand.write(move |tx| work::revive(tx, &JOB, work_id, merchant, at(60)));
        assert_eq!(twice, Err(StoreError::NotFound { what: "job" }));
    });
}

#[test]
fn repeating_work_waits_once() {
    on_both(|stand| {
        let nightly = |due| NewWork { dedup: Some("nightly".into()), ..new_work("sweep", due) };
        assert_eq!(put(stand, &JOB, nightly(0)), Put::Added);
        assert_eq!(put(stand, &JOB, nightly(1)), Put::Waiting);
        let claimed = claim(stand, &JOB, "a", 0, 30).remove(0);
        stand.write(move |tx| work::complete(tx, &JOB, &claimed, at(1))).unwrap();
        assert_eq!(put(stand, &JOB, nightly(2)), Put::Added);
    });
}

#[test]
fn eight_claimers_share_without_doubles() {
    on_both(|stand| {
        for _ in 0..200 {
            put(stand, &OUTBOX, new_work("send", 0));
        }
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let db = stand.db.clone();
                std::thread::spawn(move || {
                    let mut mine = Vec::new();
                    loop {
                        let owner = format!("w{number}");
                        let claimed = db
                            .write_blocking(move |tx| work::claim(tx, &OUTBOX, &owner, at(1), 60, 7))
                            .unwrap_or_else(|error: StoreError| panic!("{error}"));
                        if claimed.is_empty() {
                            return mine;
                        }
                        mine.extend(claimed.into_iter().map(|work| work.id));
                    }
                })
            })
            .collect();
        let claimed: Vec<Uuid> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let distinct: BTreeSet<Uuid> = claimed.iter().copied().collect();
        assert_eq!((claimed.len(), distinct.len()), (200, 200));
    });
}

#[test]
fn a_stopped_or_crashed_owner_gives_its_work_back() {
    on_both(|stand| {
        put(stand, &JOB, new_work("ask", 0));
        let held = claim(stand, &JOB, "node-1", 0, 3600).remove(0);
        assert_eq!(stand.write(|tx| work::release(tx, &JOB, "node-2")).unwrap(), 0);
        assert_eq!(stand.write(|tx| work::release(tx, &JOB, "node-1")).unwrap(), 1);
        let late = held.clone();
        let again = stand.write(move |tx| work::extend(tx, &JOB, &late, at(1), 3600));
        assert_eq!(again, Err(StoreError::LeaseLost), "a last breath takes nothing back");
        assert_eq!(claim(stand, &JOB, "node-2", 0, 3600).len(), 1);
    });
    let stand = Stand::new(Engine::Sqlite);
    put(&stand, &JOB, new_work("ask", 0));
    assert_eq!(claim(&stand, &JOB, "killed", 0, 3600).len(), 1);
    stand.db.close();
    let again = Db::open(&stand.config).unwrap();
    let claimed: Result<Vec<Work>, StoreError> =
        again.write_blocking(|tx| work::claim(tx, &JOB, "next", at(0), 60, 10));
    assert_eq!(claimed.unwrap().len(), 1, "the folder's lock proves the last owner is gone");
}
