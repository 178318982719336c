//! First contact: a mobile number proves itself and becomes a merchant's owner.

use crate::Web;
use crate::input::{Body, Id};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use crate::server::AskedFrom;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use starpay_app::view::{ContactStarted, SessionView, StartContact, VerifyContact};
use starpay_domain::id::ContactId;
use utoipa_axum::routes;

/// Repeating either does no harm: a new code voids the old one, a code is good once.
pub(super) fn routes() -> Routes {
    Routes::new("contacts")
        .add_natural(Access::Open, routes!(start))
        .add_natural(Access::Open, routes!(verify))
}

/// Ask for a one-time code
///
/// It goes to the mobile number by SMS. The answer is the same whether or not the number is known.
#[utoipa::path(post, path = "/api/v1/contacts", request_body(content = StartContact, example = json!({"mobile": "15400000001", "email": "lin@example.test"})),
    responses((status = 201, description = "A code is on its way.", body = ContactStarted)))]
async fn start(
    State(web): State<Web>,
    AskedFrom(address): AskedFrom,
    Body(command): Body<StartContact>,
) -> Result<(StatusCode, Json<ContactStarted>), Problem> {
    Ok((StatusCode::CREATED, Json(web.platform.start_contact(command, address).await?)))
}

/// Sign in with the code
#[utoipa::path(post, path = "/api/v1/contacts/{id}/verify", params(("id" = String, Path, description = "`con_…`")),
    request_body(content = VerifyContact, example = json!({"code": "000000"})),
    responses((status = 200, description = "A session; its token is shown once.", body = SessionView)))]
async fn verify(
    State(web): State<Web>,
    Id(id): Id<ContactId>,
    Body(command): Body<VerifyContact>,
) -> Result<Json<SessionView>, Problem> {
    Ok(Json(web.platform.verify_contact(id, command).await?))
}
