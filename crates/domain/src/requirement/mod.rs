//! Why not yet? One engine answers for every capability.

mod code;
pub mod state;

pub use code::RequirementCode;
