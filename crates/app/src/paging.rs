//! Pages: text cursors outside, keyset inside.

use crate::error::{Error, ErrorKind};
use crate::view::{List, Page};
use starpay_store::{Cursor, Page as Found};

/// Rows of a page when the caller names no number.
const ROWS: u32 = 50;
/// Most rows of a page.
const ROWS_MAX: u32 = 100;

/// The place to start and the number of rows.
pub(crate) fn read(page: &Page) -> Result<(Option<Cursor>, i64), Error> {
    let limit = page.limit.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&limit) {
        return Err(Error::invalid("range", "limit"));
    }
    let after = match &page.cursor {
        None => None,
        Some(text) => Some(Cursor::parse(text).ok_or_else(|| Error::invalid("cursor_invalid", "cursor"))?),
    };
    Ok((after, i64::from(limit)))
}

/// The page as it goes out. What belongs to an erased merchant cannot be opened any more: it is
/// left out, and hides nothing that stands beside it.
pub(crate) fn write<R, V>(
    found: Found<R>,
    mut view: impl FnMut(R) -> Result<V, Error>,
) -> Result<List<V>, Error> {
    let next_cursor = found.next.map(Cursor::to_text);
    let kept = |seen: &Result<V, Error>| !matches!(seen, Err(error) if error.kind == ErrorKind::NotFound);
    let data = found.rows.into_iter().map(&mut view).filter(kept).collect::<Result<_, _>>()?;
    Ok(List { data, next_cursor })
}
