//! Key rotation and erasure from the command line: through the running server's control port, or
//! over the store itself when none runs. The keystore's own seal is changed while none runs.

use crate::Failure;
use crate::config::Config;
use crate::control::{self, refusal};
use crate::custody::{self, Custody};
use crate::way::Way;
use crate::wiring::{Assembled, secret_in};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::{HeaderMap, StatusCode, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use starpay_app::{Erasure, Error, ErrorKind, Platform};
use starpay_domain::id::{MerchantId, TypedId};
use starpay_keys::OsRandom;
use starpay_keys::keystore::{Keystore, MasterKey};
use starpay_web::{ControlDoor, Kind};
use std::path::PathBuf;
use std::sync::Arc;

/// Which key is replaced by a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rotated {
    /// The root key-encryption key; every data key is wrapped anew under it
    Root,
    /// Every merchant's data key; what was sealed before stays under the earlier one
    Data,
    /// The platform's signing key and its certificate
    Signing,
    /// The CA's key and the root certificate; terminals need the new one: `starpay admin ca`
    Ca,
}

/// What the control port is told.
#[derive(Debug, Serialize, Deserialize)]
struct Rotation {
    key: Rotated,
}

/// Puts a new key in the place of the present one.
///
/// # Errors
/// The platform's own words.
pub(crate) fn rotate(way: &Way, key: Rotated) -> Result<Value, Failure> {
    match way {
        Way::Server(server) => server.call("POST", "/control/v1/rotate-keys", Some(&json!(Rotation { key }))),
        Way::Own(own) => said(own.block_on(rotated(own.assembled.platform.clone(), key))),
    }
}

async fn rotated(platform: Platform, key: Rotated) -> Result<Value, Error> {
    let actor = ControlDoor::administrator();
    let report = match key {
        Rotated::Root => serde_json::to_value(platform.rotate_keys(&actor).await?),
        Rotated::Data => serde_json::to_value(platform.rotate_data_keys(&actor).await?),
        Rotated::Signing => serde_json::to_value(platform.rotate_signing_key(&actor).await?),
        Rotated::Ca => serde_json::to_value(platform.rotate_ca_key(&actor).await?),
    };
    report.map_err(Error::from)
}

/// What the keystore is sealed under from now on.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Seal {
    /// A passphrase, in this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// A master key, in this file; made when it is not there
    #[arg(long, value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

/// Seals the keystore anew: under a new master key in the present one's place, or under what is
/// named. No server may run, because it would go on with what it read at its start.
///
/// # Errors
/// When a server runs, or the keystore does not open or cannot be written.
pub(crate) fn reseal(config: &Config, seal: &Seal) -> Result<Value, Failure> {
    if control::Server::find(config)?.is_some() {
        return Err(Failure::failed("a server runs over this keystore").remedy("stop the server first"));
    }
    let custody = Custody::of(config)?;
    let explain = |error| custody::explain(config, &error);
    let keystore =
        Keystore::open(&config.keystore_file(), &custody.master, Arc::new(OsRandom)).map_err(explain)?;
    let set = match (&seal.passphrase_file, &seal.master_key_file) {
        (Some(file), _) => {
            let text = secret_in(file, "--passphrase-file")?;
            keystore.reseal(&MasterKey::passphrase(SecretString::from(text.as_str()))).map_err(explain)?;
            Some(("keystore.passphrase_file", file))
        }
        (None, Some(file)) => {
            keystore.reseal(&MasterKey::file(file)).map_err(explain)?;
            Some(("keystore.master_key_file", file))
        }
        (None, None) => {
            keystore.renew_master_key().map_err(explain)?;
            None
        }
    };
    let set = set.map(|(key, file)| json!({"key": key, "file": file.display().to_string()}));
    Ok(json!({"keystore": config.keystore_file().display().to_string(), "set": set}))
}

/// The platform's root certificates, the present one first: what terminals trust.
///
/// # Errors
/// When there is no keystore yet, or it does not open.
pub(crate) fn roots(config: &Config) -> Result<Value, Failure> {
    let file = config.keystore_file();
    if !Keystore::exists(&file) {
        return Err(Failure::failed(format!("keystore {}: not made yet", file.display()))
            .remedy("start the platform once: starpay migrate, then starpay serve"));
    }
    let custody = Custody::of(config)?;
    let keystore = Keystore::open(&file, &custody.master, Arc::new(OsRandom))
        .map_err(|error| custody::explain(config, &error))?;
    let certificates: Vec<String> =
        keystore.root_certificates().iter().map(starpay_keys::certificate::Certificate::to_pem).collect();
    Ok(json!({"certificates": certificates}))
}

/// Destroys a merchant's data keys. Without the merchant said twice and a reason nothing is destroyed:
/// what would be is told instead.
///
/// # Errors
/// The platform's own words; a usage failure when it is no merchant's id, or not said twice.
pub(crate) fn erase(
    way: &Way,
    merchant: &str,
    confirm: Option<&str>,
    reason: Option<&str>,
) -> Result<Value, Failure> {
    let id = MerchantId::parse(merchant).ok_or_else(|| {
        Failure::usage(format!("{merchant:?} is not a merchant's id")).remedy("ids look like mer_0190…")
    })?;
    let path = format!("/control/v1/erase-merchant/{id}");
    let (Some(confirm), Some(reason)) = (confirm, reason) else {
        let plan = match way {
            Way::Server(server) => server.call("GET", &path, None)?,
            Way::Own(own) => {
                let platform = own.assembled.platform.clone();
                said(own.block_on(async { platform.erasure_plan(&ControlDoor::administrator(), id).await }))?
            }
        };
        return Err(Failure::usage(planned(id, &plan))
            .remedy(format!("to do it: starpay admin erase {id} --confirm {id} --reason TEXT")));
    };
    let wanted = Erasure { confirm: confirm.to_owned(), reason: reason.to_owned() };
    match way {
        Way::Server(server) => server.call("POST", &path, Some(&json!(wanted))),
        Way::Own(own) => {
            let platform = own.assembled.platform.clone();
            let administrator = ControlDoor::administrator();
            said(own.block_on(async { platform.erase_merchant(&administrator, id, wanted).await }))
        }
    }
}

/// What an erasure would destroy, in words.
fn planned(id: MerchantId, plan: &Value) -> String {
    let mut text = format!(
        "nothing was erased. It would destroy for good, for nobody to bring back, all data of {id}\n\
         and end its sign-ins, links and keys"
    );
    for (kind, rows) in [("application", &plan["applications"]), ("terminal", &plan["terminals"])] {
        for row in rows.as_array().into_iter().flatten() {
            let said = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            text.push_str(&format!("\n  {kind:<11} {:<36} {}", said("name"), said("state")));
        }
    }
    text
}

fn said<T: Serialize>(result: Result<T, Error>) -> Result<Value, Failure> {
    match result {
        Ok(report) => serde_json::to_value(report).map_err(|error| Failure::failed(error.to_string())),
        Err(error) => Err(refusal(&in_words(&error))),
    }
}

fn in_words(error: &Error) -> Value {
    let said = starpay_text::error(starpay_text::Language::En, error.code);
    let detail = error.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let message = said.as_ref().map_or(error.code, |said| said.message.as_str());
    json!({"error": {
        "code": error.code,
        "message": format!("{message}{detail}"),
        "field": error.field,
        "choices": error.choices,
        "remedy": said.as_ref().map(|said| said.remedy.as_str()),
    }})
}

/// What the control port offers about keys.
pub(crate) fn router(assembled: &Assembled) -> Router {
    Router::new()
        .route("/control/v1/rotate-keys", post(serve_rotation))
        .route("/control/v1/erase-merchant/{id}", get(serve_erasure_plan).post(serve_erasure))
        .with_state(assembled.platform.clone())
}

async fn serve_rotation(
    State(platform): State<Platform>,
    Extension(door): Extension<ControlDoor>,
    headers: HeaderMap,
    Json(Rotation { key }): Json<Rotation>,
) -> Response {
    if !opened(&door, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    answer(rotated(platform, key).await)
}

async fn serve_erasure_plan(
    State(platform): State<Platform>,
    Extension(door): Extension<ControlDoor>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if !opened(&door, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let plan = match MerchantId::parse(&id) {
        Some(id) => platform.erasure_plan(&ControlDoor::administrator(), id).await,
        None => Err(Error::not_found()),
    };
    answer(plan)
}

async fn serve_erasure(
    State(platform): State<Platform>,
    Extension(door): Extension<ControlDoor>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(wanted): Json<Erasure>,
) -> Response {
    if !opened(&door, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let erased = match MerchantId::parse(&id) {
        Some(id) => platform.erase_merchant(&ControlDoor::administrator(), id, wanted).await,
        None => Err(Error::not_found()),
    };
    answer(erased)
}

fn opened(door: &ControlDoor, headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| door.opens_to(token))
}

fn answer<T: Serialize>(result: Result<T, Error>) -> Response {
    match result {
        Ok(report) => Json(report).into_response(),
        Err(error) => {
            if error.kind == ErrorKind::Internal {
                tracing::error!(%error, detail = error.detail, "a control request failed");
            }
            (Kind::App(error.kind).status(), Json(in_words(&error))).into_response()
        }
    }
}
