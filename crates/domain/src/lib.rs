//! The rules of the business: identifiers, money, dates, state machines and the requirement engine.
//!
//! Nothing here performs I/O, awaits, reads a clock or draws a random number: time and
//! randomness come in as arguments, so every rule can be tested with a table of cases.
//!
//! Start reading at [`machine`] (how a state machine is written) and [`fact`] (how its facts are
//! named), then any machine, for example [`application`].

#![deny(clippy::float_arithmetic)]

pub mod age;
pub mod fact;
pub mod id;
pub mod identifier;
pub mod instant;
pub mod machine;
