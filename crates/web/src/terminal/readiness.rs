//! Steps 2 to 6: identity, compatibility, network, place, backup.

use super::Status;
use super::signed::{AskingTerminal, Terminal};
use crate::Web;
use crate::input::Id;
use crate::problem::Problem;
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
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/identity", request_body = IdentityProof,
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn identity(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<IdentityProof>,
) -> Result<Status, Problem> {
    Ok(Status(web.platform.prove_identity(&actor, id, command).await?))
}

/// Step 3: report model and software
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/compatibility", request_body = CompatibilityReport,
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn compatibility(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<CompatibilityReport>,
) -> Result<Status, Problem> {
    Ok(Status(web.platform.report_compatibility(&actor, id, command).await?))
}

/// Step 4: report the network test
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/network", request_body = NetworkReport,
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn network(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<NetworkReport>,
) -> Result<Status, Problem> {
    Ok(Status(web.platform.report_network(&actor, id, command).await?))
}

/// Step 5: report the place
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/location", request_body = LocationReport,
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn location(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<LocationReport>,
) -> Result<Status, Problem> {
    Ok(Status(web.platform.report_location(&actor, id, command).await?))
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
#[utoipa::path(post, path = "/terminal/v1/activations/{id}/backup", request_body = BackupAcknowledgement,
    params(("id" = String, Path, description = "`act_…`")),
    responses((status = 200, description = "The status.", body = TerminalStatus)))]
async fn backup(
    State(web): State<Web>,
    Id(id): Id<ActivationId>,
    Terminal { actor, command }: Terminal<BackupAcknowledgement>,
) -> Result<Status, Problem> {
    Ok(Status(web.platform.acknowledge_backup(&actor, id, command).await?))
}
