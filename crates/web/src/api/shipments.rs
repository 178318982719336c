//! 发货: from the confirmed address to the parcel in the merchant's hand.

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
use starpay_app::view::{
    AddressConfirmation, HandOver, List, PackShipment, Receipt, ShipmentView, TrackReport,
};
use starpay_domain::id::ShipmentId;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("shipments")
        .add(Access::Key, routes!(list))
        .add(Access::Key, routes!(confirm_address))
        .add(Access::Key, routes!(pack))
        .add(Access::Key, routes!(hand_over))
        .add(Access::Key, routes!(track))
        .add(Access::Key, routes!(receive))
}

/// List shipments
#[utoipa::path(get, path = "/api/v1/shipments", params(OfApplication, PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<ShipmentView>)))]
async fn list(
    State(web): State<Web>,
    Caller(actor): Caller,
    Asking(of): Asking<OfApplication>,
    paging: Paging,
) -> Result<Json<List<ShipmentView>>, Problem> {
    Ok(paging.wrap(web.platform.shipments(&actor, of.id()?, paging.page()).await?))
}

/// Confirm where the parcel goes
#[utoipa::path(post, path = "/api/v1/shipments/{id}/confirm-address", request_body(content = AddressConfirmation, example = json!({"address": null})),
    params(("id" = String, Path, description = "`shp_…`")),
    responses((status = 200, description = "The shipment.", body = ShipmentView)))]
async fn confirm_address(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ShipmentId>,
    Body(command): Body<AddressConfirmation>,
) -> Result<Answer<ShipmentView>, Problem> {
    Ok(done(web.platform.confirm_address(&actor, Some(key), id, command).await?))
}

/// Pack a terminal
///
/// Binds the terminal to the merchant.
#[utoipa::path(post, path = "/api/v1/shipments/{id}/pack", request_body(content = PackShipment, example = json!({"serial": "99990004STAR00000001", "seal": "S-0001"})),
    params(("id" = String, Path, description = "`shp_…`")),
    responses((status = 200, description = "The shipment.", body = ShipmentView)))]
async fn pack(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ShipmentId>,
    Body(command): Body<PackShipment>,
) -> Result<Answer<ShipmentView>, Problem> {
    Ok(done(web.platform.pack_shipment(&actor, Some(key), id, command).await?))
}

/// Hand the parcel over
#[utoipa::path(post, path = "/api/v1/shipments/{id}/hand-over", request_body(content = HandOver, example = json!({"carrier": "sandbox", "tracking_no": null})),
    params(("id" = String, Path, description = "`shp_…`")),
    responses((status = 200, description = "The shipment.", body = ShipmentView)))]
async fn hand_over(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ShipmentId>,
    Body(command): Body<HandOver>,
) -> Result<Answer<ShipmentView>, Problem> {
    Ok(done(web.platform.hand_over_shipment(&actor, Some(key), id, command).await?))
}

/// Report what happened to a parcel
///
/// For carriers.
#[utoipa::path(post, path = "/api/v1/shipments/{id}/track", request_body(content = TrackReport, example = json!({"status": "delivered"})),
    params(("id" = String, Path, description = "`shp_…`")),
    responses((status = 200, description = "The shipment.", body = ShipmentView)))]
async fn track(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ShipmentId>,
    Body(command): Body<TrackReport>,
) -> Result<Answer<ShipmentView>, Problem> {
    Ok(done(web.platform.track_report(&actor, Some(key), id, command).await?))
}

/// Confirm the parcel in hand
///
/// The merchant reads the serial off the terminal and says whether the seal was whole.
#[utoipa::path(post, path = "/api/v1/shipments/{id}/receive", request_body(content = Receipt, example = json!({"serial": "99990004STAR00000001", "seal_intact": true})),
    params(("id" = String, Path, description = "`shp_…`")),
    responses((status = 200, description = "The shipment.", body = ShipmentView)))]
async fn receive(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ShipmentId>,
    Body(command): Body<Receipt>,
) -> Result<Answer<ShipmentView>, Problem> {
    Ok(done(web.platform.confirm_receipt(&actor, Some(key), id, command).await?))
}
