//! What PostgreSQL does on a bad day: serialization failures, deadlocks, killed and frozen
//! backends, frozen hosts, commits that nobody confirms. None of it can happen to SQLite, which has
//! one writer and no connection; what can (a full disk, a killed process) is tested beside its writer
//! and from outside, over the binary.

use crate::postgres::Server;
use crate::stand::{Stand, at, id, poke};
use crate::transactions::shop;
use starpay_store::{Db, DbConfig, Engine, StoreError, merchant, setting};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

/// Ends every other connection to the database.
const KILL_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[test]
fn a_serialization_failure_is_run_again_on_the_same_connection() {
    let stand = Stand::new(Engine::Postgres);
    stand.poke(
        "CREATE SEQUENCE tried;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('tried') <= 2 THEN RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF;
             RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON setting FOR EACH ROW EXECUTE FUNCTION refuse();",
    );
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let value = stand.write(move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        // The body's own error type would hide the engine's wish: the transaction remembers it.
        setting::fix(tx, "k", "v", at(0)).map_err(|_| StoreError::KeyReused)
    });
    assert_eq!((value, runs.load(Ordering::SeqCst)), (Ok("v".into()), 3));
    let metrics = stand.db.metrics();
    assert_eq!((metrics.retries, metrics.reconnects), (2, 0));
    stand.poke(
        "ALTER SEQUENCE tried RESTART; CREATE OR REPLACE FUNCTION refuse() RETURNS trigger \
                LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never' USING ERRCODE = '40001'; END $$;",
    );
    let given_up = stand.write(|tx| setting::fix(tx, "l", "v", at(0)));
    assert!(matches!(given_up, Err(StoreError::Unavailable { .. })), "{given_up:?}");
}

#[test]
fn a_deadlock_is_resolved_by_another_try() {
    let stand = Stand::new(Engine::Postgres);
    let (a, b) = (id(), id());
    for id in [a, b] {
        stand.write(move |tx| merchant::insert(tx, &shop(id))).unwrap();
    }
    let both = Arc::new(Barrier::new(2));
    let threads: Vec<_> = [(a, b), (b, a)]
        .into_iter()
        .map(|(first, second)| {
            let (db, both, tries) = (stand.db.clone(), Arc::clone(&both), AtomicUsize::new(0));
            std::thread::spawn(move || {
                db.write_blocking::<_, StoreError, _>(move |tx| {
                    merchant::update_profile(tx, first, b"x", None)?;
                    if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                        both.wait();
                    }
                    merchant::update_profile(tx, second, b"y", None)
                })
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
    assert_eq!(stand.db.metrics().retries, 1);
}

#[test]
fn a_killed_backend_is_replaced_and_the_body_runs_again() {
    let stand = Stand::with(Engine::Postgres, |config| config.workers = 1);
    stand.write(|tx| merchant::insert(tx, &shop(id()))).unwrap();
    stand.poke(KILL_OTHERS);
    stand.write(|tx| merchant::insert(tx, &shop(id()))).unwrap();
    let (url, runs, middle) = (stand.url().to_owned(), AtomicUsize::new(0), id());
    stand
        .write(move |tx| {
            merchant::insert(tx, &shop(middle))?;
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                std::thread::scope(|scope| {
                    scope.spawn(|| poke(&url, KILL_OTHERS)).join().unwrap();
                });
            }
            merchant::get(tx, middle).map(|_| ())
        })
        .unwrap();
    let rows = stand.read(|tx| merchant::list_all(tx, None, 10)).unwrap().rows;
    assert_eq!(rows.len(), 3, "each once");
    assert!(stand.db.metrics().reconnects >= 2);
}

#[test]
fn a_frozen_backend_costs_one_deadline() {
    let stand = Stand::with(Engine::Postgres, |config| {
        config.workers = 1;
        config.statement_deadline = Duration::from_millis(700);
    });
    stand.write(|tx| merchant::insert(tx, &shop(id()))).unwrap();
    let pid = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find(|pid| {
            // The backend's title ends with what it does; this test's database name is its own.
            let title = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let database = stand.url().rsplit('/').next().unwrap();
            title.starts_with("postgres:")
                && title.contains(&format!(" {database} "))
                && wrote_last(&stand, *pid)
        })
        .expect("the worker's backend runs on this machine");
    signal("STOP", pid);
    let begun = Instant::now();
    let second = id();
    let result = stand.write(move |tx| merchant::insert(tx, &shop(second)));
    let took = begun.elapsed();
    signal("CONT", pid);
    result.unwrap();
    assert!(took >= Duration::from_millis(700) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(stand.db.metrics().reconnects, 1);
}

/// Whether a backend's last statement was the COMMIT of a write.
fn wrote_last(stand: &Stand, pid: u32) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(stand.url(), tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let sql = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND query = 'COMMIT' AND application_name = 'starpay'");
        let found = !client.query(&sql, &[]).await.unwrap().is_empty();
        drop(client);
        drop(driver.await);
        found
    })
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_crowded_row_costs_no_connection() {
    let stand = Stand::with(Engine::Postgres, |config| {
        config.workers = 2;
        config.statement_deadline = Duration::from_millis(500);
    });
    let row = id();
    stand.write(move |tx| merchant::insert(tx, &shop(row))).unwrap();
    let (held, released) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let holder = {
        let (db, held, released) = (stand.db.clone(), Arc::clone(&held), Arc::clone(&released));
        std::thread::spawn(move || {
            db.write_blocking::<_, StoreError, _>(move |tx| {
                merchant::update_profile(tx, row, b"held", None)?;
                held.wait();
                released.wait();
                Ok(())
            })
        })
    };
    held.wait();
    let refused = stand.write(move |tx| merchant::update_profile(tx, row, b"x", None));
    released.wait();
    holder.join().unwrap().unwrap();
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert_eq!(stand.db.metrics().reconnects, 0);
}

#[test]
fn an_unconfirmed_commit_is_unknown_and_is_found_by_looking() {
    let server = Server::start(&["fsync=off"]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    // The server may still be starting up: `poke` waits for it.
    poke(&url, "SELECT 1");
    let mut config = DbConfig::parse(&url).unwrap();
    (config.workers, config.readers) = (1, 1);
    config.statement_deadline = Duration::from_millis(800);
    Db::migrate(&config).unwrap();
    let db = Db::open(&config).unwrap();
    let (first, second, third) = (id(), id(), id());
    db.write_blocking::<_, StoreError, _>(move |tx| merchant::insert(tx, &shop(first))).unwrap();

    // No standby answers: the commit waits, and our deadline ends the wait.
    poke(&url, "ALTER SYSTEM SET synchronous_standby_names = 'ghost'");
    poke(&url, "SELECT pg_reload_conf()");
    std::thread::sleep(Duration::from_millis(300));
    let late: Result<(), StoreError> = db.write_blocking(move |tx| merchant::insert(tx, &shop(second)));
    assert!(matches!(late, Err(StoreError::OutcomeUnknown { .. })), "{late:?}");
    let found: Result<_, StoreError> = db.read_blocking(move |tx| merchant::find(tx, second));
    // Whether the row is seen is the server's choice; that it was not reported as failed is ours.
    drop(found.unwrap());

    // Somebody cancels the wait: the server answers as if all were well, with a warning.
    db.close();
    config.statement_deadline = Duration::from_secs(20);
    let db = Db::open(&config).unwrap();
    let (waiting, stopped) = (db.clone(), Arc::new(AtomicUsize::new(0)));
    let (canceller, stop) = (url.clone(), Arc::clone(&stopped));
    let cancel = std::thread::spawn(move || {
        while stop.load(Ordering::SeqCst) == 0 {
            poke(
                &canceller,
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' \
                 AND application_name = 'starpay'",
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let warned: Result<(), StoreError> = waiting.write_blocking(move |tx| merchant::insert(tx, &shop(third)));
    stopped.store(1, Ordering::SeqCst);
    cancel.join().unwrap();
    assert!(matches!(warned, Err(StoreError::OutcomeUnknown { .. })), "{warned:?}");
    let found: Result<_, StoreError> = db.read_blocking(move |tx| merchant::find(tx, third));
    assert_eq!(found.unwrap(), Some(shop(third)), "it was committed all the same");
    assert_eq!(db.metrics().outcomes_unknown, 1);
    db.close();
}

#[test]
fn a_dead_server_is_unavailable() {
    let server = Server::start(&["fsync=off"]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    poke(&url, "SELECT 1");
    let mut config = DbConfig::parse(&url).unwrap();
    (config.workers, config.readers) = (1, 1);
    Db::migrate(&config).unwrap();
    let db = Db::open(&config).unwrap();
    signal("KILL", server.pid());
    // A backend outlives its postmaster for a moment and may still commit; then it is gone.
    let write =
        || -> Result<(), StoreError> { db.write_blocking(move |tx| merchant::insert(tx, &shop(id()))) };
    let mut result = write();
    for _ in 0..200 {
        if result.is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        result = write();
    }
    let refused = matches!(result, Err(StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. }));
    assert!(refused, "{result:?}");
    let result = write();
    assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
    let health = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(db.health());
    assert!(matches!(health, Err(StoreError::Unavailable { .. })), "{health:?}");
    db.close();
}

#[test]
fn a_frozen_host_does_not_hide_the_one_that_answers() {
    let stand = Stand::new(Engine::Postgres);
    stand.db.close();
    // It accepts, as a stopped server does, and never says a word.
    let frozen = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = frozen.local_addr().unwrap().port();
    let (before, after) = stand.url().split_once("127.0.0.1:").unwrap();
    let (port, database) = after.split_once('/').unwrap();
    let url = format!("{before}127.0.0.1:{silent},127.0.0.1:{port}/{database}");
    let mut config = DbConfig::parse(&url).unwrap();
    (config.workers, config.readers) = (1, 1);
    let begun = Instant::now();
    let db = Db::open(&config).unwrap();
    db.write_blocking::<_, StoreError, _>(move |tx| merchant::insert(tx, &shop(id()))).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    db.close();
    let only_frozen = format!("{before}127.0.0.1:{silent}/{database}");
    let refused = Db::open(&DbConfig::parse(&only_frozen).unwrap()).unwrap_err();
    assert!(refused.to_string().contains("did not answer in time"), "{refused}");
    // A host that only reads is not the one either.
    let name = database.split('?').next().unwrap();
    stand.poke(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let refused = Db::open(&stand.config).unwrap_err();
    assert!(refused.to_string().contains("read-only"), "{refused}");
}

#[test]
fn tls_is_used_and_the_server_is_verified() {
    let folder =
        tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir();
    let folder = folder.unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("server.crt"), made.cert.pem()).unwrap();
    std::fs::write(path("other.crt"), other.cert.pem()).unwrap();
    std::fs::write(path("clear.key"), made.signing_key.serialize_pem()).unwrap();
    let mut install = Command::new("install");
    if crate::postgres::is_root() {
        install.args(["-o", "postgres", "-g", "postgres"]);
    }
    assert!(install.args(["-m", "600", &path("clear.key"), &path("server.key")]).status().unwrap().success());
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", path("server.crt")),
        format!("ssl_key_file={}", path("server.key")),
    ];
    let server =
        Server::start(&settings.each_ref().map(String::as_str)).unwrap_or_else(|error| panic!("{error}"));
    poke(&server.url("postgres"), "SELECT 1");
    let url = |roots: &str| {
        let base = server.url("postgres").replace("127.0.0.1", "localhost");
        DbConfig::parse(&format!("{base}?sslmode=require&sslrootcert={}", path(roots))).unwrap()
    };
    Db::migrate(&url("server.crt")).unwrap();
    let db = Db::open(&url("server.crt")).unwrap();
    db.write_blocking::<_, StoreError, _>(move |tx| merchant::insert(tx, &shop(id()))).unwrap();
    let encrypted = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                     WHERE s.ssl AND a.application_name = 'starpay') THEN RAISE EXCEPTION 'in the clear'; \
                     END IF; END $$";
    poke(&server.url("postgres"), encrypted);
    db.close();
    let refused = Db::open(&url("other.crt")).unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused}");
}
