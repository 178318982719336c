//! What speaks HTTP: the JSON API, the terminals' control protocol, pages, health and metrics.
//!
//! Thin over `starpay-app`: a handler extracts, calls one use case and maps the answer. No SQL, no
//! business decision, no secret in a log or a label. Start reading at [`router`], then
//! [`routes`] (how a route is declared) and [`problem`] (the one form of every refusal).

mod api;
mod auth;
mod connection;
mod health;
mod idempotency;
mod input;
mod metrics;
pub mod openapi;
pub mod page;
mod paging;
mod problem;
mod query;
mod request_id;
mod routes;
mod security;
pub mod server;
mod terminal;
pub mod tls;
mod wording;

pub use auth::ControlDoor;
pub use metrics::Metrics;
pub use problem::{ErrorBody, ErrorObject, Kind, Problem};
pub use request_id::{RequestId, RequestIds};
pub use routes::{Access, Door};
pub use security::{DATA_POLICY, PAGE_POLICY};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use prometheus_client::registry::Registry;
use starpay_app::Platform;
use std::sync::Arc;

/// What handlers share.
#[derive(Clone)]
pub struct Web {
    /// The use cases.
    pub platform: Platform,
    /// Every metric of this process, for `/metrics`.
    pub registry: Arc<Registry>,
}

/// What the outermost layer needs besides the platform.
pub struct Telemetry {
    /// Names requests.
    pub ids: RequestIds,
    /// Counts requests.
    pub metrics: Metrics,
    /// Every metric of this process.
    pub registry: Arc<Registry>,
}

/// No pages: what no route answers is refused in the form for programs.
pub fn without_pages() -> Router<Web> {
    Router::new().fallback(request_id::no_such_path)
}

/// The whole site: API, terminals, health, metrics and the pages handed in, whose fallback answers
/// what no route answers.
pub fn router(platform: Platform, telemetry: Telemetry, pages: Router<Web>) -> Router {
    let Telemetry { ids, metrics, registry } = telemetry;
    let observer = request_id::Observer { ids, metrics, platform: platform.clone() };
    let bare = from_fn_with_state(Arc::new(query::Known::default()), query::refuse_unknown);
    api::routes()
        .and(terminal::routes())
        .into_router()
        .route("/api/openapi.json", get(openapi::serve).route_layer(bare.clone()))
        .route("/dev/outbox.json", get(api::outbox::list).route_layer(bare))
        .merge(pages)
        .method_not_allowed_fallback(request_id::no_such_method)
        .layer(from_fn(security::headers))
        .layer(from_fn_with_state(observer, request_id::observe))
        .with_state(Web { platform, registry })
}
