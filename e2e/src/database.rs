//! A database of one test's own on the private PostgreSQL of the run.

use std::process::{Command, id};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Where `cargo xtask test` and `cargo xtask postgres` leave the server's URL.
const VARIABLE: &str = "STARPAY_TEST_POSTGRES";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// An empty database, dropped at the end.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// When there is no server: nothing is skipped.
    #[must_use]
    pub fn create() -> Self {
        let server = std::env::var_os(VARIABLE).and_then(|url| url.into_string().ok()).expect(
            "STARPAY_TEST_POSTGRES names a server: run `cargo xtask postgres cargo test -p starpay-e2e`",
        );
        let name = format!("e2e_{}_{}", id(), NEXT.fetch_add(1, Ordering::SeqCst));
        execute(&server, &format!("CREATE DATABASE {name}")).expect("the database is made");
        Self { server, name }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Everything in it as SQL text, binary columns in hexadecimal.
    ///
    /// # Panics
    /// When `pg_dump` fails.
    #[must_use]
    pub fn dump(&self) -> Vec<u8> {
        let dumped =
            Command::new("pg_dump").arg("--dbname").arg(self.url()).output().expect("pg_dump starts");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        dumped.stdout
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server is thrown away after the run; a database left over harms nobody.
        let _left_over = execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The rows that a query of text columns gives.
///
/// # Panics
/// When the server does not answer it.
#[must_use]
pub fn rows(url: &str, query: &str) -> Vec<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
        let driver = tokio::spawn(connection);
        let found = client.simple_query(query).await.expect("the query fits the schema");
        drop(client);
        let _closed = driver.await;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        };
        found.into_iter().filter_map(row).collect()
    })
}

fn execute(server: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    execute_in(&format!("{server}/postgres"), statement)
}

fn execute_in(url: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let driver = tokio::spawn(connection);
        let outcome = client.batch_execute(statement).await;
        drop(client);
        let _closed = driver.await;
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_has_a_database_of_its_own() {
        let (one, other) = (Database::create(), Database::create());
        let statement = "CREATE TABLE only_here (bytes BYTEA); INSERT INTO only_here VALUES ('\\x4142')";
        execute_in(&one.url(), statement).unwrap();
        assert!(String::from_utf8(one.dump()).unwrap().contains("\\\\x4142"));
        assert!(!String::from_utf8(other.dump()).unwrap().contains("only_here"));
    }
}
