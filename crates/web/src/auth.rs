//! Who asks: a bearer key or session. (Terminals sign: `crate::terminal`.)
//!
//! This only carries what the caller showed to the platform, which decides. A caller's [`Actor`]
//! comes first among a handler's arguments, so that a stranger's body is never read.

use crate::Web;
use crate::problem::{Kind, Problem};
use crate::request_id::{Asked, RequestId};
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use starpay_app::{Actor, ErrorKind, Role};
use std::sync::Arc;

/// Bytes of a bearer token at most.
pub(crate) const TOKEN_BYTES_MAX: usize = 256;

/// The caller, by `Authorization: Bearer …`.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Actor);

impl FromRequestParts<Web> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)
            .ok_or_else(|| Problem::new(Kind::App(ErrorKind::Unauthenticated), "unauthenticated"))?;
        let actor = match parts.extensions.get::<ControlDoor>() {
            Some(door) if door.opens_to(token) => ControlDoor::administrator(),
            Some(_) | None => web.platform.authenticate(token).await?,
        };
        note(parts, actor.role);
        Ok(Self(match parts.extensions.get::<RequestId>() {
            Some(RequestId(name)) => actor.asking_by(Arc::clone(name)),
            None => actor,
        }))
    }
}

/// The door of `starpay admin` and `starpay backup`: a loopback listener of its own, whose token
/// stands in a file that only the server's user can read. Inserted by that listener alone.
#[derive(Clone)]
pub struct ControlDoor {
    token: Arc<[u8; 32]>,
}

impl ControlDoor {
    /// A door that opens to the hexadecimal form of `token`.
    #[must_use]
    pub fn new(token: [u8; 32]) -> Self {
        Self { token: Arc::new(token) }
    }

    /// Whether a bearer token is this door's.
    #[must_use]
    pub fn opens_to(&self, token: &str) -> bool {
        let mut shown = [0; 32];
        // Compared in constant time: every byte is looked at whatever the first says.
        hex::decode_to_slice(token, &mut shown).is_ok()
            && shown.iter().zip(self.token.iter()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }

    /// Who comes in by it.
    #[must_use]
    pub fn administrator() -> Actor {
        Actor { id: "control".to_owned(), role: Role::Admin, merchant: None, subject: None, request: None }
    }
}

impl std::fmt::Debug for ControlDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ControlDoor")
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let fits = scheme.eq_ignore_ascii_case("Bearer") && (1..=TOKEN_BYTES_MAX).contains(&token.len());
    fits.then_some(token)
}

/// Notes who asked, for the log line.
pub(crate) fn note(parts: &Parts, role: Role) {
    if let Some(asked) = parts.extensions.get::<Asked>() {
        asked.by(role);
    }
}
