//! Every behaviour of the store, on real SQLite and on real PostgreSQL.

mod aggregates;
mod backup;
mod catalogue;
mod chains;
mod faults;
mod idempotency;
mod limits;
mod postgres;
mod rules;
mod stand;
mod transactions;
mod work;
