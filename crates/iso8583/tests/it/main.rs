//! The crate as its users see it: the shared vectors, every field at its limits, any bytes at all.

mod any_bytes;
mod limits;
mod masking;
mod vectors;
