//! A private PostgreSQL server for tests and benchmarks: its own folder, its own port, gone with
//! the process that started it.
//!
//! Uses only the standard library, so that another crate's tests can include this file by path.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to come up on busy cores.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Makes the cluster, runs the server and waits for the end of its standard input, which comes
/// when the parent drops it or dies in whatever way. Then the server is stopped by its pid and
/// the folder removed.
const SCRIPT: &str = r#"
set -e
home=$(mktemp -d /tmp/starpay-pg.XXXXXX)
"$1/initdb" -D "$home/data" -U postgres -A trust --locale=C -E UTF8 -N >"$home/initdb.log" 2>&1 || { cat "$home/initdb.log" >&2; exit 1; }
bin=$1; port=$2; shift 2
"$bin/postgres" -D "$home/data" -k "$home" -p "$port" -c listen_addresses=127.0.0.1 "$@" >"$home/server.log" 2>&1 </dev/null &
pid=$!
echo "$home $pid"
read -r line || true
kill -INT $pid 2>/dev/null || true
wait $pid || true
rm -rf "$home"
"#;

/// A running server.
pub(crate) struct Server {
    child: Child,
    port: u16,
    pid: u32,
}

impl Server {
    /// Starts a server with further settings (`name=value`).
    pub(crate) fn start(settings: &[&str]) -> Result<Self, String> {
        let bin = binaries()?;
        let port = free_port()?;
        let mut command = unprivileged();
        command.args(["sh", "-c", SCRIPT, "starpay-pg"]).arg(&bin).arg(port.to_string());
        for setting in settings {
            command.args(["-c", setting]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the PostgreSQL starter: {error}"))?;
        let out = child.stdout.take().ok_or("the PostgreSQL starter has no output")?;
        let mut said = String::new();
        BufReader::new(out).read_line(&mut said).map_err(|error| error.to_string())?;
        let pid = said.split_whitespace().nth(1).and_then(|pid| pid.parse().ok());
        let pid = pid.ok_or("the PostgreSQL server did not start (see above)")?;
        let server = Self { child, port, pid };
        server.wait_until_up(&bin)?;
        Ok(server)
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    fn wait_until_up(&self, bin: &Path) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            let mut ask = Command::new(bin.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if ask.status().is_ok_and(|answer| answer.success()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("the PostgreSQL server did not come up".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// PostgreSQL refuses to run as root: then it runs as the user the Debian package made.
fn unprivileged() -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        command
    } else {
        Command::new("env")
    }
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// The newest installed version's programs.
fn binaries() -> Result<PathBuf, String> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin).ok_or_else(|| {
        "PostgreSQL is not installed: apt-get install postgresql (15 or newer), or name a server in \
         STARPAY_TEST_POSTGRES=postgres://user@host:port"
            .to_owned()
    })
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
