//! Style sheets, modules and pictures, compiled in and served under a name that carries their hash,
//! so that a browser may keep them for ever and still never shows an old one.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// One compiled-in file.
struct Asset {
    /// The name templates use.
    plain: &'static str,
    /// The name browsers use, with the hash.
    hashed: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset("tokens.css", "text/css; charset=utf-8", include_bytes!("../../assets/tokens.css")),
        asset("base.css", "text/css; charset=utf-8", include_bytes!("../../assets/base.css")),
        asset("journey.css", "text/css; charset=utf-8", include_bytes!("../../assets/journey.css")),
        asset("terminal.css", "text/css; charset=utf-8", include_bytes!("../../assets/terminal.css")),
        asset("outbox.css", "text/css; charset=utf-8", include_bytes!("../../assets/outbox.css")),
        asset("journey.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/journey.js")),
        asset("favicon.svg", "image/svg+xml", include_bytes!("../../assets/favicon.svg")),
    ]
});

/// Characters of the hash in a name: 40 bits are plenty to tell versions of one file apart.
const HASH_DIGITS: usize = 10;

fn asset(plain: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let hash: String = digest.chars().take(HASH_DIGITS).collect();
    let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, "bin"));
    Asset { plain, hashed: format!("{stem}-{hash}.{extension}"), media_type, bytes }
}

/// The address of an asset by its plain name, for templates. An unknown name gives an address that
/// answers 404; a test follows every address on every page.
#[must_use]
pub fn href(plain: &str) -> String {
    let name = ASSETS.iter().find(|asset| asset.plain == plain).map_or(plain, |asset| &asset.hashed);
    format!("/assets/{name}")
}

/// `GET /assets/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.hashed == name) {
        Some(asset) => answer(asset, "public, max-age=31536000, immutable"),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /favicon.svg`, the one address a browser may ask for without having read a page.
pub(super) async fn favicon() -> Response {
    match ASSETS.iter().find(|asset| asset.plain == "favicon.svg") {
        Some(asset) => answer(asset, "public, max-age=86400"),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(asset: &Asset, caching: &'static str) -> Response {
    let etag = format!("\"{}\"", asset.hashed);
    ([(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, caching), (ETAG, etag.as_str())], asset.bytes)
        .into_response()
}
