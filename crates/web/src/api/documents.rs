//! 材料: documents of an application, raw bytes in and out.

use crate::Web;
use crate::auth::Caller;
use crate::idempotency::{Answer, Key, created};
use crate::input::{Asking, Id, PartId, Upload};
use crate::problem::Problem;
use crate::routes::{Access, Routes};
use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde::Deserialize;
use starpay_app::view::DocumentView;
use starpay_domain::id::{ApplicationId, DocumentId};
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new("documents").add(Access::Key, routes!(add)).add(Access::Key, routes!(content))
}

/// What the upload is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Kind {
    /// 材料代码, for example `licence`.
    #[param(value_type = String, required = true)]
    kind: Option<String>,
}

/// Upload a document
///
/// The body is the picture itself (JPEG, PNG or WebP, at most 10 MB); its kind of content is read
/// from its bytes. The same picture again is the same document. At most 60 documents and 128 MB in
/// one application, 300 and 512 MB for one merchant.
#[utoipa::path(post, path = "/api/v1/applications/{id}/documents",
    params(("id" = String, Path, description = "`app_…`"), Kind),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "The document.", body = DocumentView)))]
async fn add(
    State(web): State<Web>,
    Caller(actor): Caller,
    Key(key): Key,
    Id(id): Id<ApplicationId>,
    Asking(query): Asking<Kind>,
    Upload(bytes): Upload,
) -> Result<Answer<DocumentView>, Problem> {
    // None at all is refused like a wrong one: with the list of those there are.
    let kind = query.kind.unwrap_or_default();
    Ok(created(web.platform.add_document(&actor, Some(key), id, &kind, bytes).await?))
}

/// A document's content
///
/// For whoever may see the application; a look by staff is recorded.
#[utoipa::path(get, path = "/api/v1/applications/{id}/documents/{document}",
    params(("id" = String, Path, description = "`app_…`"), ("document" = String, Path, description = "`doc_…`")),
    responses((status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/*")))]
async fn content(
    State(web): State<Web>,
    Caller(actor): Caller,
    Id(application): Id<ApplicationId>,
    PartId(document): PartId<DocumentId>,
) -> Result<impl IntoResponse, Problem> {
    let (media_type, bytes) = web.platform.document_content(&actor, application, document).await?;
    Ok(([(header::CONTENT_TYPE, media_type)], bytes))
}
