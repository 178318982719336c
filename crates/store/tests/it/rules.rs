//! Rules across rows hold when two callers race: exactly one wins, and the other is told which
//! rule stood in the way.

use crate::aggregates::{draft, merchant, row, text};
use crate::stand::{Stand, at, id, on_both};
use starpay_store::aggregate::{
    self, ACTIVATION, APPLICATION, AggregateRow, CAPABILITY, DEVICE, DEVICE_AUTH, Table,
};
use starpay_store::settlement_account::{self, SettlementAccountRow};
use starpay_store::{Engine, StoreError, Tx, Value};
use std::sync::{Arc, Barrier};
use uuid::Uuid;

/// Runs two bodies at once. On PostgreSQL both transactions are open before either writes.
fn race<F>(stand: &Stand, bodies: [F; 2]) -> [Result<(), StoreError>; 2]
where
    F: Fn(&mut Tx) -> Result<(), StoreError> + Send + 'static,
{
    let together = Arc::new(Barrier::new(2));
    let threads = bodies.map(|body| {
        let (db, together) = (stand.db.clone(), Arc::clone(&together));
        std::thread::spawn(move || {
            if db.engine() == Engine::Sqlite {
                together.wait();
                return db.write_blocking(body);
            }
            let met = std::sync::atomic::AtomicBool::new(false);
            db.write_blocking(move |tx| {
                starpay_store::setting::get(tx, "opens the transaction")?;
                if !met.swap(true, std::sync::atomic::Ordering::SeqCst) {
                    together.wait();
                }
                body(tx)
            })
        })
    });
    threads.map(|thread| thread.join().unwrap())
}

fn one_wins(stand: &Stand, table: &'static Table, rows: [AggregateRow; 2], rule: &str) {
    let results = race(stand, rows.map(|row| move |tx: &mut Tx| aggregate::insert(tx, table, &row)));
    assert_one(&results, rule);
}

fn assert_one(results: &[Result<(), StoreError>; 2], rule: &str) {
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{rule}: {results:?}");
    let refused = results.iter().find_map(|result| result.as_ref().err()).unwrap();
    assert!(refused.is_rule(rule), "{rule}: {refused}");
}

fn device(serial: &str) -> AggregateRow {
    row(Uuid::nil(), "in_stock", vec![text(serial), text("STAR-A1"), Value::Null, Value::Null, Value::Null])
}

fn bytes(id: Uuid) -> Value {
    Value::Bytes(id.as_bytes().to_vec())
}

fn session(device: Uuid, code: u8) -> AggregateRow {
    let columns = vec![
        bytes(device),
        bytes(id()),
        Value::Bytes(vec![code; 32]),
        Value::Int(at(60).micros()),
        Value::Null,
    ];
    row(id(), "code_issued", columns)
}

fn identity(device: Uuid, key: u8, state: &str) -> AggregateRow {
    let columns = vec![
        bytes(device),
        Value::Bytes(vec![key; 32]),
        Value::Bytes(vec![key; 65]),
        Value::Bytes(vec![key; 32]),
        Value::Null,
    ];
    row(id(), state, columns)
}

#[test]
fn one_application_per_business_number() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let rows = [draft(merchant, "B-1"), draft(merchant, "B-1")];
        one_wins(stand, &APPLICATION, rows, "application_one_per_business_no");
    });
}

#[test]
fn one_device_per_serial() {
    on_both(|stand| one_wins(stand, &DEVICE, [device("SN-1"), device("SN-1")], "device_one_per_serial"));
}

#[test]
fn one_live_activation_per_device_and_one_per_code() {
    on_both(|stand| {
        let device = id();
        let rows = [session(device, 1), session(device, 2)];
        one_wins(stand, &ACTIVATION, rows, "activation_one_live_per_device");
        let rows = [session(id(), 3), session(id(), 3)];
        one_wins(stand, &ACTIVATION, rows, "activation_one_per_code");
        let mut ended = session(device, 4);
        ended.state = "expired".into();
        stand.write(move |tx| aggregate::insert(tx, &ACTIVATION, &ended)).unwrap();
    });
}

#[test]
fn one_accepted_identity_per_device_and_one_per_key() {
    on_both(|stand| {
        let device = id();
        let rows = [identity(device, 1, "accepted"), identity(device, 2, "accepted")];
        one_wins(stand, &DEVICE_AUTH, rows, "device_auth_one_accepted_per_device");
        let rows = [identity(id(), 3, "pending"), identity(id(), 3, "pending")];
        one_wins(stand, &DEVICE_AUTH, rows, "device_auth_one_per_thumbprint");
        let waits = identity(device, 4, "pending");
        stand.write(move |tx| aggregate::insert(tx, &DEVICE_AUTH, &waits)).unwrap();
    });
}

#[test]
fn one_capability_per_name_and_one_live_account() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let rows = [0, 1].map(|_| row(merchant, "pending", vec![text("accept_card")]));
        one_wins(stand, &CAPABILITY, rows, "capability_one_per_name");
        let accounts = [1_u8, 2].map(|number| SettlementAccountRow {
            id: id(),
            merchant_id: merchant,
            state: "live".into(),
            account: vec![number],
            account_index: vec![number],
            created_at: at(0),
        });
        let bodies = accounts.map(|row| move |tx: &mut Tx| settlement_account::insert(tx, &row));
        assert_one(&race(stand, bodies), "settlement_account_one_live");
    });
}

#[test]
fn of_two_savers_one_is_stale() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let first = draft(merchant, "B-1");
        let stored = first.clone();
        stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &stored)).unwrap();
        let results = race(
            stand,
            ["submitted", "withdrawn"].map(|state| {
                let next = AggregateRow { state: state.into(), version: 2, ..first.clone() };
                move |tx: &mut Tx| aggregate::save(tx, &APPLICATION, &next, 1)
            }),
        );
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        assert!(results.contains(&Err(StoreError::Stale { expected: 1, found: 2 })), "{results:?}");
    });
}
