//! A platform whose root, CA and signing keys are in a token behind PKCS#11 (SoftHSM2) activates a
//! terminal: key statement, key block, certificate and PINs, all the way to 已激活.
//!
//! The merchant's part is the demo's, moved into the token by backup and restore as the runbook
//! says; the terminal trusts what `starpay admin ca` prints.

use serde_json::{Value, json};
use starpay_e2e::demo::{Demo, Engine};
use starpay_e2e::group::{Group, starpay};
use starpay_e2e::http::Client;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Slow enough that the journey is stopped before a terminal is claimed.
const PAUSE: Duration = Duration::from_millis(700);
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
const PIN: &str = "1234-geheim";
/// Where distributions put SoftHSM2.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// An installation whose keys are in a token.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        let tokens = site.at("tokens");
        std::fs::create_dir(&tokens).unwrap();
        site.write("softhsm2.conf", &format!("directories.tokendir = {}\n", tokens.display()));
        site.write("pin", &format!("{PIN}\n"));
        site.write("passphrase", "nobody would guess this one\n");
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", "starpay", "--pin", PIN, "--so-pin", "12345678"])
            .env("SOFTHSM2_CONF", site.at("softhsm2.conf"))
            .output()
            .unwrap_or_else(|error| panic!("softhsm2-util: {error}; cargo xtask setup installs softhsm2"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let library = LIBRARIES.into_iter().find(|path| Path::new(path).is_file());
        let Some(library) = library else { panic!("cargo xtask setup installs softhsm2") };
        let config = format!(
            "[data]\nfolder = \"platform\"\n\n[listen]\naddress = \"127.0.0.1:0\"\n\n\
             [hsm]\nkind = \"pkcs11\"\nmodule = \"{library}\"\ntoken = \"starpay\"\npin_file = \"pin\"\n"
        );
        site.write("starpay.toml", &config);
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(starpay());
        command.args(arguments).current_dir(self.folder.path());
        command.env("SOFTHSM2_CONF", self.at("softhsm2.conf"));
        command
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The demo's merchant, whose terminal lies in the shop, under this token.
    fn moved_here(&self) {
        let demo = Demo::new(&self.at("demo"), Engine::Sqlite);
        let mut group = demo.start_slowly(PAUSE);
        demo.wait_until_step(&mut group, "confirm_receipt");
        group.kill();
        let passphrase = ["--passphrase-file", "passphrase"];
        self.succeeds(
            &[&["backup", "--data", "demo/platform", "--out", "archive"], &passphrase[..]].concat(),
        );
        self.succeeds(&[&["restore", "--from", "archive"], &passphrase[..]].concat());
        self.succeeds(&["admin", "rotate-keys"]);
    }

    fn serve(&self) -> (Group, u16) {
        let mut serving = Group::start(&mut self.command(&["serve"]));
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(port) = serving.errors().iter().find_map(|line| port_in(line)) {
                return (serving, port);
            }
            assert!(serving.is_running() && Instant::now() < deadline, "{}", serving.errors().join("\n"));
            std::thread::sleep(POLL);
        }
    }

    fn owner(&self, port: u16) -> Client {
        let kept = std::fs::read(self.at("demo/parties/applicant.json")).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        Client::at_port(port).with_token(kept["token"].as_str().unwrap())
    }

    /// Switches the terminal on, types that line, and waits until it is done.
    fn terminal(&self, port: u16, typed: &Value) -> Vec<Value> {
        let server = format!("http://127.0.0.1:{port}");
        let mut child = self
            .command(&["pos", "--auto", "--serial", "99990004STAR00000001", "--model", "STAR-A1"])
            .args(["--patience", "60", "--trust", "ca.pem", "--folder", "terminal", "--server", &server])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn port_in(line: &str) -> Option<u16> {
    let logged: Value = serde_json::from_str(line).ok()?;
    let text = logged.to_string();
    let (_, rest) = text.split_once("\"listen.address\":\"127.0.0.1:")?;
    rest.split_once('"')?.0.parse().ok()
}

fn newest_code(client: &Client) -> String {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let seen = client.get("/dev/outbox.json").json();
        let mut rows = seen["data"].as_array().unwrap().iter().rev();
        if let Some(row) = rows.find(|row| row["template"] == "activation_code") {
            return row["code"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "{seen}");
        std::thread::sleep(POLL);
    }
}

/// What `/readyz` says of the token: its status and why.
fn token_standing(port: u16) -> (u16, Value, Value) {
    let answer = Client::at_port(port).get("/readyz");
    let checks = answer.json()["checks"].as_array().unwrap().clone();
    let token = checks.into_iter().find(|check| check["name"] == "token").unwrap();
    (answer.status.as_u16(), token["status"].clone(), token["reason"].clone())
}

#[test]
fn a_terminal_is_activated_by_a_platform_whose_keys_are_in_a_token() {
    let site = Site::new();
    site.moved_here();
    assert!(!site.at("platform/master.key").exists(), "the token is the master key");
    site.write("ca.pem", &site.succeeds(&["admin", "ca"]));
    let (mut serving, port) = site.serve();
    assert_eq!(token_standing(port), (200, json!("ok"), Value::Null));

    let owner = site.owner(port);
    let asked = owner.post("/api/v1/activations", "token-1", &json!({"serial": "99990004STAR00000001"}));
    assert_eq!(asked.status, 201, "{}", asked.text());
    let steps = site.terminal(port, &json!({"code": newest_code(&owner), "pin": "739164"}));
    assert!(steps.iter().all(|step| step["ok"] != false), "{steps:?}");
    let last = steps.last().unwrap();
    assert_eq!((&last["step"], &last["state"]), (&json!("active"), &json!("active")), "{steps:?}");
    let device = asked.json()["device_id"].as_str().unwrap().to_owned();
    let seen = owner.get(&format!("/api/v1/devices/{device}")).json();
    assert_eq!((&seen["state"], &seen["certificate"]["standing"]), (&json!("active"), &json!("in_force")));
    // Switched on again it is what it was.
    let steps = site.terminal(port, &json!({}));
    assert_eq!(steps.last().unwrap()["step"], "active");

    serving.ask_to_stop();
    assert!(serving.wait(READY_WITHIN).is_some_and(|status| status.success()));
    assert!(site.succeeds(&["audit", "chain"]).contains("clean"));
}
