//! After activation: operators prove their PINs.

use super::signed::Terminal;
use crate::Web;
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::view::{PinVerification, VerifyOperator};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("terminal").add_natural(Access::Device, routes!(verify))
}

/// Check an operator's PIN
///
/// A wrong one is 401 `pin_wrong` with the tries left, too many are 423 `operator_locked`.
#[utoipa::path(post, path = "/terminal/v1/operators/verify", request_body(content = VerifyOperator, example = json!({"number": "01", "pin": {"enc": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "ct": "c2VhbGVkIGZvciB0aGUgcGxhdGZvcm0"}})),
    responses((status = 200, description = "It is right.", body = PinVerification)))]
async fn verify(
    State(web): State<Web>,
    Terminal { actor, command }: Terminal<VerifyOperator>,
) -> Result<Json<PinVerification>, Problem> {
    Ok(Json(web.platform.verify_operator(&actor, command).await?))
}
