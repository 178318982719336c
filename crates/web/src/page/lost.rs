//! The page for an address that leads nowhere. A program that asked gets the refusal in its own form.

use super::PageState;
use super::frame::{Asked, Frame};
use crate::request_id::no_such_path;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use starpay_text::{Language, fl};

/// The page.
#[derive(Template)]
#[template(path = "lost.html")]
pub(super) struct LostPage {
    /// What every page has.
    frame: Frame,
    /// What happened.
    message: String,
    /// What to do next.
    remedy: String,
}

/// Answers whatever no route answers.
pub(super) async fn show(
    State(state): State<PageState>,
    Asked(language): Asked,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let reader = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"));
    let data = ["/api/", "/terminal/"].iter().any(|place| uri.path().starts_with(place));
    let (true, false, Method::GET, Some(advice)) =
        (reader, data, method, starpay_text::error(language, "not_found"))
    else {
        return no_such_path().await.into_response();
    };
    // The language switch leads home: the address asked for may be anything.
    let frame = Frame::new(&state, language, "/");
    let page = LostPage { frame, message: advice.message, remedy: advice.remedy };
    (StatusCode::NOT_FOUND, page.frame.answer(page.render())).into_response()
}
