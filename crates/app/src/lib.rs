//! Use cases: the only crate that opens transactions. Declares the ports to the outside; jobs and outbox.
