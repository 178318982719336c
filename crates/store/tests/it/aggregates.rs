//! Aggregates and plain tables: stored, locked, saved over a version, listed in pages.

use crate::stand::{Stand, at, id, on_both};
use crate::transactions::shop;
use starpay_domain::application::{Application, OVER};
use starpay_store::aggregate::{
    self, APPLICATION, AggregateRow, CAPABILITY, DEVICE, TABLES, application, capability, device,
};
use starpay_store::{
    Cursor, Engine, Page, StoreError, Value, ValueRef, contact, document, merchant, one_time_code, operator,
};
use uuid::Uuid;

pub(crate) fn row(merchant: Uuid, state: &str, columns: Vec<Value>) -> AggregateRow {
    AggregateRow {
        id: id(),
        merchant_id: merchant,
        state: state.to_owned(),
        version: 1,
        facts: b"sealed facts".to_vec(),
        created_at: at(0),
        updated_at: at(0),
        limit_at: None,
        columns,
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn draft(merchant: Uuid, business_no: &str) -> AggregateRow {
    row(merchant, "draft", vec![text(business_no), Value::Bytes(b"index".to_vec()), Value::Null, Value::Null])
}

pub(crate) fn merchant(stand: &Stand) -> Uuid {
    let id = id();
    stand.write(move |tx| merchant::insert(tx, &shop(id))).unwrap();
    id
}

#[test]
fn an_aggregate_is_stored_found_and_saved_over_its_version() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let mut first = draft(merchant, "B-1");
        let stored = first.clone();
        stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &stored)).unwrap();
        let key = first.id;
        let found = stand.read(move |tx| aggregate::get(tx, &APPLICATION, key, merchant)).unwrap();
        assert_eq!(found, first);
        assert_eq!(APPLICATION.column::<String>(&found, "business_no").unwrap(), "B-1");
        assert_eq!(APPLICATION.column::<Option<Vec<u8>>>(&found, "form").unwrap(), None);
        assert!(APPLICATION.column::<String>(&found, "colour").is_err());

        (first.state, first.version, first.updated_at) = ("submitted".into(), 2, at(9));
        first.columns[3] = text("reviewer");
        let next = first.clone();
        stand
            .write(move |tx| {
                aggregate::lock(tx, &APPLICATION, key, merchant)?;
                aggregate::save(tx, &APPLICATION, &next, 1)
            })
            .unwrap();
        let stale = first.clone();
        let again = stand.write(move |tx| aggregate::save(tx, &APPLICATION, &stale, 1));
        assert_eq!(again, Err(StoreError::Stale { expected: 1, found: 2 }));
        let other = stand.read(move |tx| aggregate::find(tx, &APPLICATION, key, Uuid::nil())).unwrap();
        assert_eq!(other, None, "another merchant's eyes");
        let any = stand.read(move |tx| aggregate::find_any(tx, &APPLICATION, key)).unwrap();
        assert_eq!(any, Some(first.clone()));
        let by_no = stand.read(move |tx| application::find_by_business_no(tx, merchant, "B-1")).unwrap();
        assert_eq!(by_no, Some(first));
        let absent = stand.write(move |tx| aggregate::lock(tx, &APPLICATION, Uuid::nil(), merchant));
        assert_eq!(absent, Err(StoreError::NotFound { what: "application" }));
    });
}

#[test]
fn lists_come_in_pages_that_lose_nothing() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let mut wanted = Vec::new();
        for number in 0..7 {
            let mut row = draft(merchant, &format!("B-{number}"));
            // Three moments for seven rows: the id decides within one.
            row.created_at = at(number / 3);
            wanted.push(row.id);
            stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &row)).unwrap();
        }
        type List =
            fn(&mut starpay_store::Tx, Uuid, Option<Cursor>) -> Result<Page<AggregateRow>, StoreError>;
        let lists: [List; 4] = [
            |tx, _, after| aggregate::list_all(tx, &APPLICATION, after, 3),
            |tx, _, after| aggregate::list_by_state(tx, &APPLICATION, "draft", after, 3),
            |tx, merchant, after| aggregate::list_by_merchant(tx, &APPLICATION, merchant, after, 3),
            |tx, merchant, after| application::list_of_merchant_in_state(tx, merchant, "draft", after, 3),
        ];
        for list in lists {
            let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = stand.read(move |tx| list(tx, merchant, after)).unwrap();
                seen.extend(page.rows.iter().map(|row| row.id));
                pages += 1;
                after = page.next.and_then(|next| Cursor::parse(&next.to_text()));
                if after.is_none() {
                    break;
                }
            }
            assert_eq!((&seen, pages), (&wanted, 3));
        }
        let none = stand.read(|tx| aggregate::list_by_state(tx, &APPLICATION, "ready", None, 3)).unwrap();
        assert_eq!((none.rows.len(), none.next), (0, None));
    });
}

#[test]
fn a_merchants_applications_are_counted_and_picked_by_state() {
    on_both(|stand| {
        let (own, other) = (merchant(stand), merchant(stand));
        for (number, state) in (0_i64..).zip(["draft", "withdrawn", "draft", "ready"]) {
            for owner in [own, other] {
                let mut row = draft(owner, &format!("B-{number}"));
                (row.state, row.created_at) = (state.to_owned(), at(number));
                stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &row)).unwrap();
            }
        }
        assert_eq!(stand.read(move |tx| application::count_of_merchant(tx, own)).unwrap(), 4);
        assert_eq!(stand.read(|tx| application::count_of_merchant(tx, Uuid::nil())).unwrap(), 0);
        let page = |after| {
            let list = move |tx: &mut _| application::list_of_merchant_in_state(tx, own, "draft", after, 1);
            stand.read(list).unwrap()
        };
        let first = page(None);
        let second = page(first.next);
        let found = [&first.rows[..], &second.rows].concat();
        assert!(found.iter().all(|row| row.merchant_id == own && row.state == "draft"));
        let moments: Vec<_> = found.iter().map(|row| row.created_at).collect();
        assert_eq!((moments, second.next), (vec![at(0), at(2)], None));
    });
}

#[test]
fn unknown_states_and_broken_references_are_refused_by_name() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let mut wrong = draft(merchant, "B-1");
        wrong.state = "nearly".into();
        let refused = stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &wrong)).unwrap_err();
        assert!(refused.is_rule("application_state_known"), "{refused}");
        let orphan = draft(Uuid::nil(), "B-1");
        let refused = stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &orphan)).unwrap_err();
        assert!(
            matches!(refused, StoreError::Constraint { rule: starpay_store::Rule::ForeignKey, .. }),
            "{refused}"
        );
        let mut nameless = row(merchant, "pending", vec![Value::Null]);
        nameless.version = 1;
        let refused = stand.write(move |tx| aggregate::insert(tx, &CAPABILITY, &nameless)).unwrap_err();
        assert!(refused.is_rule("capability.name"), "{refused}");
    });
}

#[test]
fn every_state_of_every_machine_is_storable_and_no_other() {
    use starpay_domain::machine::Machine;
    use starpay_domain::{
        activation::Activation, agreement::Agreement, application::Application, capability::Capability,
        device::Device, device_auth::DeviceAuth, key_slot::KeySlot, registration::Registration,
        shipment::Shipment, visit::Visit,
    };
    let machines = [
        (Application::NAME, Application::STATES),
        (Agreement::NAME, Agreement::STATES),
        (Visit::NAME, Visit::STATES),
        (Registration::NAME, Registration::STATES),
        (Shipment::NAME, Shipment::STATES),
        (Device::NAME, Device::STATES),
        (Activation::NAME, Activation::STATES),
        (DeviceAuth::NAME, DeviceAuth::STATES),
        (KeySlot::NAME, KeySlot::STATES),
        (Capability::NAME, Capability::STATES),
    ];
    assert_eq!(machines.len(), TABLES.len());
    for (engine, (machine, states)) in [Engine::Sqlite, Engine::Postgres]
        .into_iter()
        .flat_map(|engine| machines.into_iter().map(move |machine| (engine, machine)))
    {
        let schema: String = starpay_store::scripts(engine).into_iter().map(|(_, text)| text).collect();
        let check = schema.split_once(&format!("{machine}_state_known CHECK (state IN (")).unwrap().1;
        let listed = check.split_once("))").unwrap().0;
        let mut listed: Vec<&str> = listed.split(',').map(|name| name.trim().trim_matches('\'')).collect();
        let mut states = states.to_vec();
        listed.sort_unstable();
        states.sort_unstable();
        assert_eq!(listed, states, "{machine} on {engine:?}");
    }
}

#[test]
fn two_shippers_get_two_devices() {
    on_both(|stand| {
        for serial in ["SN-1", "SN-2"] {
            let device = row(
                Uuid::nil(),
                "in_stock",
                vec![text(serial), text("STAR-A1"), Value::Null, Value::Null, Value::Null],
            );
            stand.write(move |tx| aggregate::insert(tx, &DEVICE, &device)).unwrap();
        }
        let take = |tx: &mut starpay_store::Tx| {
            let mut taken = device::lock_one_in_stock(tx, "STAR-A1")?;
            if let Some(row) = &mut taken {
                (row.state, row.version) = ("reserved".into(), 2);
                aggregate::save(tx, &DEVICE, row, 1)?;
            }
            Ok::<_, StoreError>(taken.map(|row| row.id))
        };
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let db = stand.db.clone();
                std::thread::spawn(move || db.write_blocking(take))
            })
            .collect();
        let mut taken: Vec<Option<Uuid>> = threads.into_iter().map(|t| t.join().unwrap().unwrap()).collect();
        taken.sort();
        assert_eq!(taken[0], None);
        assert!(taken[1].is_some() && taken[1] != taken[2]);
        let found = stand.read(|tx| device::find_by_serial(tx, "SN-2")).unwrap().unwrap();
        assert_eq!(DEVICE.column::<String>(&found, "model").unwrap(), "STAR-A1");
    });
}

#[test]
fn a_contact_has_one_code_for_each_purpose() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let mut number = contact::ContactRow {
            id: id(),
            mobile_index: vec![1],
            profile: vec![2],
            merchant_id: None,
            verified_at: None,
            created_at: at(0),
        };
        let stored = number.clone();
        stand.write(move |tx| contact::insert(tx, &stored)).unwrap();
        (number.merchant_id, number.verified_at) = (Some(merchant), Some(at(30)));
        let changed = number.clone();
        let found = stand
            .write(move |tx| {
                contact::lock_by_mobile(tx, &[1])?;
                contact::update(tx, &changed)?;
                contact::find_by_mobile(tx, &[1])
            })
            .unwrap();
        assert_eq!(found, Some(number.clone()));

        let (owner, codes) = (number.id, ["sign-in", "sign agr_1"]);
        let seen = stand
            .write(move |tx| {
                for (purpose, end) in codes.iter().zip([60, 90]) {
                    one_time_code::put(tx, owner, purpose, purpose.as_bytes(), at(end), Some(b"asked"))?;
                    one_time_code::use_up(tx, owner, purpose, b"used")?;
                }
                one_time_code::miss(tx, owner, codes[0])?;
                one_time_code::miss(tx, owner, codes[0])?;
                // A fresh one starts its tries anew and leaves the other purpose alone.
                one_time_code::put(tx, owner, codes[1], b"fresh", at(95), None)?;
                let seen = codes.map(|purpose| one_time_code::lock(tx, owner, purpose));
                one_time_code::remove(tx, owner, codes[1])?;
                let purged = one_time_code::purge(tx, at(61), 10)?;
                assert_eq!(one_time_code::lock(tx, owner, codes[0])?, None);
                Ok((seen.into_iter().collect::<Result<Vec<_>, _>>()?, purged))
            })
            .unwrap();
        let code = |hash: &[u8], end, tries, asked_by: Option<&[u8]>, used_by: Option<&[u8]>| {
            Some(one_time_code::OneTimeCode {
                hash: hash.to_vec(),
                expires_at: at(end),
                tries,
                asked_by: asked_by.map(<[u8]>::to_vec),
                used_by: used_by.map(<[u8]>::to_vec),
            })
        };
        let repeatable = code(b"sign-in", 60, 2, Some(b"asked"), Some(b"used"));
        assert_eq!(seen, (vec![repeatable, code(b"fresh", 95, 0, None, None)], 1));
    });
}

#[test]
fn a_terminal_has_one_cashier_of_a_number() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let cashier = operator::OperatorRow {
            id: id(),
            merchant_id: merchant,
            device_id: id(),
            number: "001".into(),
            role: "manager".into(),
            pin_hash: "$argon2id$".into(),
            failed: 0,
            locked_until: None,
            created_at: at(0),
            changed_at: at(0),
        };
        let (stored, device) = (cashier.clone(), cashier.device_id);
        stand.write(move |tx| operator::insert(tx, &stored)).unwrap();
        let twin = operator::OperatorRow { id: id(), ..cashier.clone() };
        let refused = stand.write(move |tx| operator::insert(tx, &twin)).unwrap_err();
        assert!(refused.is_rule("operator_one_per_number"), "{refused}");
        assert_eq!(stand.read(move |tx| operator::list_by_device(tx, device)).unwrap(), [cashier]);
    });
}

#[test]
fn a_document_is_found_by_its_application_and_by_its_digest() {
    on_both(|stand| {
        let merchant = merchant(stand);
        let application = draft(merchant, "B-1");
        let paper = document::DocumentRow {
            id: id(),
            merchant_id: merchant,
            application_id: application.id,
            kind: "licence".into(),
            media_type: "image/png".into(),
            byte_count: 4_000_000_000,
            width: 100,
            height: 50,
            digest: vec![9; 32],
            object_key: "a/b".into(),
            outcome: "accepted".into(),
            profile: None,
            created_at: at(1),
        };
        let (of, stored) = (application.id, paper.clone());
        stand
            .write(move |tx| {
                aggregate::insert(tx, &APPLICATION, &application)?;
                document::insert(tx, &stored)
            })
            .unwrap();
        let page = stand.read(move |tx| document::list_by_application(tx, of, merchant, None, 10)).unwrap();
        assert_eq!(page.rows, std::slice::from_ref(&paper));
        assert_eq!(stand.read(|tx| document::list_by_digest(tx, &[9; 32])).unwrap(), [paper]);
        let absent = stand.write(|tx| merchant::update_profile(tx, Uuid::nil(), &[], None));
        assert_eq!(absent, Err(StoreError::NotFound { what: "merchant" }));
        assert!(stand.read(move |tx| capability::list_of_merchant(tx, merchant)).unwrap().is_empty());
        assert_eq!(starpay_store::ToValue::to_value(&Option::<i64>::None), ValueRef::Null);
    });
}

#[test]
fn the_live_application_governs_whatever_was_begun_after_it() {
    let rank = |state: &str| match state {
        state if OVER.contains(&state) => 2,
        "draft" | "frozen" => 1,
        _ => 0,
    };
    on_both(|stand| {
        for first in Application::NAMES {
            for second in Application::NAMES {
                let owner = merchant(stand);
                let (mut old, mut new) = (draft(owner, "B-1"), draft(owner, "B-2"));
                (old.state, new.state) = ((*first).to_owned(), (*second).to_owned());
                (old.created_at, new.created_at) = (at(1), at(2));
                let wanted = if rank(first) < rank(second) { old.id } else { new.id };
                let found = stand
                    .write(move |tx| {
                        aggregate::insert(tx, &APPLICATION, &new)?;
                        aggregate::insert(tx, &APPLICATION, &old)?;
                        application::governing(tx, owner)
                    })
                    .unwrap();
                assert_eq!(found.map(|row| row.id), Some(wanted), "{first}, then {second}");
            }
        }
    });
}

#[test]
fn only_what_is_under_way_stands_in_the_way_of_its_subject() {
    on_both(|stand| {
        let owner = merchant(stand);
        let asked = |own: Uuid, limit: i64| {
            let found = stand.read(move |tx| application::in_the_way(tx, b"index", own, limit)).unwrap();
            found.into_iter().map(|row| row.state).collect::<Vec<_>>()
        };
        let mut own = Uuid::nil();
        for (number, state) in (0_i64..).zip(Application::NAMES) {
            let mut row = draft(owner, &format!("B-{number}"));
            (row.state, row.created_at) = ((*state).to_owned(), at(number));
            if *state == "checking" {
                own = row.id;
            }
            stand.write(move |tx| aggregate::insert(tx, &APPLICATION, &row)).unwrap();
        }
        let mut free = vec!["draft", "frozen", "checking"];
        free.extend(OVER);
        let wanted: Vec<_> = Application::NAMES.iter().filter(|state| !free.contains(state)).collect();
        assert_eq!(asked(own, 99).iter().collect::<Vec<_>>(), wanted);
        assert_eq!(asked(own, 2), ["submitted", "verifying"]);
        let foreign = stand.read(move |tx| application::in_the_way(tx, b"other", own, 99)).unwrap();
        assert_eq!(foreign, []);
    });
}
