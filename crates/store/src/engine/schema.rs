//! A table's columns and key, read from the engine's own catalogue.

use crate::error::StoreError;
use crate::sql::Engine;
use crate::tx::Tx;

/// One table's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its columns, in the order of its declaration.
    pub(crate) columns: Vec<String>,
    /// The columns of its primary key, in key order.
    pub(crate) key: Vec<String>,
}

/// Reads the shape of a table of the catalogue.
pub(crate) fn shape(tx: &mut Tx, table: &str) -> Result<Shape, StoreError> {
    let (columns, key) = match tx.engine() {
        Engine::Sqlite => (
            format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
            format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"),
        ),
        Engine::Postgres => (
            format!(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
            ),
            format!(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.key_column_usage \
                 WHERE table_schema = current_schema() AND table_name = '{table}' \
                 AND constraint_name = '{table}_pk' ORDER BY ordinal_position"
            ),
        ),
    };
    let mut names = |text: &str| -> Result<Vec<String>, StoreError> {
        tx.query_text(text, &[])?.iter().map(|row| row.get(0)).collect()
    };
    let shape = Shape { columns: names(&columns)?, key: names(&key)? };
    if shape.columns.is_empty() || shape.key.is_empty() {
        return Err(StoreError::corrupt(format_args!("table {table} is absent or has no key")));
    }
    Ok(shape)
}
