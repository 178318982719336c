//! ISO 8583 as data: dialects are tables, reading copies nothing, printing is masked.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)
)]

#[cfg(test)]
mod agreement;
mod build;
mod describe;
mod digits;
mod encode;
mod error;
mod field;
pub mod frame;
mod iso1987;
mod message;
mod mti;
mod owned;
mod refusal;
mod route;
mod shape;
pub mod spec;
pub mod tlv;
pub mod unionpay;
mod walk;
mod word;

pub use build::{Draft, Writer};
pub use describe::{Description, Detail, HIDDEN, Line, mask_pan};
pub use encode::{Limits, Value};
pub use error::{Error, Place, Reason, Result};
pub use field::FieldRef;
pub use frame::{Envelope, Frame, Link, Next, Tpdu};
pub use iso1987::ISO_1987_ASCII;
pub use message::{MESSAGE_MAX, Message};
pub use mti::{Bitmap, Mti, Numbers};
pub use owned::OwnedMessage;
pub use route::Route;
pub use spec::Dialect;
pub use unionpay::table::UNIONPAY_POS;
