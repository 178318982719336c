//! `starpay bench`: measures ourselves next to a bare engine in the same run, and prints ratios.
//! Absolute figures move with a machine's neighbours; a ratio taken within one minute does not.

mod bare;
mod codec;
mod load;
#[expect(dead_code, reason = "the store's tests, whose file this is, ask more of a server")]
#[path = "../../../store/tests/it/postgres.rs"]
mod postgres;
mod scratch;
mod store;

use crate::Failure;

/// `starpay bench`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Reading, building, answering and verifying a chip sale, per second on one core
    Codec(codec::Args),
    /// Durable writes of the store on both engines, next to the bare engines
    Store(store::Args),
}

/// Runs a benchmark.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    match args.what {
        What::Codec(args) => codec::run(&args),
        What::Store(args) => store::run(&args),
    }
}
