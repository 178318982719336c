//! Every behaviour of the store, on real SQLite and on real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod aggregates;
mod backup;
mod catalogue;
mod chains;
mod faults;
mod idempotency;
mod limits;
mod limits_of_states;
mod looks;
mod postgres;
mod rules;
mod stand;
mod transactions;
mod work;
