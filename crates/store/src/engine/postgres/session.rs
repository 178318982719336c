//! One connection and the runtime that moves it, with a deadline on every step.

use super::connect::{Connected, Target, describe};
use super::refusal::doom;
use crate::config::DbConfig;
use crate::error::StoreError;
use crate::migration::{self, HISTORY};
use crate::sql::{Engine, Place, Statement};
use crate::tx::Doom;
use crate::value::{Row, Value, ValueRef};
use futures_util::future::join;
use refinery::{Report, Runner};
use starpay_domain::instant::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

const CLOCK: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// READ COMMITTED.
    Write,
    /// REPEATABLE READ READ ONLY: one consistent snapshot.
    Read,
}

impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// How a commit ended.
pub(super) enum Commit {
    /// Committed, and replicated as the server is set to.
    Done,
    /// The connection was gone before anything was sent: nothing was committed.
    Unsent(StoreError),
    /// The server refused: nothing was committed.
    Refused(Doom),
    /// It was sent and no clear answer came.
    Unknown(StoreError),
}

/// Where the transaction is.
enum Stage {
    /// None is open.
    Idle,
    /// It begins together with its first statement, in one round trip.
    Beginning(Mode),
    /// It is open.
    Open,
}

/// A worker's side of PostgreSQL.
pub(crate) struct Session {
    // Before `runtime`: a connection is given up before what moves it.
    link: Option<Link>,
    stage: Stage,
    target: Arc<Target>,
    deadline: Duration,
    runtime: Runtime,
}

struct Link {
    connected: Connected,
    prepared: HashMap<Place, tokio_postgres::Statement>,
}

impl Session {
    pub(super) fn new(target: Arc<Target>, config: &DbConfig) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(StoreError::unavailable)?;
        Ok(Self { link: None, stage: Stage::Idle, target, deadline: config.statement_deadline, runtime })
    }

    /// Connects when there is no connection.
    fn connect(&mut self) -> Result<(), StoreError> {
        if self.link.as_ref().is_some_and(|link| !link.connected.client.is_closed()) {
            return Ok(());
        }
        self.drop_connection();
        let connected = self.runtime.block_on(self.target.connect())?;
        let settings = settings(self.deadline);
        let set = async {
            connected.client.batch_execute(&settings).await?;
            // Lets the server notice a client that went away while it waits for a lock. Not every
            // server knows it; nothing depends on it.
            drop(connected.client.batch_execute("SET client_connection_check_interval = 1000").await);
            Ok::<(), Error>(())
        };
        match self.runtime.block_on(async { tokio::time::timeout(self.deadline, set).await }) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(StoreError::unavailable(describe(&error))),
            Err(_) => return Err(StoreError::unavailable("the server did not answer in time")),
        }
        self.link = Some(Link { connected, prepared: HashMap::new() });
        Ok(())
    }

    /// Gives the connection up without a word to the server.
    pub(super) fn drop_connection(&mut self) {
        self.stage = Stage::Idle;
        self.link = None;
    }

    /// Makes sure of a connection; the transaction begins with the first statement.
    pub(super) fn begin(&mut self, mode: Mode) -> Result<(), StoreError> {
        self.connect()?;
        self.stage = Stage::Beginning(mode);
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Commit {
        if !matches!(std::mem::replace(&mut self.stage, Stage::Idle), Stage::Open) {
            return Commit::Done;
        }
        let Some(link) = &self.link else {
            return Commit::Unsent(StoreError::unavailable("the connection is gone"));
        };
        if link.connected.client.is_closed() {
            self.link = None;
            return Commit::Unsent(StoreError::unavailable("the connection is closed"));
        }
        link.connected.take_warning();
        let sent = async {
            tokio::time::timeout(self.deadline, link.connected.client.batch_execute("COMMIT")).await
        };
        let outcome = match self.runtime.block_on(sent) {
            Ok(Ok(())) if link.connected.take_warning() => {
                Commit::Unknown(StoreError::unknown("the server warned that it was not replicated"))
            }
            Ok(Ok(())) => Commit::Done,
            Ok(Err(error)) => match doom(&error) {
                Doom::Lost(_) => Commit::Unknown(StoreError::unknown(describe(&error))),
                refused => Commit::Refused(refused),
            },
            Err(_) => Commit::Unknown(StoreError::unknown("the server did not answer COMMIT in time")),
        };
        if matches!(outcome, Commit::Unknown(_)) {
            self.drop_connection();
        }
        outcome
    }

    pub(super) fn roll_back(&mut self) {
        if !matches!(std::mem::replace(&mut self.stage, Stage::Idle), Stage::Open) {
            return;
        }
        let undone = self.link.as_ref().map(|link| {
            let sent = async {
                tokio::time::timeout(self.deadline, link.connected.client.batch_execute("ROLLBACK")).await
            };
            self.runtime.block_on(sent)
        });
        if !matches!(undone, Some(Ok(Ok(())))) {
            self.drop_connection();
        }
    }

    /// The server's clock.
    pub(crate) fn clock(&mut self) -> Result<Timestamp, Doom> {
        let rows = self.query_text(CLOCK, &[])?;
        let clock = rows.first().map(|row| row.get::<Timestamp>(0));
        clock
            .unwrap_or_else(|| Err(StoreError::unavailable("the server has no clock")))
            .map_err(Doom::Refused)
    }

    /// Runs a statement without rows.
    pub(crate) fn execute(&mut self, statement: &Statement, params: &[ValueRef<'_>]) -> Result<u64, Doom> {
        let params = refs(params);
        self.step(async |client, begin, prepared| {
            let statement = prepare(client, prepared, statement).await?;
            together(client, begin, client.execute(&statement, &params)).await
        })
    }

    /// Runs a statement and reads all of its rows.
    pub(crate) fn query(&mut self, statement: &Statement, params: &[ValueRef<'_>]) -> Result<Vec<Row>, Doom> {
        let params = refs(params);
        let rows = self.step(async |client, begin, prepared| {
            let statement = prepare(client, prepared, statement).await?;
            together(client, begin, client.query(&statement, &params)).await
        })?;
        rows.iter().map(read).collect()
    }

    /// As [`Session::query`], for a text in PostgreSQL's own dialect.
    pub(crate) fn query_text(&mut self, text: &str, params: &[ValueRef<'_>]) -> Result<Vec<Row>, Doom> {
        let params = refs(params);
        let rows = self.step(async |client, begin, _| {
            let statement = client.prepare(text).await?;
            together(client, begin, client.query(&statement, &params)).await
        })?;
        rows.iter().map(read).collect()
    }

    /// The version of the schema, 0 when there is none.
    pub(super) fn schema_version(&mut self) -> Result<i64, StoreError> {
        self.connect()?;
        let first = |rows: Vec<Row>| rows.first().map_or(Ok(0), |row| row.get::<i64>(0));
        let error = |doom: Doom| doom.error().clone();
        let known = format!(
            "SELECT count(*) FROM pg_tables WHERE tablename = '{HISTORY}' AND schemaname = current_schema()"
        );
        if first(self.query_text(&known, &[]).map_err(error)?)? == 0 {
            return Ok(0);
        }
        let version = format!("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM {HISTORY}");
        first(self.query_text(&version, &[]).map_err(error)?)
    }

    /// Runs the migrations. They may take long: no deadline.
    pub(super) fn migrate(&mut self, runner: &Runner) -> Result<Report, StoreError> {
        self.connect()?;
        let link = self.link.as_mut().ok_or_else(|| StoreError::unavailable("the connection is gone"))?;
        let client = &mut link.connected.client;
        self.runtime.block_on(runner.run_async(client)).map_err(|error| migration::failed(&error))
    }

    /// One step under the deadline. When the deadline passes, the connection is given up.
    fn step<T>(
        &mut self,
        act: impl AsyncFnOnce(
            &Client,
            Option<&'static str>,
            &mut HashMap<Place, tokio_postgres::Statement>,
        ) -> Result<T, Error>,
    ) -> Result<T, Doom> {
        let Some(link) = self.link.as_mut() else {
            return Err(Doom::Lost(StoreError::unavailable("the connection is gone")));
        };
        let begin = match self.stage {
            Stage::Beginning(mode) => Some(mode.begin()),
            Stage::Idle | Stage::Open => None,
        };
        let done = self.runtime.block_on(async {
            let act = act(&link.connected.client, begin, &mut link.prepared);
            tokio::time::timeout(self.deadline, act).await
        });
        if begin.is_some() {
            self.stage = Stage::Open;
        }
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(doom(&error)),
            Err(_) => {
                self.drop_connection();
                Err(Doom::Lost(StoreError::unavailable("the server did not answer in time")))
            }
        }
    }
}

fn settings(deadline: Duration) -> String {
    // A lock that is not given in time comes back as an error before our own deadline, so that a
    // crowded row does not cost the connection.
    let lock_ms = (deadline * 4 / 5).as_millis().max(1);
    let idle_ms = deadline.as_millis().saturating_mul(3);
    format!("SET lock_timeout = {lock_ms}; SET idle_in_transaction_session_timeout = {idle_ms}")
}

/// Sends BEGIN, when it is still to be sent, and the statement behind it in one round trip. The
/// statement cannot run outside the transaction: BEGIN on an idle connection fails only together
/// with the connection, and that is reported first.
async fn together<T>(
    client: &Client,
    begin: Option<&'static str>,
    statement: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match begin {
        None => statement.await,
        Some(begin) => {
            let (begun, done) = join(client.batch_execute(begin), statement).await;
            begun?;
            done
        }
    }
}

async fn prepare(
    client: &Client,
    prepared: &mut HashMap<Place, tokio_postgres::Statement>,
    statement: &Statement,
) -> Result<tokio_postgres::Statement, Error> {
    if let Some(found) = prepared.get(&statement.place()) {
        return Ok(found.clone());
    }
    let made = client.prepare(&statement.text(Engine::Postgres)).await?;
    prepared.insert(statement.place(), made.clone());
    Ok(made)
}

fn refs<'a>(params: &'a [ValueRef<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Doom> {
    let values = (0..row.len()).map(|column| row.try_get::<_, Value>(column)).collect::<Result<Vec<_>, _>>();
    values.map(Row::new).map_err(|error| Doom::Refused(StoreError::corrupt(describe(&error))))
}
