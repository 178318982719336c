//! 审计: is everything as it was written?

use crate::Web;
use crate::auth::Caller;
use crate::input::Asking;
use crate::paging::{PageQuery, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use starpay_app::view::List;
use starpay_app::{ChainReport, FileCheck, FileKind};
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("audit").add(Access::Key, routes!(chain)).add(Access::Key, routes!(files))
}

/// Verify every event chain against the signed roots
///
/// Names what was changed, cut off or removed, and rows that are not as their last event left them. Reads everything:
/// minutes on a large platform.
#[utoipa::path(get, path = "/api/v1/audit/chain",
    responses((status = 200, description = "What was found.", body = ChainReport)))]
async fn chain(State(web): State<Web>, Caller(actor): Caller) -> Result<Json<ChainReport>, Problem> {
    Ok(Json(web.platform.verify_chain(&actor).await?))
}

/// Which files.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfFiles {
    /// `document` (what merchants uploaded, the default) or `agreement` (what they signed).
    kind: Option<String>,
}

impl OfFiles {
    fn kind(&self) -> Result<FileKind, Problem> {
        let known = self.kind.as_deref().map_or(Some(FileKind::Document), FileKind::parse);
        known.ok_or_else(|| {
            Problem::malformed("query_invalid").about("kind").choices(&["document", "agreement"])
        })
    }
}

/// Verify the files that the records name
///
/// For administrators: opens each one and holds it against its record.
#[utoipa::path(get, path = "/api/v1/audit/files", params(OfFiles, PageQuery),
    responses((status = 200, description = "A page, oldest first.", body = List<FileCheck>)))]
async fn files(
    State(web): State<Web>,
    Caller(actor): Caller,
    Asking(of): Asking<OfFiles>,
    paging: Paging,
) -> Result<Json<List<FileCheck>>, Problem> {
    Ok(paging.wrap(web.platform.verify_files(&actor, of.kind()?, paging.page()).await?))
}
