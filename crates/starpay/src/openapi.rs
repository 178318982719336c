//! `starpay openapi`: prints the document that `/api/openapi.json` serves.

use crate::Failure;

/// Options of `starpay openapi`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints the document.
pub(crate) fn run(Args {}: Args) -> Result<(), Failure> {
    let text = starpay_web::openapi::text().map_err(|error| Failure::failed(format!("openapi: {error}")))?;
    crate::print(&text)
}
