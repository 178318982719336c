//! What a PostgreSQL error means: the named rule, another try, another connection, or a bug.

use super::connect::describe;
use crate::error::{Rule, StoreError};
use crate::tx::Doom;
use tokio_postgres::error::{DbError, Severity};

/// Sorts an engine error by what can be done about it.
pub(super) fn doom(error: &tokio_postgres::Error) -> Doom {
    let Some(db) = error.as_db_error() else {
        return match std::error::Error::source(error) {
            Some(cause) if cause.is::<std::io::Error>() => {
                Doom::Lost(StoreError::unavailable(describe(error)))
            }
            _ if error.is_closed() => Doom::Lost(StoreError::unavailable(describe(error))),
            _ => Doom::Refused(StoreError::Sql { code: "client".to_owned(), detail: describe(error) }),
        };
    };
    let unavailable = || StoreError::unavailable(format_args!("{} ({})", db.message(), db.code().code()));
    if matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
        return Doom::Lost(unavailable());
    }
    let code = db.code().code();
    match code {
        "40001" | "40P01" => Doom::Retry(unavailable()),
        "23505" => constraint(Rule::Unique, db.constraint()),
        "23503" => constraint(Rule::ForeignKey, db.constraint()),
        "23514" => constraint(Rule::Check, db.constraint()),
        "23502" => constraint(Rule::NotNull, Some(&column(db))),
        // Read-only after a demotion; a plan of before a migration: another connection helps.
        "25006" | "0A000" => Doom::Lost(unavailable()),
        "XX001" | "XX002" => Doom::Refused(StoreError::corrupt(db.message())),
        // A lock that is not given in time; no memory, disk or connection left.
        "55P03" => Doom::Refused(unavailable()),
        _ if code.starts_with("53") => Doom::Refused(unavailable()),
        _ if code.starts_with("57") || code.starts_with("08") => Doom::Lost(unavailable()),
        _ => Doom::Refused(StoreError::Sql { code: code.to_owned(), detail: db.message().to_owned() }),
    }
}

fn constraint(rule: Rule, name: Option<&str>) -> Doom {
    Doom::Refused(StoreError::Constraint { rule, name: name.unwrap_or_default().to_owned() })
}

fn column(db: &DbError) -> String {
    format!("{}.{}", db.table().unwrap_or_default(), db.column().unwrap_or_default())
}
