//! After activation: the terminal renews its certificate.

use super::signed::{Signed, Terminal};
use crate::Web;
use crate::input;
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use starpay_app::view::{CertificateConfirmation, CertificateRenewal, CertificateView, RenewedCertificate};
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("terminal")
        .add_natural(Access::Device, routes!(renew))
        .add_natural(Access::Device, routes!(confirm))
}

/// Renew the certificate
///
/// For a new TLS key. The same key again gets the same certificate. The one in force stays so
/// until the new one is confirmed. Too early is 409 `renewal_not_due` with `Retry-After`; too late
/// is 403 `renewal_over`.
#[utoipa::path(post, path = "/terminal/v1/certificate-renewal", request_body(content = CertificateRenewal, example = json!({"csr": "MIHrMIGSAgEAMB8xHTAbBgNVBAMMFDk5OTkwMDA0U1RBUjAw…"})),
    responses((status = 200, description = "The certificate.", body = RenewedCertificate)))]
async fn renew(
    State(web): State<Web>,
    Terminal { actor, command }: Terminal<CertificateRenewal>,
) -> Result<Json<RenewedCertificate>, Problem> {
    Ok(Json(web.platform.renew_certificate(&actor, command).await?))
}

/// Confirm the new certificate
///
/// From now on it is the one in force and the old one counts no more. Over a connection that shows
/// a certificate this must be the new one.
#[utoipa::path(post, path = "/terminal/v1/certificate-renewal/confirm", request_body(content = CertificateConfirmation, example = json!({"certificate_serial": "5d0c7a3b9e1f42688a41c0de77aa0913"})),
    responses((status = 200, description = "The certificate in force.", body = CertificateView)))]
async fn confirm(State(web): State<Web>, signed: Signed) -> Result<Json<CertificateView>, Problem> {
    let shown = signed.request.certificate.as_ref().map(|shown| shown.serial.clone());
    let (actor, body) = signed.verify(&web).await?;
    let command: CertificateConfirmation = input::parse(&body)?;
    Ok(Json(web.platform.confirm_certificate(&actor, shown, command).await?))
}
