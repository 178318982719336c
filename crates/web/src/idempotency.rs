//! `Idempotency-Key` in, `Idempotency-Replayed` out (R16).
//!
//! The key is made by the caller, once per intention, and lives with the stored answer for 35
//! days under its account and route. A POST that creates or moves something requires it.

use crate::problem::Problem;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use starpay_app::{IdempotencyKey, Replayed, Reply};

/// The request header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The response header of a repeated answer.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The caller's key, required.
#[derive(Debug, Clone)]
pub(crate) struct Key(pub(crate) IdempotencyKey);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let value = parts.headers.get(IDEMPOTENCY_KEY);
        let value =
            value.ok_or_else(|| Problem::malformed("idempotency_key_missing").about("Idempotency-Key"))?;
        let key = value.to_str().ok().and_then(IdempotencyKey::parse);
        key.map(Self).ok_or_else(|| Problem::malformed("idempotency_key_invalid").about("Idempotency-Key"))
    }
}

/// The caller's key, if they gave one: for routes that are open to strangers, who may repeat a
/// request whose answer they lost.
#[derive(Debug, Clone)]
pub(crate) struct OptionalKey(pub(crate) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(IDEMPOTENCY_KEY) {
            return Ok(Self(None));
        }
        Key::from_request_parts(parts, state).await.map(|Key(key)| Self(Some(key)))
    }
}

/// An answer that may be a repeated one.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    status: StatusCode,
    reply: Reply<T>,
}

/// Something was created.
pub(crate) fn created<T>(reply: Reply<T>) -> Answer<T> {
    Answer { status: StatusCode::CREATED, reply }
}

/// Something was done.
pub(crate) fn done<T>(reply: Reply<T>) -> Answer<T> {
    Answer { status: StatusCode::OK, reply }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.reply.value)).into_response();
        match self.reply.replayed {
            Replayed::No => {}
            Replayed::Yes => {
                response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
            }
        }
        response
    }
}
