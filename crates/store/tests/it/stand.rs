//! What a test stands on: an open, freshly migrated store on one engine, and a way around it.

use crate::postgres::Server;
use starpay_domain::id::new_v7;
use starpay_domain::instant::Timestamp;
use starpay_store::{Db, DbConfig, Engine, Location, StoreError, Tx};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

/// The server of this test run. It ends with the process.
static SERVER: LazyLock<Result<Server, String>> = LazyLock::new(|| {
    Server::start(&["fsync=off", "max_connections=300", "shared_buffers=32MB", "full_page_writes=off"])
});

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// An open store and what it lives in.
pub(crate) struct Stand {
    pub(crate) db: Db,
    pub(crate) config: DbConfig,
    place: Place,
}

enum Place {
    Folder(TempDir),
    Database(String),
}

/// The URL of a new, empty database.
pub(crate) fn new_database() -> String {
    let base = std::env::var_os("STARPAY_TEST_POSTGRES").and_then(|url| url.into_string().ok());
    let server = |database: &str| match &base {
        Some(base) => format!("{}/{database}", base.trim_end_matches('/')),
        None => SERVER.as_ref().unwrap_or_else(|error| panic!("{error}")).url(database),
    };
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = format!("starpay_test_{}_{number}", std::process::id());
    poke(&server("postgres"), &format!("DROP DATABASE IF EXISTS {name}"));
    poke(&server("postgres"), &format!("CREATE DATABASE {name}"));
    server(&name)
}

/// Runs SQL on PostgreSQL past the store.
pub(crate) fn poke(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut tried = 0;
    runtime.block_on(async {
        let (client, connection) = loop {
            // A server that is only just up says so; it is asked again.
            match tokio_postgres::connect(url, tokio_postgres::NoTls).await {
                Ok(made) => break made,
                Err(error) if tried >= 100 => panic!("{url}: {error}"),
                Err(_) => tried += 1,
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        let driver = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        drop(client);
        drop(driver.await);
    });
}

impl Stand {
    pub(crate) fn new(engine: Engine) -> Self {
        Self::with(engine, |_| {})
    }

    pub(crate) fn with(engine: Engine, adjust: impl FnOnce(&mut DbConfig)) -> Self {
        let (location, place) = match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().unwrap();
                (Location::Sqlite { path: folder.path().join("starpay.db") }, Place::Folder(folder))
            }
            Engine::Postgres => {
                let url = new_database();
                (Location::Postgres { url: url.clone() }, Place::Database(url))
            }
        };
        let mut config = DbConfig::new(location);
        config.workers = 4;
        config.readers = 2;
        Db::migrate(&config).unwrap();
        adjust(&mut config);
        let db = Db::open(&config).unwrap();
        Self { db, config, place }
    }

    /// Runs SQL past the store, as somebody with the database's password or file would.
    pub(crate) fn poke(&self, sql: &str) {
        match &self.place {
            Place::Folder(folder) => {
                let conn = rusqlite::Connection::open(folder.path().join("starpay.db")).unwrap();
                conn.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
                conn.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            Place::Database(url) => poke(url, sql),
        }
    }

    pub(crate) fn url(&self) -> &str {
        match &self.place {
            Place::Database(url) => url,
            Place::Folder(_) => panic!("this store has no URL"),
        }
    }

    /// An id as an SQL literal.
    pub(crate) fn literal(&self, id: Uuid) -> String {
        self.hash_literal(id.as_bytes())
    }

    /// Bytes as an SQL literal.
    pub(crate) fn hash_literal(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.config.location.engine() {
            Engine::Sqlite => format!("x'{digits}'"),
            Engine::Postgres => format!("'\\x{digits}'::bytea"),
        }
    }

    pub(crate) fn write<R: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.db.write_blocking(f)
    }

    pub(crate) fn read<R: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.db.read_blocking(f)
    }
}

/// Runs a test on both engines.
pub(crate) fn on_both(test: impl Fn(&Stand)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let stand = Stand::new(engine);
        test(&stand);
        stand.db.close();
    }
}

/// A moment of the tests' own clock, in seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).plus_seconds(seconds)
}

/// A new id.
pub(crate) fn id() -> Uuid {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    new_v7(at(0), random)
}
