//! What UnionPay POS messages mean: transactions, sub-fields, totals, answers.
//!
//! Every rule names how certain it is where the sources do not agree; the official text
//! (Q/CUP 009.1) is not public. `docs/protocol/iso8583.md` has the list.

mod chip;
mod detail;
pub(crate) mod explain;
mod keys;
mod parameters;
mod parts;
mod private;
mod response;
mod security;
mod settlement;
pub(crate) mod table;
mod transaction;

pub use chip::{ChipTag, chip_tag};
pub use detail::{DetailTag, DetailTags, write_detail_tag};
pub use keys::{ChipRecord, SignInKeys, WrappedKey};
pub use parameters::{CaKey, CaKeyList, Parameters};
pub use parts::{AccountBalance, Digits, EntryMode, Institutions, PanEntry, PinEntry};
pub use private::{Field60, Field61, Field63};
pub use response::{Action, ResponseCode};
pub use security::{PinAlgorithm, PinFormat, SecurityControl, TrackProtection};
pub use settlement::{
    BatchEnd, BatchPan, BatchRecord, BatchRecords, SettlementResult, SettlementTotals, Totals,
};
pub use transaction::{Identified, MacRule, Role, Row, Source, Transaction};
