//! The only crate that knows SQL: one set of queries on SQLite and PostgreSQL, transactions, migrations, events, outbox, jobs.
