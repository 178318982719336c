//! The pages people read: server-rendered, zh-CN first, working without script.
//!
//! What every page shares:
//!
//! * [`Frame`]: language, deployment, the licensed institution, the sandbox mark;
//!   `templates/_layout.html` draws it, `templates/_parts.html` holds the pieces pages are built from.
//! * [`asset`]: two style sheets (`tokens.css`, the only place where a colour is written, and
//!   `base.css`) and one small ES module a page needs, served under names that carry their hash.
//! * One `View` struct for each template, holding only what is shown, with `samples()` that a test
//!   renders in both languages.
//!
//! A page must never carry an inline script or style (the content security policy forbids both), ask
//! another host for anything, or show a value that is not masked yet. Start reading at [`home`].

pub mod asset;
mod duration;
mod frame;
pub mod home;
pub mod journey;
mod live;
mod lost;
pub mod outbox;

pub use frame::{Acquirer, Deployment, Frame, Mode};
pub use journey::{JourneySource, JourneyView};
pub use outbox::{OutboxSource, OutboxView};

use axum::Router;
use axum::routing::get;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the pages need from outside.
#[derive(Clone)]
pub struct PageState {
    /// What this deployment is and who answers for it.
    pub deployment: Arc<Deployment>,
    /// The journey a demonstration plays; `None` when none runs here.
    pub journey: Option<Arc<dyn JourneySource>>,
    /// The messages a sandbox did not send; `None` where messages are really sent.
    pub outbox: Option<Arc<dyn OutboxSource>>,
    streams: Arc<Semaphore>,
}

impl PageState {
    /// Event streams that may be open at once; a further visitor still reads the page and reloads it.
    pub const STREAMS_MAX: usize = 256;

    /// The pages of a deployment.
    #[must_use]
    pub fn new(
        deployment: Deployment,
        journey: Option<Arc<dyn JourneySource>>,
        outbox: Option<Arc<dyn OutboxSource>>,
    ) -> Self {
        Self {
            deployment: Arc::new(deployment),
            journey,
            outbox,
            streams: Arc::new(Semaphore::new(Self::STREAMS_MAX)),
        }
    }
}

/// Every page with its assets. The dev outbox exists only where messages are not sent, the event
/// stream only where a journey is played. What no route answers gets a page, or the refusal. Security headers are the whole site's (`crate::security`).
pub fn router<S>(state: PageState) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut pages = Router::new().route("/", get(home::show)).route("/en", get(home::show_in_english));
    if state.journey.is_some() {
        pages = pages.route("/journey/events", get(live::events));
    }
    if state.outbox.is_some() {
        pages = pages.route("/dev/outbox", get(outbox::show));
    }
    pages
        .route("/assets/{name}", get(asset::serve))
        .route("/favicon.svg", get(asset::favicon))
        .fallback(lost::show)
        .with_state(state)
}

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod tests;
