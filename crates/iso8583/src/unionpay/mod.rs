//! What UnionPay POS messages mean: transactions, sub-fields, totals, answers.
//!
//! Every rule names how certain it is where the sources do not agree; the official text
//! (Q/CUP 009.1) is not public. `docs/protocol/iso8583.md` has the list.

mod chip;
mod detail;
pub(crate) mod explain;
mod keys;
mod parts;
mod private;
mod response;
mod settlement;
pub(crate) mod table;
mod transaction;

pub use chip::{ChipTag, chip_tag};
pub use detail::{DetailTag, DetailTags, write_detail_tag};
pub use keys::{CaKey, CaKeyList, ChipRecord, SignInKeys, WrappedKey};
pub use parts::{
    AccountBalance, Digits, EntryMode, Institutions, PanEntry, PinAlgorithm, PinEntry, PinFormat,
    SecurityControl, TrackProtection,
};
pub use private::{Field60, Field61, Field63};
pub use response::{Action, ResponseCode};
pub use settlement::{BatchRecord, BatchRecords, SettlementResult, SettlementTotals, Totals};
pub use transaction::{Identified, MacRule, Role, Row, Source, Transaction};
