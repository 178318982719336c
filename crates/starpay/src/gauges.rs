//! What Prometheus reads besides requests: the store's counters and the work that waits.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use starpay_app::Platform;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Seconds between two looks at the queues.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The store's counters, read when they are asked for.
struct StoreCounters(Platform);

impl std::fmt::Debug for StoreCounters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreCounters")
    }
}

impl Collector for StoreCounters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = self.0.db().metrics();
        for (name, help, value) in [
            ("starpay_store_writes", "Write closures that ran", now.writes),
            ("starpay_store_commits", "Commits that carried them", now.commits),
            ("starpay_store_reads", "Read closures that ran", now.reads),
            ("starpay_store_slow_closures", "Write closures over their budget", now.slow_closures),
            ("starpay_store_panics", "Closures that panicked", now.panics),
            ("starpay_store_overloaded", "Closures refused because a lane was full", now.overloaded),
            ("starpay_store_retries", "Tries after a serialization failure", now.retries),
            ("starpay_store_reconnects", "Connections made again", now.reconnects),
            ("starpay_store_outcomes_unknown", "Answers whose commit is unknown", now.outcomes_unknown),
            (
                "starpay_store_transactions_lost",
                "Transactions that died with all their members",
                now.transactions_lost,
            ),
            ("starpay_store_checkpoints", "Checkpoints that finished", now.checkpoints),
        ] {
            let counter = ConstCounter::new(value);
            let encoder = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(encoder)?;
        }
        for (name, help, value) in [
            ("starpay_store_batch_largest", "Closures in the largest commit", now.batch_largest),
            ("starpay_store_write_queue_depth", "Write closures that wait", now.write_queue_depth),
            ("starpay_store_read_queue_depth", "Read closures that wait", now.read_queue_depth),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)?;
        }
        Ok(())
    }
}

/// Work that waits, looked at every few seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queues {
    jobs: Gauge,
    jobs_dead: Gauge,
    outbox: Gauge,
    outbox_dead: Gauge,
    lag: Gauge,
    certificates: Gauge,
    overdue: Gauge,
}

/// Registers the store's counters and the queues.
pub(crate) fn register(registry: &mut Registry, platform: &Platform) -> Queues {
    registry.register_collector(Box::new(StoreCounters(platform.clone())));
    let queues = Queues::default();
    for (name, help, gauge) in [
        ("jobs_waiting", "Jobs to be done", &queues.jobs),
        ("jobs_dead", "Jobs a person has to look at", &queues.jobs_dead),
        ("outbox_waiting", "Messages to be sent", &queues.outbox),
        ("outbox_dead", "Messages a person has to look at", &queues.outbox_dead),
        ("certificates_ending", "Terminal certificates that end within 30 days", &queues.certificates),
        ("work_lag_seconds", "How long the oldest due work has waited", &queues.lag),
        ("overdue", "Things whose time is over and which still wait for somebody", &queues.overdue),
    ] {
        registry.register(format!("starpay_{name}"), help, gauge.clone());
    }
    queues
}

impl Queues {
    /// Looks until `stop`.
    pub(crate) async fn watch(self, platform: Platform, stop: CancellationToken) {
        loop {
            match platform.waiting().await {
                Ok(waiting) => {
                    self.jobs.set(waiting.jobs.waiting);
                    self.jobs_dead.set(waiting.jobs.dead);
                    self.outbox.set(waiting.outbox.waiting);
                    self.outbox_dead.set(waiting.outbox.dead);
                    self.lag.set(waiting.lag_s);
                    self.overdue.set(waiting.overdue);
                }
                Err(error) => tracing::debug!(%error, "the queues could not be looked at"),
            }
            match platform.certificates_ending().await {
                Ok(ending) => {
                    self.certificates.set(ending);
                }
                Err(error) => tracing::debug!(%error, "the certificates could not be counted"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}
