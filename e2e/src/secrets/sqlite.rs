//! A SQLite database value by value.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether these are the bytes of a database file.
pub(super) fn is_a_database(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Whether the file is a database or one of the files SQLite keeps beside it.
pub(super) fn is_part_of_a_database(path: &Path) -> bool {
    let name = path.to_string_lossy();
    [".db", ".db-wal", ".db-shm", ".db-journal"].iter().any(|ending| name.ends_with(ending))
}

/// Hands over every value of every table, with `file: table.column`. Numbers are handed over as
/// text.
pub(super) fn each_value(path: &Path, mut visit: impl FnMut(&str, &[u8])) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).expect("the database opens");
    for table in tables(&database) {
        let mut statement = database.prepare(&format!("SELECT * FROM \"{table}\"")).expect("the table reads");
        let places: Vec<String> =
            statement.column_names().map(|column| format!("{}: {table}.{column}", path.display())).collect();
        let mut rows = statement.query([]).expect("the table reads");
        while let Some(row) = rows.next().expect("the table reads") {
            for (index, place) in places.iter().enumerate() {
                match row.get_ref(index).expect("the column is there") {
                    ValueRef::Null => {}
                    ValueRef::Integer(number) => visit(place, number.to_string().as_bytes()),
                    ValueRef::Real(number) => visit(place, number.to_string().as_bytes()),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => visit(place, bytes),
                }
            }
        }
    }
}

fn tables(database: &Connection) -> Vec<String> {
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut statement = database.prepare(query).expect("the schema reads");
    let names = statement.query_map([], |row| row.get(0)).expect("the schema reads");
    names.map(|name| name.expect("the schema reads")).collect()
}
