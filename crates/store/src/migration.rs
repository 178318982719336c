//! Migrations: one folder, one sequence, forward only, one text for both engines.

use crate::config::{DbConfig, Location};
use crate::engine::sqlite;
use crate::error::StoreError;
use crate::sql::Engine;
use refinery::{Migration, Report, Runner};
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// Every migration in order: its name and portable text. A released one is never edited.
const SOURCES: &[(&str, &str)] = &[
    ("V1__platform", include_str!("../migrations/V1__platform.sql")),
    ("V2__business", include_str!("../migrations/V2__business.sql")),
    ("V3__activation_exchange", include_str!("../migrations/V3__activation_exchange.sql")),
    ("V4__one_time_code", include_str!("../migrations/V4__one_time_code.sql")),
    ("V5__deadlines", include_str!("../migrations/V5__deadlines.sql")),
    ("V6__partners", include_str!("../migrations/V6__partners.sql")),
    ("V7__work_again", include_str!("../migrations/V7__work_again.sql")),
    ("V8__repeated_sign_in", include_str!("../migrations/V8__repeated_sign_in.sql")),
    ("V9__own_in_state", include_str!("../migrations/V9__own_in_state.sql")),
    ("V10__looks", include_str!("../migrations/V10__looks.sql")),
    ("V11__one_route_a_key", include_str!("../migrations/V11__one_route_a_key.sql")),
    ("V12__erased_subjects", include_str!("../migrations/V12__erased_subjects.sql")),
];

/// The table refinery keeps its record in.
pub(crate) const HISTORY: &str = "refinery_schema_history";

const REMEDY_OLD: &str = "run `starpay migrate`";
const REMEDY_NEW: &str = "the database belongs to a newer program: start that one";

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationReport {
    /// The migrations applied now, in order.
    pub applied: Vec<String>,
    /// The schema's version afterwards.
    pub version: i64,
}

/// The schema version this program was built for.
#[must_use]
pub fn version_needed() -> i64 {
    i64::try_from(SOURCES.len()).unwrap_or(i64::MAX)
}

/// The text of every migration in an engine's dialect, in order.
#[must_use]
pub fn scripts(engine: Engine) -> Vec<(&'static str, String)> {
    SOURCES.iter().map(|(name, text)| (*name, dialect(text, engine))).collect()
}

/// Rewrites a migration's text: types and table endings.
pub(crate) fn dialect(text: &str, engine: Engine) -> String {
    match engine {
        Engine::Sqlite => text
            .replace("{bytes}", "BLOB")
            .replace("BIGINT", "INTEGER")
            .replace("{rows}", "STRICT")
            .replace("{keyed}", "STRICT, WITHOUT ROWID"),
        Engine::Postgres => text.replace("{bytes}", "BYTEA").replace(" {rows}", "").replace(" {keyed}", ""),
    }
}

/// The runner over all migrations. What is pending goes in as one transaction together with its
/// record: apart, a process killed between the two would find its own tables in the way.
pub(crate) fn runner(engine: Engine) -> Result<Runner, StoreError> {
    let migrations = scripts(engine)
        .iter()
        .map(|(name, text)| Migration::unapplied(name, text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(StoreError::config)?;
    let mut runner = Runner::new(&migrations).set_grouped(true);
    runner.set_migration_table_name(HISTORY);
    Ok(runner)
}

pub(crate) fn migrate(config: &DbConfig) -> Result<MigrationReport, StoreError> {
    match &config.location {
        Location::Sqlite { path } => migrate_sqlite(path),
        Location::Postgres { url } => crate::engine::postgres::migrate(url, config),
    }
}

fn migrate_sqlite(path: &Path) -> Result<MigrationReport, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(StoreError::unavailable)?;
    }
    let lock = sqlite::lock_folder(path)?;
    let mut conn = sqlite::writable(path)?;
    refuse_newer(sqlite_version(&conn)?)?;
    let report = runner(Engine::Sqlite)?.run(&mut conn).map_err(|error| failed(&error))?;
    let report = applied(&report, sqlite_version(&conn)?);
    drop(conn);
    drop(lock);
    Ok(report)
}

pub(crate) fn applied(report: &Report, version: i64) -> MigrationReport {
    let applied = report.applied_migrations().iter().map(ToString::to_string).collect();
    MigrationReport { applied, version }
}

pub(crate) fn failed(error: &refinery::Error) -> StoreError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    StoreError::unavailable(format_args!("{error}{cause}"))
}

/// Refuses a database that only a newer program understands.
pub(crate) fn refuse_newer(found: i64) -> Result<(), StoreError> {
    let needed = version_needed();
    if found > needed {
        return Err(StoreError::WrongSchema { found, needed, remedy: REMEDY_NEW });
    }
    Ok(())
}

/// Refuses any schema but the one this program was built for.
pub(crate) fn check(found: i64) -> Result<(), StoreError> {
    refuse_newer(found)?;
    let needed = version_needed();
    if found < needed {
        return Err(StoreError::WrongSchema { found, needed, remedy: REMEDY_OLD });
    }
    Ok(())
}

/// The refusal when there is no database at all.
pub(crate) fn missing() -> StoreError {
    StoreError::WrongSchema { found: 0, needed: version_needed(), remedy: REMEDY_OLD }
}

pub(crate) fn check_sqlite(conn: &Connection) -> Result<(), StoreError> {
    check(sqlite_version(conn)?)
}

fn sqlite_version(conn: &Connection) -> Result<i64, StoreError> {
    let known = conn
        .query_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", [HISTORY], |_| Ok(()))
        .optional()
        .map_err(StoreError::unavailable)?;
    match known {
        None => Ok(0),
        Some(()) => conn
            .query_row(&format!("SELECT COALESCE(MAX(version), 0) FROM {HISTORY}"), [], |row| row.get(0))
            .map_err(StoreError::unavailable),
    }
}
