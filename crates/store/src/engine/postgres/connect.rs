//! Finding the read-write server: every host is asked at once, each under its own deadline that
//! covers start-up and the read-write check, and the first that says "read-write" wins. Asking
//! one after the other would sit on a frozen host, which still accepts connections.

use super::tls;
use crate::config::DbConfig;
use crate::error::StoreError;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The servers of one database, one setting per host.
pub(super) struct Target {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    deadline: Duration,
}

/// A connection that was read-write when it was made.
pub(super) struct Connected {
    pub(super) client: Client,
    driver: JoinHandle<()>,
    warned: Arc<AtomicBool>,
}

impl Connected {
    /// Whether the server warned (01000) since the last call. During COMMIT that means: it was
    /// not replicated as asked.
    pub(super) fn take_warning(&self) -> bool {
        self.warned.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Target {
    /// Reads the URL. `sslmode` is `disable` (the default) or `require`; `require` always
    /// verifies the server, against the certificates in `sslrootcert`.
    pub(super) fn parse(url: &str, config: &DbConfig) -> Result<Self, StoreError> {
        let (url, asked) = tls::split(url)?;
        let parsed: Config = url.parse().map_err(|error| StoreError::config(describe(&error)))?;
        let hosts = parsed.get_hosts();
        if hosts.is_empty() {
            return Err(StoreError::config("the PostgreSQL URL names no host"));
        }
        let ports = parsed.get_ports();
        let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let ssl = if asked.is_some() { SslMode::Require } else { SslMode::Disable };
        let hosts =
            hosts.iter().enumerate().map(|(index, host)| single(&parsed, host, port(index), ssl)).collect();
        Ok(Self { hosts, tls: asked, deadline: config.connect_deadline })
    }

    /// Connects to the read-write server.
    pub(super) async fn connect(&self) -> Result<Connected, StoreError> {
        let mut asked: FuturesUnordered<_> = self
            .hosts
            .iter()
            .map(|host| async {
                tokio::time::timeout(self.deadline, self.ask(host))
                    .await
                    .unwrap_or_else(|_| Err(StoreError::unavailable("the host did not answer in time")))
            })
            .collect();
        let mut refusals = Vec::new();
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(connected) => return Ok(connected),
                Err(error) => refusals.push(error.to_string()),
            }
        }
        Err(StoreError::unavailable(format_args!("no read-write server: {}", refusals.join("; "))))
    }

    async fn ask(&self, host: &Config) -> Result<Connected, StoreError> {
        let connected = match &self.tls {
            None => dial(host, NoTls).await,
            Some(tls) => dial(host, tls.clone()).await,
        }
        .map_err(|error| StoreError::unavailable(describe(&error)))?;
        let row = connected
            .client
            .query_one("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')", &[])
            .await
            .map_err(|error| StoreError::unavailable(describe(&error)))?;
        let (recovering, read_only): (bool, String) = (row.get(0), row.get(1));
        if recovering || read_only == "on" {
            return Err(StoreError::unavailable("the host is read-only"));
        }
        Ok(connected)
    }
}

/// The setting of one of several hosts.
fn single(parsed: &Config, host: &Host, port: u16, ssl: SslMode) -> Config {
    let mut one = Config::new();
    match host {
        Host::Tcp(name) => one.host(name),
        #[cfg(unix)]
        Host::Unix(path) => one.host_path(path),
    };
    one.port(port).ssl_mode(ssl).application_name(parsed.get_application_name().unwrap_or("starpay"));
    if let Some(user) = parsed.get_user() {
        one.user(user);
    }
    if let Some(password) = parsed.get_password() {
        one.password(password);
    }
    if let Some(name) = parsed.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = parsed.get_options() {
        one.options(options);
    }
    one
}

async fn dial<T>(config: &Config, tls: T) -> Result<Connected, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    let warned = Arc::new(AtomicBool::new(false));
    let driver = tokio::spawn(drive(connection, Arc::clone(&warned)));
    Ok(Connected { client, driver, warned })
}

/// Moves bytes until the connection ends, and notes warnings.
async fn drive<S>(mut connection: Connection<Socket, S>, warned: Arc<AtomicBool>)
where
    Connection<Socket, S>: Unpin,
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
            && *notice.code() == SqlState::WARNING
        {
            warned.store(true, Ordering::Release);
        }
    }
}

/// An engine error with its cause, in one line.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
