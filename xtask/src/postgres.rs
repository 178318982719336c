//! One private PostgreSQL for a whole test run.
//!
//! It lives in a temporary folder, listens on a free port of the loopback address, asks for a
//! random password and ends with us: by its own process id when we are done, by the kernel's
//! parent-death signal when we are killed.

use crate::process::{Failure, Outcome, capture, failure, find_program, say};
use std::fs::{self, File};
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variable in which tests find the server: a URL of a superuser on an empty server.
pub(crate) const VARIABLE: &str = "STARPAY_TEST_POSTGRES";

const OLDEST_VERSION: u32 = 15;
const START_TRIES: u32 = 3;
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Faster than safe: the data is thrown away, so nothing waits for the disk.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=128MB",
    "max_locks_per_transaction=256",
    "log_min_messages=warning",
    "lc_messages=C",
];

/// The folder of the newest `postgres` that is new enough.
pub(crate) fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").ok().and_then(|versions| {
        versions
            .filter_map(|version| {
                let version = version.ok()?;
                let number: u32 = version.file_name().to_str()?.parse().ok()?;
                let folder = version.path().join("bin");
                (number >= OLDEST_VERSION && folder.join("postgres").is_file()).then_some((number, folder))
            })
            .max()
    });
    match debian {
        Some((_, folder)) => Some(folder),
        None => find_program("postgres")?.parent().map(Path::to_path_buf),
    }
}

/// A running private server; dropping it stops it and removes its folder.
pub(crate) struct Server {
    child: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Server {
    /// Makes a cluster in a temporary folder and starts it.
    pub(crate) fn start() -> Outcome<Self> {
        let programs = programs().ok_or_else(|| {
            Failure(format!("no PostgreSQL {OLDEST_VERSION} or newer: run `cargo xtask setup`"))
        })?;
        let folder = tempfile::Builder::new()
            .prefix("starpay-postgres-")
            .tempdir()
            .map_err(|cause| failure("temporary folder", cause))?;
        let account = Account::of_the_server(folder.path())?;
        let password = random_password()?;
        make_cluster(&programs, &account, folder.path(), &password)?;
        let mut last = Failure("never tried".to_owned());
        for _ in 0..START_TRIES {
            match start_once(&programs, &account, folder.path()) {
                Ok((child, port)) => {
                    let url = format!("postgres://starpay:{password}@127.0.0.1:{port}");
                    return Ok(Self { child, url, folder });
                }
                Err(cause) => last = cause,
            }
        }
        Err(last)
    }

    /// Where the tests reach it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's "fast" shutdown: open sessions are ended.
        stop(&mut self.child);
        say(&format!("PostgreSQL in {} stopped", self.folder.path().display()));
    }
}

/// Who owns and runs the server: PostgreSQL refuses to run as root.
enum Account {
    Ourselves,
    Postgres { user: u32, group: u32 },
}

impl Account {
    fn of_the_server(folder: &Path) -> Outcome<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        let number = |which: &str| -> Outcome<u32> {
            let text = capture(Command::new("id").args([which, "postgres"]))?;
            text.trim().parse().map_err(|cause| failure("id of user postgres", cause))
        };
        let (user, group) = (number("-u")?, number("-g")?);
        chown(folder, Some(user), Some(group)).map_err(|cause| failure(folder.display(), cause))?;
        Ok(Self::Postgres { user, group })
    }

    /// A command under this account that gets `signal` when we die.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        match self {
            Self::Ourselves => {}
            Self::Postgres { user, group } => {
                command.args(["--reuid", &user.to_string(), "--regid", &group.to_string(), "--clear-groups"]);
            }
        }
        command.arg("--").arg(program);
        command
    }
}

fn make_cluster(programs: &Path, account: &Account, folder: &Path, password: &str) -> Outcome {
    let password_file = folder.join("password");
    fs::write(&password_file, password).map_err(|cause| failure(password_file.display(), cause))?;
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o644))
        .map_err(|cause| failure(password_file.display(), cause))?;
    capture(
        account
            .command(&programs.join("initdb"))
            .arg("--pgdata")
            .arg(folder.join("data"))
            .arg("--pwfile")
            .arg(&password_file)
            .args([
                "--username=starpay",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .current_dir("/"),
    )?;
    fs::remove_file(&password_file).map_err(|cause| failure(password_file.display(), cause))
}

fn start_once(programs: &Path, account: &Account, folder: &Path) -> Outcome<(Child, u16)> {
    let port = free_port()?;
    let log = folder.join("log");
    let log_file = File::create(&log).map_err(|cause| failure(log.display(), cause))?;
    let log_twin = log_file.try_clone().map_err(|cause| failure(log.display(), cause))?;
    let mut command = account.command(&programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string(), "-k"]).arg(folder);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    let mut child = command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log_file)
        .stderr(log_twin)
        .spawn()
        .map_err(|cause| failure("cannot start PostgreSQL", cause))?;
    let deadline = Instant::now() + START_TIMEOUT;
    let ready = programs.join("pg_isready");
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            break;
        }
        if capture(Command::new(&ready).args(["-h", "127.0.0.1", "-p", &port.to_string()])).is_ok() {
            return Ok((child, port));
        }
        std::thread::sleep(POLL);
    }
    stop(&mut child);
    let log_text = fs::read_to_string(&log).unwrap_or_default();
    Err(failure("PostgreSQL did not start", log_text.trim()))
}

fn stop(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // A server that is gone already needs no signal.
        let _already_gone = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
    let deadline = Instant::now() + STOP_TIMEOUT;
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(POLL);
    }
    let _already_gone = child.kill();
    let _reaped = child.wait();
}

fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|cause| failure("no free port", cause))?;
    let address = listener.local_addr().map_err(|cause| failure("no free port", cause))?;
    Ok(address.port())
}

fn random_password() -> Outcome<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|cause| failure("/dev/urandom", cause))?;
    Ok(hex::encode(bytes))
}

/// Runs one command of the developer's with a private server.
pub(crate) fn run_with(root: &Path, command: &[String]) -> Outcome {
    let (program, arguments) = command.split_first().ok_or_else(|| Failure("no command given".to_owned()))?;
    let server = Server::start()?;
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .env(VARIABLE, server.url())
        .status()
        .map_err(|cause| failure(format!("cannot start `{program}`"), cause))?;
    drop(server);
    if status.success() { Ok(()) } else { Err(failure(format!("`{}`", command.join(" ")), status)) }
}
