//! `/api/v1`: one file per resource. A handler extracts, calls one use case and maps the answer.

mod access_keys;
mod activations;
mod agreements;
mod answers;
mod applications;
mod audit;
mod contacts;
mod devices;
mod documents;
mod merchants;
pub(crate) mod outbox;
mod registrations;
mod reviews;
mod shipments;
mod system;
mod visits;
mod work;

use crate::problem::Problem;
use crate::routes::Routes;
use serde::Deserialize;
use starpay_domain::id::{ApplicationId, TypedId};
use utoipa::IntoParams;

/// Every route of the API.
pub(crate) fn routes() -> Routes {
    contacts::routes()
        .and(access_keys::routes())
        .and(applications::routes())
        .and(documents::routes())
        .and(reviews::routes())
        .and(visits::routes())
        .and(agreements::routes())
        .and(registrations::routes())
        .and(shipments::routes())
        .and(devices::routes())
        .and(activations::routes())
        .and(merchants::routes())
        .and(answers::routes())
        .and(audit::routes())
        .and(work::routes())
        .and(system::routes())
}

/// The application a list is about, if only one.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfApplication {
    /// Only those of this application, `app_…`.
    application_id: Option<String>,
}

impl OfApplication {
    fn id(&self) -> Result<Option<ApplicationId>, Problem> {
        let unknown = || Problem::malformed("query_invalid").about("application_id");
        self.application_id.as_deref().map(|text| ApplicationId::parse(text).ok_or_else(unknown)).transpose()
    }
}
