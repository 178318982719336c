//! What the terminal's network test asks: unsigned, because it comes before trust.

use crate::Web;
use crate::input::Asking;
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// Bytes of one blob at most.
const BLOB_BYTES_MAX: usize = 256 * 1024;
/// What blobs are cut from: nothing a proxy could make smaller is gained by making it random.
static BLOB: [u8; BLOB_BYTES_MAX] = [0x5a; BLOB_BYTES_MAX];

pub(super) fn routes() -> Routes {
    Routes::new("terminal").add(Access::Open, routes!(echo)).add(Access::Open, routes!(blob))
}

/// The platform's time.
#[derive(Debug, Serialize, ToSchema)]
struct Echo {
    /// RFC 3339.
    #[schema(example = "2026-11-23T02:00:00Z")]
    time: String,
}

/// How much.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Bytes, at most 262144.
    #[param(maximum = 262_144)]
    bytes: usize,
}

/// The platform's time
#[utoipa::path(get, path = "/terminal/v1/network/echo",
    responses((status = 200, description = "The time.", body = Echo)))]
async fn echo(State(web): State<Web>) -> Json<Echo> {
    Json(Echo { time: web.platform.now().to_string() })
}

/// Bytes to measure throughput with
#[utoipa::path(get, path = "/terminal/v1/network/blob", params(Wanted),
    responses((status = 200, description = "So many bytes.", body = Vec<u8>, content_type = "application/octet-stream")))]
async fn blob(Asking(wanted): Asking<Wanted>) -> Result<impl IntoResponse, Problem> {
    let bytes = BLOB.get(..wanted.bytes).ok_or_else(|| Problem::malformed("query_invalid").about("bytes"))?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], Bytes::from_static(bytes)))
}
