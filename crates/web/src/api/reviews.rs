//! 审核: the review desk's decisions.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, done};
use crate::input::{Body, Id, Seen};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::extract::State;
use starpay_app::view::{ApplicationView, InfoRequest, List, RegistrationView, Rejection};
use starpay_domain::id::ApplicationId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("reviews")
        .add(Access::Key, routes!(claim))
        .add(Access::Key, routes!(approve))
        .add(Access::Key, routes!(reject))
        .add(Access::Key, routes!(request_info))
        .add(Access::Key, routes!(report))
        .add(Access::Key, routes!(reconsider))
        .add(Access::Key, routes!(uphold))
        .add(Access::Key, routes!(unfreeze))
}

/// Take an application to review
#[utoipa::path(post, path = "/api/v1/applications/{id}/claim", params(("id" = String, Path, description = "`app_…`")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn claim(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.claim_application(&actor, Some(key), id).await?))
}

/// Approve
///
/// Whoever collected or handed in the material cannot.
#[utoipa::path(post, path = "/api/v1/applications/{id}/approve",
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn approve(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.approve_application(&actor, Some(key), id, seen).await?))
}

/// Reject
#[utoipa::path(post, path = "/api/v1/applications/{id}/reject", request_body(content = Rejection, example = json!({"reasons": ["D401"]})),
    params(("id" = String, Path, description = "`app_…`")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn reject(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Body(command): Body<Rejection>,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.reject_application(&actor, Some(key), id, command).await?))
}

/// Report again
///
/// After a channel refused the merchant and what it named has been put right with it.
#[utoipa::path(post, path = "/api/v1/applications/{id}/report", params(("id" = String, Path, description = "`app_…`")),
    responses((status = 200, description = "The registrations, which are sent again.", body = List<RegistrationView>)))]
async fn report(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
) -> Result<Answer<List<RegistrationView>>, Problem> {
    Ok(done(web.platform.report_again(&actor, Some(key), id).await?))
}

/// Ask the merchant for more
///
/// Only the fields and documents named open again.
#[utoipa::path(post, path = "/api/v1/applications/{id}/request-info", request_body(content = InfoRequest, example = json!({"fields": ["licence.uscc"], "reasons": ["A101"]})),
    params(("id" = String, Path, description = "`app_…`")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn request_info(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Body(command): Body<InfoRequest>,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.request_info(&actor, Some(key), id, command).await?))
}

/// Accept an appeal
///
/// The application is reviewed again. Not by whoever refused it.
#[utoipa::path(post, path = "/api/v1/applications/{id}/reconsider",
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn reconsider(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.reconsider_application(&actor, Some(key), id, seen).await?))
}

/// Uphold a refusal
///
/// The appeal is refused. Not by whoever refused the application.
#[utoipa::path(post, path = "/api/v1/applications/{id}/uphold",
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn uphold(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.uphold_application(&actor, Some(key), id, seen).await?))
}

/// Unfreeze
///
/// The duplicate was cleared up: the application is checked anew. What it was frozen for does not
/// freeze it again: whoever unfreezes it lets that pass, and it is recorded. Another finding does.
#[utoipa::path(post, path = "/api/v1/applications/{id}/unfreeze",
    params(("id" = String, Path, description = "`app_…`"),
        ("If-Match" = Option<String>, Header, description = "The version you saw, as `\"3\"`.")),
    responses((status = 200, description = "The application.", body = ApplicationView)))]
async fn unfreeze(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Seen(seen): Seen,
) -> Result<Answer<ApplicationView>, Problem> {
    Ok(done(web.platform.unfreeze_application(&actor, Some(key), id, seen).await?))
}
