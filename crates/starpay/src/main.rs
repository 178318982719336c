//! The starpay binary.
fn main() {}
