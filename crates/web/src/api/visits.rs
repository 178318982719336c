//! 现场核实: the visits of the field verifier.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, done};
use crate::input::{Asking, Body, Id};
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::view::{BookVisit, FinishVisit, List, VisitView};
use starpay_domain::id::VisitId;
use utoipa_axum::routes;

use super::OfApplication;

pub(super) fn routes() -> Routes {
    Routes::new("visits")
        .add(Access::Key, routes!(list))
        .add(Access::Key, routes!(book))
        .add(Access::Key, routes!(start))
        .add(Access::Key, routes!(finish))
}

/// List visits
#[utoipa::path(get, path = "/api/v1/visits", params(OfApplication, PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<VisitView>)))]
async fn list(
    State(web): State<Web>,
    Caller(actor): Caller,
    Asking(of): Asking<OfApplication>,
    paging: Paging,
) -> Result<Json<List<VisitView>>, Problem> {
    Ok(paging.wrap(web.platform.visits(&actor, of.id()?, paging.page()).await?))
}

/// Choose a time
#[utoipa::path(post, path = "/api/v1/visits/{id}/book", request_body(content = BookVisit, example = json!({"from": "2026-11-24T01:00:00Z", "until": "2026-11-24T03:00:00Z"})),
    params(("id" = String, Path, description = "`vis_…`")),
    responses((status = 200, description = "The visit.", body = VisitView)))]
async fn book(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<VisitId>,
    Body(command): Body<BookVisit>,
) -> Result<Answer<VisitView>, Problem> {
    Ok(done(web.platform.book_visit(&actor, Some(key), id, command).await?))
}

/// Arrive
#[utoipa::path(post, path = "/api/v1/visits/{id}/start", params(("id" = String, Path, description = "`vis_…`")),
    responses((status = 200, description = "The visit.", body = VisitView)))]
async fn start(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<VisitId>,
) -> Result<Answer<VisitView>, Problem> {
    Ok(done(web.platform.start_visit(&actor, Some(key), id).await?))
}

/// Say what was found
#[utoipa::path(post, path = "/api/v1/visits/{id}/finish", request_body(content = FinishVisit, example = json!({"result": "pass", "latitude_e6": 22_543_096, "longitude_e6": 114_057_865, "risk_notice_confirmed": true})),
    params(("id" = String, Path, description = "`vis_…`")),
    responses((status = 200, description = "The visit.", body = VisitView)))]
async fn finish(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<VisitId>,
    Body(command): Body<FinishVisit>,
) -> Result<Answer<VisitView>, Problem> {
    Ok(done(web.platform.finish_visit(&actor, Some(key), id, command).await?))
}
