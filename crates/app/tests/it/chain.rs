//! The audit chain: roots are signed over what changed, and whatever was tampered with is named.

use crate::support::{Stand, admin, jobs, on_both};
use starpay_app::ChainReport;
use starpay_domain::id::ApplicationId;
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
