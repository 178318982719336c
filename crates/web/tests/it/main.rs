//! Tests of the crate from outside: real sockets, a real platform over a real store.

#[cfg(test)]
mod api;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod device;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod server;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod site;
#[cfg(test)]
mod terminal;
