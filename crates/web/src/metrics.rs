//! Prometheus metrics, in a registry that is handed in: no globals, so two platforms in one
//! process (a test) do not mix.

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The content type of the OpenMetrics text form.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the latency buckets, in seconds.
const LATENCY_BOUNDS_S: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    route: String,
}

/// What this crate measures. Labels are matched routes, never paths: ids would make the number of
/// series grow without end, and some of them are personal.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: Family<Answered, Counter>,
    latency: Family<Timed, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Registers the metrics of this crate.
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let latency =
            Family::new_with_constructor((|| Histogram::new(LATENCY_BOUNDS_S)) as fn() -> Histogram);
        registry.register("starpay_http_requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "starpay_http_request_duration",
            "Time from the request head to the answer's head",
            Unit::Seconds,
            latency.clone(),
        );
        Self { requests, latency }
    }

    pub(crate) fn request(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        // A method is a caller's word: only the registered ones become labels.
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
            _ => "other",
        };
        let answered =
            Answered { method: method.to_owned(), route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        self.latency.get_or_create(&Timed { route: route.to_owned() }).observe(elapsed.as_secs_f64());
    }
}

/// The registry in the OpenMetrics text form.
pub(crate) fn encode(registry: &Registry) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    if text::encode(&mut out, registry).is_err() {
        tracing::error!("metrics could not be written");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_route_and_status() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.request(&Method::GET, "/api/v1/me", StatusCode::OK, Duration::from_millis(3));
        metrics.request(
            &Method::from_bytes(b"BREW").unwrap(),
            "unmatched",
            StatusCode::NOT_FOUND,
            Duration::ZERO,
        );
        let text = encode(&registry);
        assert!(
            text.contains(r#"starpay_http_requests_total{method="GET",route="/api/v1/me",status="200"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"method="other",route="unmatched",status="404""#));
        assert!(
            text.contains(r#"starpay_http_request_duration_seconds_bucket{le="0.005",route="/api/v1/me"} 1"#)
        );
    }
}
