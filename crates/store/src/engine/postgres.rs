//! PostgreSQL.

use crate::config::DbConfig;
use crate::engine::Threads;
use crate::error::StoreError;
use crate::lanes::Lanes;
use crate::metrics::Counters;
use crate::sql::Statement;
use crate::tx::Doom;
use crate::value::{Row, ValueRef};
use starpay_domain::instant::Timestamp;
use std::sync::Arc;

pub(crate) enum Session {}

impl Session {
    pub(crate) fn clock(&mut self) -> Result<Timestamp, Doom> {
        match *self {}
    }
    pub(crate) fn execute(&mut self, _: &Statement, _: &[ValueRef<'_>]) -> Result<u64, Doom> {
        match *self {}
    }
    pub(crate) fn query(&mut self, _: &Statement, _: &[ValueRef<'_>]) -> Result<Vec<Row>, Doom> {
        match *self {}
    }
    pub(crate) fn query_text(&mut self, _: &str, _: &[ValueRef<'_>]) -> Result<Vec<Row>, Doom> {
        match *self {}
    }
}

pub(crate) fn start(
    _: &str,
    _: &DbConfig,
    _: (Arc<Lanes>, Arc<Lanes>, Arc<Counters>),
) -> Result<Threads, StoreError> {
    Err(StoreError::config("PostgreSQL comes with the next commit"))
}

pub(crate) fn migrate(_: &str, _: &DbConfig) -> Result<crate::migration::MigrationReport, StoreError> {
    Err(StoreError::config("PostgreSQL comes with the next commit"))
}
