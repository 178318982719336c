//! The first start of a deployment, and what every later start must find unchanged.
//!
//! Sandbox or live is fixed in the database by the first start: a database never changes sides.
//! The statutory numbers the program knows are seeded as version 1 of the policy table; later
//! versions come by insert. Those in force are what the platform works with; it looks again every
//! minute, so a new version counts from its day on without a restart, on every node.

use crate::actor::Actor;
use crate::data_keys::KEEPER;
use crate::error::Error;
use crate::platform::{Mode, Platform};
use starpay_domain::instant::Timestamp;
use starpay_domain::policy::{Policy, PolicyEntry, Unit};
use starpay_store::policy::{self as rows, PolicyRow};
use starpay_store::{Db, StoreError, Tx, setting};
use std::sync::Arc;
use std::time::Duration;

/// How often a node looks for what changed outside it.
const REFRESH_EVERY: Duration = Duration::from_secs(60);
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
        in_force(tx, at)
    })
}

/// The policy in force at a moment.
fn in_force(tx: &mut Tx, at: Timestamp) -> Result<Policy, Error> {
    let entries = rows::list_at(tx, at)?.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
    Policy::from_entries(&entries, at.beijing_date()).map_err(|error| Error::internal(error.to_string()))
}

/// What was found changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refreshed {
    /// Another policy is in force.
    pub policy: bool,
    /// Another node changed the keystore.
    pub keystore: bool,
}

impl Platform {
    /// Takes up what changed outside this process: a policy whose day has come, keys that another
    /// node made. What cannot be read stays as it was.
    ///
    /// # Errors
    /// The store's own; a policy or a keystore that does not read.
    pub async fn refresh(&self) -> Result<Refreshed, Error> {
        let at = self.now();
        let policy = self.db.read(move |tx: &mut Tx| in_force(tx, at)).await?;
        let policy = self.shared.enact(policy);
        let shared = Arc::clone(&self.shared);
        let keystore = tokio::task::spawn_blocking(move || shared.vault.keystore().refresh())
            .await
            .map_err(|error| Error::internal(error.to_string()))?
            .map_err(|error| Error::internal(format!("the keystore could not be read again: {error}")))?;
        Ok(Refreshed { policy, keystore })
    }

    /// Refreshes every minute until it is stopped.
    pub async fn keep_current(&self, stop: impl Future<Output = ()>) {
        let mut every = tokio::time::interval(REFRESH_EVERY);
        let mut stop = std::pin::pin!(stop);
        // Of a rotation that was cut off, or that this process did not live to record.
        if let Err(error) = self.record_new_keys(&Actor::system(KEEPER)).await {
            tracing::error!(%error, detail = error.detail.as_deref(), "new keys could not be recorded");
        }
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = every.tick() => {}
            }
            match self.refresh().await {
                Ok(Refreshed { policy: false, keystore: false }) => {}
                Ok(found) => {
                    tracing::info!(found.policy, found.keystore, "took up what changed elsewhere");
                }
                Err(error) => {
                    tracing::error!(%error, detail = error.detail.as_deref(), "what changed elsewhere does not read");
                }
            }
        }
    }
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
