//! The message catalogue, zh-CN and English: every sentence a person reads comes from here.
//!
//! One Fluent file per language, `i18n/<language>/starpay.ftl`, in the same order. A text says what
//! happened, why, and what to do next, in words a shop owner uses.
//!
//! * Text known when the program is written: `fl!(texts(language), "home-title")`. A key or an
//!   argument that zh-CN does not have fails to compile; a test holds English to zh-CN.
//! * Text chosen by a code at run time (a state, an error, a requirement): [`state`], [`error`],
//!   [`requirement`], [`reason`] … They answer `None` for a code without a text, and [`missing`]
//!   lets the crate that owns the codes prove that there is none.
//!
//! This crate must never format money, dates or identifiers: those have one form in every language.

mod catalogue;
mod code;
mod language;

pub use catalogue::{Texts, lookup, texts};
pub use code::{
    Advice, about, capability, delivery, desk, document, error, expected, field, machine, missing, only_for,
    party, phase, reason, remedy, requirement, role, state, step,
};
pub use i18n_embed_fl::fl;
pub use language::Language;
