//! `GET /journey/events`: the journey as server-sent events.
//!
//! Each event carries the changed parts of the page as HTML in the visitor's language; the module
//! `assets/journey.js` puts them in place. Without script a plain reload shows the same.

use super::PageState;
use super::frame::Asked;
use super::journey::Snapshot;
use crate::server::Stopping;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use http::StatusCode;
use http::header::RETRY_AFTER;
use starpay_text::Language;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

/// Between two events to one visitor; changes in between are shown together.
const PAUSE: Duration = Duration::from_millis(150);
/// A comment line this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Watching {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    language: Language,
    began: bool,
    _place: OwnedSemaphorePermit,
}

/// `GET /journey/events`.
pub(super) async fn events(
    State(state): State<PageState>,
    Asked(language): Asked,
    stopping: Option<Extension<Stopping>>,
) -> Response {
    let Some(source) = state.journey else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(place) = Arc::clone(&state.streams).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "10")]).into_response();
    };
    let watching = Watching { snapshots: source.snapshots(), language, began: false, _place: place };
    // A stop waits for requests under way, and this one would never end by itself.
    let stop = stopping.map_or_else(CancellationToken::new, |Extension(Stopping(stop))| stop);
    let stream = stream_of(watching).take_until(stop.cancelled_owned());
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// The present state at once, then one event after each change, until the source goes away.
fn stream_of(watching: Watching) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watching, |mut watching| async move {
        if watching.began {
            tokio::time::sleep(PAUSE).await;
            watching.snapshots.changed().await.ok()?;
        }
        let snapshot = Arc::clone(&watching.snapshots.borrow_and_update());
        watching.began = true;
        let html = snapshot.parts(watching.language)?;
        let event = Event::default().event("journey").id(snapshot.version().to_string()).data(html);
        Some((Ok(event), watching))
    })
    .fuse()
}
