//! Transactions: what is kept, what is undone, what the neighbours see.

use crate::stand::{Stand, at, id, on_both};
use starpay_store::merchant::{self, MerchantRow};
use starpay_store::{Db, DbConfig, Engine, StoreError, Tx, setting};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

pub(crate) fn shop(id: uuid::Uuid) -> MerchantRow {
    MerchantRow { id, created_at: at(0), profile: b"sealed".to_vec(), subject_index: None }
}

fn count(stand: &Stand) -> usize {
    stand.read(|tx| merchant::list_all(tx, None, 500).map(|page| page.rows.len())).unwrap()
}

#[test]
fn a_write_is_there_after_its_answer() {
    on_both(|stand| {
        let id = id();
        stand.write(move |tx| merchant::insert(tx, &shop(id))).unwrap();
        assert_eq!(stand.read(move |tx| merchant::get(tx, id)).unwrap(), shop(id));
        assert_eq!(stand.db.metrics().writes, 1);
    });
}

#[test]
fn an_error_undoes_its_own_writes_only() {
    on_both(|stand| {
        let (good, bad) = (id(), id());
        let failed: Result<(), StoreError> = stand.write(move |tx| {
            merchant::insert(tx, &shop(bad))?;
            Err(StoreError::KeyReused)
        });
        assert_eq!(failed, Err(StoreError::KeyReused));
        stand.write(move |tx| merchant::insert(tx, &shop(good))).unwrap();
        assert_eq!(count(stand), 1);
    });
}

#[test]
fn a_panic_undoes_its_own_writes_only() {
    on_both(|stand| {
        let bad = id();
        let failed: Result<(), StoreError> = stand.write(move |tx| {
            merchant::insert(tx, &shop(bad))?;
            panic!("a bug in a use case");
        });
        assert!(matches!(&failed, Err(StoreError::Panicked { detail }) if detail == "a bug in a use case"));
        stand.write(move |tx| merchant::insert(tx, &shop(id()))).unwrap();
        assert_eq!((count(stand), stand.db.metrics().panics), (1, 1));
    });
}

/// SQLite's alone: only its writer gathers bodies into one commit. On PostgreSQL each worker runs one
/// body in a transaction of its own.
///
/// Holds the SQLite writer with one body while others gather, so that they share a commit.
fn gather(db: &Db, bodies: Vec<Box<dyn FnOnce() + Send>>) {
    let gate = Arc::new(Barrier::new(2));
    let inner = Arc::clone(&gate);
    let passed = AtomicUsize::new(0);
    let holder = {
        let db = db.clone();
        std::thread::spawn(move || {
            db.write_blocking(move |_| {
                if passed.fetch_add(1, Ordering::SeqCst) == 0 {
                    inner.wait();
                    inner.wait();
                }
                Ok::<(), StoreError>(())
            })
        })
    };
    gate.wait();
    let waiting = u64::try_from(bodies.len()).unwrap();
    let threads: Vec<_> = bodies.into_iter().map(std::thread::spawn).collect();
    while db.metrics().write_queue_depth < waiting {
        std::thread::sleep(Duration::from_millis(1));
    }
    gate.wait();
    holder.join().unwrap().unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// SQLite's alone: see [`gather`].
#[test]
fn what_gathers_shares_one_commit_and_failures_stay_alone() {
    let stand = Stand::new(Engine::Sqlite);
    let failed = Arc::new(AtomicUsize::new(0));
    let before = stand.db.metrics().commits;
    let bodies: Vec<Box<dyn FnOnce() + Send>> = (0..60)
        .map(|number| {
            let (db, failed) = (stand.db.clone(), Arc::clone(&failed));
            let id = id();
            let body: Box<dyn FnOnce() + Send> = Box::new(move || {
                let result: Result<(), StoreError> = db.write_blocking(move |tx| {
                    merchant::insert(tx, &shop(id))?;
                    match number % 3 {
                        0 => Err(StoreError::KeyReused),
                        1 => panic!("a bug in one of many"),
                        _ => Ok(()),
                    }
                });
                if result.is_err() {
                    failed.fetch_add(1, Ordering::SeqCst);
                }
            });
            body
        })
        .collect();
    gather(&stand.db, bodies);
    let metrics = stand.db.metrics();
    assert_eq!(metrics.commits - before, 2, "one for the holder, one for the sixty");
    assert_eq!(metrics.batch_largest, 60);
    assert_eq!((failed.load(Ordering::SeqCst), count(&stand)), (40, 20));
}

#[test]
fn a_full_queue_refuses_and_recovers() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        // One worker, so that the body that holds it holds up all others, as the one writer does.
        let stand = Stand::with(engine, |config| (config.queue_max, config.workers) = (4, 1));
        a_full_queue_of(&stand);
        stand.db.close();
    }
}

fn a_full_queue_of(stand: &Stand) {
    let gate = Arc::new(Barrier::new(2));
    let inner = Arc::clone(&gate);
    let db = stand.db.clone();
    let holder = std::thread::spawn(move || {
        db.write_blocking(move |_| {
            inner.wait();
            inner.wait();
            Ok::<(), StoreError>(())
        })
    });
    gate.wait();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let db = stand.db.clone();
            std::thread::spawn(move || db.write_blocking(|tx| setting::get(tx, "x").map(|_| ())))
        })
        .collect();
    while stand.db.metrics().write_queue_depth < 4 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let fifth: Result<(), StoreError> = stand.write(|_| Ok(()));
    assert_eq!(fifth, Err(StoreError::Overloaded));
    // Payments have a lane of their own: it is not full.
    let first = stand.db.clone();
    let payment = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(first.write_first(|_| Ok::<(), StoreError>(())))
    });
    while stand.db.metrics().write_queue_depth < 5 {
        std::thread::sleep(Duration::from_millis(1));
    }
    gate.wait();
    holder.join().unwrap().unwrap();
    payment.join().unwrap().unwrap();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    assert_eq!(stand.db.metrics().overloaded, 1);
    stand.write(|_| Ok(())).unwrap();
}

#[test]
fn a_caller_that_goes_away_does_not_cancel() {
    on_both(|stand| {
        let id = id();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let db = stand.db.clone();
        runtime.block_on(async move {
            let waiting = db.write(move |tx| {
                std::thread::sleep(Duration::from_millis(60));
                merchant::insert(tx, &shop(id))
            });
            let gone = tokio::time::timeout(Duration::from_millis(5), waiting).await;
            assert!(gone.is_err(), "the caller left before the answer");
        });
        stand.db.close();
        let again = Db::open(&stand.config).unwrap();
        again.read_blocking(move |tx| merchant::get(tx, id)).unwrap();
    });
}

#[test]
fn a_swallowed_error_cannot_be_committed() {
    on_both(|stand| {
        let id = id();
        let result = stand.write(move |tx| {
            merchant::insert(tx, &shop(id))?;
            drop(merchant::insert(tx, &shop(id)));
            Ok(())
        });
        assert!(result.unwrap_err().is_rule("merchant_pk"));
        assert_eq!(count(stand), 0);
    });
}

#[test]
fn a_read_sees_one_moment_and_cannot_write() {
    on_both(|stand| {
        let refused: Result<(), StoreError> = stand.read(|tx| merchant::insert(tx, &shop(id())));
        assert!(refused.is_err());
        let db = stand.db.clone();
        let passed = AtomicUsize::new(0);
        let seen = stand
            .read(move |tx: &mut Tx| {
                let before = merchant::list_all(tx, None, 10)?.rows.len();
                if passed.fetch_add(1, Ordering::SeqCst) == 0 {
                    db.write_blocking(|tx| merchant::insert(tx, &shop(id())))?;
                }
                Ok((before, merchant::list_all(tx, None, 10)?.rows.len()))
            })
            .unwrap();
        assert_eq!(seen, (0, 0));
        assert_eq!(count(stand), 1);
    });
}

/// SQLite's alone: a data folder has one owner, a PostgreSQL database as many nodes as come.
#[test]
fn one_process_per_data_folder() {
    let stand = Stand::new(Engine::Sqlite);
    assert!(matches!(Db::open(&stand.config), Err(StoreError::InUse { .. })));
    assert!(matches!(Db::migrate(&stand.config), Err(StoreError::InUse { .. })));
    stand.db.close();
    Db::open(&stand.config).unwrap().close();
}

#[test]
fn only_migrate_migrates_and_a_wrong_schema_is_refused() {
    on_both(|stand| {
        stand.db.close();
        let closed: Result<(), StoreError> = stand.write(|_| Ok(()));
        assert!(matches!(closed, Err(StoreError::Unavailable { .. })));
        stand.poke("DELETE FROM refinery_schema_history WHERE version > 1");
        assert!(matches!(Db::open(&stand.config), Err(StoreError::WrongSchema { found: 1, .. })));
        stand.poke("UPDATE refinery_schema_history SET version = 99 WHERE version = 1");
        assert!(matches!(Db::open(&stand.config), Err(StoreError::WrongSchema { found: 99, .. })));
        assert!(matches!(Db::migrate(&stand.config), Err(StoreError::WrongSchema { found: 99, .. })));
    });
}

#[test]
fn an_absent_schema_is_refused_with_the_remedy() {
    let folder = tempfile::TempDir::new().unwrap();
    let sqlite = DbConfig::parse(folder.path().join("none.db").to_str().unwrap()).unwrap();
    let postgres = DbConfig::parse(&crate::stand::new_database()).unwrap();
    for config in [sqlite, postgres] {
        let error = Db::open(&config).unwrap_err();
        assert!(error.to_string().contains("run `starpay migrate`"), "{error}");
        let report = Db::migrate(&config).unwrap();
        let needed = starpay_store::version_needed();
        assert_eq!((report.applied.len(), report.version), (usize::try_from(needed).unwrap(), needed));
        assert!(Db::migrate(&config).unwrap().applied.is_empty());
    }
}

#[test]
fn health_and_slow_bodies_are_seen() {
    on_both(|stand| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(stand.db.health()).unwrap();
        stand
            .write(|_| {
                std::thread::sleep(Duration::from_millis(30));
                Ok(())
            })
            .unwrap();
        assert_eq!(stand.db.metrics().slow_closures, 1);
    });
}
