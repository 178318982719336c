//! Idempotent answers.

use crate::stand::{Stand, at, id, on_both};
use crate::transactions::shop;
use starpay_store::idempotency::{self, Begun, KEPT_DAYS, RequestKey};
use starpay_store::{Engine, StoreError, Tx, merchant};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

fn key(key: &str) -> RequestKey {
    RequestKey { actor: "ak_1".into(), route: "POST /api/v1/applications".into(), key: key.into() }
}

/// A use case in small: makes a merchant once per key and answers with its id.
fn make(tx: &mut Tx, request: &RequestKey, body: &[u8], id: uuid::Uuid) -> Result<Vec<u8>, StoreError> {
    match idempotency::begin(tx, request, body, at(0))? {
        Begun::Replay(stored) => Ok(stored.answer),
        Begun::Fresh => {
            merchant::insert(tx, &shop(id))?;
            std::thread::sleep(Duration::from_millis(5));
            idempotency::finish(tx, request, id.as_bytes())?;
            Ok(id.as_bytes().to_vec())
        }
    }
}

#[test]
fn the_same_request_gets_the_same_answer_and_another_body_an_error() {
    on_both(|stand| {
        let (first, second) = (id(), id());
        let answer = stand.write(move |tx| make(tx, &key("k"), b"body", first)).unwrap();
        let again = stand.write(move |tx| make(tx, &key("k"), b"body", second)).unwrap();
        assert_eq!((&answer, answer.as_slice()), (&again, first.as_bytes().as_slice()));
        let other = stand.write(move |tx| make(tx, &key("k"), b"another", second));
        assert_eq!(other, Err(StoreError::KeyReused));
        let elsewhere = RequestKey { route: "POST /api/v1/applications/x/withdraw".into(), ..key("k") };
        let (asked, body) = (elsewhere.clone(), b"body");
        let other = stand.write(move |tx| make(tx, &asked, body, second));
        assert_eq!(other, Err(StoreError::KeyReused), "the same key with another route");
        assert_eq!(stand.read(move |tx| idempotency::find(tx, &elsewhere, at(1))).unwrap(), None);
        let looked = stand.read(|tx| idempotency::find(tx, &key("k"), at(1))).unwrap().unwrap();
        assert_eq!(looked.answer, answer);
        assert_eq!(stand.read(|tx| idempotency::find(tx, &key("l"), at(1))).unwrap(), None);
    });
}

#[test]
fn concurrent_twins_have_one_effect_and_one_answer() {
    on_both(|stand| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (db, id) = (stand.db.clone(), id());
                std::thread::spawn(move || {
                    db.write_blocking::<_, StoreError, _>(move |tx| make(tx, &key("twin"), b"body", id))
                })
            })
            .collect();
        let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        let made = stand.read(|tx| merchant::list_all(tx, None, 10)).unwrap().rows;
        assert_eq!(made.len(), 1);
    });
}

/// How long a twin waits has a bound; what it gets then is not an answer, and nothing of it is
/// written. The same key finds the answer afterwards. PostgreSQL's alone: on SQLite the one writer runs
/// the twin after the first has committed, so there is no lock to wait for.
#[test]
fn a_twin_waits_no_longer_than_a_lock_may_take() {
    let stand = Stand::with(Engine::Postgres, |config| {
        config.workers = 2;
        config.statement_deadline = Duration::from_millis(500);
    });
    let (first, second) = (id(), id());
    let (held, released) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let holder = {
        let (db, held, released) = (stand.db.clone(), Arc::clone(&held), Arc::clone(&released));
        std::thread::spawn(move || {
            db.write_blocking::<_, StoreError, _>(move |tx| {
                let answer = make(tx, &key("slow"), b"body", first)?;
                held.wait();
                released.wait();
                Ok(answer)
            })
        })
    };
    held.wait();
    let begun = Instant::now();
    let refused = stand.write(move |tx| make(tx, &key("slow"), b"body", second));
    let waited = begun.elapsed();
    released.wait();
    let answer = holder.join().unwrap().unwrap();
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert!((Duration::from_millis(350)..Duration::from_millis(2500)).contains(&waited), "{waited:?}");
    assert_eq!(stand.write(move |tx| make(tx, &key("slow"), b"body", second)).unwrap(), answer);
    assert_eq!(stand.read(|tx| merchant::list_all(tx, None, 10)).unwrap().rows.len(), 1);
}

#[test]
fn a_failure_is_not_stored_and_old_answers_go() {
    on_both(|stand| {
        let failed: Result<(), StoreError> = stand.write(|tx| {
            idempotency::begin(tx, &key("k"), b"body", at(0))?;
            Err(StoreError::NotFound { what: "merchant" })
        });
        assert!(failed.is_err());
        let fresh = id();
        stand.write(move |tx| make(tx, &key("k"), b"better", fresh)).unwrap();
        let late = at(KEPT_DAYS * 86_400 + 1);
        assert_eq!(stand.read(move |tx| idempotency::find(tx, &key("k"), late)).unwrap(), None);
        let begun = stand
            .write(move |tx| {
                // A key nobody remembers is as good as new, also for another route.
                let elsewhere = RequestKey { route: "POST /api/v1/visits".into(), ..key("k") };
                let begun = idempotency::begin(tx, &elsewhere, b"other body, much later", late)?;
                idempotency::finish(tx, &elsewhere, b"x")?;
                Ok(begun)
            })
            .unwrap();
        assert_eq!(begun, Begun::Fresh);
        assert_eq!(stand.write(move |tx| idempotency::purge(tx, late, 10)).unwrap(), 0);
        let later = late.plus_seconds(KEPT_DAYS * 86_400 + 1);
        assert_eq!(stand.write(move |tx| idempotency::purge(tx, later, 10)).unwrap(), 1);
        let unbegun = stand.write(|tx| idempotency::finish(tx, &key("never"), b"x"));
        assert_eq!(unbegun, Err(StoreError::NotFound { what: "idempotency" }));
    });
}
