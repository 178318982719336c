//! The audit chain: roots are signed over what changed, and whatever was tampered with is named.

use crate::support::{Stand, admin, erasure, jobs, on_both};
use crate::world::World;
use starpay_app::view::{List, Page};
use starpay_app::{ChainReport, FileCheck, FileKind};
use starpay_domain::id::{ApplicationId, TypedId};
use starpay_store::aggregate::{self, APPLICATION, AggregateRow};
use starpay_store::{Engine, StoreError};
use std::path::PathBuf;

async fn verify(stand: &Stand) -> ChainReport {
    stand.platform.verify_chain(&admin()).await.unwrap()
}

/// The findings as code, aggregate and event.
fn told(report: &ChainReport) -> Vec<(&str, Option<&str>, Option<i64>)> {
    assert!(!report.clean);
    report.findings.iter().map(|one| (one.code.as_str(), one.aggregate.as_deref(), one.event)).collect()
}

fn root(stand: &Stand, sequence: i64) -> PathBuf {
    stand.path(&format!("files/roots/{sequence:012}.jsonl"))
}

#[test]
fn a_root_covers_what_changed_and_nothing_else_is_signed() {
    on_both(|stand| async move {
        let before = verify(&stand).await;
        assert!(before.clean && before.covered_until.is_none());
        let shop = stand.shop("15400000001").await;
        let report = verify(&stand).await;
        assert!(report.clean, "{:?}", report.findings);
        assert_eq!(
            (report.roots, report.uncovered_chains),
            (0, report.aggregates),
            "verifying signs nothing"
        );

        let signed = stand.platform.sign_root(&jobs()).await.unwrap();
        assert_eq!((signed.roots, signed.heads, signed.sequence), (1, report.aggregates, Some(1)));
        let again = stand.platform.sign_root(&jobs()).await.unwrap();
        assert_eq!(again.sequence, None, "nothing grew");
        let report = verify(&stand).await;
        assert!(report.clean && report.covered_until.is_some());
        assert_eq!((report.roots, report.uncovered_chains), (1, 0));

        stand.platform.withdraw_application(&shop.actor, None, shop.application, None).await.unwrap();
        assert_eq!(verify(&stand).await.uncovered_chains, 1);
        assert_eq!(stand.platform.sign_root(&jobs()).await.unwrap().heads, 1);
        assert!(verify(&stand).await.clean);
        assert!(stand.platform.verify_chain(&shop.actor).await.is_err(), "an administrator's business");
        stand
    });
}

#[test]
fn a_crash_between_file_and_mark_is_taken_up() {
    on_both(|stand| async move {
        stand.shop("15400000001").await;
        stand.platform.sign_root(&jobs()).await.unwrap();
        let file = std::fs::read(root(&stand, 1)).unwrap();
        stand.poke("DELETE FROM root; UPDATE chain_head SET rooted_version = 0;");
        let signed = stand.platform.sign_root(&jobs()).await.unwrap();
        assert_eq!(signed.sequence, Some(1));
        assert_eq!(std::fs::read(root(&stand, 1)).unwrap(), file, "the file that was there is the root");
        assert!(verify(&stand).await.clean);
        // A file that nobody of us wrote stops the signing; nothing is written over it.
        std::fs::write(root(&stand, 2), b"{}").unwrap();
        let refused = stand.platform.sign_root(&jobs()).await.unwrap_err();
        assert_eq!(refused.code, "root_conflict");
        stand
    });
}

#[test]
fn a_changed_byte_is_named_with_its_event() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let id = stand.literal(shop.application);
        stand.poke(&format!("UPDATE event SET name = 'approve' WHERE aggregate_id = {id} AND version = 2"));
        let report = verify(&stand).await;
        let application = shop.application.to_string();
        assert_eq!(told(&report), [("event_changed", Some(application.as_str()), Some(2))]);
        let finding = &report.findings[0];
        assert_eq!(finding.merchant, Some(shop.merchant.to_string()));
        assert_eq!(
            finding.text,
            format!("event 2 of application {application} of merchant {} was changed", shop.merchant)
        );
        stand
    });
}

#[test]
fn a_deleted_last_event_is_named_even_when_its_traces_are_gone() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let (id, application) = (stand.literal(shop.application), shop.application.to_string());
        let last = stand.platform.application(&shop.actor, shop.application).await.unwrap().version;
        let wanted = [("last_event_deleted", Some(application.as_str()), Some(last))];
        let delete = format!("DELETE FROM event WHERE aggregate_id = {id} AND version = {last};");
        stand.platform.sign_root(&jobs()).await.unwrap();
        stand.poke(&delete);
        assert_eq!(told(&verify(&stand).await), wanted);
        // The chain's end is set back, too: the aggregate's row still knows better.
        let head = format!(
            "UPDATE chain_head SET version = {0}, rooted_version = {0}, hash = (SELECT hash FROM event \
             WHERE aggregate_id = {id} AND version = {0}) WHERE aggregate_id = {id};",
            last - 1
        );
        stand.poke(&head);
        assert_eq!(told(&verify(&stand).await), wanted);
        // And the row: only the signed root is left to tell.
        stand.poke(&format!("UPDATE application SET version = {} WHERE id = {id};", last - 1));
        assert_eq!(told(&verify(&stand).await), wanted);
        assert_eq!(stand.platform.sign_root(&jobs()).await.unwrap().roots, 0);
        stand
    });
}

#[test]
fn a_verification_holds_few_roots_at_once_and_reads_them_all() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        for number in 0..40 {
            let name =
                std::collections::BTreeMap::from([("shop.name".to_owned(), format!("星光小面馆{number}"))]);
            let patch = starpay_app::view::PatchApplication { fields: name };
            stand.platform.patch_application(&shop.actor, shop.application, None, patch).await.unwrap();
            stand.platform.sign_root(&jobs()).await.unwrap();
        }
        let report = verify(&stand).await;
        assert!(report.clean, "{:?}", report.findings);
        assert_eq!(report.roots, 40);
        // One at the beginning and one at the end of what is read together; one far too large.
        for gone in [1, 17, 32, 40] {
            std::fs::remove_file(root(&stand, gone)).unwrap();
        }
        std::fs::write(root(&stand, 20), vec![b'x'; 2 * 1024 * 1024]).unwrap();
        let report = verify(&stand).await;
        let seen: Vec<(&str, Option<i64>)> =
            report.findings.iter().map(|one| (one.code.as_str(), one.root)).collect();
        let missing = [1, 17, 32, 40].map(|number| ("root_missing", Some(number)));
        let mut wanted = vec![("root_changed", Some(20))];
        wanted.extend(missing);
        assert_eq!(seen, wanted);
        // A root signed while the verification runs is no finding.
        let busy = stand.platform.clone();
        let signing = tokio::spawn(async move {
            for _ in 0..20 {
                busy.sign_root(&jobs()).await.unwrap();
            }
        });
        stand.platform.withdraw_application(&shop.actor, None, shop.application, None).await.unwrap();
        assert_eq!(verify(&stand).await.findings.len(), 5);
        signing.await.unwrap();
        stand
    });
}

/// Everything of an application but what the roots say.
fn remove(stand: &Stand, application: ApplicationId) -> [String; 3] {
    let id = stand.literal(application);
    [
        format!("DELETE FROM event WHERE aggregate_id = {id}"),
        format!("DELETE FROM chain_head WHERE aggregate_id = {id}"),
        format!("DELETE FROM document WHERE application_id = {id}; DELETE FROM application WHERE id = {id}"),
    ]
}

#[test]
fn a_removed_aggregate_is_named() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let application = shop.application.to_string();
        let last = stand.platform.application(&shop.actor, shop.application).await.unwrap().version;
        stand.platform.sign_root(&jobs()).await.unwrap();
        for sql in remove(&stand, shop.application) {
            stand.poke(&sql);
            let report = verify(&stand).await;
            assert_eq!(
                told(&report),
                [("aggregate_removed", Some(application.as_str()), Some(last))],
                "{sql}"
            );
        }
        stand
    });
}

#[test]
fn a_removed_or_changed_row_is_named_by_its_events() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let application = shop.application.to_string();
        let last = stand.platform.application(&shop.actor, shop.application).await.unwrap().version;
        let id = stand.literal(shop.application);
        stand.poke(&format!("UPDATE application SET version = 1 WHERE id = {id}"));
        assert_eq!(told(&verify(&stand).await), [("row_changed", Some(application.as_str()), Some(last))]);
        let [_, _, rows] = remove(&stand, shop.application);
        stand.poke(&rows);
        assert_eq!(told(&verify(&stand).await), [("row_removed", Some(application.as_str()), Some(last))]);
        stand
    });
}

#[test]
fn a_missing_or_changed_root_is_named() {
    on_both(|stand| async move {
        for mobile in ["15400000001", "15400000002", "15400000003"] {
            stand.shop(mobile).await;
            stand.platform.sign_root(&jobs()).await.unwrap();
        }
        let roots = |report: &ChainReport| -> Vec<(String, Option<i64>)> {
            report.findings.iter().map(|one| (one.code.clone(), one.root)).collect()
        };
        let second = std::fs::read(root(&stand, 2)).unwrap();
        std::fs::remove_file(root(&stand, 2)).unwrap();
        assert_eq!(roots(&verify(&stand).await), [("root_missing".to_owned(), Some(2))]);

        let text = String::from_utf8(second.clone()).unwrap();
        for changed in [
            text.replacen("\"version\":2", "\"version\":3", 1),
            text.replacen("{\"signature\":\"", "{\"signature\":\"00", 1),
            text.lines().take(1).collect(),
            String::new(),
        ] {
            assert_ne!(changed, text);
            std::fs::write(root(&stand, 2), changed).unwrap();
            assert_eq!(roots(&verify(&stand).await), [("root_changed".to_owned(), Some(2))]);
        }
        // A root in another's place is no root.
        std::fs::copy(root(&stand, 1), root(&stand, 2)).unwrap();
        assert_eq!(roots(&verify(&stand).await), [("root_changed".to_owned(), Some(2))]);
        std::fs::write(root(&stand, 2), second).unwrap();
        assert!(verify(&stand).await.clean);
        std::fs::remove_file(root(&stand, 3)).unwrap();
        assert_eq!(roots(&verify(&stand).await), [("root_missing".to_owned(), Some(3))]);
        stand
    });
}

/// The code of every finding.
fn codes(report: &ChainReport) -> Vec<&str> {
    report.findings.iter().map(|one| one.code.as_str()).collect()
}

#[test]
fn roots_that_are_gone_with_their_records_are_noticed() {
    on_both(|stand| async move {
        let gone = stand.shop("15400000001").await;
        stand.shop("15400000002").await;
        stand.platform.sign_root(&jobs()).await.unwrap();
        for sql in remove(&stand, gone.application) {
            stand.poke(&sql);
        }
        stand.poke("DELETE FROM root");
        let file = root(&stand, 1);
        let kept = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        // Neither file nor record: the other chains' ends remember.
        let report = verify(&stand).await;
        assert_eq!(codes(&report), ["roots_removed"]);
        assert!(!report.clean && report.covered_until.is_none());
        assert!(report.findings[0].text.contains("signed roots were removed"), "{:?}", report.findings);
        // The next root that is signed covers what follows, and hides nothing.
        stand.shop("15400000003").await;
        assert_eq!(stand.platform.sign_root(&jobs()).await.unwrap().sequence, Some(1));
        assert_eq!(codes(&verify(&stand).await), ["roots_removed"]);
        // The file put back: it tells what was removed, and that its record is missing. The root that
        // stood in its place is the one of which nothing is left now.
        std::fs::write(&file, kept).unwrap();
        stand.poke("DELETE FROM root");
        let report = verify(&stand).await;
        assert_eq!(codes(&report), ["aggregate_removed", "root_marks_removed", "roots_removed"]);
        assert_eq!(report.roots, 1);
        assert!(report.covered_until.is_some(), "a root that verifies covers, marked or not");
        stand
    });
}

#[test]
fn records_of_roots_that_are_gone_are_one_finding() {
    on_both(|stand| async move {
        for mobile in ["15400000001", "15400000002", "15400000003"] {
            stand.shop(mobile).await;
            stand.platform.sign_root(&jobs()).await.unwrap();
        }
        let last = verify(&stand).await.covered_until;
        stand.poke("DELETE FROM root");
        let report = verify(&stand).await;
        assert_eq!(codes(&report), ["root_marks_removed"]);
        assert_eq!(
            report.findings[0].text,
            "root files 1 to 3 are there, the database's record of them was removed"
        );
        assert_eq!(report.covered_until, last);
        // What the chains remember is set back as well: two of the files still cannot be without one.
        stand.poke("UPDATE chain_head SET rooted_version = 0");
        assert_eq!(codes(&verify(&stand).await), ["root_marks_removed"]);
        // The newest roots, files and records: the chains they covered remember.
        assert_eq!(stand.platform.sign_root(&jobs()).await.unwrap().roots, 3, "taken up as they stand");
        assert!(verify(&stand).await.clean);
        stand.poke("DELETE FROM root WHERE sequence > 1");
        for gone in [2, 3] {
            std::fs::remove_file(root(&stand, gone)).unwrap();
        }
        let report = verify(&stand).await;
        assert_eq!(codes(&report), ["roots_removed"]);
        assert_ne!(report.covered_until, last);
        stand
    });
}

async fn row(stand: &Stand, application: ApplicationId) -> AggregateRow {
    let id = application.uuid();
    let found: Result<_, StoreError> =
        stand.platform.db().read(move |tx| aggregate::find_any(tx, &APPLICATION, id)).await;
    found.unwrap().unwrap()
}

/// Bytes as an SQL literal.
fn bytes(engine: Engine, bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match engine {
        Engine::Sqlite => format!("x'{digits}'"),
        Engine::Postgres => format!("'\\x{digits}'::bytea"),
    }
}

#[test]
fn facts_that_were_changed_or_put_back_are_named() {
    on_both(|stand| async move {
        let shop = stand.shop("15400000001").await;
        let (id, application) = (stand.literal(shop.application), shop.application.to_string());
        let earlier = row(&stand, shop.application).await;
        stand.platform.withdraw_application(&shop.actor, None, shop.application, None).await.unwrap();
        let now = row(&stand, shop.application).await;
        let put = |facts: &[u8]| {
            let facts = bytes(stand.platform.db().engine(), facts);
            stand.poke(&format!("UPDATE application SET facts = {facts} WHERE id = {id}"));
        };
        let wanted = [("facts_changed", Some(application.as_str()), Some(now.version))];
        let mut changed = now.facts.clone();
        *changed.last_mut().unwrap() ^= 1;
        put(&changed);
        assert_eq!(told(&verify(&stand).await), wanted);
        // Sealed for this very row, but before: the seal opens.
        put(&earlier.facts);
        assert_eq!(told(&verify(&stand).await), wanted);
        put(&now.facts);
        assert!(verify(&stand).await.clean);
        // Nobody can open what an erased merchant's events say; the report counts what it cannot tell.
        assert_eq!(verify(&stand).await.erased, 0);
        stand.platform.erase_merchant(&admin(), shop.merchant, erasure(shop.merchant)).await.unwrap();
        let report = verify(&stand).await;
        assert!(report.clean && report.erased > 0, "{report:?}");
        // A key that was removed instead is no erasure.
        stand.poke("DELETE FROM data_key WHERE wrapped IS NULL");
        assert!(codes(&verify(&stand).await).iter().all(|code| *code == "event_unreadable"));
        stand
    });
}

/// Two states of each machine that can stand beside any row there is.
const STATES: [(&str, [&str; 2]); 10] = [
    ("application", ["withdrawn", "expired"]),
    ("agreement", ["expired", "superseded"]),
    ("visit", ["cancelled", "no_show"]),
    ("registration", ["closed", "closing"]),
    ("shipment", ["cancelled", "returned"]),
    ("device", ["retired", "lost"]),
    ("activation", ["aborted", "expired"]),
    ("device_auth", ["rejected", "pending"]),
    ("key_slot", ["revoked", "failed"]),
    ("capability", ["rejected", "paused"]),
];

async fn changed_states_are_named(world: World) {
    let (_, code) = world.ask_for_code().await;
    let mut terminal = world.terminal();
    terminal.claim(&code).await.unwrap();
    terminal.until("none").await;
    let report = world.platform.verify_chain(&admin()).await.unwrap();
    assert!(report.clean, "{:?}", report.findings);
    let mut kinds: Vec<&str> = Vec::new();
    for (table, [one, other]) in STATES {
        tokio::task::block_in_place(|| {
            world.poke(&format!(
                "UPDATE {table} SET state = CASE WHEN state = '{one}' THEN '{other}' ELSE '{one}' END \
                 WHERE id = (SELECT id FROM {table} ORDER BY id LIMIT 1)"
            ));
        });
        kinds.push(table);
        kinds.sort_unstable();
        let report = world.platform.verify_chain(&admin()).await.unwrap();
        assert!(codes(&report).iter().all(|code| *code == "state_differs"), "{:?}", report.findings);
        let named: Vec<&str> = report.findings.iter().filter_map(|one| one.kind.as_deref()).collect();
        assert_eq!(named, kinds);
    }
    tokio::task::block_in_place(|| world.platform.db().close());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_changed_by_hand_is_named_for_every_machine() {
    assert_eq!(STATES.len(), aggregate::TABLES.len());
    changed_states_are_named(World::delivered().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_changed_by_hand_is_named_for_every_machine_on_postgres() {
    let world = World::shipped_on_postgres().await;
    world.receive().await;
    changed_states_are_named(world).await;
}

async fn files(world: &World, kind: FileKind) -> Vec<FileCheck> {
    let (mut all, mut page) = (Vec::new(), Page { cursor: None, limit: Some(2) });
    loop {
        let List { data, next_cursor } = world.platform.verify_files(&admin(), kind, page).await.unwrap();
        all.extend(data);
        if next_cursor.is_none() {
            return all;
        }
        page = Page { cursor: next_cursor, limit: Some(2) };
    }
}

/// The outcomes other than whole, each with its file.
fn not_whole(files: &[FileCheck]) -> Vec<(&str, &str)> {
    let told = files.iter().filter(|one| one.outcome != "whole");
    told.map(|one| (one.outcome.as_str(), one.file.as_str())).collect()
}

async fn files_are_held_against_their_records(world: World) {
    let (documents, agreements) =
        (files(&world, FileKind::Document).await, files(&world, FileKind::Agreement).await);
    assert_eq!((documents.len(), agreements.len()), (7, 1));
    assert!(not_whole(&documents).is_empty() && not_whole(&agreements).is_empty(), "{documents:?}");
    let owner = world.owner().await;
    let refused = world.platform.verify_files(&owner, FileKind::Document, Page::default()).await;
    assert!(refused.is_err(), "an administrator's business");
    let at = |file: &str| world.folder.path().join("files").join(file);
    let [first, second, third, ..] = documents.as_slice() else { panic!() };
    for changed in [&first.file, &agreements[0].file] {
        let mut sealed = std::fs::read(at(changed)).unwrap();
        *sealed.last_mut().unwrap() ^= 1;
        std::fs::write(at(changed), sealed).unwrap();
    }
    // Whole in itself, but another document's.
    std::fs::copy(at(&third.file), at(&second.file)).unwrap();
    std::fs::remove_file(at(&third.file)).unwrap();
    let seen = files(&world, FileKind::Document).await;
    let wanted = [("changed", &first.file), ("changed", &second.file), ("missing", &third.file)];
    assert_eq!(not_whole(&seen), wanted.map(|(outcome, file)| (outcome, file.as_str())));
    let seen = files(&world, FileKind::Agreement).await;
    assert_eq!(not_whole(&seen), [("changed", agreements[0].file.as_str())]);
    assert!(world.platform.verify_chain(&admin()).await.unwrap().clean, "the records are as they were");
    let merchant = owner.merchant.unwrap();
    world.platform.erase_merchant(&admin(), merchant, erasure(merchant)).await.unwrap();
    let seen = files(&world, FileKind::Document).await;
    assert_eq!(seen.iter().filter(|one| one.outcome == "erased").count(), 6, "{seen:?}");
    tokio::task::block_in_place(|| world.platform.db().close());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_changed_file_is_named() {
    files_are_held_against_their_records(World::shipped().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_changed_file_is_named_on_postgres() {
    files_are_held_against_their_records(World::shipped_on_postgres().await).await;
}
