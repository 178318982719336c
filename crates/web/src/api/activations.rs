//! 激活: codes asked for, reissued, aborted; how an activation stands.

use crate::auth::Caller;
use crate::idempotency::{Answer, Key, created, done};
use crate::input::{Body, Id};
use crate::problem::Problem;
use crate::request_id::Spoken;
use crate::routes::{Access, Routes};
use axum::Json;
use starpay_app::view::{ActivationRequest, ActivationView};
use starpay_domain::id::ActivationId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("activations")
        .add(Access::Key, routes!(request))
        .add(Access::Key, routes!(view))
        .add(Access::Key, routes!(reissue))
        .add(Access::Key, routes!(abort))
}

/// Ask for an activation code
///
/// It goes out by SMS, never in this answer.
#[utoipa::path(post, path = "/api/v1/activations", request_body(content = ActivationRequest, example = json!({"serial": "99990004STAR00000001"})),
    responses((status = 201, description = "The activation.", body = ActivationView)))]
async fn request(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Key(key): Key,
    Body(command): Body<ActivationRequest>,
) -> Result<Answer<ActivationView>, Problem> {
    Ok(created(platform.request_activation(&actor, Some(key), command).await?))
}

/// See an activation
#[utoipa::path(get, path = "/api/v1/activations/{id}", params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The activation.", body = ActivationView)))]
async fn view(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Id(id): Id<ActivationId>,
) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(platform.activation(&actor, id).await?))
}

/// Send a new code
///
/// The old one is void at once.
#[utoipa::path(post, path = "/api/v1/activations/{id}/reissue",
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The activation.", body = ActivationView)))]
async fn reissue(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ActivationId>,
) -> Result<Answer<ActivationView>, Problem> {
    Ok(done(platform.reissue_activation(&actor, Some(key), id).await?))
}

/// Give an activation up
#[utoipa::path(post, path = "/api/v1/activations/{id}/abort",
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The activation.", body = ActivationView)))]
async fn abort(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ActivationId>,
) -> Result<Answer<ActivationView>, Problem> {
    Ok(done(platform.abort_activation(&actor, Some(key), id).await?))
}
