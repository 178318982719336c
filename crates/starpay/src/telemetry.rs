//! Logs on standard error: JSON for machines, text for people.

use crate::Failure;
use crate::config::{LogFormat, Logs};
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;

/// Installs the subscriber for this process.
///
/// # Errors
/// When the filter does not read or a subscriber is already there.
pub(crate) fn install(logs: &Logs) -> Result<(), Failure> {
    let filter = filter(logs)?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match logs.format {
        LogFormat::Json => subscriber.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => subscriber.with_target(false).try_init(),
    };
    installed.map_err(|error| Failure::failed(format!("logs: {error}")))
}

/// Installs a subscriber that writes JSON lines to a file: for the demo, whose standard output and
/// error belong to the person watching.
///
/// # Errors
/// When the filter does not read, the file cannot be opened, or a subscriber is already there.
pub(crate) fn install_to_file(logs: &Logs, path: &Path) -> Result<(), Failure> {
    let filter = filter(logs)?;
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .try_init()
        .map_err(|error| Failure::failed(format!("logs: {error}")))
}

fn filter(logs: &Logs) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(&logs.filter).map_err(|error| {
        Failure::usage(format!("logs.filter: {error}"))
            .remedy("write a level (info) or a list such as starpay_web=debug,info")
    })
}
