//! The only crate that knows SQL.
//!
//! One set of queries on two engines: embedded SQLite and PostgreSQL. A use case hands a plain
//! synchronous closure to [`Db::write`] or [`Db::read`]; inside it calls the functions of this
//! crate, one module per aggregate or table, which take `&mut Tx` first. Nothing here opens a
//! network connection inside a transaction, reads a clock or draws a random number, and nothing
//! here sees a clear secret: what is personal arrives sealed.
//!
//! Start reading at [`Db`], then [`Tx`], then [`event`] and [`aggregate`].

#![deny(clippy::float_arithmetic)]

pub mod access_key;
pub mod activation_exchange;
pub mod aggregate;
pub mod attempt;
pub mod audit;
pub mod backup;
pub mod catalogue;
pub mod check_result;
mod config;
pub mod contact;
pub mod data_key;
mod db;
pub mod document;
mod engine;
mod error;
pub mod event;
pub mod idempotency;
mod lanes;
pub mod measure;
pub mod merchant;
pub mod message;
mod metrics;
mod migration;
pub mod nonce;
pub mod one_time_code;
pub mod operator;
mod page;
pub mod pii_access;
pub mod policy;
pub mod root;
pub mod setting;
pub mod settlement_account;
mod sql;
pub mod store_place;
mod tx;
mod value;
pub mod work;

pub use config::{DbConfig, Location};
pub use db::Db;
pub use error::{Rule, StoreError};
pub use metrics::Metrics;
pub use migration::{MigrationReport, scripts, version_needed};
pub use page::{Cursor, PAGE_ROWS_MAX, Page};
pub use sql::{Engine, Statement};
pub use tx::Tx;
pub use value::{FromValue, Row, ToValue, Value, ValueRef};
