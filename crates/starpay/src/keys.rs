//! Key rotation and erasure from the command line: through the running server's control port, or
//! over the store itself when none runs.

use crate::Failure;
use crate::control::refusal;
use crate::way::Way;
use crate::wiring::Assembled;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use starpay_app::{Error, ErrorKind, Platform};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_web::{ControlDoor, Kind};

/// Makes a new key-encryption key and wraps every data key under it.
///
/// # Errors
/// The platform's own words.
pub(crate) fn rotate(way: &Way) -> Result<Value, Failure> {
    match way {
        Way::Server(server) => server.call("POST", "/control/v1/rotate-keys", Some(&json!({}))),
        Way::Own(own) => {
            let platform = own.assembled.platform.clone();
            said(own.block_on(async { platform.rotate_keys(&ControlDoor::administrator()).await }))
        }
    }
}

/// Destroys a merchant's data keys.
///
/// # Errors
/// The platform's own words; a usage failure when it is no merchant's id.
pub(crate) fn erase(way: &Way, merchant: &str) -> Result<Value, Failure> {
    let id = MerchantId::parse(merchant).ok_or_else(|| {
        Failure::usage(format!("{merchant:?} is not a merchant's id")).remedy("ids look like mer_0190…")
    })?;
    match way {
        Way::Server(server) => {
            server.call("POST", &format!("/control/v1/erase-merchant/{id}"), Some(&json!({})))
        }
        Way::Own(own) => {
            let platform = own.assembled.platform.clone();
            said(own.block_on(async { platform.erase_merchant(&ControlDoor::administrator(), id).await }))
        }
    }
}

fn said<T: Serialize>(result: Result<T, Error>) -> Result<Value, Failure> {
    match result {
        Ok(report) => serde_json::to_value(report).map_err(|error| Failure::failed(error.to_string())),
        Err(error) => Err(refusal(&in_words(&error))),
    }
}

fn in_words(error: &Error) -> Value {
    let said = starpay_text::error(starpay_text::Language::En, error.code);
    let detail = error.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let message = said.as_ref().map_or(error.code, |said| said.message.as_str());
    json!({"error": {
        "code": error.code,
        "message": format!("{message}{detail}"),
        "field": error.field,
        "remedy": said.as_ref().map(|said| said.remedy.as_str()),
    }})
}

/// What the control port offers about keys.
pub(crate) fn router(assembled: &Assembled) -> Router {
    Router::new()
        .route("/control/v1/rotate-keys", post(serve_rotation))
        .route("/control/v1/erase-merchant/{id}", post(serve_erasure))
        .with_state(assembled.platform.clone())
}

async fn serve_rotation(
    State(platform): State<Platform>,
    Extension(door): Extension<ControlDoor>,
    headers: HeaderMap,
) -> Response {
    if !opened(&door, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    answer(platform.rotate_keys(&ControlDoor::administrator()).await)
}

async fn serve_erasure(
    State(platform): State<Platform>,
    Extension(door): Extension<ControlDoor>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if !opened(&door, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let erased = match MerchantId::parse(&id) {
        Some(id) => platform.erase_merchant(&ControlDoor::administrator(), id).await,
        None => Err(Error::not_found()),
    };
    answer(erased)
}

fn opened(door: &ControlDoor, headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| door.opens_to(token))
}

fn answer<T: Serialize>(result: Result<T, Error>) -> Response {
    match result {
        Ok(report) => Json(report).into_response(),
        Err(error) => {
            if error.kind == ErrorKind::Internal {
                tracing::error!(%error, detail = error.detail, "a control request failed");
            }
            (Kind::App(error.kind).status(), Json(in_words(&error))).into_response()
        }
    }
}
