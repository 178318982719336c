//! What a SQLite error means: the named rule, a dead transaction, or a bug.

use crate::error::{Rule, StoreError};
use crate::tx::Doom;
use rusqlite::{Connection, Error, ErrorCode, ffi};

/// Sorts an engine error by what the caller can do about it.
pub(crate) fn doom(conn: &Connection, error: Error) -> Doom {
    let Error::SqliteFailure(failure, message) = &error else {
        return Doom::Refused(StoreError::Sql { code: "sqlite".to_owned(), detail: error.to_string() });
    };
    let text = message.clone().unwrap_or_default();
    match failure.code {
        ErrorCode::ConstraintViolation => Doom::Refused(constraint(conn, failure.extended_code, &text)),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Doom::Lost(StoreError::corrupt(text)),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::FileLockingProtocolFailed => Doom::Lost(StoreError::unavailable(text)),
        _ => Doom::Refused(StoreError::Sql { code: failure.extended_code.to_string(), detail: text }),
    }
}

fn constraint(conn: &Connection, extended: i32, text: &str) -> StoreError {
    let subject = text.split_once(": ").map_or("", |(_, subject)| subject);
    let (rule, name) = match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            (Rule::Unique, unique_name(conn, subject))
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => (Rule::ForeignKey, "foreign_key".to_owned()),
        ffi::SQLITE_CONSTRAINT_CHECK => (Rule::Check, subject.to_owned()),
        ffi::SQLITE_CONSTRAINT_NOTNULL => (Rule::NotNull, subject.to_owned()),
        _ => return StoreError::Sql { code: extended.to_string(), detail: text.to_owned() },
    };
    StoreError::Constraint { rule, name }
}

/// SQLite names the columns (`table.a, table.b`); our errors name the index, as PostgreSQL does.
fn unique_name(conn: &Connection, columns: &str) -> String {
    let table = columns.split_once('.').map_or("", |(table, _)| table);
    let names: Vec<&str> =
        columns.split(", ").map(|column| column.split_once('.').map_or(column, |(_, name)| name)).collect();
    match index_over(conn, table, &names) {
        Ok(Some(name)) => name,
        Ok(None) | Err(_) => format!("{table}_pk"),
    }
}

/// The named unique index over exactly these columns.
fn index_over(conn: &Connection, table: &str, columns: &[&str]) -> rusqlite::Result<Option<String>> {
    let mut list =
        conn.prepare_cached("SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND origin = 'c'")?;
    let mut info = conn.prepare_cached("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
    let names = list.query_map([table], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for name in names {
        let indexed =
            info.query_map([&name], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        if indexed == columns {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
