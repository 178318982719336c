//! Scratch stores: made for a benchmark, filled if asked, gone afterwards.

use super::load::MERCHANTS;
use crate::Failure;
use starpay_store::{Db, DbConfig, Engine, Location, StoreError, measure};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new folder inside `parent`.
    pub(super) fn new(parent: &Path) -> Result<Self, Failure> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("starpay-bench-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left for the person who owns the disk.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A scratch store, migrated and with the scratch tables.
pub(super) struct Scratch {
    config: DbConfig,
    _folder: Option<Folder>,
}

impl Scratch {
    pub(super) fn sqlite(parent: &Path) -> Result<Self, Failure> {
        let folder = Folder::new(parent)?;
        let location = Location::Sqlite { path: folder.file("starpay.db") };
        Self::prepare(DbConfig::new(location), Some(folder))
    }

    /// A new database on the server of `base`, which ends without a database's name.
    pub(super) fn postgres(base: &str) -> Result<Self, Failure> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("starpay_bench_{}_{number}", std::process::id());
        sql(&format!("{base}/postgres"), &format!("CREATE DATABASE {name}"))?;
        let location = Location::Postgres { url: format!("{base}/{name}") };
        Self::prepare(DbConfig::new(location), None)
    }

    fn prepare(config: DbConfig, folder: Option<Folder>) -> Result<Self, Failure> {
        Db::migrate(&config).map_err(|error| failed(&error))?;
        let scratch = Self { config, _folder: folder };
        let tables = measure::scratch_tables(scratch.config.location.engine());
        match &scratch.config.location {
            Location::Sqlite { path } => open(path)?.execute_batch(&tables).map_err(|error| lite(&error))?,
            Location::Postgres { url } => sql(url, &tables)?,
        }
        Ok(scratch)
    }

    pub(super) fn open(&self) -> Result<Db, Failure> {
        Db::open(&self.config).map_err(|error| failed(&error))
    }

    pub(super) fn location(&self) -> &Location {
        &self.config.location
    }

    /// Puts so many payments with all their rows there, older than what is measured later.
    pub(super) fn fill(&self, rows: u64) -> Result<(), Failure> {
        match &self.config.location {
            Location::Sqlite { path } => fill_sqlite(path, rows).map_err(|error| lite(&error)),
            Location::Postgres { url } => {
                for statement in fill_statements(Engine::Postgres) {
                    sql(url, &statement.replace("$ROWS", &rows.to_string()))?;
                }
                sql(url, "VACUUM ANALYZE; CHECKPOINT;")
            }
        }
    }

    /// Removes a PostgreSQL scratch database; a folder goes by itself.
    pub(super) fn remove(self) -> Result<(), Failure> {
        match &self.config.location {
            Location::Sqlite { .. } => Ok(()),
            Location::Postgres { url } => match url.rsplit_once('/') {
                Some((base, name)) => {
                    sql(&format!("{base}/postgres"), &format!("DROP DATABASE {name} WITH (FORCE)"))
                }
                None => Ok(()),
            },
        }
    }
}

/// The rows of numbered payments, one statement per table; ids are version 7, twenty a
/// millisecond, like those of a busy platform.
fn fill_statements(engine: Engine) -> [String; 6] {
    let (numbers, id, merchant, body, nil) = match engine {
        Engine::Sqlite => (
            "(WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < $ROWS) SELECT n FROM g)",
            "unhex(printf('%012x70008%015x', 1700000000000 + n / 20, n))",
            "unhex(printf('%032x', n * 7919 % MERCHANTS + 1))",
            "zeroblob(160)",
            "zeroblob(16)",
        ),
        Engine::Postgres => (
            "generate_series(CAST(1 AS BIGINT), $ROWS) AS g (n)",
            "decode(lpad(to_hex(1700000000000 + n / 20), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'), 'hex')",
            "decode(lpad(to_hex(n * 7919 % MERCHANTS + 1), 32, '0'), 'hex')",
            "decode(repeat('00', 160), 'hex')",
            "decode(repeat('00', 16), 'hex')",
        ),
    };
    let hash = match engine {
        Engine::Sqlite => "zeroblob(32)",
        Engine::Postgres => "decode(repeat('00', 32), 'hex')",
    };
    let at = "1700000000000000 + n * 50";
    let merchant = merchant.replace("MERCHANTS", &MERCHANTS.to_string());
    [
        format!(
            "INSERT INTO bench_payment SELECT {id}, {merchant}, 'pay_' || lower({hex}), 'approved', 1000, {at}, {body} FROM {numbers}",
            hex = hex_text(engine, id)
        ),
        format!("INSERT INTO bench_entry SELECT {id}, {merchant}, 0, {merchant}, 1000, {at} FROM {numbers}"),
        format!("INSERT INTO bench_entry SELECT {id}, {merchant}, 1, {nil}, -1000, {at} FROM {numbers}"),
        format!(
            "INSERT INTO event (id, merchant_id, kind, aggregate_id, version, name, actor_kind, at, payload, previous, hash) SELECT {id}, {merchant}, 'payment', {id}, 1, 'approve', 'terminal', {at}, {body}, {hash}, {hash} FROM {numbers}"
        ),
        format!(
            "INSERT INTO chain_head (aggregate_id, merchant_id, kind, version, hash, rooted_version) SELECT {id}, {merchant}, 'payment', 1, {hash}, 1 FROM {numbers}"
        ),
        format!(
            "INSERT INTO outbox (id, merchant_id, topic, subject, version, payload, state, due_at, attempts, token, lease_until, created_at, finished_at) SELECT {id}, {merchant}, 'payment', {id}, 1, {body}, 'done', {at}, 1, 1, 0, {at}, {at} FROM {numbers}"
        ),
    ]
}

fn hex_text(engine: Engine, bytes: &str) -> String {
    match engine {
        Engine::Sqlite => format!("hex({bytes})"),
        Engine::Postgres => format!("encode({bytes}, 'hex')"),
    }
}

fn fill_sqlite(path: &Path, rows: u64) -> Result<(), rusqlite::Error> {
    let conn = rusqlite::Connection::open(path)?;
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    for statement in fill_statements(Engine::Sqlite) {
        let statement = statement.replace("$ROWS", &rows.to_string());
        conn.execute_batch(&statement)?;
    }
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize;")
}

fn open(path: &Path) -> Result<rusqlite::Connection, Failure> {
    rusqlite::Connection::open(path).map_err(|error| lite(&error))
}

/// Runs SQL on PostgreSQL past the store.
fn sql(url: &str, text: &str) -> Result<(), Failure> {
    super::load::runtime()?.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.map_err(|error| server(&error))?;
        let mut driver = tokio::task::JoinSet::new();
        driver.spawn(connection);
        // Several commands one by one: some may not share a transaction.
        for command in text.split(';').map(str::trim).filter(|command| !command.is_empty()) {
            client.batch_execute(command).await.map_err(|error| server(&error))?;
        }
        driver.shutdown().await;
        Ok(())
    })
}

fn failed(error: &StoreError) -> Failure {
    Failure::failed(format!("the store: {error}"))
}

fn lite(error: &rusqlite::Error) -> Failure {
    Failure::failed(format!("SQLite: {error}"))
}

fn server(error: &tokio_postgres::Error) -> Failure {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::failed(format!("PostgreSQL: {error}{cause}"))
}
