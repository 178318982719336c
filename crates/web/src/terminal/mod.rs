//! `/terminal/v1`: what terminals say, `docs/protocol/terminal-control.md`.
//!
//! Every request is signed by the device's key, and a step that is done already answers with the
//! present status: neither sessions nor idempotency keys are needed.

mod certificate;
mod commissioning;
mod network;
mod operators;
mod readiness;
mod signed;

use crate::input::{self, Id};
use crate::problem::Problem;
use crate::request_id::Spoken;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use signed::{AskingTerminal, Signed};
use starpay_app::Replayed;
use starpay_app::view::{Claim, Claimed, TerminalStatus};
use starpay_domain::id::ActivationId;
use utoipa_axum::routes;

/// Seconds a waiting terminal sleeps before it asks again.
const ASK_AGAIN_S: i64 = 2;
/// The state in which the merchant is not ready yet.
const WAITING: &str = "waiting";

/// Every route of the terminals' control protocol.
pub(crate) fn routes() -> Routes {
    Routes::new("terminal")
        .add_natural(Access::Device, routes!(claim))
        .add_natural(Access::Device, routes!(current))
        .add_natural(Access::Device, routes!(status))
        .and(readiness::routes())
        .and(commissioning::routes())
        .and(operators::routes())
        .and(certificate::routes())
        .and(network::routes())
}

/// A status; while the merchant is not ready, with the time to ask again.
#[derive(Debug)]
struct Status(TerminalStatus);

impl IntoResponse for Status {
    fn into_response(self) -> Response {
        let waiting = self.0.state == WAITING;
        let mut response = Json(self.0).into_response();
        if waiting {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ASK_AGAIN_S));
        }
        response
    }
}

/// Step 1: show the code
///
/// Signed by the key in its own body. The same claim again answers 200 with the same challenge.
#[utoipa::path(post, path = "/terminal/v1/claims", request_body(content = Claim, example = json!({"code": "7K2M9-QX4TD", "serial": "99990004STAR00000001", "model": "STAR-A1", "firmware": "1.0.0", "sign_key": "MFkwEwYHKoZIzj0CAQYI…", "envelope_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "device_nonce": "AgICAgICAgICAgICAgICAg"})),
    responses((status = 201, description = "Claimed.", body = Claimed), (status = 200, description = "Claimed before.", body = Claimed)))]
async fn claim(Spoken(platform): Spoken, signed: Signed) -> Result<(StatusCode, Json<Claimed>), Problem> {
    let claim: Claim = input::parse(&signed.request.body)?;
    let (claimed, replayed) = platform.claim(&signed.request, claim).await?;
    let status = match replayed {
        Replayed::No => StatusCode::CREATED,
        Replayed::Yes => StatusCode::OK,
    };
    Ok((status, Json(claimed)))
}

/// The activation of the signing key
#[utoipa::path(get, path = "/terminal/v1/activations/current",
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn current(Spoken(platform): Spoken, AskingTerminal(actor): AskingTerminal) -> Result<Status, Problem> {
    Ok(Status(platform.current_activation(&actor).await?))
}

/// How an activation stands
#[utoipa::path(get, path = "/terminal/v1/activations/{id}", params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn status(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    AskingTerminal(actor): AskingTerminal,
) -> Result<Status, Problem> {
    Ok(Status(platform.terminal_status(&actor, id).await?))
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::Value;
    use starpay_app::view;

    fn reads<T: DeserializeOwned>(example: &Value) -> bool {
        crate::input::parse::<T>(example.to_string().as_bytes()).is_ok()
    }

    #[test]
    fn every_example_reads() {
        let document = serde_json::to_value(crate::openapi::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let commands = paths.iter().filter_map(|(path, item)| {
            let content = &item["post"]["requestBody"]["content"]["application/json"];
            (path.starts_with("/terminal/") && !content.is_null()).then_some((path, &content["example"]))
        });
        for (path, example) in commands {
            let step = path.rsplit_once("{id}/").map_or(path.as_str(), |(_, step)| step);
            let fine = match step {
                "/terminal/v1/claims" => reads::<view::Claim>(example),
                "/terminal/v1/certificate-renewal" => reads::<view::CertificateRenewal>(example),
                "/terminal/v1/certificate-renewal/confirm" => reads::<view::CertificateConfirmation>(example),
                "/terminal/v1/operators/verify" => reads::<view::VerifyOperator>(example),
                "identity" => reads::<view::IdentityProof>(example),
                "compatibility" => reads::<view::CompatibilityReport>(example),
                "network" => reads::<view::NetworkReport>(example),
                "location" => reads::<view::LocationReport>(example),
                "backup" => reads::<view::BackupAcknowledgement>(example),
                "keys" => reads::<view::KeyRequest>(example),
                "keys/confirm" => reads::<view::KeyConfirmation>(example),
                "config" => reads::<view::ConfigAcknowledgement>(example),
                "sign-in" => reads::<view::SignIn>(example),
                "pin" => reads::<view::PinSetting>(example),
                "test" => reads::<view::TestCall>(example),
                other => panic!("{other}: say what its example reads as"),
            };
            assert!(fine, "{path}: {example}");
        }
    }
}
