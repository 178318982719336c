//! `/`: what Starpay is, for whom, and, where a demonstration runs, one merchant's journey live.

use super::PageState;
use super::frame::{Asked, Frame};
use super::journey::Journey;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use starpay_text::{Language, fl};
use std::sync::Arc;

/// The first page.
#[derive(Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// What every page has.
    pub frame: Frame,
    /// The journey in the page's language; `None` when no demonstration runs here.
    pub journey: Option<Journey>,
}

/// `GET /`.
pub(super) async fn show(State(state): State<PageState>, Asked(language): Asked) -> Response {
    page(&state, language, "/")
}

/// `GET /en`: the address to print where a person types it.
pub(super) async fn show_in_english(State(state): State<PageState>) -> Response {
    page(&state, Language::En, "/en")
}

fn page(state: &PageState, language: Language, path: &str) -> Response {
    let frame = Frame::new(state, language, path);
    let journey = state.journey.as_ref().map(|source| {
        let snapshot = Arc::clone(&source.snapshots().borrow());
        Journey::in_words(snapshot.view(), language)
    });
    let page = HomePage { frame, journey };
    page.frame.answer(page.render())
}
