//! Use cases over a real store, a real keystore and the sandbox's outside world.

#![expect(clippy::unwrap_used, reason = "what a test stands on may stop it")]

mod activation;
mod agreement;
mod appeal;
mod approval;
mod backup;
mod ca;
mod certificate;
mod chain;
mod deadlines;
mod ending;
mod governing;
mod housekeeping;
mod intake;
mod jobs;
mod keys;
mod looks;
mod operator;
#[expect(dead_code, reason = "shared with the store's tests, which use more of it")]
#[path = "../../../store/tests/it/postgres.rs"]
mod postgres;
mod refresh;
mod registration;
mod shipment;
mod strangers;
mod support;
mod terminal;
mod tries;
mod visit;
mod world;
