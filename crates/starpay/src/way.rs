//! How a command reaches the platform: through the running server, or by opening the store itself
//! when no server runs. Either way the same API answers, so a command is written once.

use crate::Failure;
use crate::config::Config;
use crate::control::{self, refusal};
use crate::wiring::{self, Assembled};
use axum::Extension;
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde_json::Value;
use starpay_adapters::sandbox::Pace;
use starpay_keys::random;
use starpay_web::{ControlDoor, Metrics, RequestIds, Telemetry};
use std::sync::Arc;
use tower::ServiceExt;

/// A way to the platform, with an administrator's rights.
pub(crate) enum Way {
    /// A server runs over this data folder.
    Server(control::Server),
    /// None does: the store is ours until this is dropped.
    Own(Box<Own>),
}

/// A platform opened for one command.
pub(crate) struct Own {
    runtime: tokio::runtime::Runtime,
    router: Router,
    token: String,
    /// What was opened.
    pub(crate) assembled: Assembled,
}

impl Way {
    /// Finds the running server, or opens the store, for a command that changes something: it may
    /// be the first to start the platform.
    ///
    /// # Errors
    /// When neither is possible.
    pub(crate) fn to_change(config: &Config) -> Result<Self, Failure> {
        Self::find(config, wiring::assemble)
    }

    /// As [`Way::to_change`], for a command that only reads: where nothing is, it makes nothing.
    ///
    /// # Errors
    /// When neither is possible.
    pub(crate) fn to_read(config: &Config) -> Result<Self, Failure> {
        Self::find(config, wiring::reopen)
    }

    fn find(config: &Config, open: fn(&Config, Pace) -> Result<Assembled, Failure>) -> Result<Self, Failure> {
        if let Some(server) = control::Server::find(config)? {
            return Ok(Self::Server(server));
        }
        let assembled = open(config, Pace::Documented)?;
        Ok(Self::Own(Box::new(Own::new(assembled)?)))
    }

    /// One request, one JSON answer.
    ///
    /// # Errors
    /// The platform's own words when it refuses.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        match self {
            Self::Server(server) => server.call(method, path, body),
            Self::Own(own) => own.call(method, path, body),
        }
    }
}

impl Own {
    fn new(assembled: Assembled) -> Result<Self, Failure> {
        let token = random::array::<32>(&*assembled.random);
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let ids = RequestIds::new(random::array(&*assembled.random));
        let telemetry = Telemetry { ids, metrics, registry: Arc::new(registry) };
        let router = starpay_web::router(assembled.platform.clone(), telemetry, starpay_web::without_pages())
            .layer(Extension(ControlDoor::new(token)));
        Ok(Self { runtime: crate::serve::runtime()?, router, token: hex::encode(token), assembled })
    }

    /// Runs something of the platform to its end.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept-Language", "en")
            .header("Idempotency-Key", hex::encode(random::array::<16>(&*self.assembled.random)))
            .body(Body::from(body.map(ToString::to_string).unwrap_or_default()))
            .map_err(|error| Failure::failed(error.to_string()))?;
        let broken = |error: String| Failure::failed(format!("{method} {path}: {error}"));
        let (status, bytes) = self.runtime.block_on(async {
            let answer =
                self.router.clone().oneshot(request).await.map_err(|error| broken(error.to_string()))?;
            let status = answer.status();
            let bytes = answer.into_body().collect().await.map_err(|error| broken(error.to_string()))?;
            Ok::<_, Failure>((status, bytes.to_bytes()))
        })?;
        let answer = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() { Ok(answer) } else { Err(refusal(&answer)) }
    }
}
