//! Answers by idempotency key: how a caller resolves an outcome it never heard.

use crate::Web;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::{Path, State};
use starpay_app::view::List;
use starpay_app::{GivenAnswer, IdempotencyKey};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("idempotency").add(Access::Key, routes!(view))
}

/// What was answered under a key
///
/// One row for each use case the key was used with; none means that nothing was done under it, and
/// the request can be sent again with the same key. Answers are kept for 35 days.
#[utoipa::path(get, path = "/api/v1/idempotency/{key}", params(("key" = String, Path, description = "Your key")),
    responses((status = 200, description = "The answers.", body = List<GivenAnswer>)))]
async fn view(
    State(web): State<Web>,
    Caller(actor): Caller,
    Path(key): Path<String>,
) -> Result<Json<List<GivenAnswer>>, Problem> {
    let key = IdempotencyKey::parse(&key)
        .ok_or_else(|| Problem::malformed("idempotency_key_invalid").about("key"))?;
    Ok(Json(List { data: web.platform.answers(&actor, &key).await?, next_cursor: None }))
}
