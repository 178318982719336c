//! 受理协议: what the legal representative reads and signs.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, done};
use crate::input::{Body, Id};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::view::{AgreementView, ContactStarted, SignCode};
use starpay_domain::id::AgreementId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("agreements")
        .add(Access::Key, routes!(current))
        .add(Access::Key, routes!(view))
        .add(Access::Key, routes!(send_code))
        .add(Access::Key, routes!(sign))
}

/// The agreement a signing pass is for
#[utoipa::path(get, path = "/api/v1/agreements/current",
    responses((status = 200, description = "The agreement with its text.", body = AgreementView)))]
async fn current(State(web): State<Web>, Caller(actor): Caller) -> Result<Json<AgreementView>, Problem> {
    Ok(Json(web.platform.current_agreement(&actor).await?))
}

/// See an agreement
#[utoipa::path(get, path = "/api/v1/agreements/{id}", params(("id" = String, Path, description = "`agr_…`")),
    responses((status = 200, description = "The agreement with its text.", body = AgreementView)))]
async fn view(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(id): Id<AgreementId>,
) -> Result<Json<AgreementView>, Problem> {
    Ok(Json(web.platform.agreement(&actor, id).await?))
}

/// Ask for the signing code
///
/// It goes to the signer's mobile number by SMS.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/sign-code",
    params(("id" = String, Path, description = "`agr_…`")),
    responses((status = 200, description = "A code is on its way.", body = ContactStarted)))]
async fn send_code(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<AgreementId>,
) -> Result<Answer<ContactStarted>, Problem> {
    Ok(done(web.platform.send_sign_code(&actor, Some(key), id).await?))
}

/// Sign with the code
///
/// What is signed is the text whose hash is given: the one that was read.
#[utoipa::path(post, path = "/api/v1/agreements/{id}/sign", request_body(content = SignCode, example = json!({"code": "000000", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    params(("id" = String, Path, description = "`agr_…`")),
    responses((status = 200, description = "The signed agreement.", body = AgreementView)))]
async fn sign(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<AgreementId>,
    Body(command): Body<SignCode>,
) -> Result<Answer<AgreementView>, Problem> {
    Ok(done(web.platform.sign_agreement(&actor, Some(key), id, command).await?))
}
