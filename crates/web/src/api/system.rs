//! About the platform itself: error codes, health, metrics.

use crate::Web;
use crate::auth::Caller;
use crate::health::{Live, Ready};
use crate::metrics;
use crate::problem::{Advice, Problem};
use crate::request_id::language_of;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode, header};
use starpay_app::Action;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("system")
        .add(Access::Open, routes!(error_code))
        .add(Access::Open, routes!(healthz))
        .add(Access::Open, routes!(readyz))
        .add(Access::Key, routes!(metrics))
}

/// What an error code means
///
/// In the language of `Accept-Language`. Every refusal names this address in `doc`.
#[utoipa::path(get, path = "/api/v1/errors/{code}", params(("code" = String, Path, description = "Error code")),
    responses((status = 200, description = "Its meaning.", body = Advice)))]
async fn error_code(Path(code): Path<String>, headers: HeaderMap) -> Result<Json<Advice>, Problem> {
    let language = language_of(&headers);
    Advice::of(language, &code).map(Json).ok_or_else(|| Problem::not_found().about("code"))
}

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It does.", body = Live)))]
async fn healthz() -> Json<Live> {
    Json(Live { status: "live" })
}

/// Whether the platform can serve
#[utoipa::path(get, path = "/readyz",
    responses((status = 200, description = "It can.", body = Ready), (status = 503, description = "Not now.", body = Ready)))]
async fn readyz(State(web): State<Web>) -> impl IntoResponse {
    let ready = Ready::of(web.platform.health().await);
    let status = if ready.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ready))
}

/// Metrics in the OpenMetrics text form
///
/// For administrators' keys: give the scraper one of its own as its bearer token.
#[utoipa::path(get, path = "/metrics",
    responses((status = 200, description = "Every metric.", body = String, content_type = "application/openmetrics-text")))]
async fn metrics(State(web): State<Web>, Caller(actor): Caller) -> Result<impl IntoResponse, Problem> {
    actor.may(Action::Administer)?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::encode(&web.registry)))
}
