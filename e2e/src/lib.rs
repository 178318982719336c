//! Whole-system tests: what they start, drive, kill and search.
//!
//! Everything here works from outside: the real binary in a process group of its own, real
//! sockets, a real PostgreSQL, files as they lie on the disk. Of our crates only `keys` and
//! `iso8583` are linked, to be compared with others' and to open what a demo sealed.
//! Start at [`demo::Demo`]; [`secrets`] is the scan for what must never be written down.

#![expect(clippy::expect_used, reason = "a test harness: what it cannot do ends the test, with the reason")]

pub mod browser;
pub mod database;
pub mod demo;
pub mod effects;
pub mod group;
pub mod held;
pub mod http;
pub mod random;
pub mod secrets;
pub mod walk;
