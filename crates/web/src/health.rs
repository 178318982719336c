//! Whether the process lives, and whether it can serve.

use serde::Serialize;
use starpay_app::Health;
use utoipa::ToSchema;

/// Seconds the oldest due job may wait before the platform calls itself not ready.
pub(crate) const JOBS_LAG_MAX_S: i64 = 300;

/// The process lives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Live {
    /// Always `live`.
    #[schema(example = "live")]
    pub status: &'static str,
}

/// Whether the platform can serve.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    pub status: &'static str,
    /// Each part.
    pub checks: Vec<Check>,
}

/// One part of the platform.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Check {
    /// `database`, `keystore`, `jobs`; `token` where a hardware module is configured.
    #[schema(example = "database")]
    pub name: &'static str,
    /// `ok` or `failed`.
    #[schema(example = "ok")]
    pub status: &'static str,
    /// Seconds the oldest due job waits, for `jobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_s: Option<i64>,
    /// Why the `token` failed: `no_answer`, `token_not_found`, `pin_refused`, `pin_locked`, `unavailable` …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

const fn word(fine: bool) -> &'static str {
    if fine { "ok" } else { "failed" }
}

impl Ready {
    /// From what the platform says of its parts.
    pub(crate) fn of(health: Health) -> Self {
        let check = |name, fine: bool, lag_s| Check { name, status: word(fine), lag_s, reason: None };
        let lag = health.work.as_ref().ok().map(|waiting| waiting.lag_s);
        let mut checks = vec![
            check("database", health.work.is_ok(), None),
            check("keystore", health.keystore.is_ok(), None),
            check("jobs", lag.is_some_and(|lag| lag <= JOBS_LAG_MAX_S), lag),
        ];
        if let Some(token) = health.token {
            let reason = token.as_ref().err().map(|fault| fault.reason);
            checks.push(Check { name: "token", status: word(token.is_ok()), lag_s: None, reason });
        }
        let ready = checks.iter().all(|check| check.status == "ok");
        Self { status: if ready { "ready" } else { "not_ready" }, checks }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status == "ready"
    }
}
