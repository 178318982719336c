//! Chains, roots and the verification that names what happened.

use crate::stand::{Stand, at, id, on_both};
use starpay_store::audit::{self, AuditReport, Finding, Subject};
use starpay_store::event::{self, NewEvent};
use starpay_store::root::{self, RootFile};
use starpay_store::{StoreError, Tx};
use uuid::Uuid;

fn new_event(aggregate: Uuid, version: i64) -> NewEvent {
    NewEvent {
        id: id(),
        merchant_id: Uuid::from_u128(77),
        kind: "application".into(),
        aggregate_id: aggregate,
        version,
        name: "submit".into(),
        actor_kind: "merchant".into(),
        actor_id: (version % 2 == 0).then(|| "con_1".to_owned()),
        at: at(version),
        payload: format!("sealed {version}").into_bytes(),
    }
}

fn subject(aggregate: Uuid) -> Subject {
    Subject { kind: "application".into(), merchant_id: Uuid::from_u128(77), aggregate_id: aggregate }
}

/// Three aggregates with four events each.
fn three(stand: &Stand) -> [Uuid; 3] {
    let ids = [id(), id(), id()];
    for aggregate in ids {
        for version in 1..=4 {
            let event = new_event(aggregate, version);
            stand.write(move |tx| event::append(tx, &event)).unwrap();
        }
    }
    ids
}

fn next_root(stand: &Stand, seconds: i64) -> RootFile {
    let file = stand
        .read(move |tx| Ok(RootFile::after(root::last(tx)?, at(seconds), root::collect(tx, 100)?)))
        .unwrap();
    let marked = file.clone();
    stand.write(move |tx| root::mark_rooted(tx, &marked)).unwrap();
    file
}

fn verify(stand: &Stand, roots: &[RootFile]) -> AuditReport {
    let roots = roots.to_vec();
    stand.read(move |tx: &mut Tx| audit::verify(tx, roots.iter().cloned().map(Ok))).unwrap()
}

#[test]
fn a_whole_chain_verifies() {
    on_both(|stand| {
        let [first, ..] = three(stand);
        let root = next_root(stand, 1);
        assert_eq!((root.sequence, root.heads.len()), (1, 3));
        let event = new_event(first, 5);
        stand.write(move |tx| event::append(tx, &event)).unwrap();
        let second = next_root(stand, 2);
        assert_eq!((second.sequence, second.heads.len()), (2, 1), "a root names only what changed");
        assert_eq!(second.previous, root.hash().unwrap());
        let report = verify(stand, &[root.clone(), second]);
        assert_eq!((report.aggregates, report.events, report.roots), (3, 13, 2));
        assert!(report.is_clean(), "{:?}", report.findings);
        let twice = stand.write(move |tx| root::mark_rooted(tx, &root));
        assert_eq!(twice, Err(StoreError::Stale { expected: 0, found: 2 }));
    });
}

#[test]
fn versions_follow_each_other() {
    on_both(|stand| {
        let aggregate = id();
        for (version, found) in [(2, 0), (0, 0)] {
            let event = new_event(aggregate, version);
            let refused = stand.write(move |tx| event::append(tx, &event)).unwrap_err();
            assert_eq!(refused, StoreError::Stale { expected: version - 1, found });
        }
        let first = new_event(aggregate, 1);
        let copy = first.clone();
        let appended = stand.write(move |tx| event::append(tx, &copy)).unwrap();
        assert_eq!(appended.hash, event::chain_hash(&event::GENESIS, &first));
        let found = stand.read(move |tx| event::find(tx, aggregate, Uuid::from_u128(77), 1)).unwrap();
        assert_eq!(found.map(|stored| stored.event), Some(first.clone()));
        let listed =
            stand.read(move |tx| event::list_of_aggregate(tx, aggregate, Uuid::from_u128(77), 0, 9)).unwrap();
        assert_eq!(listed.len(), 1);
        let timeline = stand.read(|tx| event::list_of_merchant(tx, Uuid::from_u128(77), None, 9)).unwrap();
        assert_eq!(timeline.rows.into_iter().map(|row| row.event).collect::<Vec<_>>(), [first]);
    });
}

/// Tampers with a fresh store in one way and gives what the verification says.
fn after(stand: &Stand, tamper: impl Fn(&Stand, [Uuid; 3]) -> String) -> ([Uuid; 3], Vec<Finding>) {
    stand.poke("DELETE FROM event; DELETE FROM chain_head; DELETE FROM root;");
    let ids = three(stand);
    let root = next_root(stand, 1);
    stand.poke(&tamper(stand, ids));
    (ids, verify(stand, &[root]).findings)
}

#[test]
fn a_changed_byte_is_named_with_its_event() {
    on_both(|stand| {
        let changes = [
            "payload = payload2",
            "name = 'approve'",
            "at = at + 1",
            "actor_id = 'con_2'",
            "actor_kind = 'staff'",
            "kind = 'device'",
            "id = payload2",
            "hash = hash2",
            "previous = hash2",
        ];
        for change in changes {
            let (ids, findings) = after(stand, |stand, ids| {
                let change = change
                    .replace("payload2", &stand.literal(Uuid::from_u128(5)))
                    .replace("hash2", &stand.hash_literal(&[0; 32]));
                let aggregate = stand.literal(ids[1]);
                format!("UPDATE event SET {change} WHERE aggregate_id = {aggregate} AND version = 3")
            });
            let wanted = Finding::EventChanged { subject: subject(ids[1]), version: 3 };
            assert_eq!(findings, [wanted], "{change}");
        }
        let text = Finding::EventChanged { subject: subject(Uuid::nil()), version: 3 }.to_string();
        assert!(text.starts_with("event 3 of application 0000"), "{text}");
    });
}

#[test]
fn a_deleted_last_event_is_named() {
    on_both(|stand| {
        let (ids, findings) = after(stand, |stand, ids| {
            format!("DELETE FROM event WHERE aggregate_id = {} AND version = 4", stand.literal(ids[0]))
        });
        let wanted = |found| Finding::LastEventDeleted { subject: subject(ids[0]), found, last_known: 4 };
        assert_eq!(findings, [wanted(3)]);
        // With the chain's end set back as well, only the root knows.
        let (ids, findings) = after(stand, |stand, ids| {
            let aggregate = stand.literal(ids[0]);
            format!(
                "DELETE FROM event WHERE aggregate_id = {aggregate} AND version > 2; \
                 UPDATE chain_head SET version = 2, hash = (SELECT hash FROM event WHERE \
                 aggregate_id = {aggregate} AND version = 2) WHERE aggregate_id = {aggregate}"
            )
        });
        let wanted = Finding::LastEventDeleted { subject: subject(ids[0]), found: 2, last_known: 4 };
        assert_eq!(findings, [wanted]);
    });
}

#[test]
fn a_removed_aggregate_is_named() {
    on_both(|stand| {
        for also_head in ["", "; DELETE FROM chain_head WHERE aggregate_id = "] {
            let (ids, findings) = after(stand, |stand, ids| {
                let aggregate = stand.literal(ids[2]);
                let head =
                    if also_head.is_empty() { String::new() } else { format!("{also_head}{aggregate}") };
                format!("DELETE FROM event WHERE aggregate_id = {aggregate}{head}")
            });
            let wanted = Finding::AggregateRemoved { subject: subject(ids[2]), last_known: 4 };
            assert_eq!(findings, [wanted]);
        }
    });
}

#[test]
fn gaps_moves_and_rewritten_chains_are_named() {
    on_both(|stand| {
        let (ids, findings) = after(stand, |stand, ids| {
            format!("DELETE FROM event WHERE aggregate_id = {} AND version IN (2, 3)", stand.literal(ids[0]))
        });
        assert_eq!(findings, [Finding::EventMissing { subject: subject(ids[0]), from: 2, to: 3 }]);

        let (ids, findings) = after(stand, |stand, ids| {
            let aggregate = stand.literal(ids[1]);
            format!(
                "UPDATE event SET version = 99 WHERE aggregate_id = {aggregate} AND version = 2; \
                 UPDATE event SET version = 2 WHERE aggregate_id = {aggregate} AND version = 3; \
                 UPDATE event SET version = 3 WHERE aggregate_id = {aggregate} AND version = 99"
            )
        });
        let moved =
            |belongs_at, found_at| Finding::EventMoved { subject: subject(ids[1]), belongs_at, found_at };
        let rewritten: Vec<_> =
            findings.iter().filter(|f| !matches!(f, Finding::EventMoved { .. })).collect();
        assert!(findings.contains(&moved(2, 3)) && findings.contains(&moved(3, 2)), "{findings:?}");
        assert!(rewritten.is_empty(), "{rewritten:?}");

        // Somebody who can compute hashes writes the last event anew: only the root knows.
        let (ids, findings) = after(stand, |stand, ids| {
            let aggregate = ids[0];
            let old =
                stand.read(move |tx| event::find(tx, aggregate, Uuid::from_u128(77), 4)).unwrap().unwrap();
            let mut forged = old.event.clone();
            forged.name = "approve".into();
            let hash = event::chain_hash(&old.previous, &forged);
            let hash = stand.hash_literal(&hash);
            let aggregate = stand.literal(aggregate);
            format!(
                "UPDATE event SET name = 'approve', hash = {hash} WHERE aggregate_id = {aggregate} \
                 AND version = 4; UPDATE chain_head SET hash = {hash} WHERE aggregate_id = {aggregate}"
            )
        });
        assert_eq!(findings, [Finding::Rewritten { subject: subject(ids[0]), version: 4, sequence: 1 }]);

        let (ids, findings) = after(stand, |stand, ids| {
            format!("DELETE FROM chain_head WHERE aggregate_id = {}", stand.literal(ids[0]))
        });
        assert_eq!(findings, [Finding::HeadChanged { subject: subject(ids[0]) }]);
    });
}

#[test]
fn missing_and_changed_roots_are_named() {
    on_both(|stand| {
        let [first, ..] = three(stand);
        let one = next_root(stand, 1);
        let event = new_event(first, 5);
        stand.write(move |tx| event::append(tx, &event)).unwrap();
        let two = next_root(stand, 2);
        assert_eq!(
            verify(stand, std::slice::from_ref(&two)).findings,
            [Finding::RootMissing { sequence: 1 }]
        );
        assert_eq!(
            verify(stand, std::slice::from_ref(&one)).findings,
            [Finding::RootMissing { sequence: 2 }]
        );
        let mut forged = one;
        forged.at = at(50);
        let findings = verify(stand, &[forged, two]).findings;
        let changed = [1, 2].map(|sequence| Finding::RootChanged { sequence });
        assert_eq!(findings, changed);
    });
}

#[test]
fn roots_that_are_gone_leave_traces() {
    on_both(|stand| {
        let [first, ..] = three(stand);
        let one = next_root(stand, 1);
        let event = new_event(first, 5);
        stand.write(move |tx| event::append(tx, &event)).unwrap();
        let two = next_root(stand, 2);
        let both = [one.clone(), two.clone()];
        let report = verify(stand, &both);
        assert!(report.is_clean() && report.covered_until == Some(at(2)), "{report:?}");
        stand.poke("DELETE FROM root WHERE sequence = 2");
        assert_eq!(verify(stand, &both).findings, [Finding::MarksRemoved { from: 2, to: 2 }]);
        let report = verify(stand, std::slice::from_ref(&one));
        assert_eq!(report.findings, [Finding::RootsRemoved { chains: 1 }]);
        assert_eq!(report.covered_until, Some(at(1)));
        stand.poke("DELETE FROM root");
        assert_eq!(verify(stand, &both).findings, [Finding::MarksRemoved { from: 1, to: 2 }]);
        let report = verify(stand, &[]);
        assert_eq!(report.findings, [Finding::RootsRemoved { chains: 3 }]);
        assert_eq!(report.covered_until, None);
        // A crash before the mark: nothing remembers the last root, and nothing is missing.
        let marked = one.clone();
        stand.poke("UPDATE chain_head SET rooted_version = 0");
        stand.write(move |tx| root::mark_rooted(tx, &marked)).unwrap();
        assert!(verify(stand, &both).is_clean());
        // The one before it is without a mark as well: no crash leaves that.
        stand.poke("DELETE FROM root; UPDATE chain_head SET rooted_version = 0");
        assert_eq!(verify(stand, &both).findings, [Finding::MarksRemoved { from: 1, to: 2 }]);
    });
}

#[test]
fn verification_goes_over_more_than_a_page() {
    on_both(|stand| {
        for aggregate in (0..130).map(|_| id()) {
            stand
                .write(move |tx| {
                    (1..=5)
                        .try_for_each(|version| event::append(tx, &new_event(aggregate, version)).map(|_| ()))
                })
                .unwrap();
        }
        let report = verify(stand, &[]);
        assert_eq!((report.aggregates, report.events, report.is_clean()), (130, 650, true));
        stand.poke("DELETE FROM event");
        let report = verify(stand, &[]);
        assert_eq!((report.aggregates, report.findings.len()), (0, 130));
    });
}
