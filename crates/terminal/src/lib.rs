//! The virtual terminal: a POS device that speaks only the wire protocol in
//! `docs/protocol/terminal-control.md` and therefore tests the platform from outside.
//!
//! It must never use `app`, `store` or `domain`: what it knows about the platform is what a real
//! device knows. Secrets (device keys, installed keys, an activation code on its way, the
//! merchant's kept document) are sealed in the terminal's folder; the file `element.key` there
//! stands for the secure element of a real device.
//!
//! Start reading at [`activation`], which drives the eleven steps from power-on to 已激活;
//! [`journal`] is what makes it survive a power cut at any moment; [`link`] is the wire. An active
//! terminal renews its certificate by itself: `certificate`.

pub mod activation;
pub mod answer;
pub mod attendant;
mod certificate;
pub mod device;
mod error;
pub mod fault;
mod folder;
mod instant;
pub mod journal;
pub mod keyset;
pub mod link;
pub mod network_test;
pub mod operator;
pub mod platform;
pub mod screen;
pub mod step;
pub mod surroundings;
mod walk;

pub use activation::{Settings, Terminal};
pub use attendant::{Attendant, CertificateReport, StepReport};
pub use error::{Error, Refusal};
pub use step::Step;
pub use surroundings::{Moment, PowerCut, Surroundings};
