//! The table of routes: each handler once, with who may come in. Router, OpenAPI document and the
//! list of doors without a lock are all read from it, so they cannot disagree.

use crate::Web;
use crate::query::{self, Known};
use axum::Router;
use axum::middleware::from_fn_with_state;
use http::Method;
use std::sync::Arc;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa_axum::router::UtoipaMethodRouter;

/// Name of the security scheme of access keys and sessions.
pub(crate) const BEARER: &str = "bearer";
/// Name of the security scheme of terminals.
pub(crate) const TERMINAL: &str = "terminal_signature";
/// Name of the shared response of every refusal.
pub(crate) const PROBLEM: &str = "Problem";

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Anybody.
    Open,
    /// Holders of an access key or a session; the use case decides by role.
    Key,
    /// Terminals, by a signature of their device key.
    Device,
}

/// How a repeated POST is told from a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// By the caller's `Idempotency-Key`, which is required.
    ByKey,
    /// It does no harm: the effect is the same by nature, or nothing is kept.
    ByNature,
}

/// One door.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Door {
    /// Path as a template.
    pub path: String,
    /// Method.
    pub method: String,
    /// Who may come in.
    pub access: Access,
    /// Whether a POST needs an `Idempotency-Key`.
    pub needs_key: bool,
}

/// Routes with their documentation.
pub(crate) struct Routes {
    tag: &'static str,
    router: Router<Web>,
    doors: Vec<Door>,
    paths: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Routes {
    /// No routes yet; `tag` names the resource.
    pub(crate) fn new(tag: &'static str) -> Self {
        Self { tag, router: Router::new(), doors: Vec::new(), paths: Paths::new(), schemas: Vec::new() }
    }

    /// Handlers of one path, whose POSTs need an idempotency key.
    pub(crate) fn add(self, access: Access, handlers: UtoipaMethodRouter<Web>) -> Self {
        self.put(access, Repeats::ByKey, handlers)
    }

    /// Handlers of one path, whose POSTs may be repeated as they are.
    pub(crate) fn add_natural(self, access: Access, handlers: UtoipaMethodRouter<Web>) -> Self {
        self.put(access, Repeats::ByNature, handlers)
    }

    fn put(mut self, access: Access, repeats: Repeats, handlers: UtoipaMethodRouter<Web>) -> Self {
        let (schemas, paths, router) = handlers;
        self.schemas.extend(schemas);
        for (path, mut item) in paths.paths {
            let mut known = Known::default();
            for (method, operation) in operations(&mut item) {
                let needs_key = method == Method::POST && repeats == Repeats::ByKey;
                describe(operation, self.tag, access, needs_key);
                known.add(&method, operation);
                self.doors.push(Door { path: path.clone(), method: method.to_string(), access, needs_key });
            }
            let checked = from_fn_with_state(Arc::new(known), query::refuse_unknown);
            self.router = self.router.route(&path, router.clone().route_layer(checked));
            self.paths.paths.insert(path, item);
        }
        self
    }

    /// Both sets of routes.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.doors.extend(other.doors);
        self.paths.paths.extend(other.paths.paths);
        self.schemas.extend(other.schemas);
        self
    }

    /// The axum router.
    pub(crate) fn into_router(self) -> Router<Web> {
        self.router
    }

    /// What the OpenAPI document says of them.
    pub(crate) fn into_document(self) -> (Paths, Vec<(String, RefOr<Schema>)>) {
        (self.paths, self.schemas)
    }

    /// Every door, in order.
    pub(crate) fn into_doors(self) -> Vec<Door> {
        let mut doors = self.doors;
        doors.sort();
        doors
    }
}

/// The operations of one path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

/// Adds what every operation has: tag, unique name, security, idempotency key, refusals.
fn describe(operation: &mut Operation, tag: &str, access: Access, needs_key: bool) {
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{tag}_{name}"));
    operation.tags = Some(vec![tag.to_owned()]);
    operation.security = Some(match access {
        Access::Open => Vec::new(),
        Access::Key => vec![SecurityRequirement::new(BEARER, Vec::<String>::new())],
        Access::Device => vec![SecurityRequirement::new(TERMINAL, Vec::<String>::new())],
    });
    if needs_key {
        operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_parameter()));
    }
    operation.responses.responses.insert("default".to_owned(), RefOr::Ref(Ref::from_response_name(PROBLEM)));
}

fn idempotency_parameter() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(
            "Made by you, once per intention. The same key with the same body gets the same answer \
             (header Idempotency-Replayed: true), with another body, route or thing 422 \
             idempotency_mismatch. Kept 35 days.",
        ))
        .schema(Some(text.build()))
        .build()
}
