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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// How a colour can be written in CSS: after `#`, or as a function.
    const COLOUR_FUNCTIONS: &[&str] = &[
        "rgb(",
        "rgba(",
        "hsl(",
        "hsla(",
        "hwb(",
        "lab(",
        "lch(",
        "oklab(",
        "oklch(",
        "color(",
        "color-mix(",
    ];

    /// Every file of that kind in a folder of this crate: name and text.
    fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let wanted = found.filter(|path| path.extension().is_some_and(|extension| extension == ending));
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        wanted.map(|path| (name(&path), std::fs::read_to_string(path).unwrap())).collect()
    }

    /// Colours written out in a text.
    fn colours(text: &str) -> Vec<&str> {
        let hexadecimal = text.match_indices('#').filter_map(|(at, _)| {
            let rest = &text[at + 1..];
            let word = rest.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).next()?;
            let digits = word.bytes().all(|byte| byte.is_ascii_hexdigit());
            (digits && matches!(word.len(), 3 | 4 | 6 | 8)).then_some(word)
        });
        let begins = |at: usize| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let functions = COLOUR_FUNCTIONS.iter().flat_map(|function| {
            text.match_indices(function).filter(move |(at, _)| begins(*at)).map(|(_, written)| written)
        });
        hexadecimal.chain(functions).collect()
    }

    /// The custom properties a sheet sets, or names.
    fn properties<'t>(text: &'t str, before: &str) -> BTreeSet<&'t str> {
        let word = |rest: &'t str| rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next();
        text.match_indices(before).filter_map(|(at, _)| word(&text[at + before.len()..])).collect()
    }

    #[test]
    fn a_colour_is_seen_however_it_is_written() {
        for text in
            ["a { color: #FfF; }", "#12345678", "0 1px rgb(0 0 0 / 4%)", "(hsl(1 2% 3%))", "oklch(1 0 0)"]
        {
            assert_eq!(colours(text).len(), 1, "{text}");
        }
        for text in ["href=\"#main\"", "<i>#</i>", "#face-down", "var(--color)", "&#60;", "my-rgb(1)"] {
            assert_eq!(colours(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn colours_are_written_in_the_tokens_and_nowhere_else() {
        let (sheets, templates) = (files("assets", "css"), files("templates", "html"));
        assert!(sheets.len() > 4 && templates.len() > 6, "{} and {}", sheets.len(), templates.len());
        let scripts = files("assets", "js");
        for (name, text) in sheets.iter().chain(&templates).chain(&scripts) {
            assert_eq!(name == "tokens.css", !colours(text).is_empty(), "{name}: {:?}", colours(text));
        }
    }

    #[test]
    fn every_property_that_a_sheet_names_is_set() {
        let sheets = files("assets", "css");
        let tokens = &sheets.iter().find(|(name, _)| name == "tokens.css").unwrap().1;
        let (light, dark) = tokens.split_once("@media (prefers-color-scheme: dark)").unwrap();
        let set = properties(light, "\n  --");
        assert!(set.len() > 50, "{set:?}");
        let only_dark: Vec<_> = properties(dark, "\n    --").difference(&set).copied().collect();
        assert!(only_dark.is_empty(), "set in the dark alone: {only_dark:?}");
        for (name, text) in &sheets {
            let own = properties(text, "\n  --");
            let unknown: Vec<_> = properties(text, "var(--")
                .into_iter()
                .filter(|one| !set.contains(one) && !own.contains(one))
                .collect();
            assert!(unknown.is_empty(), "{name} names {unknown:?}");
        }
    }
}
