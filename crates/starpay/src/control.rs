//! The way from a command line to the running server.
//!
//! The store belongs to one process. While a server runs, `starpay admin`, `backup` and `audit`
//! speak to it over a loopback port of its own; its port and its token stand in `control.json` in
//! the data folder, readable by the server's user alone. Whoever can read that file could read
//! the database as well, so it grants nothing new. The file goes away with the server; one that a
//! killed server left behind is recognised by its silence.

use crate::Failure;
use crate::config::Config;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use starpay_app::port::Random;
use starpay_keys::random;
use starpay_web::ControlDoor;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Name of the file in the data folder.
const FILE: &str = "control.json";
/// Time the server has for an answer other than a backup.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Bytes of one answer other than a backup.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the file says.
#[derive(Serialize, Deserialize)]
struct Notice {
    port: u16,
    token: String,
    pid: u32,
}

/// The server's side: the file stands as long as this does.
pub(crate) struct Control {
    path: PathBuf,
    door: ControlDoor,
}

impl Control {
    /// Draws a token and writes the file.
    ///
    /// # Errors
    /// When the data folder cannot be written.
    pub(crate) fn open(folder: &Path, address: SocketAddr, random: &dyn Random) -> Result<Self, Failure> {
        let token = Zeroizing::new(random::array::<32>(random));
        let path = folder.join(FILE);
        let explain = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
        let notice = Notice { port: address.port(), token: hex::encode(*token), pid: std::process::id() };
        let text = serde_json::to_vec(&notice).map_err(|error| explain(error.into()))?;
        std::fs::create_dir_all(folder).map_err(explain)?;
        let fresh = folder.join(format!("{FILE}.{}", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(explain)?;
        file.write_all(&text).map_err(explain)?;
        std::fs::rename(&fresh, &path).map_err(explain)?;
        Ok(Self { door: ControlDoor::new(*token), path })
    }

    /// What lets the token's bearer in.
    pub(crate) fn door(&self) -> ControlDoor {
        self.door.clone()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control file could not be removed");
        }
    }
}

/// The command line's side.
pub(crate) struct Server {
    agent: ureq::Agent,
    base: String,
    token: Zeroizing<String>,
}

impl Server {
    /// The server that runs over this data folder, if one does.
    ///
    /// # Errors
    /// When the file is there but does not read.
    pub(crate) fn find(config: &Config) -> Result<Option<Self>, Failure> {
        let path = config.data.folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Failure::failed(format!("{}: {error}", path.display()))
                    .remedy("run this command as the server's user"));
            }
        };
        let notice: Notice = serde_json::from_slice(&text)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(2)))
            .build()
            .new_agent();
        let server = Self {
            agent,
            base: format!("http://127.0.0.1:{}", notice.port),
            token: Zeroizing::new(notice.token),
        };
        // A file without a server behind it was left by one that was killed.
        Ok(server.call("GET", "/api/v1/me", None).is_ok().then_some(server))
    }

    /// One request, one JSON answer.
    ///
    /// # Errors
    /// The server's own words when it refuses; what failed otherwise.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let request = self.request(method, path).header("Content-Type", "application/json");
        let body = body.map(ToString::to_string).unwrap_or_default();
        let request = request.body(body).map_err(|error| Failure::failed(error.to_string()))?;
        let config = self.agent.configure_request(request).timeout_global(Some(ANSWER_WITHIN)).build();
        let response = self.agent.run(config).map_err(gone)?;
        let refused = !response.status().is_success();
        let mut text = String::new();
        response
            .into_body()
            .into_reader()
            .take(ANSWER_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|error| Failure::failed(format!("the server's answer broke off: {error}")))?;
        let answer =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::Null) };
        if refused { Err(refusal(&answer)) } else { Ok(answer) }
    }

    /// One POST whose answer is as long as it is.
    ///
    /// # Errors
    /// As [`Server::call`].
    pub(crate) fn stream(&self, path: &str, body: &Value) -> Result<impl Read + 'static, Failure> {
        let request = self.request("POST", path).header("Content-Type", "application/json");
        let request = request.body(body.to_string()).map_err(|error| Failure::failed(error.to_string()))?;
        let response = self.agent.run(request).map_err(gone)?;
        if !response.status().is_success() {
            let text = response.into_body().read_to_string().unwrap_or_default();
            return Err(refusal(&serde_json::from_str(&text).unwrap_or(Value::Null)));
        }
        Ok(response.into_body().into_reader())
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Authorization", format!("Bearer {}", self.token.as_str()))
            .header("Accept-Language", "en")
            .header("Idempotency-Key", hex::encode(random::array::<16>(&starpay_keys::OsRandom)))
    }
}

fn gone(error: ureq::Error) -> Failure {
    Failure::failed(format!("the server does not answer: {error}"))
}

/// The option that sets a field of the requests the command line sends; anything else by its name.
fn option_of(field: &str) -> String {
    match field {
        "merchant_id" => "--merchant".to_owned(),
        "role" | "label" | "scope" | "serial" | "model" | "confirm" | "reason" => format!("--{field}"),
        other => other.to_owned(),
    }
}

/// A refusal of the API in words.
pub(crate) fn refusal(answer: &Value) -> Failure {
    let said = |name: &str| answer.pointer(&format!("/error/{name}")).and_then(Value::as_str);
    let field = said("field").map(|field| format!(" ({})", option_of(field))).unwrap_or_default();
    let choices = answer.pointer("/error/choices").and_then(Value::as_array);
    let choices: Vec<&str> = choices.into_iter().flatten().filter_map(Value::as_str).collect();
    let listed = if choices.is_empty() { String::new() } else { format!(": {}", choices.join(", ")) };
    let message = said("message").unwrap_or("the server refused");
    // What follows belongs to the sentence.
    let follows = !field.is_empty() || !listed.is_empty();
    let message = if follows { message.trim_end_matches('.') } else { message };
    let failure = Failure::failed(format!("{message}{field}{listed}"));
    match said("remedy") {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_the_users_alone_and_goes_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        let control = Control::open(folder.path(), address, &starpay_keys::OsRandom).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let notice: Notice = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert!(control.door().opens_to(&notice.token));
        assert!(!control.door().opens_to(&notice.token.replace(|c: char| c.is_ascii_digit(), "0")));
        assert_eq!((notice.port, notice.pid), (4711, std::process::id()));
        drop(control);
        assert!(!path.exists());
    }

    #[test]
    fn a_refusal_lists_what_may_be_chosen() {
        let answer = serde_json::json!({"error": {"code": "choice", "message": "It is not one of the choices.",
            "field": "role", "choices": ["warehouse", "courier"], "remedy": "Choose one of those listed."}});
        let shown = refusal(&answer).to_string();
        assert!(
            shown.starts_with("starpay: It is not one of the choices (--role): warehouse, courier\n"),
            "{shown}"
        );
        let answer =
            serde_json::json!({"error": {"code": "not_found", "message": "There is no such thing."}});
        assert_eq!(refusal(&answer).to_string(), "starpay: There is no such thing.");
    }

    #[test]
    fn a_file_left_behind_is_no_server() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::sandbox(folder.path(), SocketAddr::from(([127, 0, 0, 1], 0)));
        assert!(Server::find(&config).unwrap().is_none());
        // A port that was free a moment ago: nobody answers there.
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let control = Control::open(folder.path(), free, &starpay_keys::OsRandom).unwrap();
        assert!(Server::find(&config).unwrap().is_none());
        drop(control);
    }
}
