//! `starpay admin`: credentials, stock, keys and given-up work from the command line.
//!
//! Goes through the running server, or opens the store itself when none runs: [`crate::way`].

use crate::config::Where;
use crate::keys::{Rotated, Seal};
use crate::way::Way;
use crate::{Failure, keys, print};
use clap::Subcommand;
use serde_json::{Value, json};

/// Rows asked for at once.
const ROWS: u32 = 100;

/// Options of `starpay admin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
    /// Answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Access keys of staff, partners and integrators
    #[command(subcommand)]
    Key(KeyTask),
    /// Terminals
    #[command(subcommand)]
    Device(DeviceTask),
    /// Work for later, and what was given up
    #[command(subcommand)]
    Job(JobTask),
    /// What should have been done and still waits for somebody
    Overdue,
    /// The platform's CA certificates (PEM), which every terminal trusts: the file for `pos --trust`
    Ca,
    /// Put a new key in the place of the root key, the signing key or the CA's key
    RotateKeys {
        /// Which key
        #[arg(long, value_enum, default_value = "root")]
        key: Rotated,
    },
    /// Seal the keystore under a new master key or passphrase; no server may run
    Reseal(Seal),
    /// Destroy a merchant's data keys: its personal data is gone for good
    ///
    /// Without --confirm and --reason nothing is destroyed: what would be is shown. With them the
    /// merchant's sign-ins end, and its terminals are taken away: none of them works any more.
    Erase {
        /// The merchant, mer_…
        merchant: String,
        /// The same id once more
        #[arg(long, value_name = "MER_ID")]
        confirm: Option<String>,
        /// Why; kept beside who did it, so name nobody in it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum KeyTask {
    /// Make a key; its token is shown once
    Create {
        /// field_verifier, reviewer, warehouse, courier, registry, integrator, support or admin
        #[arg(long)]
        role: String,
        /// For people to tell keys apart
        #[arg(long)]
        label: String,
        /// The merchant an integrator's key acts for
        #[arg(long, value_name = "MER_ID")]
        merchant: Option<String>,
        /// What a partner's key is bound to: a courier's carrier, a registry's channel
        #[arg(long, value_name = "NAME")]
        scope: Option<String>,
    },
    /// List the keys, those that are over included
    List,
    /// End a key at once
    Revoke {
        /// The key's id, ak_…
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum DeviceTask {
    /// Take a terminal into stock
    Add {
        /// Serial number (TUSN) on the back of the terminal
        #[arg(long)]
        serial: String,
        /// Model of the catalogue
        #[arg(long)]
        model: String,
    },
    /// List the terminals
    List,
}

#[derive(Debug, Subcommand)]
enum JobTask {
    /// List jobs and messages
    List {
        /// Those given up, or those that wait
        #[arg(long, value_enum, default_value = "dead")]
        state: JobState,
    },
    /// Let a given-up job or message be tried again; who did it is recorded
    Revive {
        /// Its id, job_…
        id: String,
    },
}

/// Which work is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum JobState {
    /// Given up after too many tries
    Dead,
    /// To be done, due or not
    Waiting,
}

impl JobState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Waiting => "waiting",
        }
    }
}

/// Does the task.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let config = args.place.load()?;
    let way = || Way::to_change(&config);
    let look = || Way::to_read(&config);
    let answer = match &args.task {
        // Only the keystore's file is touched: neither server nor store is asked.
        Task::Reseal(seal) => keys::reseal(&config, seal)?,
        Task::Key(KeyTask::Create { role, label, merchant, scope }) => {
            let body = json!({"role": role, "label": label, "merchant_id": merchant, "scope": scope});
            way()?.call("POST", "/api/v1/access-keys", Some(&body))?
        }
        Task::Key(KeyTask::List) => all(&look()?, "/api/v1/access-keys?")?,
        Task::Key(KeyTask::Revoke { id }) => {
            way()?.call("DELETE", &format!("/api/v1/access-keys/{}", path_segment(id)?), None)?;
            json!({"id": id, "revoked": true})
        }
        Task::Device(DeviceTask::Add { serial, model }) => {
            way()?.call("POST", "/api/v1/devices", Some(&json!({"serial": serial, "model": model})))?
        }
        Task::Device(DeviceTask::List) => all(&look()?, "/api/v1/devices?")?,
        Task::Job(JobTask::List { state }) => all_work(&look()?, *state)?,
        Task::Job(JobTask::Revive { id }) => {
            way()?.call("POST", &format!("/api/v1/work/{}/revive", path_segment(id)?), None)?
        }
        Task::Overdue => all(&look()?, "/api/v1/overdue?")?,
        // Only the keystore's file is read.
        Task::Ca => keys::roots(&config)?,
        Task::RotateKeys { key } => keys::rotate(&way()?, *key)?,
        Task::Erase { merchant, confirm, reason } => {
            keys::erase(&way()?, merchant, confirm.as_deref(), reason.as_deref())?
        }
    };
    print(&if args.json { format!("{answer}\n") } else { in_words(&args.task, &answer) })
}

/// Every row of a list whose address ends where its next parameter begins.
fn all(way: &Way, list: &str) -> Result<Value, Failure> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = way.call("GET", &format!("{list}limit={ROWS}&cursor={cursor}"), None)?;
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return Ok(Value::Array(rows)),
        }
    }
}

/// Jobs, then messages.
fn all_work(way: &Way, state: JobState) -> Result<Value, Failure> {
    let mut rows = Vec::new();
    for queue in ["job", "outbox"] {
        let list = format!("/api/v1/work?queue={queue}&state={}&", state.as_str());
        rows.extend(all(way, &list)?.as_array().cloned().unwrap_or_default());
    }
    Ok(Value::Array(rows))
}

/// An id as it may stand in a path: what is no id is refused before it is sent.
fn path_segment(id: &str) -> Result<&str, Failure> {
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain
        .then_some(id)
        .ok_or_else(|| Failure::usage(format!("{id:?} is not an id")).remedy("ids look like ak_0190…"))
}

fn in_words(task: &Task, answer: &Value) -> String {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let device = |device: &Value| {
        format!(
            "{:<22} {:<10} {:<12} {}  {}\n",
            text(device, "serial"),
            text(device, "model"),
            text(device, "state"),
            text(device, "status_text"),
            text(device, "id")
        )
    };
    match task {
        Task::Key(KeyTask::Create { .. }) => format!(
            "{} ({})\ntoken: {}\nThe token is shown this once; keep it in a secret store.\n",
            text(answer, "id"),
            text(answer, "role"),
            text(answer, "token")
        ),
        Task::Key(KeyTask::List) => listed(answer, "no key was made yet\n", access_key),
        Task::Key(KeyTask::Revoke { id }) => format!("{id}: revoked\n"),
        Task::Device(DeviceTask::Add { .. }) => device(answer),
        Task::Device(DeviceTask::List) => answer.as_array().into_iter().flatten().map(device).collect(),
        Task::Job(JobTask::List { .. }) => listed(answer, "nothing\n", work),
        Task::Job(JobTask::Revive { id }) => format!("{id}: {} waits again\n", text(answer, "topic")),
        Task::Overdue => listed(answer, "nothing is overdue\n", overdue),
        Task::Ca => {
            answer["certificates"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        }
        Task::RotateKeys { key } => rotated(*key, answer),
        Task::Reseal(_) => match answer["set"]["key"].as_str() {
            None => format!("{}: sealed under a new master key\n", text(answer, "keystore")),
            Some(key) => format!(
                "{}: sealed anew; set {key} = \"{}\" before the next start\n",
                text(answer, "keystore"),
                text(&answer["set"], "file")
            ),
        },
        Task::Erase { merchant, .. } => {
            let mut said = format!(
                "{merchant}: {} data keys destroyed, {} contacts cleared\n",
                answer["keys_destroyed"], answer["contacts_cleared"]
            );
            for terminal in answer["terminals"].as_array().into_iter().flatten() {
                said.push_str(&format!("terminal {}: {}\n", text(terminal, "name"), text(terminal, "state")));
            }
            said
        }
    }
}

fn rotated(key: Rotated, answer: &Value) -> String {
    let (id, version) = (answer["key"].as_str().unwrap_or_default(), &answer["version"]);
    match key {
        Rotated::Root => {
            format!("new key {id} (version {version}): {} data keys wrapped anew\n", answer["rewrapped"])
        }
        Rotated::Data => format!("{} new data keys\n", answer["made"]),
        Rotated::Signing => format!("new signing key {id} (version {version})\n"),
        Rotated::Ca => format!(
            "new CA key {id} (version {version})\n\
             → starpay admin ca > ca.pem, and give that file to every terminal: until a terminal has it, it goes on \
             with its present certificate, but can neither be activated nor renew\n"
        ),
    }
}

/// One line for each row, or what is said when there is none.
fn listed(answer: &Value, none: &str, line: fn(&Value) -> String) -> String {
    let lines: String = answer.as_array().into_iter().flatten().map(line).collect();
    if lines.is_empty() { none.to_owned() } else { lines }
}

fn work(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-");
    format!(
        "{}  {:<7} {:<19} {:<37} tried {:>2}  due {}  {}\n",
        text("id"),
        text("queue"),
        text("topic"),
        text("subject"),
        row["attempts"],
        text("due_at"),
        text("last_error")
    )
}

fn access_key(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-");
    let bound = row["merchant_id"].as_str().or(row["scope"].as_str()).unwrap_or("-");
    format!(
        "{}  {:<14} {:<7} {:<30} made {}  {}\n",
        text("id"),
        text("role"),
        text("state"),
        bound,
        text("created_at"),
        text("label")
    )
}

fn overdue(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-");
    format!(
        "{:<25} {:<40} {:<16} due {}  {}\n",
        text("waits_for"),
        text("id"),
        text("state"),
        text("due_at"),
        text("merchant_id")
    )
}
