//! What stands on every page: language, deployment, the licensed institution, the sandbox mark.

use super::PageState;
use super::asset;
use axum::extract::{FromRequestParts, Query};
use axum::response::{Html, IntoResponse, Response};
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, VARY};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::Deserialize;
use starpay_text::{Language, Texts, texts};
use std::convert::Infallible;
use std::sync::Arc;

/// Whether a deployment handles real merchants. Fixed at first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 沙箱: everything is invented, and every page says so.
    Sandbox,
    /// Real merchants.
    Live,
}

/// The licensed institution that answers for the deployment (持牌收单机构). Payment software may only
/// collect identity papers in the name of one, and says so on every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquirer {
    /// Full registered name.
    pub name: String,
    /// Number of the payment business licence (支付业务许可证号).
    pub licence_no: String,
}

/// What this deployment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Sandbox or live.
    pub mode: Mode,
    /// The licensed institution; `None` shows 未配置.
    pub acquirer: Option<Acquirer>,
    /// The program's version.
    pub version: String,
}

/// What every template gets besides its own view.
#[derive(Clone)]
pub struct Frame {
    /// The page's language.
    pub language: Language,
    /// The texts in it.
    pub texts: &'static Texts,
    /// What this deployment is.
    pub deployment: Arc<Deployment>,
    /// The address asked for, without its query.
    pub path: String,
    /// The dev outbox, where there is one.
    pub outbox: Option<&'static str>,
}

impl Frame {
    /// The frame of one page.
    #[must_use]
    pub fn new(state: &PageState, language: Language, path: &str) -> Self {
        Self {
            language,
            texts: texts(language),
            deployment: Arc::clone(&state.deployment),
            path: path.to_owned(),
            outbox: state.outbox.is_some().then_some("/dev/outbox"),
        }
    }

    /// The same page in another language.
    #[must_use]
    pub fn href_in(&self, language: &Language) -> String {
        let path = if self.path == "/en" { "/" } else { self.path.as_str() };
        format!("{path}?lang={}", language.tag())
    }

    /// A page of ours, keeping the language the visitor chose.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        match self.language {
            Language::ZhCn => format!("{path}?lang=zh-CN"),
            Language::En => format!("{path}?lang=en"),
        }
    }

    /// The address of an asset.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        asset::href(name)
    }

    /// Whether every word on the page is invented.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.deployment.mode == Mode::Sandbox
    }

    /// A rendered page as an answer. Pages are never kept: they show the present state.
    pub(super) fn answer(&self, page: askama::Result<String>) -> Response {
        match page {
            Ok(html) => {
                let headers = [
                    (CONTENT_LANGUAGE, self.language.tag()),
                    (CACHE_CONTROL, "no-cache"),
                    (VARY, "Accept-Language"),
                ];
                (headers, Html(html)).into_response()
            }
            Err(error) => {
                tracing::error!(%error, page.path = %self.path, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The language of a request: `?lang=` decides, then `Accept-Language`, else zh-CN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked(pub(super) Language);

#[derive(Deserialize)]
struct LanguageQuery {
    lang: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let accepted = header.map(Language::from_accept_language).unwrap_or_default();
        Ok(Self(named(&parts.uri).unwrap_or(accepted)))
    }
}

fn named(uri: &Uri) -> Option<Language> {
    let Query(query) = Query::<LanguageQuery>::try_from_uri(uri).ok()?;
    Language::parse(&query.lang?)
}
