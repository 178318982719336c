//! `starpay migrate`: brings the database to this program's schema.

use crate::config::{Config, Where};
use crate::{Failure, print, wiring};
use starpay_store::{Db, StoreError};

/// Options of `starpay migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Where,
}

/// Migrates and says what it did.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let config = args.place.load()?;
    let applied = migrate(&config)?;
    let version = starpay_store::version_needed();
    print(&match applied.as_slice() {
        [] => format!("database: already at version {version}\n"),
        names => format!("database: applied {}; now at version {version}\n", names.join(", ")),
    })
}

/// Applies what is missing; the names of what was applied.
pub(crate) fn migrate(config: &Config) -> Result<Vec<String>, Failure> {
    // Nothing is made for a platform that could not be served afterwards.
    wiring::servable(config)?;
    config.make_data_folder()?;
    let settings = wiring::database_config(config)?;
    let report = Db::migrate(&settings).map_err(|error| {
        let failure = Failure::failed(format!("database: {error}"));
        match error {
            StoreError::InUse { .. } => {
                failure.remedy("stop the server first: a schema changes under nobody")
            }
            _ => failure,
        }
    })?;
    Ok(report.applied)
}
