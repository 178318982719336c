//! `docs/guide/first-terminal.md` is sufficient: its commands, run as they stand, end with an
//! active terminal. Needs what the guide says a reader needs: `bash`, `curl` and `jq`.

use crate::installation::{Server, fails, installation, starpay, succeeds};
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

const GUIDE: &str = include_str!("../../../../docs/guide/first-terminal.md");
/// Where the guide's platform listens.
const ADDRESS: &str = "127.0.0.1:8080";

/// The guide's commands of one kind, in order.
fn blocks(kind: &str) -> String {
    let opened = format!("```{kind}\n");
    GUIDE.split(&opened).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// An address nobody listened at a moment ago.
fn free_address() -> String {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string()
}

fn path_with_our_program_first() -> OsString {
    let ours = Path::new(env!("CARGO_BIN_EXE_starpay")).parent().unwrap();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(ours.to_owned()).chain(std::env::split_paths(&rest))).unwrap()
}

#[test]
fn the_guides_commands_end_with_an_active_terminal() {
    let root = tempfile::tempdir().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::os::unix::fs::symlink(repository.join("testdata"), root.path().join("testdata")).unwrap();
    let at = root.path().join("try");
    std::fs::create_dir(&at).unwrap();
    for command in ["serve --print-config", "migrate", "serve"] {
        assert!(blocks("console").contains(&format!("$ starpay {command}")), "{command}");
    }
    let address = free_address();
    installation(&at, &address);
    succeeds(&at, &["migrate"]);
    let server = Server::start(&at);
    let commands = blocks("sh").replace(ADDRESS, &address);
    let played = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &commands])
        .current_dir(&at)
        .env("PATH", path_with_our_program_first())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    let wrong = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success(), "{said}\n{wrong}");
    assert!(said.trim_end().lines().last().unwrap().contains("\"active\""), "{said}\n{wrong}");
    erased_when_said_twice(&at, server);
}

/// A shop with an active terminal is not erased by a slip: what would be destroyed is shown first.
fn erased_when_said_twice(at: &Path, server: Server) {
    server.stop();
    let database = rusqlite::Connection::open(at.join("data/starpay.db")).unwrap();
    let id: String = database.query_row("SELECT lower(hex(id)) FROM merchant", [], |row| row.get(0)).unwrap();
    drop(database);
    let server = Server::start(at);
    let merchant = format!("mer_{id}");
    let (code, said) = fails(at, &["admin", "erase", &merchant]);
    assert_eq!(code, 2);
    for part in ["nothing was erased", "active", &format!("--confirm {merchant}")] {
        assert!(said.contains(part), "{said}");
    }
    let (_, said) = fails(at, &["admin", "erase", &merchant, "--confirm", "mer_1", "--reason", "a test"]);
    assert!(said.contains("(--confirm)"), "{said}");
    let wanted = ["admin", "erase", &merchant, "--confirm", &merchant, "--reason", "a test"];
    let said = succeeds(at, &wanted);
    assert!(said.contains("data keys destroyed") && said.contains("reassigning"), "{said}");
    let listed = succeeds(at, &["admin", "device", "list"]);
    assert_eq!(listed.split_whitespace().nth(2), Some("reassigning"), "{listed}");
    // Once more is a mistake, with a server and without one; so is one of whom nobody heard.
    assert!(fails(at, &wanted).1.contains("erased before"));
    server.stop();
    assert!(fails(at, &wanted).1.contains("erased before"));
    assert!(fails(at, &["admin", "erase", &merchant]).1.contains("erased before"));
    let (code, _) = fails(at, &["admin", "erase", "mer_01a207c8ec8276b89a0f6c4db14937b8"]);
    assert_eq!(code, 1);
    assert!(succeeds(at, &["audit", "chain"]).contains("clean"));
}

/// What the guide cannot run, because it shows another way, is at least what the API describes.
#[test]
fn every_request_the_guide_names_is_in_the_description_of_the_api() {
    let description = starpay(Path::new("."), &["openapi"]);
    let description: serde_json::Value = serde_json::from_slice(&description.stdout).unwrap();
    let schemas = &description["components"]["schemas"];
    for (schema, body) in [
        ("InfoRequest", r#"{"fields": ["licence.uscc"], "reasons": ["A101"]}"#),
        ("Rejection", r#"{"reasons": ["D401"]}"#),
        (
            "RegistrationResult",
            r#"{"result": "refused", "network_ref": "NET-0001", "reason": "商户类别与经营范围不符", "field": "shop.mcc"}"#,
        ),
    ] {
        assert!(GUIDE.contains(body), "{schema}: the guide shows another body than this test checks");
        let sent: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).unwrap();
        for name in sent.keys() {
            assert!(!schemas[schema]["properties"][name].is_null(), "{schema} has no {name}");
        }
        for name in schemas[schema]["required"].as_array().unwrap() {
            assert!(sent.contains_key(name.as_str().unwrap()), "{schema} needs {name}");
        }
    }
}
