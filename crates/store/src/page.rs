//! Paging by key: a page ends with the place where the next one starts.

use starpay_domain::instant::Timestamp;
use uuid::Uuid;

/// The most rows one page may hold.
pub const PAGE_ROWS_MAX: i64 = 500;

/// A place in a list ordered by moment, then id: rows after it come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The moment of the last row seen.
    pub at: Timestamp,
    /// Its id.
    pub id: Uuid,
}

impl Cursor {
    /// Before every row.
    pub const START: Self = Self { at: Timestamp::from_micros(i64::MIN), id: Uuid::nil() };

    /// As text for an API: micros, a dot, the id's 32 hexadecimal digits.
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{}.{}", self.at.micros(), self.id.simple())
    }

    /// From the text of [`Cursor::to_text`]; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('.')?;
        let at = Timestamp::from_micros(micros.parse().ok()?);
        Some(Self { at, id: Uuid::try_parse(id).ok()? })
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, oldest first.
    pub rows: Vec<T>,
    /// Where the next page starts; `None` at the end of the list.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page from up to `limit + 1` rows: the one too many says that there is more.
    pub(crate) fn cut(mut rows: Vec<T>, limit: i64, place: impl Fn(&T) -> Cursor) -> Self {
        let keep = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > keep;
        rows.truncate(keep);
        let next = if more { rows.last().map(place) } else { None };
        Self { rows, next }
    }
}

/// A caller's wish for a page size, made safe.
pub(crate) fn rows_wanted(limit: i64) -> i64 {
    limit.clamp(1, PAGE_ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = Cursor { at: Timestamp::from_micros(-5), id: Uuid::from_u128(7) };
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        assert_eq!(Cursor::parse("x.7"), None);
    }

    #[test]
    fn the_row_too_many_becomes_the_next_page() {
        let at = |n: i64| Cursor { at: Timestamp::from_micros(n), id: Uuid::nil() };
        let page = Page::cut(vec![1, 2, 3], 2, |n| at(*n));
        assert_eq!((page.rows, page.next), (vec![1, 2], Some(at(2))));
        assert_eq!(Page::cut(vec![1, 2], 2, |n| at(*n)).next, None);
    }
}
