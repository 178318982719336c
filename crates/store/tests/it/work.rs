//! Outbox and jobs: leases, fencing, back-off, the dead.

use crate::stand::{Stand, at, id, on_both};
use starpay_store::work::{self, Depth, Ended, JOB, NewWork, OUTBOX, Put, Queue, Standing, Verdict, Work};
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
        assert_eq!(put(stand, &JOB, nightly(0)), Put::Added);
        assert_eq!(put(stand, &JOB, nightly(1)), Put::Waiting);
        let claimed = claim(stand, &JOB, "a", 0, 30).remove(0);
        stand.write(move |tx| work::complete(tx, &JOB, &claimed, at(1))).unwrap();
        assert_eq!(put(stand, &JOB, nightly(2)), Put::Added);
    });
}

fn nightly(due: i64) -> NewWork {
    NewWork { dedup: Some("nightly".into()), ..new_work("sweep", due) }
}

#[test]
fn work_ordered_again_while_it_is_done_is_done_once_more() {
    on_both(|stand| {
        for queue in [&OUTBOX, &JOB] {
            put(stand, queue, nightly(0));
            let first = claim(stand, queue, "a", 0, 30).remove(0);
            assert_eq!(put(stand, queue, nightly(9)), Put::Again);
            assert_eq!(put(stand, queue, nightly(5)), Put::Again);
            assert_eq!(put(stand, queue, nightly(7)), Put::Again, "the earliest order counts");
            assert!(claim(stand, queue, "b", 9, 30).is_empty(), "nobody does it twice at once");
            let ended = stand.write(move |tx| work::complete(tx, queue, &first, at(1))).unwrap();
            assert_eq!(ended, Ended::Waiting);
            assert_eq!(put(stand, queue, nightly(6)), Put::Waiting);
            assert!(claim(stand, queue, "a", 4, 30).is_empty());
            let second = claim(stand, queue, "a", 5, 30).remove(0);
            assert_eq!((second.attempts, second.token), (1, 2), "a new order has all its tries");
            let ended = stand.write(move |tx| work::complete(tx, queue, &second, at(6))).unwrap();
            assert_eq!(ended, Ended::Done);
            assert_eq!(stand.read(move |tx| work::depth(tx, queue)).unwrap(), Depth { waiting: 0, dead: 0 });
        }
    });
}

#[test]
fn work_ordered_again_while_it_fails_is_not_given_up() {
    on_both(|stand| {
        put(stand, &JOB, nightly(0));
        let late = claim(stand, &JOB, "a", 0, 30).remove(0);
        put(stand, &JOB, nightly(2));
        let verdict = Verdict::RetryAt(at(600));
        let ended = stand.write(move |tx| work::fail(tx, &JOB, &late, verdict, "no answer", at(1))).unwrap();
        assert_eq!(ended, Ended::Waiting);
        // The new order does not wait for the old one's long pause, and starts no new count.
        let last = claim(stand, &JOB, "a", 2, 30).remove(0);
        assert_eq!((last.attempts, last.last_error.as_deref()), (2, Some("no answer")));
        put(stand, &JOB, nightly(3));
        let bury =
            move |tx: &mut starpay_store::Tx| work::fail(tx, &JOB, &last, Verdict::GiveUp, "refused", at(2));
        assert_eq!(stand.write(bury).unwrap(), Ended::Waiting);
        assert_eq!(stand.read(|tx| work::depth(tx, &JOB)).unwrap(), Depth { waiting: 1, dead: 0 });
        let fresh = claim(stand, &JOB, "a", 3, 30).remove(0);
        assert_eq!(fresh.attempts, 1);
        let bury =
            move |tx: &mut starpay_store::Tx| work::fail(tx, &JOB, &fresh, Verdict::GiveUp, "refused", at(4));
        assert_eq!(stand.write(bury).unwrap(), Ended::Dead);
    });
}

#[test]
fn whoever_takes_work_over_sees_what_it_was_ordered_again_for() {
    on_both(|stand| {
        put(stand, &JOB, nightly(0));
        assert_eq!(claim(stand, &JOB, "a", 0, 3600).len(), 1);
        assert_eq!(put(stand, &JOB, nightly(5)), Put::Again);
        stand.write(|tx| work::release(tx, &JOB, "a")).unwrap();
        let taken = claim(stand, &JOB, "b", 1, 30).remove(0);
        let ended = stand.write(move |tx| work::complete(tx, &JOB, &taken, at(2))).unwrap();
        assert_eq!(ended, Ended::Done, "it began after the order: once is enough");
    });
}

/// Two connections: the order of a cause that is not committed yet keeps the waiting row from
/// being claimed and finished without having seen it. PostgreSQL's alone: SQLite has one writing
/// connection, and a claim runs after the order has committed or not at all.
#[test]
fn work_is_not_claimed_while_an_order_for_it_is_being_written() {
    let stand = Stand::new(Engine::Postgres);
    put(&stand, &JOB, nightly(0));
    let gate = std::sync::Arc::new(std::sync::Barrier::new(2));
    let (db, inner) = (stand.db.clone(), std::sync::Arc::clone(&gate));
    let orderer = std::thread::spawn(move || {
        db.write_blocking(move |tx| {
            let put = work::put(tx, &JOB, &nightly(0))?;
            inner.wait();
            inner.wait();
            Ok::<_, StoreError>(put)
        })
    });
    gate.wait();
    let early = claim(&stand, &JOB, "a", 1, 30);
    gate.wait();
    assert_eq!(orderer.join().unwrap().unwrap(), Put::Waiting);
    assert!(early.is_empty(), "{early:?}");
    assert_eq!(claim(&stand, &JOB, "a", 1, 30).len(), 1);
    stand.db.close();
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
    // SQLite's alone: on PostgreSQL there is no lock that could prove it, and a lease has to run out.
    let stand = Stand::new(Engine::Sqlite);
    put(&stand, &JOB, new_work("ask", 0));
    assert_eq!(claim(&stand, &JOB, "killed", 0, 3600).len(), 1);
    stand.db.close();
    let again = Db::open(&stand.config).unwrap();
    let claimed: Result<Vec<Work>, StoreError> =
        again.write_blocking(|tx| work::claim(tx, &JOB, "next", at(0), 60, 10));
    assert_eq!(claimed.unwrap().len(), 1, "the folder's lock proves the last owner is gone");
}
