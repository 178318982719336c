//! Lists: `?cursor=&limit=` in, `{data, next_cursor}` out.
//!
//! A cursor is the key of the last row seen, wrapped so that it reads as opaque and a text that
//! we did not make for this list is refused with 400 instead of quietly giving the wrong page.
//! It grants nothing: what a caller may see is decided by the use case, not by the cursor.

use crate::problem::Problem;
use crate::query::pairs;
use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use sha2::{Digest, Sha256};
use starpay_app::view::{List, Page};

/// Rows on one page at most.
pub(crate) const LIMIT_MAX: u32 = 100;
/// Characters of a cursor at most.
pub(crate) const CURSOR_LENGTH_MAX: usize = 512;
const TAG_LENGTH: usize = 8;

/// Which page of a list the caller asks for.
#[derive(Debug, Clone)]
pub(crate) struct Paging {
    list: String,
    page: Page,
}

impl Paging {
    /// The page in `app`'s terms.
    pub(crate) fn page(&self) -> Page {
        self.page.clone()
    }

    /// The page found, its cursor wrapped for this list.
    pub(crate) fn wrap<T>(&self, found: List<T>) -> axum::Json<List<T>> {
        let next_cursor = found.next_cursor.map(|key| wrap(&self.list, &key));
        axum::Json(List { data: found.data, next_cursor })
    }
}

/// What [`Paging`] reads, for the document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes")]
pub(crate) struct PageQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Rows on the page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let list = parts.uri.path().to_owned();
        let mut page = Page::default();
        for (name, value) in pairs(&parts.uri)? {
            match name.as_str() {
                "cursor" if !value.is_empty() => page.cursor = Some(unwrap(&list, &value)?),
                "limit" => page.limit = Some(limit(&value)?),
                _ => {}
            }
        }
        Ok(Self { list, page })
    }
}

fn limit(text: &str) -> Result<u32, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| Problem::malformed("limit_invalid").about("limit"))
}

fn tag(list: &str, key: &str) -> [u8; TAG_LENGTH] {
    let digest = Sha256::new()
        .chain_update(b"starpay-cursor-v1\n")
        .chain_update(list)
        .chain_update(b"\n")
        .chain_update(key)
        .finalize();
    let mut tag = [0; TAG_LENGTH];
    for (to, from) in tag.iter_mut().zip(digest) {
        *to = from;
    }
    tag
}

fn wrap(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode([&tag(list, key), key.as_bytes()].concat())
}

fn unwrap(list: &str, cursor: &str) -> Result<String, Problem> {
    let foreign = || Problem::malformed("cursor_invalid").about("cursor");
    if cursor.len() > CURSOR_LENGTH_MAX {
        return Err(foreign());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| foreign())?;
    let (found, key) = bytes.split_at_checked(TAG_LENGTH).ok_or_else(foreign)?;
    let key = std::str::from_utf8(key).map_err(|_| foreign())?;
    if found == tag(list, key) { Ok(key.to_owned()) } else { Err(foreign()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let cursor = wrap("/api/v1/devices", "1700000000000000|dev");
        assert_eq!(unwrap("/api/v1/devices", &cursor).unwrap(), "1700000000000000|dev");
        for (list, cursor) in [
            ("/api/v1/visits", cursor.clone()),
            ("/api/v1/devices", format!("{cursor}A")),
            (
                "/api/v1/devices",
                cursor.replacen(&cursor[..1], if cursor.starts_with('A') { "B" } else { "A" }, 1),
            ),
            ("/api/v1/devices", "not base64 !".to_owned()),
            ("/api/v1/devices", String::new()),
            ("/api/v1/devices", "A".repeat(CURSOR_LENGTH_MAX + 1)),
        ] {
            assert_eq!(unwrap(list, &cursor).unwrap_err().code, "cursor_invalid");
        }
    }

    #[test]
    fn a_limit_stays_in_its_range() {
        assert_eq!(limit("1").unwrap(), 1);
        assert_eq!(limit("100").unwrap(), 100);
        for wrong in ["0", "101", "-1", "ten", "", "4294967297"] {
            assert_eq!(limit(wrong).unwrap_err().code, "limit_invalid", "{wrong}");
        }
    }
}
