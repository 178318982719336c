//! What a journey left: every effect counted, so that one that happened twice is seen.
//!
//! Rows of the platform's tables by what they are, messages by whom they reached, and the books of
//! the simulated counterparts, which are kept outside the platform and outlive its crashes.

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Tables whose rows are effects, with the columns that say which: one row too many is a merchant,
/// a key, a message or a check too many. Ids and times are left out: they differ from run to run.
const TABLES: &[(&str, &[&str])] = &[
    ("merchant", &[]),
    ("store_place", &[]),
    ("contact", &[]),
    ("access_key", &["kind", "role"]),
    ("application", &["state"]),
    ("document", &["kind"]),
    ("check_result", &["kind", "outcome"]),
    ("visit", &["state"]),
    ("agreement", &["state"]),
    ("registration", &["channel", "state"]),
    ("shipment", &["state"]),
    ("device", &["serial", "state"]),
    ("activation", &["state"]),
    ("device_auth", &["state"]),
    ("key_slot", &["slot", "state"]),
    ("settlement_account", &["state"]),
    ("operator", &["number", "role"]),
    ("capability", &["name", "state"]),
    ("message", &["channel", "template", "state"]),
    ("outbox", &["topic", "state"]),
];

/// Machines whose every move is an effect of the journey. A terminal that was killed honestly
/// repeats steps of its own, so its machines are counted by their rows alone.
const MOVES: &str = "SELECT kind || ' ' || name, COUNT(*) FROM event WHERE kind IN ('application', 'visit', \
    'agreement', 'registration', 'shipment', 'device') GROUP BY kind, name";

/// How often each effect happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects(BTreeMap<String, i64>);

impl Effects {
    /// Of the journey in this data folder on the embedded store, with what its outbox page shows.
    ///
    /// # Panics
    /// When a place cannot be read.
    #[must_use]
    pub fn of(data: &Path, outbox: &Value) -> Self {
        let mut effects = Self::default();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(data.join("platform/starpay.db"), flags);
        let database = database.expect("the database opens");
        for (table, columns) in TABLES {
            let which =
                columns.iter().fold(format!("'row {table}'"), |all, name| format!("{all}||' '||{name}"));
            effects.count_rows(&database, &format!("SELECT {which}, COUNT(*) FROM {table} GROUP BY 1"));
        }
        effects.count_rows(&database, MOVES);
        effects.count_messages(outbox);
        effects.count_books(&data.join("platform/sandbox"));
        effects
    }

    /// Each effect that happened another number of times than in `expected`: name, expected, found.
    ///
    /// A registry that the journey asked by another way may know fewer registrations, never more.
    #[must_use]
    pub fn unlike<'e>(&'e self, expected: &'e Self) -> Vec<(&'e str, i64, i64)> {
        let count = |of: &Self, name: &str| of.0.get(name).copied().unwrap_or(0);
        let names = self.0.keys().chain(expected.0.keys().filter(|name| !self.0.contains_key(*name)));
        names
            .map(|name| (name.as_str(), count(expected, name), count(self, name)))
            .filter(
                |(name, expected, found)| {
                    if may_be_fewer(name) { found > expected } else { found != expected }
                },
            )
            .collect()
    }

    fn count_rows(&mut self, database: &Connection, query: &str) {
        let mut statement = database.prepare(query).expect("the table is there");
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        for row in rows.expect("the table reads") {
            let (name, count) = row.expect("the table reads");
            self.add(name, count);
        }
    }

    /// What reached whom: the kind of message, the recipient, the subject.
    fn count_messages(&mut self, outbox: &Value) {
        for message in outbox.get("data").and_then(Value::as_array).into_iter().flatten() {
            let field = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
            // What is left of the text without the code it carries is what it is about.
            let about = field("text").replace(field("code"), "…");
            let (channel, template, to) = (field("channel"), field("template"), field("to"));
            self.add(format!("message {channel} {template} to {to}: {about}"), 1);
        }
    }

    /// One file is one effect at a counterpart.
    fn count_books(&mut self, books: &Path) {
        for book in fs::read_dir(books).expect("the counterparts keep books") {
            let book = book.expect("the books read").path();
            let name = book.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let entries = fs::read_dir(&book).expect("a book is a folder");
            // A name that begins with a dot is an entry that a crash left half written.
            let whole =
                entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
            self.add(format!("book {name}"), i64::try_from(whole.count()).expect("a count fits"));
        }
    }

    fn add(&mut self, name: String, count: i64) {
        *self.0.entry(name).or_default() += count;
    }
}

/// The demo's own registry answers by itself. Killed between the report and the registry's book,
/// the journey goes on with that answer and reports no more.
fn may_be_fewer(name: &str) -> bool {
    matches!(name, "book registration" | "book merchant-number" | "book terminal-number")
}
