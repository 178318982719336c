//! Every behaviour of the store, on real SQLite and on real PostgreSQL.

mod aggregates;
mod catalogue;
mod chains;
mod idempotency;
mod limits;
mod postgres;
mod rules;
mod stand;
mod transactions;
mod work;
