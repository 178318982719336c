//! 运维: work for later, what was given up, and what is overdue.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, done};
use crate::input::{Asking, Id};
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use starpay_app::view::{List, OverdueView, WorkView};
use starpay_app::{WorkQueue, WorkState};
use starpay_domain::id::JobId;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("work")
        .add(Access::Key, routes!(list))
        .add(Access::Key, routes!(revive))
        .add(Access::Key, routes!(overdue))
}

/// Which work.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfWork {
    /// `job` (what we do ourselves, the default) or `outbox` (what is told to others).
    queue: Option<String>,
    /// `dead` (given up: a person has to look, the default) or `waiting`.
    state: Option<String>,
}

impl OfWork {
    fn queue(&self) -> Result<WorkQueue, Problem> {
        let known = self.queue.as_deref().map_or(Some(WorkQueue::Job), WorkQueue::parse);
        known.ok_or_else(|| Problem::malformed("query_invalid").about("queue").choices(&["job", "outbox"]))
    }

    fn state(&self) -> Result<WorkState, Problem> {
        let known = self.state.as_deref().map_or(Some(WorkState::Dead), WorkState::parse);
        known.ok_or_else(|| Problem::malformed("query_invalid").about("state").choices(&["dead", "waiting"]))
    }
}

/// List work for later
///
/// For administrators: what was given up after too many tries, or what waits.
#[utoipa::path(get, path = "/api/v1/work", params(OfWork, PageQuery),
    responses((status = 200, description = "A page, longest due first.", body = List<WorkView>)))]
async fn list(
    State(web): State<Web>,
    Caller(actor): Caller,
    Asking(of): Asking<OfWork>,
    paging: Paging,
) -> Result<Json<List<WorkView>>, Problem> {
    Ok(paging.wrap(web.platform.work_list(&actor, of.queue()?, of.state()?, paging.page()).await?))
}

/// Try given-up work again
///
/// For administrators, once its cause is put right. Who did it stands in the audit chain.
#[utoipa::path(post, path = "/api/v1/work/{id}/revive", params(("id" = String, Path, description = "`job_…`")),
    responses((status = 200, description = "The work, which waits again.", body = WorkView)))]
async fn revive(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<JobId>,
) -> Result<Answer<WorkView>, Problem> {
    Ok(done(web.platform.revive_work(&actor, Some(key), id).await?))
}

/// List what is overdue
///
/// For staff: what should have been done and still waits, with the desk or party it waits for.
#[utoipa::path(get, path = "/api/v1/overdue", params(PageQuery),
    responses((status = 200, description = "A page, longest known first.", body = List<OverdueView>)))]
async fn overdue(
    State(web): State<Web>,
    Caller(actor): Caller,
    paging: Paging,
) -> Result<Json<List<OverdueView>>, Problem> {
    Ok(paging.wrap(web.platform.overdue(&actor, paging.page()).await?))
}
