//! The first start of a deployment, and what every later start must find unchanged.
//!
//! Sandbox or live is fixed in the database by the first start: a database never changes sides.
//! The statutory numbers the program knows are seeded as version 1 of the policy table; later
//! versions come by insert, and those in force today are what the platform works with.

use crate::error::Error;
use crate::platform::Mode;
use starpay_domain::instant::Timestamp;
use starpay_domain::policy::{Policy, PolicyEntry, Unit};
use starpay_store::policy::{self as rows, PolicyRow};
use starpay_store::{Db, StoreError, Tx, setting};

/// The setting that says which side a database is on.
const MODE: &str = "deployment.mode";

/// Whether a deployment has been started before over this database. Its keystore must then be
/// there: a new one would not open what lies in the database.
///
/// # Errors
/// The store's own.
pub fn founded(db: &Db) -> Result<bool, Error> {
    db.read_blocking(|tx| Ok(setting::get(tx, MODE)?.is_some()))
}

/// Fixes the mode at the first start, refuses another one later, and gives the policy in force.
///
/// # Errors
/// `mode_fixed` when the database belongs to the other mode; the store's own.
pub fn found(db: &Db, mode: Mode, at: Timestamp) -> Result<Policy, Error> {
    db.write_blocking(move |tx: &mut Tx| {
        let held = setting::fix(tx, MODE, mode.as_str(), at)?;
        if held != mode.as_str() {
            return Err(Error {
                detail: Some(format!("the database is {held}")),
                ..Error::conflict("mode_fixed")
            });
        }
        rows::seed(tx, &Policy::seed().iter().map(row_of).collect::<Vec<_>>())?;
        let entries = rows::list_at(tx, at)?.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
        Policy::from_entries(&entries, at.beijing_date()).map_err(|error| Error::internal(error.to_string()))
    })
}

fn row_of(entry: &PolicyEntry) -> PolicyRow {
    PolicyRow {
        key: entry.key.clone(),
        version: 1,
        value: entry.value.clone(),
        unit: entry.unit.as_str().to_owned(),
        source: entry.source.clone(),
        effective_from: Timestamp::start_of_beijing_day(entry.effective_on),
    }
}

fn entry_of(row: &PolicyRow) -> Result<PolicyEntry, StoreError> {
    let unit = Unit::parse(&row.unit).ok_or_else(|| StoreError::Corrupt {
        detail: format!("policy {} has the unit {:?}", row.key, row.unit),
    })?;
    Ok(PolicyEntry {
        key: row.key.clone(),
        value: row.value.clone(),
        unit,
        source: row.source.clone(),
        effective_on: row.effective_from.beijing_date(),
    })
}
