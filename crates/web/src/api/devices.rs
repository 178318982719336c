//! 终端设备: taken into stock, looked up.

use crate::auth::Caller;
use crate::idempotency::{Answer, Key, created, done};
use crate::input::{Body, Id};
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::request_id::Spoken;
use crate::routes::{Access, Routes};
use axum::Json;
use starpay_app::view::{CertificateRecall, DeviceView, List, NewDevice};
use starpay_domain::id::DeviceId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("devices")
        .add(Access::Key, routes!(list, stock))
        .add(Access::Key, routes!(view))
        .add(Access::Key, routes!(recall_certificate))
}

/// List devices
///
/// A merchant sees the terminals bound to it, staff see all.
#[utoipa::path(get, path = "/api/v1/devices", params(PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<DeviceView>)))]
async fn list(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    paging: Paging,
) -> Result<Json<List<DeviceView>>, Problem> {
    Ok(paging.wrap(platform.devices(&actor, paging.page()).await?))
}

/// Take a terminal into stock
#[utoipa::path(post, path = "/api/v1/devices", request_body(content = NewDevice, example = json!({"serial": "99990004STAR00000001", "model": "STAR-A1"})),
    responses((status = 201, description = "The terminal.", body = DeviceView)))]
async fn stock(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Key(key): Key,
    Body(command): Body<NewDevice>,
) -> Result<Answer<DeviceView>, Problem> {
    Ok(created(platform.stock_device(&actor, Some(key), command).await?))
}

/// See a device
#[utoipa::path(get, path = "/api/v1/devices/{id}", params(("id" = String, Path, description = "`dev_…`")),
    responses((status = 200, description = "The terminal.", body = DeviceView)))]
async fn view(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Id(id): Id<DeviceId>,
) -> Result<Json<DeviceView>, Problem> {
    Ok(Json(platform.device(&actor, id).await?))
}

/// Recall a terminal's certificate
///
/// For a key that others may know. It opens no connection from this moment; the terminal renews it
/// with a new key as soon as it asks for its status.
#[utoipa::path(post, path = "/api/v1/devices/{id}/certificate-recall", params(("id" = String, Path, description = "`dev_…`")),
    request_body(content = CertificateRecall, example = json!({"reason": "the memory of the terminal was read out in the workshop"})),
    responses((status = 200, description = "The terminal.", body = DeviceView)))]
async fn recall_certificate(
    Spoken(platform): Spoken,
    Caller(actor): Caller,
    Id(id): Id<DeviceId>,
    Key(key): Key,
    Body(command): Body<CertificateRecall>,
) -> Result<Answer<DeviceView>, Problem> {
    Ok(done(platform.recall_certificate(&actor, Some(key), id, command).await?))
}
