//! Steps 7 to 11: keys, configuration, sign-in, PINs, test.

use super::Status;
use super::signed::{AskingTerminal, Terminal};
use crate::Web;
use crate::input::Id;
use crate::problem::Problem;
use crate::request_id::Spoken;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::view::{
    ConfigAcknowledgement, DeviceConfig, KeyConfirmation, KeyRequest, KeyStatement, PinSetting, SignIn,
    TerminalStatus, TestCall,
};
use starpay_domain::id::ActivationId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("terminal")
        .add_natural(Access::Device, routes!(keys))
        .add_natural(Access::Device, routes!(confirm_keys))
        .add_natural(Access::Device, routes!(config, acknowledge_config))
        .add_natural(Access::Device, routes!(sign_in))
        .add_natural(Access::Device, routes!(pin))
        .add_natural(Access::Device, routes!(test))
}

/// Step 7: ask for the keys
///
/// The answer is a signed statement with the keys in an envelope only this terminal opens.
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/keys", request_body(content = KeyRequest, example = json!({"device_nonce": "AgICAgICAgICAgICAgICAg"})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The signed statement.", body = KeyStatement)))]
async fn keys(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<KeyRequest>,
) -> Result<Json<KeyStatement>, Problem> {
    Ok(Json(web.platform.request_keys(&actor, id, command).await?))
}

/// Step 7: the keys are in
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/keys/confirm", request_body(content = KeyConfirmation, example = json!({"key_version": 1, "kcv": "A1B2C3", "certificate_serial": "5f0c1a2b3c4d"})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn confirm_keys(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<KeyConfirmation>,
) -> Result<Status, Problem> {
    Ok(Status(platform.confirm_keys(&actor, id, command).await?))
}

/// Step 8: the configuration
#[utoipa::path(get, path = "/terminal/v1/activations/{id}/config",
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The configuration.", body = DeviceConfig)))]
async fn config(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    AskingTerminal(actor): AskingTerminal,
) -> Result<Json<DeviceConfig>, Problem> {
    Ok(Json(web.platform.device_config(&actor, id).await?))
}

/// Step 8: it is applied
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/config", request_body(content = ConfigAcknowledgement, example = json!({"version": 1, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn acknowledge_config(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<ConfigAcknowledgement>,
) -> Result<Status, Problem> {
    Ok(Status(platform.acknowledge_config(&actor, id, command).await?))
}

/// Step 9: sign in with the keys
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/sign-in", request_body(content = SignIn, example = json!({"key_version": 1, "amount_fen": 0})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn sign_in(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<SignIn>,
) -> Result<Status, Problem> {
    Ok(Status(platform.sign_in(&actor, id, command).await?))
}

/// Step 10: set the operators' PINs
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/pin", request_body(content = PinSetting, example = json!({"operators": [{"number": "01", "role": "manager", "pin": {"enc": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "ct": "c2VhbGVkIGZvciB0aGUgcGxhdGZvcm0"}}]})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn pin(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<PinSetting>,
) -> Result<Status, Problem> {
    Ok(Status(platform.set_pins(&actor, id, command).await?))
}

/// Step 11: report the test call
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/test", request_body(content = TestCall, example = json!({"key_version": 1, "amount_fen": 0, "printed": true})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn test(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<TestCall>,
) -> Result<Status, Problem> {
    Ok(Status(platform.test_call(&actor, id, command).await?))
}
