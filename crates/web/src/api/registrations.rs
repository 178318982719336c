//! 报送/入网: registrations and the registries' answers.

use super::OfApplication;
use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, done};
use crate::input::{Asking, Body, Id};
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::view::{List, RegistrationResult, RegistrationView};
use starpay_domain::id::RegistrationId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("registrations").add(Access::Key, routes!(list)).add(Access::Key, routes!(answer))
}

/// List registrations
#[utoipa::path(get, path = "/api/v1/registrations", params(OfApplication, PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<RegistrationView>)))]
async fn list(
    State(web): State<Web>,
    Caller(actor): Caller,
    Asking(of): Asking<OfApplication>,
    paging: Paging,
) -> Result<Json<List<RegistrationView>>, Problem> {
    Ok(paging.wrap(web.platform.registrations(&actor, of.id()?, paging.page()).await?))
}

/// Answer a registration
///
/// For registries: registered with its numbers, or refused with the field to correct.
#[utoipa::path(post, path = "/api/v1/registrations/{id}/answer", request_body(content = RegistrationResult, example = json!({"result": "registered", "network_ref": "NET-0001", "merchant_no": "899440358120001", "terminal_no": "10000001"})),
    params(("id" = String, Path, description = "`reg_…`")),
    responses((status = 200, description = "The registration.", body = RegistrationView)))]
async fn answer(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<RegistrationId>,
    Body(command): Body<RegistrationResult>,
) -> Result<Answer<RegistrationView>, Problem> {
    Ok(done(web.platform.answer_registration(&actor, Some(key), id, command).await?))
}
