//! Steps 2 to 6: identity, compatibility, network, place, backup.

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
    BackupAcknowledgement, BackupDocument, CompatibilityReport, IdentityProof, LocationReport, NetworkReport,
    TerminalStatus,
};
use starpay_domain::id::ActivationId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("terminal")
        .add_natural(Access::Device, routes!(identity))
        .add_natural(Access::Device, routes!(compatibility))
        .add_natural(Access::Device, routes!(network))
        .add_natural(Access::Device, routes!(location))
        .add_natural(Access::Device, routes!(backup_document, backup))
}

/// Step 2: prove the identity
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/identity", request_body(content = IdentityProof, example = json!({"device_nonce": "AgICAgICAgICAgICAgICAg", "server_nonce": "AgICAgICAgICAgICAgICAg", "challenge": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "csr": "MIIBMjCB2QIBADAfMR0w…", "proof": "mJ5v0b1…"})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn identity(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<IdentityProof>,
) -> Result<Status, Problem> {
    Ok(Status(platform.prove_identity(&actor, id, command).await?))
}

/// Step 3: report model and software
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/compatibility", request_body(content = CompatibilityReport, example = json!({"model": "STAR-A1", "firmware": "1.0.0", "printer": true, "positioning": true, "free_kib": 65536})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn compatibility(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<CompatibilityReport>,
) -> Result<Status, Problem> {
    Ok(Status(platform.report_compatibility(&actor, id, command).await?))
}

/// Step 4: report the network test
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/network", request_body(content = NetworkReport, example = json!({"legs": [{"leg": "resolve", "ok": true, "ms": 3, "detail": ""}, {"leg": "connect", "ok": true, "ms": 12, "detail": ""}, {"leg": "tls", "ok": true, "ms": 25, "detail": ""}, {"leg": "http", "ok": true, "ms": 9, "detail": ""}, {"leg": "clock", "ok": true, "ms": 1, "detail": "offset 40 ms"}, {"leg": "throughput", "ok": true, "ms": 210, "detail": "1.2 MB/s"}]})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn network(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<NetworkReport>,
) -> Result<Status, Problem> {
    Ok(Status(platform.report_network(&actor, id, command).await?))
}

/// Step 5: report the place
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/location", request_body(content = LocationReport, example = json!({"latitude_e6": 22_543_096, "longitude_e6": 114_057_865, "accuracy_m": 12, "source": "gnss"})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn location(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<LocationReport>,
) -> Result<Status, Problem> {
    Ok(Status(platform.report_location(&actor, id, command).await?))
}

/// Step 6: the document to keep
#[utoipa::path(get, path = "/terminal/v1/activations/{id}/backup",
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The document.", body = BackupDocument)))]
async fn backup_document(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    AskingTerminal(actor): AskingTerminal,
) -> Result<Json<BackupDocument>, Problem> {
    Ok(Json(web.platform.backup_document(&actor, id).await?))
}

/// Step 6: it is kept
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/backup", request_body(content = BackupAcknowledgement, example = json!({"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn backup(
    Spoken(platform): Spoken,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<BackupAcknowledgement>,
) -> Result<Status, Problem> {
    Ok(Status(platform.acknowledge_backup(&actor, id, command).await?))
}
