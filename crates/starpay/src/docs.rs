//! `starpay docs`: prints a document that is generated from the program itself.
//!
//! `cargo xtask docs` writes them into `docs/`; `cargo xtask check` compares them.

use crate::Failure;
use clap::ValueEnum;

/// Options of `starpay docs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which document
    #[arg(value_enum)]
    document: Document,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Document {
    /// Every state machine with its moves
    StateMachines,
    /// Which input gives which outcome in the sandbox
    Sandbox,
}

/// Prints the document.
pub(crate) fn run(Args { document }: Args) -> Result<(), Failure> {
    crate::print(&match document {
        Document::StateMachines => starpay_domain::diagram::document(),
        Document::Sandbox => starpay_adapters::sandbox::guide(),
    })
}
