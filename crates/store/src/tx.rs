//! `Tx`: one open transaction, one concrete type over both engines.

use crate::engine::postgres::Session;
use crate::engine::sqlite::{self, Link as SqliteLink};
use crate::error::StoreError;
use crate::sql::{Engine, Statement};
use crate::value::{Row, ValueRef};
use starpay_domain::instant::Timestamp;

/// One open transaction, handed to a transaction body by [`Db::write`](crate::Db::write) and
/// [`Db::read`](crate::Db::read).
///
/// It cannot be made, kept or committed by anybody else, and it cannot be awaited: no network
/// call can hide inside a transaction. The first failed statement dooms it on both engines (as
/// PostgreSQL does anyway), so a body that swallows an error cannot commit half of its work.
pub struct Tx {
    link: Link,
    doom: Option<Doom>,
    statements: usize,
}

pub(crate) enum Link {
    Sqlite(SqliteLink),
    Postgres(Box<Session>),
}

/// Why a transaction cannot be committed any more.
#[derive(Debug, Clone)]
pub(crate) enum Doom {
    /// A statement was refused.
    Refused(StoreError),
    /// The engine asks for another try on the same connection (40001, 40P01).
    Retry(StoreError),
    /// The connection is gone or must not be used again; nothing was committed.
    Lost(StoreError),
}

impl Doom {
    pub(crate) fn error(&self) -> &StoreError {
        match self {
            Self::Refused(error) | Self::Retry(error) | Self::Lost(error) => error,
        }
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("engine", &self.engine()).field("doom", &self.doom).finish_non_exhaustive()
    }
}

impl Tx {
    pub(crate) fn over(link: Link) -> Self {
        Self { link, doom: None, statements: 0 }
    }

    /// The engine under this transaction.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.link {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }

    /// The moment by which leases are measured.
    ///
    /// On PostgreSQL it is the database's clock, because the clocks of two nodes differ and a
    /// lease must not end early on the one that is ahead. On SQLite there is one process: its own
    /// clock, the argument, is the database's.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub(crate) fn lease_clock(&mut self, now: Timestamp) -> Result<Timestamp, StoreError> {
        match &mut self.link {
            Link::Sqlite(_) => Ok(now),
            Link::Postgres(session) => {
                let asked = session.clock();
                self.note(asked)
            }
        }
    }

    /// Runs a statement that gives no rows; the number of rows it touched.
    pub(crate) fn execute(
        &mut self,
        statement: &Statement,
        params: &[ValueRef<'_>],
    ) -> Result<u64, StoreError> {
        self.begin_statement()?;
        let done = match &mut self.link {
            Link::Sqlite(link) => sqlite::execute(link, statement, params),
            Link::Postgres(session) => session.execute(statement, params),
        };
        self.note(done)
    }

    /// Runs a statement and gives its rows.
    pub(crate) fn query(
        &mut self,
        statement: &Statement,
        params: &[ValueRef<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.begin_statement()?;
        let rows = match &mut self.link {
            Link::Sqlite(link) => sqlite::query(link, statement, params),
            Link::Postgres(session) => session.query(statement, params),
        };
        self.note(rows)
    }

    /// The first row, if there is one.
    pub(crate) fn query_opt(
        &mut self,
        statement: &Statement,
        params: &[ValueRef<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.query(statement, params)?.into_iter().next())
    }

    /// Runs a text that is not in the catalogue: only for statements made from the schema itself
    /// (backup) and for reading the engine's own catalogue.
    pub(crate) fn query_text(&mut self, text: &str, params: &[ValueRef<'_>]) -> Result<Vec<Row>, StoreError> {
        self.begin_statement()?;
        let rows = match &mut self.link {
            Link::Sqlite(link) => sqlite::query_text(link, text, params),
            Link::Postgres(session) => session.query_text(text, params),
        };
        self.note(rows)
    }

    pub(crate) fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    pub(crate) fn link_ref(&self) -> &Link {
        &self.link
    }

    pub(crate) fn doom(&self) -> Option<&Doom> {
        self.doom.as_ref()
    }

    pub(crate) fn clear_doom(&mut self) {
        self.doom = None;
    }

    /// How many statements ran since this was last asked.
    pub(crate) fn take_statements(&mut self) -> usize {
        std::mem::take(&mut self.statements)
    }

    /// Counts a statement, unless the transaction is doomed.
    fn begin_statement(&mut self) -> Result<(), StoreError> {
        match &self.doom {
            Some(doom) => Err(doom.error().clone()),
            None => {
                self.statements = self.statements.saturating_add(1);
                Ok(())
            }
        }
    }

    fn note<T>(&mut self, result: Result<T, Doom>) -> Result<T, StoreError> {
        result.map_err(|doom| {
            let error = doom.error().clone();
            self.doom = Some(doom);
            error
        })
    }
}
