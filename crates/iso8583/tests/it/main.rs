//! The crate as its users see it: the shared vectors, every field at its limits, any bytes at all.

#![expect(clippy::unwrap_used, reason = "what a test stands on may stop it")]

mod any_bytes;
mod limits;
mod masking;
mod meaning;
mod vectors;
