//! The outermost layer: a name for each request, one line in the log, one measurement, and words
//! for every refusal.
//!
//! The line holds method, matched route, status, duration and the role of who asked. Never the
//! path with its ids, the query string or a body: those may hold what must not be logged.

use crate::Web;
use crate::metrics::Metrics;
use crate::problem::{Kind, Problem};
use crate::server::AskedFrom;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use starpay_app::{ErrorKind, Platform, Role};
use starpay_text::Language;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tracing::Instrument;

/// The header that carries the request's name, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a caller's own request id.
pub(crate) const REQUEST_ID_LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

/// The request's name, as a request extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

/// Where authentication notes who asked, for the log line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(Arc<OnceLock<Role>>);

impl Asked {
    pub(crate) fn by(&self, role: Role) {
        // A second extractor of the same request finds the same role.
        self.0.get_or_init(|| role);
    }
}

/// Makes names that no other request of this or an earlier process has.
#[derive(Debug, Clone)]
pub struct RequestIds {
    process: Arc<str>,
    count: Arc<AtomicU64>,
}

impl RequestIds {
    /// `process` is random and drawn once per process.
    #[must_use]
    pub fn new(process: [u8; 6]) -> Self {
        Self { process: hex::encode(process).into(), count: Arc::default() }
    }

    /// The caller's own id when it is a decent one, otherwise the next of ours.
    fn name(&self, headers: &HeaderMap) -> RequestId {
        let own = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|text| {
            REQUEST_ID_LENGTH.contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        });
        match own {
            Some(text) => RequestId(text.into()),
            None => {
                let count = self.count.fetch_add(1, Ordering::Relaxed);
                RequestId(format!("req_{}{count:08x}", self.process).into())
            }
        }
    }
}

/// What the outermost layer needs.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) ids: RequestIds,
    pub(crate) metrics: Metrics,
    pub(crate) platform: Platform,
}

/// The language the caller reads.
pub(crate) fn language_of(headers: &HeaderMap) -> Language {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map(Language::from_accept_language)
        .unwrap_or_default()
}

/// The platform, answering in the caller's language, and knowing where they ask from: for routes
/// whose answers hold words, or whose limits count by network.
#[derive(Clone)]
pub(crate) struct Spoken(pub(crate) Platform);

impl FromRequestParts<Web> for Spoken {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let AskedFrom(address) = AskedFrom::from_request_parts(parts, web).await?;
        Ok(Self(web.platform.speaking(language_of(&parts.headers)).asked_from(address)))
    }
}

/// The layer itself.
pub(crate) async fn observe(State(observer): State<Observer>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = observer.ids.name(request.headers());
    let asked = Asked::default();
    let language = language_of(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.as_deref().unwrap_or("unmatched");
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(asked.clone());

    let span = tracing::info_span!("request", request.id = %id.0);
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = span.in_scope(|| finish(handled, &method, language, &id));

    let elapsed = started.elapsed();
    let status = response.status();
    observer.metrics.request(&method, route, status, elapsed);
    span.in_scope(|| {
        tracing::info!(
            http.method = %method,
            http.route = route,
            http.status = status.as_u16(),
            duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            actor.kind = asked.0.get().map_or("nobody", |role| role.as_str()),
            "request answered"
        );
    });
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    // By the platform's clock, which the server's own may not be: a terminal sets its own by this one.
    if let Ok(value) = HeaderValue::from_str(&observer.platform.now().http_date()) {
        response.headers_mut().insert(header::DATE, value);
    }
    response
}

/// Puts a refusal into words; a panic becomes one.
fn finish(
    handled: std::thread::Result<Response>,
    method: &Method,
    language: Language,
    id: &RequestId,
) -> Response {
    let mut response = handled.unwrap_or_else(|_| {
        tracing::error!("a handler panicked; the panic message is on standard error");
        Problem::new(Kind::App(ErrorKind::Internal), "internal").into_response()
    });
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let problem = if method == Method::PATCH { problem.nothing_saved() } else { problem };
    let detail = problem.detail().unwrap_or_default();
    match problem.kind {
        Kind::App(ErrorKind::Internal) => {
            tracing::error!(error.code = problem.code, detail, "request failed")
        }
        Kind::App(ErrorKind::Unavailable) => {
            tracing::warn!(error.code = problem.code, detail, "request not possible now");
        }
        _ => tracing::debug!(error.code = problem.code, detail, "request refused"),
    }
    let mut answer = problem.answer(language, &id.0);
    // What layers further in added (security headers, Allow) stays.
    for (name, value) in response.headers() {
        if !answer.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    answer
}

/// The refusal of a path that nothing answers.
pub(crate) async fn no_such_path() -> Problem {
    Problem::not_found().about("path")
}

/// The refusal of a method that a path does not take; axum adds `Allow`.
pub(crate) async fn no_such_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "method_not_allowed").about("method")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decent_id_is_kept_and_any_other_replaced() {
        let ids = RequestIds::new([1, 2, 3, 4, 5, 6]);
        let mut headers = HeaderMap::new();
        assert_eq!(&*ids.name(&headers).0, "req_01020304050600000000");
        headers.insert(REQUEST_ID, HeaderValue::from_static("shop-7.order_12"));
        assert_eq!(&*ids.name(&headers).0, "shop-7.order_12");
        for bad in ["short", "with space here", "quote\"quote", &"x".repeat(65)] {
            headers.insert(REQUEST_ID, HeaderValue::from_str(bad).unwrap());
            assert!(ids.name(&headers).0.starts_with("req_"), "{bad}");
        }
        assert_eq!(&*ids.name(&HeaderMap::new()).0, "req_01020304050600000005");
    }
}
