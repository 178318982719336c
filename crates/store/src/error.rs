//! What can go wrong in the store, by what the caller can do about it.

use std::fmt;

/// A failure of the store. A variant is something a caller does differently.
///
/// It is `Clone` because the transaction remembers the failure of a statement (so that an engine
/// retry cannot be hidden by the closure's own error type) while the closure gets it as well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written. The same request may be sent again, with the same idempotency key.
    #[error("the store is unavailable: {detail}")]
    Unavailable {
        /// What the engine said.
        detail: String,
    },
    /// The commit was sent and its answer never came. Look the result up by its idempotency key.
    #[error("it is unknown whether the write was committed: {detail}")]
    OutcomeUnknown {
        /// What the engine said, or did not say.
        detail: String,
    },
    /// The bounded queue is full: nothing was started.
    #[error("too much work waits for the store; try again in a moment")]
    Overloaded,
    /// A named rule of the schema refused the row.
    #[error("rule {name} of the store refused the row")]
    Constraint {
        /// What sort of rule it is.
        rule: Rule,
        /// The rule's name: the index or constraint, or `table.column` for NOT NULL.
        name: String,
    },
    /// Somebody else changed the aggregate in between.
    #[error("version {expected} was expected, {found} is stored")]
    Stale {
        /// The version the caller had read.
        expected: i64,
        /// The version stored now.
        found: i64,
    },
    /// The row asked for is not there.
    #[error("no such {what}")]
    NotFound {
        /// The table asked.
        what: &'static str,
    },
    /// An idempotency key came back with another body.
    #[error("this idempotency key was used with another request")]
    KeyReused,
    /// A job or outbox row was finished by somebody who no longer holds its lease.
    #[error("the lease of this work was lost to another worker")]
    LeaseLost,
    /// The schema is not the one this program was built for.
    #[error("the schema is at version {found}, this program needs {needed}: {remedy}")]
    WrongSchema {
        /// The version found, 0 when there is none.
        found: i64,
        /// The version this program was built for.
        needed: i64,
        /// What to do.
        remedy: &'static str,
    },
    /// Another process has the data folder open.
    #[error("{path} is in use by another process: ask that process, or stop it first")]
    InUse {
        /// The lock file.
        path: String,
    },
    /// Stored bytes are not what this program writes.
    #[error("stored data does not read back: {detail}")]
    Corrupt {
        /// What was found where.
        detail: String,
    },
    /// A transaction body panicked; its writes were undone, its neighbours' were not.
    #[error("a transaction body panicked: {detail}")]
    Panicked {
        /// The panic's message.
        detail: String,
    },
    /// The settings cannot work.
    #[error("the database setting cannot be used: {detail}")]
    Config {
        /// What is wrong and what to write instead.
        detail: String,
    },
    /// Any other refusal of the engine: a bug of ours.
    #[error("the engine refused the statement ({code}): {detail}")]
    Sql {
        /// SQLSTATE, or SQLite's extended code.
        code: String,
        /// What the engine said.
        detail: String,
    },
}

impl StoreError {
    pub(crate) fn unavailable(cause: impl fmt::Display) -> Self {
        Self::Unavailable { detail: cause.to_string() }
    }

    pub(crate) fn unknown(cause: impl fmt::Display) -> Self {
        Self::OutcomeUnknown { detail: cause.to_string() }
    }

    pub(crate) fn corrupt(cause: impl fmt::Display) -> Self {
        Self::Corrupt { detail: cause.to_string() }
    }

    pub(crate) fn config(cause: impl fmt::Display) -> Self {
        Self::Config { detail: cause.to_string() }
    }

    /// Whether this is the refusal of the named rule.
    #[must_use]
    pub fn is_rule(&self, wanted: &str) -> bool {
        matches!(self, Self::Constraint { name, .. } if name == wanted)
    }
}

/// The sort of a schema rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A unique index or primary key.
    Unique,
    /// A foreign key. SQLite does not say which: the name is `foreign_key` there.
    ForeignKey,
    /// A CHECK.
    Check,
    /// A column that must have a value; the name is `table.column`.
    NotNull,
}
