//! `starpay admin`: credentials, stock and keys from the command line.
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
    /// Put a new key in the place of the root key or the signing key
    RotateKeys {
        /// Which key
        #[arg(long, value_enum, default_value = "root")]
        key: Rotated,
    },
    /// Seal the keystore under a new master key or passphrase; no server may run
    Reseal(Seal),
    /// Destroy a merchant's data keys: its personal data is gone for good
    Erase {
        /// The merchant, mer_…
        merchant: String,
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
    },
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

/// Does the task.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let config = args.place.load()?;
    let way = || Way::find(&config);
    let answer = match &args.task {
        // Only the keystore's file is touched: neither server nor store is asked.
        Task::Reseal(seal) => keys::reseal(&config, seal)?,
        Task::Key(KeyTask::Create { role, label, merchant }) => {
            let body = json!({"role": role, "label": label, "merchant_id": merchant});
            way()?.call("POST", "/api/v1/access-keys", Some(&body))?
        }
        Task::Key(KeyTask::Revoke { id }) => {
            way()?.call("DELETE", &format!("/api/v1/access-keys/{}", path_segment(id)?), None)?;
            json!({"id": id, "revoked": true})
        }
        Task::Device(DeviceTask::Add { serial, model }) => {
            way()?.call("POST", "/api/v1/devices", Some(&json!({"serial": serial, "model": model})))?
        }
        Task::Device(DeviceTask::List) => all_devices(&way()?)?,
        Task::RotateKeys { key } => keys::rotate(&way()?, *key)?,
        Task::Erase { merchant } => keys::erase(&way()?, merchant)?,
    };
    print(&if args.json { format!("{answer}\n") } else { in_words(&args.task, &answer) })
}

fn all_devices(way: &Way) -> Result<Value, Failure> {
    let (mut devices, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = way.call("GET", &format!("/api/v1/devices?limit={ROWS}&cursor={cursor}"), None)?;
        devices.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return Ok(Value::Array(devices)),
        }
    }
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
        Task::Key(KeyTask::Revoke { id }) => format!("{id}: revoked\n"),
        Task::Device(DeviceTask::Add { .. }) => device(answer),
        Task::Device(DeviceTask::List) => answer.as_array().into_iter().flatten().map(device).collect(),
        Task::RotateKeys { key: Rotated::Root } => {
            format!(
                "new key {} (version {}): {} data keys wrapped anew\n",
                text(answer, "key"),
                answer["version"],
                answer["rewrapped"]
            )
        }
        Task::RotateKeys { key: Rotated::Signing } => {
            format!("new signing key {} (version {})\n", text(answer, "key"), answer["version"])
        }
        Task::Reseal(_) => match answer["set"]["key"].as_str() {
            None => format!("{}: sealed under a new master key\n", text(answer, "keystore")),
            Some(key) => format!(
                "{}: sealed anew; set {key} = \"{}\" before the next start\n",
                text(answer, "keystore"),
                text(&answer["set"], "file")
            ),
        },
        Task::Erase { merchant } => {
            format!(
                "{merchant}: {} data keys destroyed, {} contacts cleared\n",
                answer["keys_destroyed"], answer["contacts_cleared"]
            )
        }
    }
}
