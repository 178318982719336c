//! Use cases. Every function here is one thing somebody asks of the platform: it checks who asks,
//! opens one transaction, writes the new state, its event, the idempotent answer and the outbox
//! together, and never talks to the outside while a transaction is open.

mod actor;
mod error;
pub mod port;
pub mod view;

pub use actor::{Action, Actor, PERMISSIONS, Role};
pub use error::{Error, ErrorKind, FieldError};
