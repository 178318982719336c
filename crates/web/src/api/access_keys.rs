//! Credentials: who the caller is, keys for staff and partners.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, created};
use crate::input::{Body, Id};
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use starpay_app::view::{AccessKeyCreated, AccessKeyView, List, Me, NewAccessKey};
use starpay_domain::id::AccessKeyId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("access_keys")
        .add(Access::Key, routes!(me))
        .add(Access::Key, routes!(list, create))
        .add(Access::Key, routes!(revoke))
}

/// Who the caller is
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, description = "The credential.", body = Me)))]
async fn me(State(web): State<Web>, Caller(actor): Caller) -> Json<Me> {
    Json(web.platform.me(&actor))
}

/// List the keys
///
/// For administrators: keys of staff, partners and integrators, those that are over included.
#[utoipa::path(get, path = "/api/v1/access-keys", params(PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<AccessKeyView>)))]
async fn list(
    State(web): State<Web>,
    Caller(actor): Caller,
    paging: Paging,
) -> Result<Json<List<AccessKeyView>>, Problem> {
    Ok(paging.wrap(web.platform.access_keys(&actor, paging.page()).await?))
}

/// Make a key
///
/// For staff, a carrier, a registry or an integrator. The token is shown once.
#[utoipa::path(post, path = "/api/v1/access-keys", request_body(content = NewAccessKey, example = json!({"role": "warehouse", "label": "Warehouse Shenzhen", "merchant_id": null})),
    responses((status = 201, description = "The key.", body = AccessKeyCreated)))]
async fn create(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Body(command): Body<NewAccessKey>,
) -> Result<Answer<AccessKeyCreated>, Problem> {
    Ok(created(web.platform.create_access_key(&actor, Some(key), command).await?))
}

/// End a key at once
#[utoipa::path(delete, path = "/api/v1/access-keys/{id}", params(("id" = String, Path, description = "`ak_…`")),
    responses((status = 204, description = "Ended.")))]
async fn revoke(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<AccessKeyId>,
) -> Result<StatusCode, Problem> {
    web.platform.revoke_access_key(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
