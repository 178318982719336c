//! `starpay demo`, driven from outside.

use crate::group::{Group, starpay};
use crate::http::Client;
use serde::Deserialize;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Longest a whole journey may take, in a debug build on a busy machine.
pub const JOURNEY_WITHIN: Duration = Duration::from_secs(180);
/// Longest until a started platform serves.
pub const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// One step as `--json` prints it. Another field, or one less, is an error: people parse this.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What was done, for example `submit`.
    pub step: String,
    /// Who did it.
    pub actor: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// How long it took.
    pub ms: u64,
    /// The state it led to.
    pub state: String,
}

/// Which engine the demo runs on.
#[derive(Debug, Clone)]
pub enum Engine {
    /// The embedded store in the data folder.
    Sqlite,
    /// PostgreSQL at that URL.
    Postgres(String),
}

/// A demo: a data folder, an engine, a port. It can be started again and again.
#[derive(Debug, Clone)]
pub struct Demo {
    data: PathBuf,
    engine: Engine,
    port: u16,
}

impl Demo {
    /// A demo on a free port.
    #[must_use]
    pub fn new(data: &Path, engine: Engine) -> Self {
        Self { data: data.to_owned(), engine, port: free_port() }
    }

    /// An outsider who talks to it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::at_port(self.port)
    }

    /// The address of one of its pages.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Starts it to play the journey and go on serving.
    #[must_use]
    pub fn start(&self) -> Group {
        Group::start(&mut self.command(&["--json"]))
    }

    /// Starts it as people do, who read what it prints.
    #[must_use]
    pub fn start_for_people(&self) -> Group {
        Group::start(&mut self.command(&["--once"]))
    }

    /// The owner's phone: whoever holds it is signed in.
    ///
    /// # Panics
    /// Before the owner has signed in.
    #[must_use]
    pub fn owner(&self) -> Client {
        let kept =
            std::fs::read(self.data.join("parties/applicant.json")).expect("the phone keeps a session");
        let kept: serde_json::Value = serde_json::from_slice(&kept).expect("the session is JSON");
        self.client().with_token(kept["token"].as_str().expect("a session has a token"))
    }

    /// Starts it to play the journey and exit.
    #[must_use]
    pub fn start_once(&self) -> Group {
        Group::start(&mut self.command(&["--once", "--json"]))
    }

    /// Starts it to pause before each step, so that there is time to act in between.
    #[must_use]
    pub fn start_slowly(&self, pause: Duration) -> Group {
        let pause = pause.as_millis().to_string();
        Group::start(&mut self.command(&["--once", "--json", "--pause", &pause]))
    }

    /// Plays the journey to its end.
    ///
    /// # Panics
    /// When it does not exit with 0 in time; the panic shows what it said.
    #[must_use]
    pub fn run_once_json(&self) -> Vec<Step> {
        let mut group = self.start_once();
        let status = group.wait(JOURNEY_WITHIN);
        let ended_well = status.is_some_and(|status| status.success());
        assert!(ended_well, "{status:?}\n{}\n{}", group.output().join("\n"), group.errors().join("\n"));
        steps(&group)
    }

    /// Waits until it serves.
    ///
    /// # Panics
    /// When it ends or does not serve in time.
    pub fn wait_until_ready(&self, group: &mut Group) {
        self.wait_until(group, READY_WITHIN, |demo| {
            demo.client().try_get("/readyz").is_some_and(|answer| answer.status == 200)
        });
    }

    /// Waits until the journey's last step has been printed.
    ///
    /// # Panics
    /// When it ends or does not get there in time.
    pub fn wait_until_active(&self, group: &mut Group) {
        wait_for_steps(group, |steps| steps.last().is_some_and(is_active));
    }

    /// Waits until every message it wrote was handed over, and answers its outbox page.
    ///
    /// # Panics
    /// When it ends, or a message still waits when the time is up.
    #[must_use]
    pub fn wait_until_sent(&self, group: &mut Group) -> serde_json::Value {
        let waits = |outbox: &serde_json::Value| outbox.to_string().contains(r#""state":"waiting""#);
        let outbox = || self.client().get("/dev/outbox.json").json();
        self.wait_until(group, READY_WITHIN, |_| !waits(&outbox()));
        outbox()
    }

    /// Waits until the step of that name has been printed.
    ///
    /// # Panics
    /// When it ends or does not get there in time.
    pub fn wait_until_step(&self, group: &mut Group, name: &str) {
        wait_for_steps(group, |steps| steps.iter().any(|step| step.step == name));
    }

    fn wait_until(&self, group: &mut Group, limit: Duration, reached: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + limit;
        while !reached(self) {
            assert!(group.is_running(), "the demo ended:\n{}", group.errors().join("\n"));
            assert!(Instant::now() < deadline, "not in time:\n{}", group.errors().join("\n"));
            std::thread::sleep(POLL);
        }
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(starpay());
        command
            .arg("demo")
            .args(options)
            .args(["--port", &self.port.to_string()])
            .arg("--data")
            .arg(&self.data);
        if let Engine::Postgres(url) = &self.engine {
            command.args(["--database", url]);
        }
        command
    }
}

fn wait_for_steps(group: &mut Group, reached: impl Fn(&[Step]) -> bool) {
    let deadline = Instant::now() + JOURNEY_WITHIN;
    while !reached(&steps(group)) {
        assert!(group.is_running(), "the demo ended:\n{}", group.errors().join("\n"));
        assert!(Instant::now() < deadline, "not there in time:\n{}", group.output().join("\n"));
        std::thread::sleep(POLL);
    }
}

/// The steps printed so far. Every line of standard output must be one.
///
/// # Panics
/// When a whole line is something else.
#[must_use]
pub fn steps(group: &Group) -> Vec<Step> {
    let parse = |line: &String| serde_json::from_str(line).expect("a line of --json is a step");
    group.output().iter().map(parse).collect()
}

/// Whether a step is the journey's end: the merchant's terminal reads 已激活.
#[must_use]
pub fn is_active(step: &Step) -> bool {
    step.ok && step.step == "active" && step.state == "active"
}

/// The same steps without what differs from run to run: name, actor, success, state.
#[must_use]
pub fn without_times(steps: &[Step]) -> Vec<(String, String, bool, String)> {
    steps.iter().map(|step| (step.step.clone(), step.actor.clone(), step.ok, step.state.clone())).collect()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a bound listener has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_other_fields_is_no_step() {
        let line = r#"{"step":"submit","actor":"applicant","ok":true,"ms":12,"state":"submitted"}"#;
        assert_eq!(serde_json::from_str::<Step>(line).unwrap().ms, 12);
        assert!(serde_json::from_str::<Step>(&line.replace("ms", "took")).is_err());
        assert!(serde_json::from_str::<Step>(&line.replace('}', r#","more":1}"#)).is_err());
    }
}
