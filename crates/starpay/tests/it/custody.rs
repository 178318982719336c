//! What opens the keystore, end to end: a token behind PKCS#11 (SoftHSM2), a passphrase, a key of
//! the environment, and the ways from one to another.

use crate::installation::Server;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PIN: &str = "1234-geheim";
const LIBRARIES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// An installation and the environment its commands run in.
struct Place {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() };
        place.write("passphrase", "a passphrase of some length\n");
        place.configure("");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn configure(&self, sections: &str) {
        self.write("starpay.toml", &format!("[listen]\naddress = \"127.0.0.1:0\"\n{sections}"));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starpay"));
        command.args(args).current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains("geheim"), "{args:?} shows the PIN");
        output
    }

    fn succeeds(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says on the way to failing, on both streams.
    fn fails(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    fn adds(&self, serial: &str) {
        self.succeeds(&["admin", "device", "add", "--serial", serial, "--model", "STAR-A1"]);
    }

    fn has(&self, serial: &str) -> bool {
        self.succeeds(&["admin", "device", "list"]).contains(serial)
    }

    /// Makes SoftHSM's folder with one token, and says where it is to every command from then on.
    fn with_tokens(mut self) -> Self {
        std::fs::create_dir(self.path("tokens")).unwrap();
        let tokens = self.path("tokens");
        self.write("softhsm2.conf", &format!("directories.tokendir = {}\n", tokens.display()));
        self.environment.push(("SOFTHSM2_CONF", self.path("softhsm2.conf").display().to_string()));
        self.token("starpay");
        self.write("pin", &format!("{PIN}\n"));
        self
    }

    fn token(&self, label: &str) {
        let made = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("softhsm2-util is not installed: run cargo xtask setup (package softhsm2)");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

fn hsm(token: &str, pin: &str) -> String {
    let library = LIBRARIES.into_iter().find(|path| Path::new(path).is_file());
    let library = library.expect("SoftHSM2 is not installed: run cargo xtask setup (package softhsm2)");
    format!("[hsm]\nkind = \"pkcs11\"\nmodule = \"{library}\"\ntoken = \"{token}\"\n{pin}\n")
}

const FIRST: &str = "99990004STAR00000001";
const SECOND: &str = "99990004STAR00000002";

#[test]
fn a_deployment_lives_with_its_token() {
    let place = Place::new().with_tokens();
    place.configure(&hsm("starpay", "pin_file = \"pin\""));
    place.succeeds(&["migrate"]);
    assert!(place.succeeds(&["doctor"]).contains("first start makes them"));
    place.adds(FIRST);
    assert!(!place.path("data/master.key").exists(), "the token is the master key");
    let server = Server::started_by(place.command(&["serve"]));
    place.adds(SECOND);
    assert!(place.succeeds(&["admin", "rotate-keys"]).contains("version 2"));
    assert!(place.succeeds(&["admin", "rotate-keys", "--key", "signing"]).contains("version 2"));
    let said = place.succeeds(&["admin", "rotate-keys", "--key", "ca"]);
    assert!(said.contains("CA key") && said.contains("version 2") && said.contains("admin ca"), "{said}");
    // The earlier root's certificate stays: terminals of it are still believed.
    let roots = place.succeeds(&["admin", "ca"]);
    assert_eq!(roots.matches("BEGIN CERTIFICATE").count(), 2, "{roots}");
    assert!(place.has(FIRST) && place.has(SECOND));
    assert!(place.succeeds(&["audit", "chain"]).contains("clean"));
    let said = place.succeeds(&["doctor"]);
    for part in
        ["token \"starpay\"", "key-encryption v2", "platform-signing v2", "certificate-authority v2", "ready"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(place.fails(&["admin", "reseal"]).contains("stop the server"));
    place.succeeds(&["backup", "--out", "archive", "--passphrase-file", "passphrase"]);
    server.stop();
    place.succeeds(&["admin", "reseal"]);
    assert!(place.has(FIRST) && place.has(SECOND));

    // Put back beside it, over the same token.
    place.configure(&(hsm("starpay", "pin_file = \"pin\"") + "[data]\nfolder = \"restored\"\n"));
    place.succeeds(&["restore", "--from", "archive", "--passphrase-file", "passphrase"]);
    assert!(place.has(FIRST) && place.has(SECOND));
    assert!(place.succeeds(&["audit", "chain"]).contains("clean"));
    // Over another token it is refused, and nothing is left behind.
    place.token("another");
    place.configure(&(hsm("another", "pin_file = \"pin\"") + "[data]\nfolder = \"elsewhere\"\n"));
    let said = place.fails(&["restore", "--from", "archive", "--passphrase-file", "passphrase"]);
    assert!(said.contains("has no key"), "{said}");
    assert!(!place.path("elsewhere").exists());
}

#[test]
fn a_token_that_cannot_be_used_is_named_with_its_remedy() {
    let mut place = Place::new().with_tokens();
    place.write("wrong", "1234-gehein");
    place.configure(&hsm("starpay", "pin_file = \"pin\""));
    place.succeeds(&["migrate"]);
    place.adds(FIRST);
    let cases = [
        (hsm("starpay", "pin_file = \"wrong\""), "refused the PIN"),
        (hsm("strange", "pin_file = \"pin\""), "no initialised token is called \"strange\""),
        (hsm("starpay", "pin_file = \"nowhere\""), "hsm.pin_file"),
        (hsm("starpay", "pin_file = \"pin\"").replace("libsofthsm2", "libnothing"), "could not be loaded"),
        (hsm("starpay", "pin_file = \"pin\"") + "slot = 1\n", "slot"),
        (hsm("starpay", "pin = \"x\""), "pin"),
        (String::new(), "under a hardware module"),
    ];
    for (sections, expected) in cases {
        place.configure(&sections);
        for command in ["serve", "doctor"] {
            let said = place.fails(&[command]);
            assert!(said.contains(expected) && said.contains("→"), "{expected}: {said}");
        }
    }
    // The PIN may come from the environment instead, from one place only.
    place.configure(&hsm("starpay", ""));
    assert!(place.fails(&["doctor"]).contains("STARPAY_HSM_PIN"));
    place.environment.push(("STARPAY_HSM_PIN", PIN.to_owned()));
    assert!(place.has(FIRST));
    place.configure(&hsm("starpay", "pin_file = \"pin\""));
    assert!(place.fails(&["doctor"]).contains("one place"));
}

#[test]
fn a_deployment_moves_into_a_token_by_backup_and_restore() {
    let place = Place::new().with_tokens();
    place.succeeds(&["migrate"]);
    place.adds(FIRST);
    place.succeeds(&["admin", "rotate-keys"]);
    place.succeeds(&["backup", "--out", "archive", "--passphrase-file", "passphrase"]);
    place.configure(&hsm("starpay", "pin_file = \"pin\""));
    let said = place.fails(&["serve"]);
    assert!(said.contains("under a key") && said.contains("backup and restore"), "{said}");
    place.configure(&(hsm("starpay", "pin_file = \"pin\"") + "[data]\nfolder = \"moved\"\n"));
    place.succeeds(&["restore", "--from", "archive", "--passphrase-file", "passphrase"]);
    assert!(place.has(FIRST));
    place.adds(SECOND);
    let said = place.succeeds(&["admin", "rotate-keys"]);
    assert!(!said.contains(": 0 data keys"), "{said}");
    assert!(place.succeeds(&["audit", "chain"]).contains("clean"));
    assert!(place.has(FIRST) && place.has(SECOND));
    let said = place.succeeds(&["doctor"]);
    assert!(said.contains("key-encryption v2"), "{said}");
}

#[test]
fn the_seal_of_a_software_keystore_changes() {
    let mut place = Place::new();
    place.succeeds(&["migrate"]);
    place.adds(FIRST);
    let key = std::fs::read_to_string(place.path("data/master.key")).unwrap();
    place.succeeds(&["admin", "reseal"]);
    let next = std::fs::read_to_string(place.path("data/master.key")).unwrap();
    assert_ne!(key, next);
    assert!(place.has(FIRST));
    // The same key out of the environment.
    std::fs::remove_file(place.path("data/master.key")).unwrap();
    place.environment.push(("STARPAY_MASTER_KEY", key));
    assert!(place.fails(&["serve"]).contains("does not open under this master key"));
    place.environment = vec![("STARPAY_MASTER_KEY", next)];
    assert!(place.has(FIRST));
    assert!(place.fails(&["admin", "reseal"]).contains("comes from outside"));
    // A passphrase, and another one.
    let said = place.succeeds(&["admin", "reseal", "--passphrase-file", "passphrase"]);
    assert!(said.contains("keystore.passphrase_file = \"passphrase\""), "{said}");
    assert!(place.fails(&["serve"]).contains("under a passphrase"));
    place.environment.clear();
    place.configure("[keystore]\npassphrase_file = \"passphrase\"\n");
    assert!(place.has(FIRST));
    place.write("next", "another passphrase of some length");
    place.write("short", "short");
    place.fails(&["admin", "reseal", "--passphrase-file", "short"]);
    place.succeeds(&["admin", "reseal", "--passphrase-file", "next"]);
    assert!(place.fails(&["serve"]).contains("does not open"));
    place.configure("");
    place.environment.push(("STARPAY_KEYSTORE_PASSPHRASE", "another passphrase of some length".to_owned()));
    assert!(place.has(FIRST));
    // And back to a file.
    place.succeeds(&["admin", "reseal", "--master-key-file", "data/master.key"]);
    place.environment.clear();
    assert!(place.has(FIRST));
}
