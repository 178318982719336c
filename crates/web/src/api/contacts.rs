//! First contact: a mobile number proves itself and becomes a merchant's owner.

use crate::Web;
use crate::idempotency::OptionalKey;
use crate::input::{Body, Id};
use crate::problem::Problem;
use crate::request_id::Spoken;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use starpay_app::view::{ContactStarted, SessionView, StartContact, VerifyContact};
use starpay_domain::id::ContactId;
use utoipa_axum::routes;

/// Without a key, repeating either does no harm: a new code voids the old one, a code is good once.
pub(super) fn routes() -> Routes {
    Routes::new("contacts")
        .add_natural(Access::Open, routes!(start))
        .add_natural(Access::Open, routes!(verify))
}

/// Ask for a one-time code
///
/// It goes to the mobile number by SMS. The answer is the same whether or not the number is known.
/// Repeated with the same `Idempotency-Key` while the code is good, no second one is sent; with
/// another e-mail address the key is refused (422 `idempotency_mismatch`). Callers are not known
/// here, so a key counts for its mobile number alone: with another number it is another request.
#[utoipa::path(post, path = "/api/v1/contacts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Made by you, to repeat the request if its answer is lost.")),
    request_body(content = StartContact, example = json!({"mobile": "15400000008", "email": "owner@example.test"})),
    responses((status = 201, description = "A code is on its way.", body = ContactStarted)))]
async fn start(
    Spoken(platform): Spoken,
    OptionalKey(key): OptionalKey,
    Body(command): Body<StartContact>,
) -> Result<(StatusCode, Json<ContactStarted>), Problem> {
    Ok((StatusCode::CREATED, Json(platform.start_contact(key, command).await?)))
}

/// Sign in with the code
///
/// A code is good once. The same request with the same `Idempotency-Key` is answered with the same
/// session until the code's time is over.
#[utoipa::path(post, path = "/api/v1/contacts/{id}/verify",
    params(("id" = String, Path, description = "`con_…`"),
        ("Idempotency-Key" = Option<String>, Header, description = "Made by you, hard to guess, to repeat the request if its answer is lost.")),
    request_body(content = VerifyContact, example = json!({"code": "000000"})),
    responses((status = 200, description = "A session; its token is shown once.", body = SessionView)))]
async fn verify(
    State(web): State<Web>,
    Id(id): Id<ContactId>,
    OptionalKey(key): OptionalKey,
    Body(command): Body<VerifyContact>,
) -> Result<Json<SessionView>, Problem> {
    Ok(Json(web.platform.verify_contact(key, id, command).await?))
}
