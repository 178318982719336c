//! The whole system from outside: the journey on both engines, killed at random moments, restored
//! from a backup, served over TLS and from a token, and searched for secrets; and its keys and messages against other people's code.
//! `cargo xtask test` builds the binary and starts
//! PostgreSQL first.

#![expect(clippy::unwrap_used, reason = "what a test stands on may stop it")]

mod codec_peers;
mod journey;
mod killed;
mod leaks;
mod pages;
mod peers;
mod restored;
mod tls;
mod token;
