//! Who the merchant is in law: the type is defined with the identifiers that tell it.

pub use crate::identifier::SubjectType;
