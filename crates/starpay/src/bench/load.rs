//! Closed-loop load: so many callers, each waiting for its answer before it asks again.

use crate::Failure;
use starpay_domain::id::new_v7;
use starpay_domain::instant::Timestamp;
use starpay_store::measure::{Payment, write_payment, write_small};
use starpay_store::{Db, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Merchants the load is spread over.
pub(super) const MERCHANTS: u64 = 1000;
/// The moment of the first measured row; what is loaded before is older.
const FIRST_MICROS: u64 = 1_800_000_000_000_000;

/// What is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// One row.
    Small,
    /// A payment with all that belongs to it.
    Payment,
}

/// How fast it went.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Rate {
    /// Answered writes per second.
    pub(super) per_second: f64,
    /// Half of the answers came within so many microseconds.
    pub(super) p50_us: u64,
    /// 99 of 100 came within so many.
    pub(super) p99_us: u64,
}

/// The numbers of the run's rows, each used once.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(Arc<AtomicU64>);

impl Numbers {
    /// The next row's id, merchant and moment; ids are in order of time.
    pub(super) fn next(&self) -> Payment {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let at = Timestamp::from_micros(i64::try_from(FIRST_MICROS + number * 50).unwrap_or(i64::MAX));
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().skip(2).zip(number.wrapping_mul(0x9E37_79B9).to_be_bytes()) {
            *to = from;
        }
        let merchant = Uuid::from_u128(u128::from(number.wrapping_mul(7919) % MERCHANTS) + 1);
        Payment { id: new_v7(at, random), merchant, at, amount_fen: 1000 }
    }
}

/// The runtime the callers live in.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime: {error}")))
}

/// Runs `callers` against the store for a while.
pub(super) fn run(
    runtime: &Runtime,
    db: &Db,
    shape: Shape,
    callers: usize,
    length: Duration,
    numbers: &Numbers,
) -> Result<Rate, Failure> {
    runtime.block_on(async {
        let begun = Instant::now();
        let end = begun + length;
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            tasks.spawn(call(db.clone(), shape, end, numbers.clone()));
        }
        let mut waits = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let done = done.map_err(|error| Failure::failed(error.to_string()))?;
            waits.extend(done.map_err(|error| Failure::failed(format!("the store: {error}")))?);
        }
        Ok(rate(waits, begun.elapsed()))
    })
}

async fn call(db: Db, shape: Shape, end: Instant, numbers: Numbers) -> Result<Vec<Duration>, StoreError> {
    let mut waits = Vec::new();
    while Instant::now() < end {
        let asked = Instant::now();
        let next = numbers.next();
        match shape {
            Shape::Small => db.write(move |tx| write_small(tx, next.id, next.merchant)).await?,
            Shape::Payment => db.write_first(move |tx| write_payment(tx, &next)).await?,
        }
        waits.push(asked.elapsed());
    }
    Ok(waits)
}

/// Sums up what the callers waited.
pub(super) fn rate(mut waits: Vec<Duration>, elapsed: Duration) -> Rate {
    waits.sort_unstable();
    let at = |percent: usize| {
        let place = waits.len().saturating_mul(percent) / 100;
        let wait = waits.get(place.min(waits.len().saturating_sub(1))).copied().unwrap_or_default();
        u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)
    };
    let count = f64::from(u32::try_from(waits.len()).unwrap_or(u32::MAX));
    Rate { per_second: (count / elapsed.as_secs_f64()).round(), p50_us: at(50), p99_us: at(99) }
}
