//! A backup made while the platform works, put back on either engine.

use crate::support::{PASSPHRASE, Shop, Stand, admin, empty_database, jobs};
use secrecy::SecretString;
use starpay_app::{BackupOrder, BackupSummary, Error, RestoreSummary, RestoreTarget};
use starpay_domain::id::{DocumentId, TypedId};
use starpay_keys::OsRandom;
use starpay_keys::keystore::MasterKey;
use starpay_store::{Db, Engine, StoreError, event};
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct FullDisk;

impl Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "no space left"))
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn back_up_into(
    stand: &Stand,
    passphrase: &str,
    sink: Box<dyn Write + Send>,
) -> Result<BackupSummary, Error> {
    let (passphrase, scratch) = (SecretString::from(passphrase), stand.path("scratch"));
    stand.platform.backup(&admin(), BackupOrder { passphrase, scratch, extras: Vec::new(), sink }).await
}

async fn back_up(stand: &Stand) -> (BackupSummary, Vec<u8>) {
    let memory = Memory::default();
    let summary = back_up_into(stand, PASSPHRASE, Box::new(memory.clone())).await.unwrap();
    let archive = std::mem::take(&mut *memory.0.lock().unwrap());
    (summary, archive)
}

fn target(stand: &Stand, folder: &TempDir, engine: Engine) -> RestoreTarget {
    let files = starpay_adapters::files::ObjectFiles::in_folder(&folder.path().join("files")).unwrap();
    let staging = folder.path().join("staging");
    std::fs::create_dir_all(&staging).unwrap();
    RestoreTarget {
        database: empty_database(engine, folder.path()),
        files: Arc::new(files),
        keystore: folder.path().join("keystore"),
        master_key: MasterKey::file(folder.path().join("master.key")),
        staging,
        clock: stand.clock.clone(),
        random: Arc::new(OsRandom),
    }
}

async fn restore(archive: Vec<u8>, passphrase: &str, target: RestoreTarget) -> Result<RestoreSummary, Error> {
    starpay_app::restore(Box::new(Cursor::new(archive)), SecretString::from(passphrase), target).await
}

async fn events(stand: &Stand, shop: &Shop) -> Vec<event::StoredEvent> {
    let merchant = shop.merchant.uuid();
    let read = move |tx: &mut starpay_store::Tx| event::list_of_merchant(tx, merchant, None, 100);
    stand.platform.db().read(read).await.map(|page| page.rows).map_err(|error: StoreError| error).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_platform_has_the_same_events_and_opens_the_same_data_on_either_engine() {
    for (from, into) in [
        (Engine::Sqlite, Engine::Sqlite),
        (Engine::Sqlite, Engine::Postgres),
        (Engine::Postgres, Engine::Sqlite),
    ] {
        let stand = tokio::task::spawn_blocking(move || Stand::new(from)).await.unwrap();
        let shop = stand.shop("15400000001").await;
        stand.platform.sign_root(&jobs()).await.unwrap();
        let (made, archive) = back_up(&stand).await;
        assert_eq!(made.files, 2, "one document, one root");
        assert!(std::fs::read_dir(stand.path("scratch")).unwrap().next().is_none(), "nothing is left behind");
        // What happens after the backup is not in it, nor are the roots that speak of it.
        let later = stand.shop("15400000002").await;
        stand.platform.sign_root(&jobs()).await.unwrap();

        let folder = TempDir::new().unwrap();
        let target = target(&stand, &folder, into);
        let config = target.database.clone();
        let restored = restore(archive, PASSPHRASE, target).await.unwrap();
        assert_eq!((restored.rows, restored.files), (made.rows, made.files));
        assert!(restored.chain.clean, "{:?}", restored.chain.findings);
        assert_eq!(restored.chain.roots, 1);

        let (clock, folder) = (stand.clock.clone(), Arc::new(folder));
        let second = tokio::task::spawn_blocking(move || Stand::over(folder, config, clock)).await.unwrap();
        assert_eq!(events(&second, &shop).await, events(&stand, &shop).await);
        assert!(events(&second, &later).await.is_empty());
        let document = DocumentId::parse(&shop.document.id).unwrap();
        let read = async |of: &Stand| {
            of.platform.document_content(&shop.actor, shop.application, document).await.unwrap().1
        };
        assert_eq!(read(&second).await, read(&stand).await);
        // It goes on there: a new event, a new root, a whole chain.
        second.platform.withdraw_application(&shop.actor, None, shop.application, None).await.unwrap();
        assert_eq!(second.platform.sign_root(&jobs()).await.unwrap().sequence, Some(2));
        assert!(second.platform.verify_chain(&admin()).await.unwrap().clean);
        for stand in [stand, second] {
            stand.platform.db().close();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_one_moment_while_others_write() {
    let stand = Arc::new(tokio::task::spawn_blocking(|| Stand::new(Engine::Sqlite)).await.unwrap());
    stand.shop("15400000001").await;
    let busy = Arc::clone(&stand);
    let writing = tokio::spawn(async move {
        for number in 2..8 {
            busy.shop(&format!("1540000000{number}")).await;
            busy.platform.sign_root(&jobs()).await.unwrap();
        }
    });
    let mut archives = Vec::new();
    while !writing.is_finished() && archives.len() < 3 {
        archives.push(back_up(&stand).await.1);
    }
    writing.await.unwrap();
    assert!(!archives.is_empty());
    for archive in archives {
        let folder = TempDir::new().unwrap();
        let restored = restore(archive, PASSPHRASE, target(&stand, &folder, Engine::Sqlite)).await.unwrap();
        assert!(restored.chain.clean, "{:?}", restored.chain.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_archive_writes_nothing_and_a_used_target_is_left_alone() {
    let stand = tokio::task::spawn_blocking(|| Stand::new(Engine::Sqlite)).await.unwrap();
    stand.shop("15400000001").await;
    let short = back_up_into(&stand, "elevenchars", Box::new(Memory::default())).await.unwrap_err();
    assert_eq!((short.code, short.field.as_deref()), ("passphrase_short", Some("passphrase")));
    let full = back_up_into(&stand, PASSPHRASE, Box::new(FullDisk)).await.unwrap_err();
    assert_eq!(full.code, "backup_unwritten");
    let (_, archive) = back_up(&stand).await;

    let mut changed = archive.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let cut = archive[..archive.len() - 20].to_vec();
    let wrong = "another horse battery staple";
    for (archive, passphrase) in [(changed, PASSPHRASE), (cut, PASSPHRASE), (archive.clone(), wrong)] {
        let folder = TempDir::new().unwrap();
        let refused =
            restore(archive, passphrase, target(&stand, &folder, Engine::Sqlite)).await.unwrap_err();
        assert_eq!(refused.code, "backup_refused");
        assert!(!folder.path().join("starpay.db").exists() && !folder.path().join("keystore").exists());
    }

    // Each of the three targets in use, and as it was afterwards.
    let used = |prepare: fn(&RestoreTarget)| {
        let folder = TempDir::new().unwrap();
        let target = target(&stand, &folder, Engine::Sqlite);
        prepare(&target);
        (folder, target)
    };
    for (folder, target) in [
        used(|target| std::fs::write(&target.keystore, b"somebody's").unwrap()),
        used(|target| {
            std::fs::write(target.staging.parent().unwrap().join("files/x"), b"somebody's").unwrap()
        }),
        used(|target| {
            Db::migrate(&target.database).unwrap();
            let db = Db::open(&target.database).unwrap();
            std::thread::spawn(move || {
                let at = starpay_domain::instant::Timestamp::from_micros(0);
                db.write_blocking(move |tx| {
                    starpay_store::setting::fix(tx, "somebody", "else", at).map(|_| ())
                })
                .map_err(|error: StoreError| error)
                .unwrap();
                db.close();
            })
            .join()
            .unwrap();
        }),
    ] {
        let refused = restore(archive.clone(), PASSPHRASE, target).await.unwrap_err();
        assert_eq!(refused.code, "restore_not_empty", "{:?}", folder.path());
    }
    stand.platform.db().close();
}
