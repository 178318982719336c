//! 进件: an application from its first draft to the decision.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, created, done};
use crate::input::{Asking, Body, Id, Seen};
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use starpay_app::view::{Appeal, ApplicationView, List, NewApplication, PatchApplication};
use starpay_domain::id::ApplicationId;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("applications")
        .add(Access::Key, routes!(list, start))
        .add(Access::Key, routes!(view, patch))
        .add(Access::Key, routes!(submit))
        .add(Access::Key, routes!(withdraw))
        .add(Access::Key, routes!(appeal))
}

/// Which applications.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those in this state, for example `in_review`.
    state: Option<String>,
}

/// List applications
///
/// A merchant sees its own, staff see all.
#[utoipa::path(get, path = "/api/v1/applications", params(Filter, PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<ApplicationView>)))]
async fn list(
    State(web): State<Web>,
    Caller(actor): Caller,
    Asking(filter): Asking<Filter>,
    paging: Paging,
) -> Result<Json<List<ApplicationView>>, Problem> {
    Ok(paging.wrap(web.platform.applications(&actor, filter.state, paging.page()).await?))
}

/// Start an application
///
/// After one that was withdrawn, refused or ran out, the new one begins with the fields filled in there,
/// as far as they are still good. Pictures and consents are to be given again.
#[utoipa::path(post, path = "/api/v1/applications", request_body(content = NewApplication, example = json!({"subject_type": "sole_proprietor", "business_no": "A-0001"})),
    responses((status = 201, description = "The draft.", body = ApplicationView)))]
async fn start(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(command): Body<NewApplication>,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(created(web.platform.start_application(&actor, Some(key), command).await?))
}

/// See an application
///
/// Personal numbers are masked.
#[utoipa::path(get, path = "/api/v1/applications/{id}", params(("id" = String, Path, description = "`app_…`")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn view(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<ApplicationId>,
) -> Result<Json<ApplicationView>, Problem> {
    Ok(Json(web.platform.application(&actor, id).await?))
}

/// Fill fields in
///
/// All fields are checked first. If one is wrong, none is kept and every wrong one is named.
#[utoipa::path(patch, path = "/api/v1/applications/{id}", request_body(content = PatchApplication, example = json!({"fields": {"licence.uscc": "92440399MA5DEM039F"}})),
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn patch(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
    Body(command): Body<PatchApplication>,
) -> Result<Json<ApplicationView>, Problem> {
    Ok(Json(web.platform.patch_application(&actor, id, seen, command).await?))
}

/// Hand an application in
#[utoipa::path(post, path = "/api/v1/applications/{id}/submit",
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn submit(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.submit_application(&actor, Some(key), id, seen).await?))
}

/// Object to a refusal
///
/// Until the day named with the refusal; somebody else decides.
#[utoipa::path(post, path = "/api/v1/applications/{id}/appeal", request_body(content = Appeal, example = json!({"statement": "The licence was renewed on 1 November; the register shows it now."})),
    params(("id" = String, Path, description = "`app_…`")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn appeal(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Body(command): Body<Appeal>,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.appeal_application(&actor, Some(key), id, command).await?))
}

/// Withdraw an application
///
/// For good: it does not come back, and what was handed in with it (pictures, checks, the visit, an
/// agreement that was offered) counts no more. A new application begins with its fields; pictures and
/// consents are to be given again. The answer says so in `notice`.
#[utoipa::path(post, path = "/api/v1/applications/{id}/withdraw",
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn withdraw(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.withdraw_application(&actor, Some(key), id, seen).await?))
}
