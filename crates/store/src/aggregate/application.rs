//! 进件申请: one merchant's way in, with its form sealed beside it.

use super::{AggregateRow, aggregate_table, list, look_up, rows};
use crate::error::StoreError;
use crate::page::{Cursor, Page};
use crate::params;
use crate::sql::Statement;
use crate::tx::Tx;
use uuid::Uuid;

/// The states in which an application is over, the domain's `application::OVER`, as SQL reads them.
macro_rules! over {
    () => {
        "('rejected', 'upheld', 'withdrawn', 'expired')"
    };
}

/// The states before an application was handed in, or in which it waits behind another one.
macro_rules! waiting {
    () => {
        "('draft', 'frozen')"
    };
}

aggregate_table! {
    /// 进件申请: one merchant's way in, with its form sealed beside it.
    APPLICATION "application" ["business_no" "$9", "subject_index" "$10", "form" "$11", "claimed_by" "$12"]
    BY_BUSINESS_NO "by_business_no" = "WHERE merchant_id = $1 AND business_no = $2";
    IN_THE_WAY "in_the_way" = concat!("WHERE subject_index = $1 AND id <> $2 AND state NOT IN ", waiting!(),
        " AND state NOT IN ", over!(), " ORDER BY created_at, id LIMIT $3");
    // False comes before true on both engines.
    GOVERNING "governing" = concat!("WHERE merchant_id = $1 ORDER BY state IN ", over!(), ", state IN ",
        waiting!(), ", created_at DESC, id DESC LIMIT 1");
    OF_MERCHANT_IN_STATE "of_merchant_in_state" = "WHERE merchant_id = $4 AND state = $5 \
        AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3";
}

const COUNT_OF_MERCHANT: Statement = Statement::new(
    "application::count_of_merchant",
    "SELECT count(*) FROM application WHERE merchant_id = $1",
);

const FORGET_SUBJECTS: Statement = Statement::new(
    "application::forget_subjects",
    "UPDATE application SET subject_index = NULL WHERE merchant_id = $1",
);

/// What is counted or changed beside the rows themselves, for the catalogue.
pub(crate) const COUNTS: &[Statement] = &[COUNT_OF_MERCHANT, FORGET_SUBJECTS];

/// Whose applications these were is told by nothing any more: once a merchant is erased, theirs stand
/// in nobody's way.
///
/// # Errors
/// The store's own.
pub fn forget_subjects(tx: &mut Tx, merchant: Uuid) -> Result<u64, StoreError> {
    tx.execute(&FORGET_SUBJECTS, params![merchant])
}

/// How many applications a merchant has, in whatever state.
///
/// # Errors
/// The store's own.
pub fn count_of_merchant(tx: &mut Tx, merchant: Uuid) -> Result<i64, StoreError> {
    let row = tx.query_opt(&COUNT_OF_MERCHANT, params![merchant])?;
    row.ok_or(StoreError::NotFound { what: "application" })?.get(0)
}

/// A merchant's applications in one state, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_of_merchant_in_state(
    tx: &mut Tx,
    merchant: Uuid,
    state: &str,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &OF_MERCHANT_IN_STATE, &[&merchant, &state], after, limit)
}

/// The application with that business number of the merchant: it is the merchant's idempotency key.
///
/// # Errors
/// The store's own.
pub fn find_by_business_no(
    tx: &mut Tx,
    merchant: Uuid,
    business_no: &str,
) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &BY_BUSINESS_NO, params![merchant, business_no])
}

/// The application that says how far a merchant is: the live one. Where older rows hold several, one
/// that was handed in comes before a draft or a duplicate, and any of these before one that is over;
/// among equals the newest.
///
/// # Errors
/// The store's own.
pub fn governing(tx: &mut Tx, merchant: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    look_up(tx, &GOVERNING, params![merchant])
}

/// The applications of one subject (a blind index over the licence or identity number) that stand in
/// the way of this one: those under way or through, oldest first, at most so many. Anybody may write
/// anybody's number into a draft, so drafts are never read.
///
/// # Errors
/// The store's own.
pub fn in_the_way(
    tx: &mut Tx,
    subject_index: &[u8],
    application: Uuid,
    limit: i64,
) -> Result<Vec<AggregateRow>, StoreError> {
    rows(tx, &IN_THE_WAY, params![subject_index, application, limit])
}

#[cfg(test)]
mod tests {
    use starpay_domain::application::OVER;

    #[test]
    fn what_is_over_is_what_the_domain_calls_over() {
        let listed: Vec<&str> = over!().split('\'').skip(1).step_by(2).collect();
        assert_eq!(listed, OVER);
        for state in waiting!().split('\'').skip(1).step_by(2) {
            assert!(!OVER.contains(&state), "{state}");
        }
    }
}
