//! Portable backup: every row of every table as a line of text, so that a backup of one engine is
//! restored into the other.
//!
//! ```text
//! {"starpay_dump":1,"schema":2}
//! {"table":"setting","columns":["key","value","set_at"]}
//! ["mode","sandbox",1763884800000000]
//! …
//! {"rows":1234,"sha256":"<64 hex>"}
//! ```
//!
//! A row is an array in the order of `columns`: numbers, texts, `null`, and bytes as
//! `{"b":"<base64>"}`. The last line counts the rows and hashes every byte before it. What is
//! sealed in the store stays sealed in the backup.

use crate::catalogue::TABLES;
use crate::engine::schema::{Shape, shape};
use crate::error::StoreError;
use crate::migration::version_needed;
use crate::sql::rewrite;
use crate::tx::Tx;
use crate::value::{ToValue, Value, ValueRef};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{BufRead, Write};

const FORMAT: u32 = 1;
/// Rows read at once.
const PAGE: usize = 500;
/// Rows written by one statement.
const INSERT_ROWS: usize = 50;
/// The longest line that is read: more than the largest row the platform writes.
const LINE_MAX: u64 = 64 * 1024 * 1024;

/// What was written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// Tables.
    pub tables: usize,
    /// Rows in all.
    pub rows: u64,
    /// The hash of everything before the last line.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    starpay_dump: u32,
    schema: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableLine {
    table: String,
    columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FooterLine {
    rows: u64,
    sha256: String,
}

/// A value in a line: number, text or null as they are, bytes marked.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes { b: String },
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(int) => Self::Int(int),
            Value::Text(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes { b: STANDARD.encode(bytes) },
        }
    }
}

impl Cell {
    fn into_value(self) -> Result<Value, StoreError> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Int(int) => Ok(Value::Int(int)),
            Self::Text(text) => Ok(Value::Text(text)),
            Self::Bytes { b } => STANDARD.decode(b).map(Value::Bytes).map_err(bad),
        }
    }
}

/// Writes every row. Run it in one read transaction: the backup is one moment of the store.
///
/// # Errors
/// The store's own; [`StoreError::Unavailable`] when the sink cannot be written.
pub fn dump(tx: &mut Tx, sink: &mut dyn Write) -> Result<BackupReport, StoreError> {
    let mut out = Out { sink, hash: Sha256::new() };
    out.line(&HeaderLine { starpay_dump: FORMAT, schema: version_needed() })?;
    let mut rows = 0;
    for table in TABLES {
        let shape = shape(tx, table)?;
        out.line(&TableLine { table: (*table).to_owned(), columns: shape.columns.clone() })?;
        rows += dump_table(tx, table, &shape, &mut out)?;
    }
    let sha256 = hex::encode(out.hash.clone().finalize());
    out.line(&FooterLine { rows, sha256: sha256.clone() })?;
    out.sink.flush().map_err(unwritable)?;
    Ok(BackupReport { tables: TABLES.len(), rows, sha256 })
}

fn dump_table(tx: &mut Tx, table: &str, shape: &Shape, out: &mut Out<'_>) -> Result<u64, StoreError> {
    let (columns, key) = (shape.columns.join(", "), shape.key.join(", "));
    let marks: Vec<String> = (1..=shape.key.len()).map(|number| format!("${number}")).collect();
    let first = format!("SELECT {columns} FROM {table} ORDER BY {key} LIMIT {PAGE}");
    let next = format!(
        "SELECT {columns} FROM {table} WHERE ({key}) > ({}) ORDER BY {key} LIMIT {PAGE}",
        marks.join(", ")
    );
    let next = rewrite(&next, tx.engine());
    let (mut rows, mut last): (u64, Option<Vec<Value>>) = (0, None);
    loop {
        let page = match &last {
            None => tx.query_text(&first, &[])?,
            Some(key) => tx.query_text(&next, &key.iter().map(ToValue::to_value).collect::<Vec<_>>())?,
        };
        let full = page.len() == PAGE;
        for row in page {
            let values = row.into_values();
            last = Some(key_of(shape, &values));
            out.line(&values.into_iter().map(Cell::from).collect::<Vec<_>>())?;
            rows += 1;
        }
        if !full {
            return Ok(rows);
        }
    }
}

fn key_of(shape: &Shape, values: &[Value]) -> Vec<Value> {
    let place = |name: &String| shape.columns.iter().position(|column| column == name);
    shape.key.iter().filter_map(|name| values.get(place(name)?).cloned()).collect()
}

/// Writes a dump into an empty store of the same schema version, in one write transaction: a
/// damaged dump leaves nothing behind.
///
/// # Errors
/// [`StoreError::Corrupt`] when the dump is damaged or cut short, [`StoreError::WrongSchema`] when
/// it is of another version, [`StoreError::Config`] when the store is not empty.
pub fn load(tx: &mut Tx, source: &mut dyn BufRead) -> Result<BackupReport, StoreError> {
    for table in TABLES {
        if !tx.query_text(&format!("SELECT 1 FROM {table} LIMIT 1"), &[])?.is_empty() {
            return Err(StoreError::config(format_args!(
                "a backup is restored into an empty store, and table {table} has rows"
            )));
        }
    }
    let mut lines = In { source, hash: Sha256::new(), line: Vec::new() };
    lines.next()?;
    let header: HeaderLine = serde_json::from_slice(&lines.line).map_err(bad)?;
    if header.starpay_dump != FORMAT || header.schema != version_needed() {
        let remedy = "restore with the program version that made the backup, then migrate";
        return Err(StoreError::WrongSchema { found: header.schema, needed: version_needed(), remedy });
    }
    load_tables(tx, &mut lines)
}

fn load_tables(tx: &mut Tx, lines: &mut In<'_>) -> Result<BackupReport, StoreError> {
    let (mut rows, mut tables, mut open): (u64, usize, Option<Filling>) = (0, 0, None);
    loop {
        let before = lines.hash.clone();
        lines.next()?;
        if lines.line.first() == Some(&b'[') {
            let filling = open.as_mut().ok_or_else(|| bad("a row before its table"))?;
            filling.row(tx, &lines.line)?;
            rows += 1;
            continue;
        }
        if let Some(filling) = open.take() {
            filling.flush(tx)?;
        }
        if let Ok(table) = serde_json::from_slice::<TableLine>(&lines.line) {
            open = Some(Filling::begin(tx, table)?);
            tables += 1;
            continue;
        }
        let footer: FooterLine = serde_json::from_slice(&lines.line).map_err(bad)?;
        if footer.rows != rows || footer.sha256 != hex::encode(before.finalize()) || tables != TABLES.len() {
            return Err(bad("its last line does not fit what is before it"));
        }
        return Ok(BackupReport { tables, rows, sha256: footer.sha256 });
    }
}

/// A table that is being filled.
struct Filling {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Filling {
    fn begin(tx: &mut Tx, line: TableLine) -> Result<Self, StoreError> {
        if !TABLES.contains(&line.table.as_str()) || shape(tx, &line.table)?.columns != line.columns {
            return Err(bad(format_args!("table {} is not one of this schema", line.table)));
        }
        Ok(Self { table: line.table, columns: line.columns, rows: Vec::new() })
    }

    fn row(&mut self, tx: &mut Tx, line: &[u8]) -> Result<(), StoreError> {
        let cells: Vec<Cell> = serde_json::from_slice(line).map_err(bad)?;
        if cells.len() != self.columns.len() {
            return Err(bad(format_args!("a row of {} has another width", self.table)));
        }
        self.rows.push(cells.into_iter().map(Cell::into_value).collect::<Result<_, _>>()?);
        if self.rows.len() == INSERT_ROWS {
            self.write(tx)?;
        }
        Ok(())
    }

    fn flush(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.write(tx)
    }

    fn write(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let width = self.columns.len();
        let tuple = |row: usize| {
            let marks: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
            format!("({})", marks.join(", "))
        };
        let tuples: Vec<String> = (0..self.rows.len()).map(tuple).collect();
        let text =
            format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), tuples.join(", "));
        let params: Vec<ValueRef<'_>> = self.rows.iter().flatten().map(ToValue::to_value).collect();
        tx.query_text(&rewrite(&text, tx.engine()), &params)?;
        self.rows.clear();
        Ok(())
    }
}

struct Out<'a> {
    sink: &'a mut dyn Write,
    hash: Sha256,
}

impl Out<'_> {
    fn line(&mut self, value: &impl Serialize) -> Result<(), StoreError> {
        let mut line = serde_json::to_vec(value).map_err(bad)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.sink.write_all(&line).map_err(unwritable)
    }
}

struct In<'a> {
    source: &'a mut dyn BufRead,
    hash: Sha256,
    line: Vec<u8>,
}

impl In<'_> {
    /// Reads the next line into `line`.
    fn next(&mut self) -> Result<(), StoreError> {
        self.line.clear();
        let mut limited = std::io::Read::take(&mut *self.source, LINE_MAX);
        limited.read_until(b'\n', &mut self.line).map_err(bad)?;
        if self.line.last() != Some(&b'\n') {
            return Err(bad("it is cut short"));
        }
        self.hash.update(&self.line);
        Ok(())
    }
}

fn bad(why: impl std::fmt::Display) -> StoreError {
    StoreError::corrupt(format_args!("the backup does not read back: {why}"))
}

fn unwritable(error: std::io::Error) -> StoreError {
    StoreError::unavailable(format_args!("the backup cannot be written: {error}"))
}
