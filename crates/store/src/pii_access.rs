//! 个人信息查阅记录: who looked at whose personal data. Insert only, until the retention period is
//! over.
//!
//! A look that somebody repeats within a while stands once. One statement says whether anything of
//! what is shown is news, and one writes what is, for one thing as for a whole page.

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::{Statement, sql};
use crate::tx::Tx;
use crate::value::{Row, ToValue, ValueRef};
use starpay_domain::instant::Timestamp;
use std::sync::LazyLock;
use uuid::Uuid;

sql! {
    BY_MERCHANT = "SELECT id, merchant_id, actor, role, what, request_id, at FROM pii_access \
                   WHERE merchant_id = $4 AND (at, id) > ($1, $2) ORDER BY at, id LIMIT $3";
    PURGE = "DELETE FROM pii_access WHERE (id, merchant_id) IN (SELECT id, merchant_id FROM pii_access \
             WHERE at < $1 ORDER BY at LIMIT $2)";
}

/// Things one statement takes: as many as the longest page of the API shows.
const THINGS_MAX: usize = 100;

/// A statement for one thing, and one for up to [`THINGS_MAX`].
struct Widths {
    one: Statement,
    many: Statement,
}

static NEWS: LazyLock<Widths> = LazyLock::new(|| Widths {
    one: Statement::new("pii_access::NEWS_ONE", news(1).leak()),
    many: Statement::new("pii_access::NEWS_MANY", news(THINGS_MAX).leak()),
});

static INSERT: LazyLock<Widths> = LazyLock::new(|| Widths {
    one: Statement::new("pii_access::INSERT_ONE", insert_text(1).leak()),
    many: Statement::new("pii_access::INSERT_MANY", insert_text(THINGS_MAX).leak()),
});

/// The statements made for a number of things, for the catalogue.
pub(crate) fn statements_by_width() -> [Statement; 4] {
    [NEWS.one, NEWS.many, INSERT.one, INSERT.many]
}

fn news(things: usize) -> String {
    format!("SELECT column2 {} LIMIT 1", from_new(things, 3))
}

fn insert_text(things: usize) -> String {
    format!(
        "INSERT INTO pii_access (id, merchant_id, actor, role, what, request_id, at) SELECT column1, column2, \
         CAST($1 AS TEXT), CAST($3 AS TEXT), column3, CAST($4 AS TEXT), CAST($5 AS BIGINT) {}",
        from_new(things, 6)
    )
}

/// Of so many things, three parameters each, those that the actor `$1` was not shown after `$2`.
fn from_new(things: usize, first: usize) -> String {
    let thing = |at: usize| {
        format!("(CAST(${at} AS {{bytes}}), CAST(${} AS {{bytes}}), CAST(${} AS TEXT))", at + 1, at + 2)
    };
    let rows: Vec<String> = (0..things).map(|number| thing(first + 3 * number)).collect();
    format!(
        "FROM (VALUES {}) AS shown WHERE column1 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pii_access AS p \
         WHERE p.merchant_id = column2 AND p.at > CAST($2 AS BIGINT) AND p.actor = CAST($1 AS TEXT) \
         AND p.what = column3)",
        rows.join(", ")
    )
}

/// 个人信息查阅记录: who looked at whose personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PiiAccessRow {
    /// Its id.
    pub id: Uuid,
    /// Whose data.
    pub merchant_id: Uuid,
    /// Who looked.
    pub actor: String,
    /// As what; `None` where it was not recorded yet.
    pub role: Option<String>,
    /// What was shown.
    pub what: String,
    /// The request that showed it, if it was one with a name.
    pub request_id: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl PiiAccessRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            actor: row.get(2)?,
            role: row.get(3)?,
            what: row.get(4)?,
            request_id: row.get(5)?,
            at: row.get(6)?,
        })
    }
}

/// Who is shown something, and when.
#[derive(Debug, Clone, Copy)]
pub struct Onlooker<'a> {
    /// Who.
    pub actor: &'a str,
    /// As what.
    pub role: &'a str,
    /// By which request.
    pub request_id: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// Something shown: the row it would become, whose data it is, what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The row's id.
    pub id: Uuid,
    /// Whose data.
    pub merchant_id: Uuid,
    /// What.
    pub what: String,
}

/// Whether there is anything among these that the actor was not shown after `since`.
///
/// # Errors
/// The store's own.
pub fn any_news(tx: &mut Tx, actor: &str, things: &[Thing], since: Timestamp) -> Result<bool, StoreError> {
    for things in things.chunks(THINGS_MAX) {
        let (statement, params) = with_things(&NEWS, params![actor, since], things);
        if tx.query_opt(&statement, &params)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Records what the onlooker was not shown after `since`; how much that was.
///
/// # Errors
/// The store's own.
pub fn insert_news(
    tx: &mut Tx,
    by: Onlooker<'_>,
    things: &[Thing],
    since: Timestamp,
) -> Result<u64, StoreError> {
    let Onlooker { actor, role, request_id, at } = by;
    things.chunks(THINGS_MAX).try_fold(0, |sum: u64, things| {
        let (statement, params) = with_things(&INSERT, params![actor, since, role, request_id, at], things);
        Ok(sum.saturating_add(tx.execute(&statement, &params)?))
    })
}

/// The narrowest statement these things fit in, and its parameters: what is left over is NULL.
fn with_things<'v>(
    widths: &Widths,
    shared: &[ValueRef<'v>],
    things: &'v [Thing],
) -> (Statement, Vec<ValueRef<'v>>) {
    let (statement, width) = if things.len() == 1 { (widths.one, 1) } else { (widths.many, THINGS_MAX) };
    let mut params = shared.to_vec();
    let all = params.len() + 3 * width;
    params.extend(things.iter().flat_map(|Thing { id, merchant_id, what }| {
        [id.to_value(), merchant_id.to_value(), what.to_value()]
    }));
    params.resize(all, ValueRef::Null);
    (statement, params)
}

/// Who looked at a merchant's data, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<PiiAccessRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let rows = tx.query(&BY_MERCHANT, params![at, id, limit + 1, merchant])?;
    let rows = rows.iter().map(PiiAccessRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, |row| Cursor { at: row.at, id: row.id }))
}

/// Removes up to `limit` rows from before `before`; how many it removed.
///
/// # Errors
/// The store's own.
pub fn purge(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    tx.execute(&PURGE, params![before, limit])
}
