//! The rules of the business: identifiers, money, dates, state machines and the requirement engine.
//!
//! Nothing here performs I/O, awaits, reads a clock or draws a random number: time and
//! randomness come in as arguments, so every rule can be tested with a table of cases.
//!
//! Start reading at [`machine`] (how a state machine is written) and [`fact`] (how its facts are
//! named), then any machine, for example [`application`].

#![deny(clippy::float_arithmetic)]

pub mod activation;
pub mod age;
pub mod agreement;
pub mod application;
pub mod binding;
pub mod capability;
pub mod certificate;
pub mod deadline;
pub mod device;
pub mod device_auth;
pub mod diagram;
pub mod fact;
pub mod fee;
pub mod field;
pub mod id;
pub mod identifier;
pub mod instant;
pub mod instant_settlement;
pub mod key_slot;
pub mod machine;
pub mod material;
pub mod micro_limit;
pub mod money;
pub mod party;
pub mod period;
pub mod place;
pub mod policy;
pub mod rate;
pub mod reason;
pub mod registration;
pub mod requirement;
pub mod retention;
pub mod settlement_calendar;
pub mod shipment;
pub mod subject;
pub mod term;
pub mod validity;
pub mod visit;
#[cfg(test)]
mod walk;
