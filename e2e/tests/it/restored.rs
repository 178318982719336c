//! The platform is lost in the middle of a journey; its backup, put into an empty folder, finishes it.

use starpay_e2e::demo::{Demo, Engine, is_active};
use starpay_e2e::group::starpay;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Slow enough that the backup is made long before a terminal is claimed.
const PAUSE: Duration = Duration::from_millis(500);

fn run(arguments: &[&str], paths: &[(&str, &Path)]) {
    let mut command = Command::new(starpay());
    command.args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_backup_made_while_the_journey_runs_finishes_it_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("passphrase"), "nobody would guess this one\n").unwrap();
    let passphrase = ("--passphrase-file", at("passphrase"));
    let passphrase = (passphrase.0, passphrase.1.as_path());

    let lost = Demo::new(&at("lost"), Engine::Sqlite);
    let mut group = lost.start_slowly(PAUSE);
    lost.wait_until_step(&mut group, "upload_documents");
    let (archive, platform) = (at("archive"), at("lost/platform"));
    run(&["backup"], &[("--data", &platform), ("--out", &archive), passphrase]);
    assert!(group.is_running(), "the backup was made while the server ran");
    group.kill();

    let restored = at("found/platform");
    run(&["restore"], &[("--data", &restored), ("--from", &archive), passphrase]);
    // The applicant still has the session that the lost platform gave.
    std::fs::create_dir_all(at("found/parties")).unwrap();
    std::fs::copy(at("lost/parties/applicant.json"), at("found/parties/applicant.json")).unwrap();
    let steps = Demo::new(&at("found"), Engine::Sqlite).run_once_json();
    assert!(steps.last().is_some_and(is_active), "{steps:?}");
    run(&["audit", "chain"], &[("--data", &restored)]);

    let database = rusqlite::Connection::open(restored.join("starpay.db")).unwrap();
    let count = |table: &str| -> i64 {
        database.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("merchant"), count("application"), count("document")), (1, 1, 7));
}
