//! The catalogue: every statement of this crate and every table of the schema.
//!
//! A test prepares every statement on both engines and compares both schemas; backup walks the
//! tables in the order given here.

use crate::aggregate;
use crate::sql::Statement;
use crate::work;

/// Every table in an order that puts a referenced one before the one that refers to it.
pub const TABLES: &[&str] = &[
    "setting",
    "policy",
    "data_key",
    "idempotency",
    "used_nonce",
    "attempt",
    "event",
    "chain_head",
    "root",
    "outbox",
    "job",
    "merchant",
    "store_place",
    "contact",
    "one_time_code",
    "access_key",
    "application",
    "agreement",
    "visit",
    "registration",
    "shipment",
    "device",
    "activation",
    "activation_exchange",
    "device_auth",
    "key_slot",
    "capability",
    "document",
    "check_result",
    "settlement_account",
    "operator",
    "message",
    "pii_access",
];

/// Every statement this crate sends, but for those of backup and catalogue reading, which are
/// made from the schema itself.
#[must_use]
pub fn all_statements() -> Vec<Statement> {
    let modules: [&[Statement]; 21] = [
        crate::access_key::STATEMENTS,
        crate::activation_exchange::STATEMENTS,
        crate::attempt::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::check_result::STATEMENTS,
        crate::contact::STATEMENTS,
        crate::data_key::STATEMENTS,
        crate::document::STATEMENTS,
        crate::event::STATEMENTS,
        crate::idempotency::STATEMENTS,
        crate::merchant::STATEMENTS,
        crate::message::STATEMENTS,
        crate::nonce::STATEMENTS,
        crate::one_time_code::STATEMENTS,
        crate::operator::STATEMENTS,
        crate::pii_access::STATEMENTS,
        crate::policy::STATEMENTS,
        crate::root::STATEMENTS,
        crate::setting::STATEMENTS,
        crate::settlement_account::STATEMENTS,
        crate::store_place::STATEMENTS,
    ];
    let mut all: Vec<Statement> = modules.concat();
    all.extend(crate::pii_access::statements_by_width());
    for table in aggregate::TABLES {
        all.extend(table.statements());
    }
    all.extend(aggregate::LOOK_UPS.concat());
    all.extend(work::OUTBOX.statements());
    all.extend(work::JOB.statements());
    all
}
