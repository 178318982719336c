//! Counted failures, nonces, policy, data keys, settings.

use crate::stand::{at, id, on_both};
use starpay_store::attempt::{self, Limit, Standing};
use starpay_store::data_key::{self, DataKeyRow};
use starpay_store::nonce::{self, Spent};
use starpay_store::policy::{self, PolicyRow};
use starpay_store::{StoreError, setting};

const LIMIT: Limit = Limit { failures_max: 3, window_seconds: 60, lock_seconds: 600 };

#[test]
fn failures_are_counted_in_a_window_and_lock() {
    on_both(|stand| {
        let fail =
            |seconds| stand.write(move |tx| attempt::fail(tx, "pin", b"s", at(seconds), LIMIT)).unwrap();
        let standing =
            |seconds| stand.read(move |tx| attempt::standing(tx, "pin", b"s", at(seconds), LIMIT)).unwrap();
        assert_eq!(standing(0), Standing::Open { left: 3 });
        assert_eq!(fail(0), Standing::Open { left: 2 });
        assert_eq!(fail(61), Standing::Open { left: 2 }, "the first is out of the window");
        assert_eq!(fail(62), Standing::Open { left: 1 });
        let locked = Standing::Locked { until: at(663) };
        assert_eq!((fail(63), standing(662), fail(70)), (locked, locked, locked));
        assert_eq!(standing(663), Standing::Open { left: 3 });
        stand.write(|tx| attempt::clear(tx, "pin", b"s")).unwrap();
        assert_eq!(fail(663), Standing::Open { left: 2 });
        assert_eq!(stand.write(|tx| attempt::purge(tx, at(700), 10)).unwrap(), 1);
    });
}

#[test]
fn failures_at_once_are_all_counted() {
    on_both(|stand| {
        let limit = Limit { failures_max: 100, ..LIMIT };
        let threads: Vec<_> = (0..20)
            .map(|_| {
                let db = stand.db.clone();
                std::thread::spawn(move || {
                    db.write_blocking::<_, StoreError, _>(move |tx| {
                        attempt::fail(tx, "code", b"s", at(0), limit)
                    })
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
        let standing = stand.read(move |tx| attempt::standing(tx, "code", b"s", at(0), limit)).unwrap();
        assert_eq!(standing, Standing::Open { left: 80 });
    });
}

#[test]
fn tries_at_once_get_no_more_than_is_left() {
    on_both(|stand| {
        let limit = Limit { failures_max: 5, ..LIMIT };
        let threads: Vec<_> = (0..20)
            .map(|_| {
                let db = stand.db.clone();
                std::thread::spawn(move || {
                    db.write_blocking::<_, StoreError, _>(move |tx| {
                        match attempt::hold(tx, "code", b"s", at(0), limit)? {
                            Standing::Locked { .. } => Ok(0),
                            Standing::Open { .. } => attempt::fail(tx, "code", b"s", at(0), limit).map(|_| 1),
                        }
                    })
                })
            })
            .collect();
        let tried: i32 = threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).sum();
        assert_eq!(tried, 5);
        let held = stand.write(move |tx| attempt::hold(tx, "code", b"s", at(599), limit)).unwrap();
        assert_eq!(held, Standing::Locked { until: at(600) });
        let held = stand.write(move |tx| attempt::hold(tx, "code", b"new", at(0), limit)).unwrap();
        assert_eq!(held, Standing::Open { left: 5 });
    });
}

#[test]
fn a_nonce_is_used_once() {
    on_both(|stand| {
        let spend =
            |scope: &'static str| stand.write(move |tx| nonce::spend(tx, scope, b"n", at(60))).unwrap();
        assert_eq!((spend("a"), spend("a"), spend("b")), (Spent::Now, Spent::Before, Spent::Now));
        assert_eq!(stand.write(|tx| nonce::purge(tx, at(60), 10)).unwrap(), 0);
        assert_eq!(stand.write(|tx| nonce::purge(tx, at(61), 10)).unwrap(), 2);
        assert_eq!(spend("a"), Spent::Now);
    });
}

#[test]
fn a_policy_holds_from_its_day_on_and_is_never_changed() {
    on_both(|stand| {
        let row = |key: &str, version, value: &str, from| PolicyRow {
            key: key.into(),
            version,
            value: value.into(),
            unit: "days".into(),
            source: "an act".into(),
            effective_from: at(from),
        };
        let seed = vec![row("retention", 1, "1825", 0), row("offer", 1, "14", 0)];
        let again = seed.clone();
        assert_eq!(stand.write(move |tx| policy::seed(tx, &seed)).unwrap(), 2);
        assert_eq!(stand.write(move |tx| policy::seed(tx, &again)).unwrap(), 0);
        let newer = row("retention", 2, "3650", 100);
        let copy = newer.clone();
        stand.write(move |tx| policy::insert(tx, &copy)).unwrap();
        let twice = stand.write(move |tx| policy::insert(tx, &newer)).unwrap_err();
        assert!(twice.is_rule("policy_pk"), "{twice}");
        let value = |seconds| {
            stand.read(move |tx| policy::find_at(tx, "retention", at(seconds))).unwrap().map(|row| row.value)
        };
        assert_eq!((value(-1), value(99), value(100)), (None, Some("1825".into()), Some("3650".into())));
        let all = stand.read(|tx| policy::list_at(tx, at(200))).unwrap();
        let all: Vec<_> = all.iter().map(|row| (row.key.as_str(), row.version)).collect();
        assert_eq!(all, [("offer", 1), ("retention", 2)]);
        assert_eq!(stand.read(|tx| policy::list_versions(tx, "retention")).unwrap().len(), 2);
    });
}

#[test]
fn data_keys_are_rewrapped_and_destroyed() {
    on_both(|stand| {
        let merchant = id();
        stand
            .write(move |tx| {
                data_key::insert(tx, merchant, 1, b"w1", "kek-1", at(0))?;
                data_key::insert(tx, merchant, 2, b"w2", "kek-1", at(1))
            })
            .unwrap();
        let current = stand.read(move |tx| data_key::find_current(tx, merchant)).unwrap().unwrap();
        assert_eq!((current.version, current.wrapped.as_deref()), (2, Some(b"w2".as_slice())));
        assert!(!format!("{current:?}").contains("119"), "wrapped bytes are not printed");
        let old =
            stand.read(|tx| data_key::list_wrapped_under(tx, "kek-1", (uuid::Uuid::nil(), 0), 10)).unwrap();
        assert_eq!(old.len(), 2);
        let (mine, stale) = (old[0].clone(), old[0].clone());
        assert!(stand.write(move |tx| data_key::rewrap(tx, &mine, b"v1", "kek-2")).unwrap());
        assert!(!stand.write(move |tx| data_key::rewrap(tx, &stale, b"x", "kek-3")).unwrap());
        assert_eq!(stand.write(move |tx| data_key::destroy(tx, merchant, at(9))).unwrap(), 2);
        let gone = stand.read(move |tx| data_key::find(tx, merchant, 1)).unwrap().unwrap();
        let wanted = DataKeyRow {
            merchant_id: merchant,
            version: 1,
            wrapped: None,
            wrapped_under: "kek-2".into(),
            created_at: at(0),
            destroyed_at: Some(at(9)),
        };
        assert_eq!(gone, wanted);
        let last = gone.clone();
        assert!(!stand.write(move |tx| data_key::rewrap(tx, &last, b"x", "kek-3")).unwrap());
    });
}

#[test]
fn a_setting_is_fixed_by_the_first() {
    on_both(|stand| {
        let fix =
            |value: &'static str| stand.write(move |tx| setting::fix(tx, "mode", value, at(0))).unwrap();
        assert_eq!((fix("sandbox"), fix("live")), ("sandbox".into(), "sandbox".into()));
        assert_eq!(stand.read(|tx| setting::get(tx, "mode")).unwrap().as_deref(), Some("sandbox"));
    });
}
