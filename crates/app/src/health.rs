//! Whether the platform can serve: what `/readyz`, `doctor` and the metrics ask.

use crate::error::Error;
use crate::platform::Platform;
use crate::token::TokenFault;
use starpay_domain::instant::Timestamp;
use starpay_keys::certificate::CertificateError;
use starpay_store::work::{self, Depth, JOB, OUTBOX, Queue};

/// How the platform stands.
#[derive(Debug)]
pub struct Health {
    /// Whether the store answers; with it, how much work waits.
    pub work: Result<Waiting, Error>,
    /// Whether the platform's own certificate is good now.
    pub keystore: Result<(), CertificateError>,
    /// Whether the hardware module behind the keystore works; `None` without one.
    pub token: Option<Result<(), TokenFault>>,
}

/// Work that waits for a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Jobs.
    pub jobs: Depth,
    /// Messages and other outgoing work.
    pub outbox: Depth,
    /// Seconds the oldest due row has waited; 0 when none is due.
    pub lag_s: i64,
    /// Things whose time is over and which still wait for somebody.
    pub overdue: i64,
}

impl Platform {
    /// How the platform stands.
    pub async fn health(&self) -> Health {
        let now = self.now();
        let keystore = self.shared.vault.keystore().check_certificate(now.millis().div_euclid(1000));
        let token = self.shared.vault.token_standing().await;
        Health { work: self.waiting().await, keystore, token }
    }

    /// How much work waits.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        let now = self.now();
        self.db
            .read(move |tx| {
                let lag = |due: Option<Timestamp>| due.map_or(0, |due| now.seconds_since(due).max(0));
                let oldest = |queue: &Queue, tx: &mut _| work::next_due(tx, queue).map(lag);
                let lag_s = oldest(&JOB, tx)?.max(oldest(&OUTBOX, tx)?);
                let overdue = crate::housekeeping::overdue_count(tx)?;
                Ok(Waiting {
                    jobs: work::depth(tx, &JOB)?,
                    outbox: work::depth(tx, &OUTBOX)?,
                    lag_s,
                    overdue,
                })
            })
            .await
    }
}
