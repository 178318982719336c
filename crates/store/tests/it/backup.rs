//! A backup of one engine is restored into the other.

use crate::aggregates::{draft, merchant};
use crate::stand::{Stand, at, id, on_both};
use starpay_store::aggregate::{self, APPLICATION};
use starpay_store::backup::{self, BackupReport};
use starpay_store::event::{self, NewEvent};
use starpay_store::{Engine, StoreError, audit, setting};

fn dump(stand: &Stand) -> (Vec<u8>, BackupReport) {
    stand
        .read(|tx| {
            let mut out = Vec::new();
            let report = backup::dump(tx, &mut out)?;
            Ok((out, report))
        })
        .unwrap()
}

fn load(stand: &Stand, bytes: &[u8]) -> Result<BackupReport, StoreError> {
    let bytes = bytes.to_vec();
    stand.write(move |tx| backup::load(tx, &mut bytes.as_slice()))
}

/// More rows than a page, every kind of value, texts that need care in JSON.
fn fill(stand: &Stand) {
    let merchant = merchant(stand);
    let awkward = "a \"quoted\" line\nand 星支付 \u{0} \\ end";
    stand.write(move |tx| setting::fix(tx, "odd", &awkward.replace('\0', ""), at(0))).unwrap();
    for number in 0..620 {
        let row = draft(merchant, &format!("B-{number}"));
        let event = NewEvent {
            id: id(),
            merchant_id: merchant,
            kind: "application".into(),
            aggregate_id: row.id,
            version: 1,
            name: "start".into(),
            actor_kind: "contact".into(),
            actor_id: None,
            at: at(-number),
            payload: vec![0, 255, 10, 13],
        };
        stand
            .write(move |tx| {
                aggregate::insert(tx, &APPLICATION, &row)?;
                event::append(tx, &event).map(|_| ())
            })
            .unwrap();
    }
}

#[test]
fn a_backup_goes_from_sqlite_to_postgresql_and_back_unchanged() {
    let first = Stand::new(Engine::Sqlite);
    fill(&first);
    let (bytes, report) = dump(&first);
    assert_eq!(report.rows, 1 + 1 + 620 * 3);
    let second = Stand::new(Engine::Postgres);
    assert_eq!(load(&second, &bytes).unwrap(), report);
    assert!(second.read(|tx| audit::verify(tx, [])).unwrap().is_clean());
    let (again, _) = dump(&second);
    assert!(again == bytes, "PostgreSQL gives back what it was given");
    let third = Stand::new(Engine::Sqlite);
    load(&third, &again).unwrap();
    assert!(dump(&third).0 == bytes);
}

#[test]
fn a_damaged_backup_leaves_nothing_behind() {
    let source = Stand::new(Engine::Sqlite);
    fill(&source);
    let (bytes, _) = dump(&source);
    on_both(|stand| {
        let mut flipped = bytes.clone();
        let place = flipped.windows(4).rposition(|window| window == b"B-61").unwrap();
        flipped[place + 3] = b'9';
        let cut = &bytes[..bytes.len() / 2];
        let without_end = &bytes[..bytes.len() - 1];
        for damaged in [flipped.as_slice(), cut, without_end, b""] {
            let refused = load(stand, damaged).unwrap_err();
            assert!(
                matches!(refused, StoreError::Corrupt { .. } | StoreError::Constraint { .. }),
                "{refused}"
            );
            assert_eq!(stand.read(|tx| setting::get(tx, "odd")).unwrap(), None);
        }
        let newer = String::from_utf8(bytes.clone()).unwrap().replacen("\"schema\":", "\"schema\":9", 1);
        assert!(matches!(load(stand, newer.as_bytes()), Err(StoreError::WrongSchema { .. })));
        load(stand, &bytes).unwrap();
        let twice = load(stand, &bytes).unwrap_err();
        assert!(matches!(twice, StoreError::Config { .. }), "{twice}");
    });
}
