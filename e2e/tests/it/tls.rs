//! `serve` with TLS by configuration: a terminal is activated over https, opens its connections
//! with its certificate from then on, and renews it when it is recalled.

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

/// A platform that speaks TLS over the data of a journey whose terminal lies in the shop.
struct Site {
    folder: tempfile::TempDir,
    serving: Group,
    certificate_pem: String,
    port: u16,
}

impl Site {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let demo = Demo::new(&at("demo"), Engine::Sqlite);
        let mut group = demo.start_slowly(PAUSE);
        demo.wait_until_step(&mut group, "confirm_receipt");
        group.kill();

        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate_pem = identity.cert.pem();
        std::fs::write(at("server.pem"), &certificate_pem).unwrap();
        std::fs::write(at("server.key"), identity.signing_key.serialize_pem()).unwrap();
        let ca = std::fs::read_to_string(at("demo/factory/ca.pem")).unwrap();
        std::fs::write(at("trust.pem"), format!("{ca}{certificate_pem}")).unwrap();
        let place = |name: &str| json!(at(name).to_str().unwrap()).to_string();
        let config = format!(
            "[data]\nfolder = {}\n\n[listen]\naddress = \"127.0.0.1:0\"\n\n[listen.tls]\ncertificate = {}\nkey = {}\n\n\
             [logs]\nfilter = \"info,starpay_web=debug\"\n",
            place("demo/platform"),
            place("server.pem"),
            place("server.key"),
        );
        std::fs::write(at("starpay.toml"), config).unwrap();

        let mut serving =
            Group::start(Command::new(starpay()).arg("serve").arg("--config").arg(at("starpay.toml")));
        let deadline = Instant::now() + READY_WITHIN;
        let port = loop {
            if let Some(port) = serving.errors().iter().find_map(|line| port_in(line)) {
                break port;
            }
            assert!(serving.is_running() && Instant::now() < deadline, "{}", serving.errors().join("\n"));
            std::thread::sleep(POLL);
        };
        Self { folder, serving, certificate_pem, port }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn client(&self) -> Client {
        Client::over_tls(self.port, &self.certificate_pem)
    }

    fn owner(&self) -> Client {
        let kept: Value =
            serde_json::from_slice(&std::fs::read(self.at("demo/parties/applicant.json")).unwrap()).unwrap();
        self.client().with_token(kept["token"].as_str().unwrap())
    }

    /// Somebody of ours who may recall certificates, made through the running server.
    fn boss(&self) -> Client {
        let made = Command::new(starpay())
            .args(["admin", "key", "create", "--role", "admin", "--label", "tls", "--json", "--config"])
            .arg(self.at("starpay.toml"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        self.client().with_token(made["token"].as_str().unwrap())
    }

    /// Switches the terminal on, types that line, and waits until it is done.
    fn terminal(&self, typed: &Value) -> Vec<Value> {
        let mut child = Command::new(starpay())
            .args(["pos", "--auto", "--serial", "99990004STAR00000001", "--model", "STAR-A1"])
            .args(["--patience", "60", "--server", &format!("https://localhost:{}", self.port)])
            .arg("--trust")
            .arg(self.at("trust.pem"))
            .arg("--folder")
            .arg(self.at("terminal"))
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

    /// Whether a connection was opened with the certificate of that serial number.
    fn was_shown(&self, serial: &str) -> bool {
        let opened = |line: &String| line.contains("opened a connection") && line.contains(serial);
        self.serving.errors().iter().any(opened)
    }
}

fn port_in(line: &str) -> Option<u16> {
    let logged: Value = serde_json::from_str(line).ok()?;
    let text = logged.to_string();
    let (_, rest) = text.split_once("\"listen.address\":\"127.0.0.1:")?;
    rest.split_once('"')?.0.parse().ok()
}

fn names(steps: &[Value]) -> Vec<&str> {
    steps.iter().filter(|step| step["ok"] == true).map(|step| step["step"].as_str().unwrap()).collect()
}

fn certificate(owner: &Client, device: &str) -> Value {
    owner.get(&format!("/api/v1/devices/{device}")).json()["certificate"].clone()
}

fn newest_code(client: &Client) -> String {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let seen = client.get("/dev/outbox.json").json();
        let rows = seen["data"].as_array().unwrap().iter().rev();
        if let Some(row) = rows.clone().find(|row| row["template"] == "activation_code") {
            return row["code"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "{seen}");
        std::thread::sleep(POLL);
    }
}

#[test]
fn a_terminal_is_activated_over_https_and_shows_its_certificate_from_then_on() {
    let mut site = Site::open();
    assert_eq!(site.client().get("/readyz").status, 200);
    // Nobody is heard in the clear, and a stranger's trust does not fit.
    assert!(Client::at_port(site.port).try_get("/readyz").is_none_or(|answer| answer.status != 200));
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    assert!(Client::over_tls(site.port, &other).try_get("/readyz").is_none());

    let owner = site.owner();
    let asked = owner.post("/api/v1/activations", "tls-1", &json!({"serial": "99990004STAR00000001"}));
    assert_eq!(asked.status, 201, "{}", asked.text());
    let device = asked.json()["device_id"].as_str().unwrap().to_owned();
    assert_eq!(certificate(&owner, &device), Value::Null);
    let steps = site.terminal(&json!({"code": newest_code(&owner), "pin": "739164"}));
    assert_eq!(
        names(&steps),
        [
            "claim",
            "identity",
            "compatibility",
            "network",
            "location",
            "backup",
            "keys",
            "config",
            "sign_in",
            "pin",
            "test",
            "active"
        ]
    );
    let network = steps.iter().find(|step| step["step"] == "network").unwrap();
    assert!(network["detail"].as_str().unwrap().contains("tls"), "{network}");
    let first = certificate(&owner, &device);
    assert_eq!((&first["standing"], &first["awaiting"]), (&json!("in_force"), &Value::Null));
    let first = first["serial"].as_str().unwrap().to_owned();
    assert!(site.was_shown(&first), "the sign-in came over a connection without the certificate");

    // Its key may be known: the terminal is told so, and helps itself.
    let path = format!("/api/v1/devices/{device}/certificate-recall");
    let recalled = site.boss().post(&path, "tls-2", &json!({"reason": "read out in the workshop"}));
    assert_eq!(recalled.status, 200, "{}", recalled.text());
    assert_eq!(certificate(&owner, &device)["standing"], "recalled");
    let steps = site.terminal(&json!({}));
    assert_eq!(names(&steps), ["certificate", "active"]);
    let second = certificate(&owner, &device);
    assert_eq!(second["standing"], "in_force");
    let second = second["serial"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    assert!(site.was_shown(&second), "the renewal was confirmed without the new certificate");
    assert_eq!(names(&site.terminal(&json!({}))), ["active"]);

    site.serving.ask_to_stop();
    assert!(site.serving.wait(READY_WITHIN).is_some_and(|status| status.success()));
    audit(&site.at("starpay.toml"));
}

fn audit(config: &Path) {
    let chain = Command::new(starpay()).args(["audit", "chain", "--config"]).arg(config).output().unwrap();
    assert!(chain.status.success(), "{}", String::from_utf8_lossy(&chain.stdout));
}
