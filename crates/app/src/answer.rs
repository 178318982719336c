//! What was answered under an idempotency key: how a caller resolves an outcome it never heard.

use crate::actor::Actor;
use crate::error::Error;
use crate::look::Shown;
use crate::platform::{IdempotencyKey, Platform};
use crate::step::PLATFORM;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use starpay_domain::id::TypedId;
use starpay_store::idempotency::{self, RequestKey};
use utoipa::ToSchema;

/// Every route whose answers are kept, as [`crate::platform::Call`] names them.
const ROUTES: &[&str] = &[
    "access-key.create",
    "activation.abort",
    "activation.reissue",
    "activation.request",
    "agreement.sign",
    "agreement.sign-code",
    "application.appeal",
    "application.approve",
    "application.claim",
    "application.reconsider",
    "application.reject",
    "application.report",
    "application.request-info",
    "application.start",
    "application.submit",
    "application.unfreeze",
    "application.uphold",
    "application.withdraw",
    "device.recall-certificate",
    "device.stock",
    "document.add",
    "registration.answer",
    "shipment.confirm-address",
    "shipment.hand-over",
    "shipment.pack",
    "shipment.receive",
    "shipment.track",
    "visit.book",
    "visit.finish",
    "visit.start",
    "work.revive",
];

/// What is kept of an answer, sealed: the answer, and what personal data it shows, as the use case
/// itself said. Given again, it shows them again.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept<V> {
    pub(crate) answer: V,
    pub(crate) shown: Vec<Shown>,
}

impl<V: DeserializeOwned> Kept<V> {
    /// Reads one back. Answers that were kept bare, before what they show was kept beside them, live
    /// for 35 days more.
    pub(crate) fn read(plain: &[u8]) -> Result<Self, Error> {
        if let Ok(kept) = serde_json::from_slice(plain) {
            return Ok(kept);
        }
        Ok(Self { answer: serde_json::from_slice(plain)?, shown: Vec::new() })
    }
}

/// An answer given before.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct GivenAnswer {
    /// The use case that answered, for example `application.submit`.
    #[schema(example = "application.submit")]
    pub route: String,
    /// When.
    pub answered_at: String,
    /// The answer as it was given.
    #[schema(value_type = Object)]
    pub answer: serde_json::Value,
}

crate::redacted_debug!(GivenAnswer { route, answered_at } hides { answer });

impl Platform {
    /// The caller's answer under a key: one at most, as a key stands for one request. None means that
    /// nothing was done under it.
    ///
    /// # Errors
    /// The store's own.
    pub async fn answers(&self, actor: &Actor, key: &IdempotencyKey) -> Result<Vec<GivenAnswer>, Error> {
        let key = key.as_str().to_owned();
        self.look(actor, move |step| {
            let owner = step.actor.merchant.map_or(PLATFORM, TypedId::uuid);
            let mut given = Vec::new();
            for route in ROUTES {
                let request =
                    RequestKey { actor: step.actor.account(), route: (*route).to_owned(), key: key.clone() };
                let Some(stored) = idempotency::find(step.tx, &request, step.at)? else { continue };
                let context = format!("answer|{}|{route}|{}", request.actor, request.key);
                let plain = step.open(owner, &context, &stored.answer)?;
                let Kept { answer, shown } = Kept::read(&plain)?;
                step.shows_again(shown);
                given.push(GivenAnswer {
                    route: (*route).to_owned(),
                    answered_at: stored.created_at.to_string(),
                    answer,
                });
            }
            Ok(given)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn routes_in(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                routes_in(&path, found);
            } else if path.file_name().is_some_and(|name| name != "answer.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices("Call::new(") {
                    let rest = &text[at + "Call::new(".len()..];
                    if let Some(name) = rest.trim_start().strip_prefix('"') {
                        found.insert(name.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
    }

    #[test]
    fn every_route_that_keeps_answers_is_looked_up() {
        let mut found = BTreeSet::new();
        routes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let listed: BTreeSet<String> = ROUTES.iter().map(|route| (*route).to_owned()).collect();
        assert_eq!(found, listed);
    }
}
