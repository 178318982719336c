//! Use cases. Every function here is one thing somebody asks of the platform: it checks who asks,
//! opens one transaction, writes the new state, its event, the idempotent answer and the outbox
//! together, and never talks to the outside while a transaction is open.

mod access;
mod activation;
mod actor;
mod agreement;
mod answer;
mod application;
mod backup;
mod chain;
mod contact;
mod data_keys;
mod device;
mod erasure;
mod error;
mod form;
mod founding;
mod health;
mod housekeeping;
mod job;
mod look;
mod message;
mod paging;
mod picture;
mod platform;
pub mod port;
mod redacted;
mod registration;
mod requirement;
mod shipment;
mod step;
mod timeline;
mod token;
mod vault;
pub mod view;
mod visit;

pub use activation::{ShownCertificate, SignedRequest};
pub use actor::{Action, Actor, PERMISSIONS, Role, SCOPES, Scope, TRIGGERS, operations};
pub use answer::GivenAnswer;
pub use backup::{
    BackupOrder, BackupSummary, DATABASE_ENTRY, FILES_FOLDER, HEADER_ENTRY, KEYSTORE_ENTRY, MANIFEST_ENTRY,
    RestoreSummary, RestoreTarget, restore, unpack,
};
pub use chain::{ChainFinding, ChainReport, FileCheck, FileKind, RootSummary};
pub use data_keys::{DataKeysReport, RotationReport, SigningKeyReport};
pub use erasure::{Erasure, ErasurePlan, ErasureReport, Standing};
pub use error::{Error, ErrorKind, FieldError, Legal, Particular, Unit};
pub use founding::{Refreshed, found, founded};
pub use health::{Health, Waiting};
pub use housekeeping::{DeadlineSummary, SweepSummary};
pub use job::{WorkQueue, WorkState};
pub use message::{Channel, DevMessage, Template};
pub use picture::UPLOAD_BYTES_MAX;
pub use platform::{Deployment, IdempotencyKey, Mode, Platform, Ports, Replayed, Reply};
pub use token::TokenFault;
