//! The sandbox's outbox for programs: what the page `/dev/outbox` shows people. Not part of the
//! API: a live deployment answers 404.

use crate::Web;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use starpay_app::DevMessage;
use starpay_app::view::List;

/// `GET /dev/outbox.json`: the newest messages, oldest first, in clear.
pub(crate) async fn list(State(web): State<Web>) -> Result<Json<List<DevMessage>>, Problem> {
    Ok(Json(List { data: web.platform.dev_outbox().await?, next_cursor: None }))
}
