//! Tests of the crate from outside: real sockets, a real platform over a real store.

#[cfg(test)]
mod server;
