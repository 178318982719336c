//! 商户: why not yet, and what happened so far.

use crate::Web;
use crate::auth::Caller;
use crate::input::Id;
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::request_id::language_of;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use starpay_app::view::{EventView, List, LookView, RequirementsView};
use starpay_domain::id::MerchantId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("merchants")
        .add(Access::Key, routes!(requirements))
        .add(Access::Key, routes!(timeline))
        .add(Access::Key, routes!(looks))
}

/// Why not yet?
///
/// What is still missing for each capability: who must act, what to do, by when, and how long it
/// usually takes. In the language of `Accept-Language`.
#[utoipa::path(get, path = "/api/v1/merchants/{id}/requirements",
    params(("id" = String, Path, description = "`mer_…`")),
    responses((status = 200, description = "The open requirements.", body = RequirementsView)))]
async fn requirements(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<MerchantId>,
    headers: HeaderMap,
) -> Result<Json<RequirementsView>, Problem> {
    Ok(Json(web.platform.requirements(&actor, id, language_of(&headers)).await?))
}

/// What happened so far
#[utoipa::path(get, path = "/api/v1/merchants/{id}/timeline",
    params(("id" = String, Path, description = "`mer_…`"), PageQuery),
    responses((status = 200, description = "A page of events, oldest first.", body = List<EventView>)))]
async fn timeline(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<MerchantId>,
    paging: Paging,
) -> Result<Json<List<EventView>>, Problem> {
    Ok(paging.wrap(web.platform.timeline(&actor, id, paging.page()).await?))
}

/// Who looked at personal data?
///
/// For administrators: which staff and partners were shown personal data of the merchant, what, when
/// and by which request. The same look again within ten minutes stands once. Looks are kept as long as
/// the records they are about, ten years, also when the merchant is erased.
#[utoipa::path(get, path = "/api/v1/merchants/{id}/looks",
    params(("id" = String, Path, description = "`mer_…`"), PageQuery),
    responses((status = 200, description = "A page of looks, oldest first.", body = List<LookView>)))]
async fn looks(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<MerchantId>,
    paging: Paging,
) -> Result<Json<List<LookView>>, Problem> {
    Ok(paging.wrap(web.platform.looks(&actor, id, paging.page()).await?))
}
