//! Policy: every statutory or business number, with its unit, its source and since when it holds.
//! Insert only: a change is a new version.

use crate::error::StoreError;
use crate::params;
use crate::sql::sql;
use crate::tx::Tx;
use crate::value::Row;
use starpay_domain::instant::Timestamp;

sql! {
    INSERT = "INSERT INTO policy (key, version, value, unit, source, effective_from) \
              VALUES ($1, $2, $3, $4, $5, $6)";
    SEED = "INSERT INTO policy (key, version, value, unit, source, effective_from) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key, version) DO NOTHING";
    AT = "SELECT key, version, value, unit, source, effective_from FROM policy \
          WHERE key = $1 AND effective_from <= $2 ORDER BY effective_from DESC, version DESC LIMIT 1";
    HISTORY = "SELECT key, version, value, unit, source, effective_from FROM policy \
               WHERE key = $1 ORDER BY version";
    ALL_AT = "SELECT key, version, value, unit, source, effective_from FROM \
              (SELECT key, version, value, unit, source, effective_from, row_number() OVER \
              (PARTITION BY key ORDER BY effective_from DESC, version DESC) AS place \
              FROM policy WHERE effective_from <= $1) AS ranked WHERE place = 1 ORDER BY key";
}

/// One version of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// The rule's name.
    pub key: String,
    /// Its version, from 1.
    pub version: i64,
    /// Its value, as text.
    pub value: String,
    /// The value's unit, for example `days`.
    pub unit: String,
    /// Where it comes from: the law or decision.
    pub source: String,
    /// Since when it holds.
    pub effective_from: Timestamp,
}

impl PolicyRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            key: row.get(0)?,
            version: row.get(1)?,
            value: row.get(2)?,
            unit: row.get(3)?,
            source: row.get(4)?,
            effective_from: row.get(5)?,
        })
    }
}

/// Adds a version.
///
/// # Errors
/// [`StoreError::Constraint`] `policy_pk` when the version is there already.
pub fn insert(tx: &mut Tx, policy: &PolicyRow) -> Result<(), StoreError> {
    write(tx, &INSERT, policy).map(|_| ())
}

/// Adds the versions that are not there yet; how many it added. Versions that are there stay.
///
/// # Errors
/// The store's own.
pub fn seed(tx: &mut Tx, policies: &[PolicyRow]) -> Result<u64, StoreError> {
    policies.iter().try_fold(0, |sum, policy| Ok(sum + write(tx, &SEED, policy)?))
}

fn write(tx: &mut Tx, statement: &crate::Statement, policy: &PolicyRow) -> Result<u64, StoreError> {
    let PolicyRow { key, version, value, unit, source, effective_from } = policy;
    tx.execute(statement, params![key, version, value, unit, source, effective_from])
}

/// The version of a rule that holds at a moment.
///
/// # Errors
/// The store's own.
pub fn find_at(tx: &mut Tx, key: &str, at: Timestamp) -> Result<Option<PolicyRow>, StoreError> {
    tx.query_opt(&AT, params![key, at])?.as_ref().map(PolicyRow::read).transpose()
}

/// Every rule's version that holds at a moment, by key: some dozens.
///
/// # Errors
/// The store's own.
pub fn list_at(tx: &mut Tx, at: Timestamp) -> Result<Vec<PolicyRow>, StoreError> {
    tx.query(&ALL_AT, params![at])?.iter().map(PolicyRow::read).collect()
}

/// Every version of one rule, in order.
///
/// # Errors
/// The store's own.
pub fn list_versions(tx: &mut Tx, key: &str) -> Result<Vec<PolicyRow>, StoreError> {
    tx.query(&HISTORY, params![key])?.iter().map(PolicyRow::read).collect()
}
