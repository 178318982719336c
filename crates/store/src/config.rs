//! Where the database is and how much may be asked of it at once.

use crate::error::StoreError;
use crate::sql::Engine;
use std::path::PathBuf;
use std::time::Duration;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// One file in a data folder of its own.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// One server or several, of which the read-write one is found by asking all at once.
    Postgres {
        /// `postgres://user@host:port,host:port/database?…`
        url: String,
    },
}

impl Location {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite:PATH` or a plain path.
    ///
    /// # Errors
    /// [`StoreError::Config`] when the text is empty or of another scheme.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres { url: text.to_owned() });
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains("://") {
            return Err(StoreError::config(
                "write sqlite:PATH, a path, or postgres://user@host:port/database",
            ));
        }
        Ok(Self::Sqlite { path: PathBuf::from(path) })
    }

    /// The engine of this place.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }
}

/// The store's settings. Every field is a limit with a name.
#[derive(Debug, Clone)]
pub struct DbConfig {
    /// Where the database is.
    pub location: Location,
    /// Threads (and connections) that read.
    pub readers: usize,
    /// Threads (and connections) that write; PostgreSQL only, SQLite has one writer.
    pub workers: usize,
    /// Closures that may wait in one lane before callers are told [`StoreError::Overloaded`].
    pub queue_max: usize,
    /// How long a PostgreSQL statement, or a COMMIT, may take before its connection is dropped.
    pub statement_deadline: Duration,
    /// How long one PostgreSQL host may take to connect and say that it is read-write.
    pub connect_deadline: Duration,
    /// Write closures that one SQLite commit may carry.
    pub batch_max: usize,
    /// A write closure that takes longer is counted and logged.
    pub closure_budget: Duration,
}

impl DbConfig {
    /// The usual limits for a database at `location`.
    #[must_use]
    pub fn new(location: Location) -> Self {
        Self {
            location,
            readers: 3,
            workers: 16,
            queue_max: 4096,
            statement_deadline: Duration::from_secs(10),
            connect_deadline: Duration::from_millis(1500),
            batch_max: 256,
            closure_budget: Duration::from_millis(20),
        }
    }

    /// The usual limits for a database named by text, see [`Location::parse`].
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn parse(location: &str) -> Result<Self, StoreError> {
        Location::parse(location).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_from_text() {
        let sqlite = |path: &str| Location::Sqlite { path: PathBuf::from(path) };
        assert_eq!(Location::parse("sqlite:data/a.db").unwrap(), sqlite("data/a.db"));
        assert_eq!(Location::parse("sqlite:///var/a.db").unwrap(), sqlite("/var/a.db"));
        assert_eq!(Location::parse("a.db").unwrap(), sqlite("a.db"));
        assert_eq!(Location::parse("postgres://h/d").unwrap().engine(), Engine::Postgres);
        assert!(Location::parse("mysql://h/d").is_err());
        assert!(Location::parse("").is_err());
    }
}
