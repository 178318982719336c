//! 审计: is everything as it was written?

use crate::Web;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::ChainReport;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("audit").add(Access::Key, routes!(chain))
}

/// Verify every event chain against the signed roots
///
/// Names what was changed, cut off or removed. Reads everything: minutes on a large platform.
#[utoipa::path(get, path = "/api/v1/audit/chain",
    responses((status = 200, description = "What was found.", body = ChainReport)))]
async fn chain(State(web): State<Web>, Caller(actor): Caller) -> Result<Json<ChainReport>, Problem> {
    Ok(Json(web.platform.verify_chain(&actor).await?))
}
