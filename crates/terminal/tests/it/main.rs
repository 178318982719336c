//! The terminal against a platform that keeps to `docs/protocol/terminal-control.md`: a small
//! server of this test's own, built from the protocol and `starpay-keys` alone. The whole-system
//! tests drive the same terminal against the real platform.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene fails there")]

mod bench;
mod certificates;
mod journey;
mod network;
mod platform;
mod power;
mod refusal;
mod renewal;
mod wire;
