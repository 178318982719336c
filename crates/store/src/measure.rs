//! The statements that `starpay bench store` measures, on scratch tables of a scratch database.
//!
//! They are here because only this crate knows SQL; the bare engine runs the very same texts, so
//! that the two figures differ by what the store adds and nothing else. No migration makes these
//! tables and no use case sees them.

use crate::error::StoreError;
use crate::event::{self, NewEvent};
use crate::params;
use crate::sql::{Engine, Statement};
use crate::tx::Tx;
use crate::work::{self, NewWork, OUTBOX};
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

/// The small write: one row of a hot table.
pub const SMALL: Statement = Statement::new(
    "measure::SMALL",
    "INSERT INTO bench_small (id, merchant_id, amount, body) VALUES ($1, $2, $3, $4)",
);
const PAYMENT: Statement = Statement::new(
    "measure::PAYMENT",
    "INSERT INTO bench_payment (id, merchant_id, idempotency_key, state, amount, created_at, body) \
     VALUES ($1, $2, $3, 'approved', $4, $5, $6) ON CONFLICT (idempotency_key, merchant_id) DO NOTHING",
);
const ENTRY: Statement = Statement::new(
    "measure::ENTRY",
    "INSERT INTO bench_entry (payment_id, merchant_id, side, account, amount, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)",
);

/// The scratch tables, in an engine's dialect.
#[must_use]
pub fn scratch_tables(engine: Engine) -> String {
    let text = "
        CREATE TABLE bench_small (id {bytes} NOT NULL, merchant_id {bytes} NOT NULL, amount BIGINT NOT NULL,
            body TEXT NOT NULL, PRIMARY KEY (id, merchant_id)) {keyed};
        CREATE TABLE bench_payment (id {bytes} NOT NULL, merchant_id {bytes} NOT NULL,
            idempotency_key TEXT NOT NULL, state TEXT NOT NULL, amount BIGINT NOT NULL,
            created_at BIGINT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (id, merchant_id)) {keyed};
        CREATE UNIQUE INDEX bench_payment_once ON bench_payment (idempotency_key, merchant_id);
        CREATE TABLE bench_entry (payment_id {bytes} NOT NULL, merchant_id {bytes} NOT NULL,
            side BIGINT NOT NULL, account {bytes} NOT NULL, amount BIGINT NOT NULL,
            created_at BIGINT NOT NULL, PRIMARY KEY (payment_id, side, merchant_id)) {keyed};
        CREATE INDEX bench_entry_by_account ON bench_entry (account, created_at, payment_id);";
    crate::migration::dialect(text, engine)
}

/// Writes one small row.
///
/// # Errors
/// The store's own.
pub fn write_small(tx: &mut Tx, id: Uuid, merchant: Uuid) -> Result<(), StoreError> {
    tx.execute(&SMALL, params![id, merchant, 100_i64, SMALL_BODY]).map(|_| ())
}

/// What a small row says.
pub const SMALL_BODY: &str = "a durable row of about a hundred bytes, as a setting or a heartbeat record is";

/// A payment-shaped write.
#[derive(Debug, Clone, Copy)]
pub struct Payment {
    /// Its id, in order of time; also its terminal's idempotency key.
    pub id: Uuid,
    /// Whose it is.
    pub merchant: Uuid,
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount_fen: i64,
}

/// Writes one payment as a payment is written: a hot row with a unique idempotency key, two ledger
/// rows, one chained event with its chain's end, one outbox row.
///
/// # Errors
/// The store's own.
pub fn write_payment(tx: &mut Tx, payment: &Payment) -> Result<(), StoreError> {
    let Payment { id, merchant, at, amount_fen } = *payment;
    let key = format!("pay_{}", id.simple());
    let body = [7_u8; 160];
    if tx.execute(&PAYMENT, params![id, merchant, key, amount_fen, at, body])? == 0 {
        return Ok(());
    }
    for (side, account, amount) in [(0_i64, merchant, amount_fen), (1, Uuid::nil(), -amount_fen)] {
        tx.execute(&ENTRY, params![id, merchant, side, account, amount, at])?;
    }
    event::append(
        tx,
        &NewEvent {
            id,
            merchant_id: merchant,
            kind: "payment".to_owned(),
            aggregate_id: id,
            version: 1,
            name: "approve".to_owned(),
            actor_kind: "terminal".to_owned(),
            actor_id: None,
            at,
            payload: body.to_vec(),
        },
    )?;
    work::put(
        tx,
        &OUTBOX,
        &NewWork {
            id,
            merchant_id: merchant,
            topic: "payment".to_owned(),
            subject: id,
            version: 1,
            payload: body.to_vec(),
            dedup: None,
            due_at: at,
            created_at: at,
        },
    )?;
    Ok(())
}

/// How many payments, ledger rows, events and outbox rows there are, and what the ledger sums to:
/// a figure counts only when these fit.
///
/// # Errors
/// The store's own.
pub fn totals(tx: &mut Tx) -> Result<[i64; 5], StoreError> {
    let row = tx
        .query_text(
            "SELECT (SELECT count(*) FROM bench_payment), (SELECT count(*) FROM bench_entry), \
             (SELECT count(*) FROM event), (SELECT count(*) FROM outbox), \
             (SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM bench_entry)",
            &[],
        )?
        .into_iter()
        .next()
        .ok_or(StoreError::NotFound { what: "bench_payment" })?;
    Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
}
