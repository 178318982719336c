//! The description of an aggregate's table, and the macro that writes its statements.

use crate::sql::Statement;

/// An aggregate's table: its name, its own columns, its statements.
#[derive(Debug)]
pub struct Table {
    /// The table's name, which is the machine's.
    pub name: &'static str,
    /// The columns after the shared ones, in the order of
    /// [`AggregateRow::columns`](super::AggregateRow::columns).
    pub columns: &'static [&'static str],
    pub(crate) insert: Statement,
    pub(crate) save: Statement,
    pub(crate) find: Statement,
    pub(crate) find_any: Statement,
    pub(crate) lock: Statement,
    pub(crate) list_by_state: Statement,
    pub(crate) list_by_merchant: Statement,
    pub(crate) list_all: Statement,
    pub(crate) due: Statement,
    pub(crate) set_limit: Statement,
    pub(crate) tell: Statement,
    pub(crate) told: Statement,
    pub(crate) count_told: Statement,
    pub(crate) forget_limits: Statement,
}

impl Table {
    /// Its statements, for the catalogue.
    pub(crate) fn statements(&self) -> [Statement; 14] {
        [
            self.insert,
            self.save,
            self.find,
            self.find_any,
            self.lock,
            self.list_by_state,
            self.list_by_merchant,
            self.list_all,
            self.due,
            self.set_limit,
            self.tell,
            self.told,
            self.count_told,
            self.forget_limits,
        ]
    }
}

/// Writes one aggregate's [`Table`] and its further look-ups. Own columns carry their parameter
/// mark from `$9` on, the same in `insert` and `save`.
macro_rules! aggregate_table {
    (@insert $table:literal [$($column:literal $mark:literal),*]) => {
        $crate::sql::Statement::new(concat!($table, "::insert"), concat!(
            "INSERT INTO ", $table, " (id, merchant_id, state, version, facts, created_at, updated_at, limit_at",
            $(", ", $column,)* ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8" $(, ", ", $mark)*, ")"))
    };
    (@save $table:literal [$($column:literal $mark:literal),*]) => {
        $crate::sql::Statement::new(concat!($table, "::save"), concat!(
            "UPDATE ", $table, " SET told_at = CASE WHEN state = $3 AND limit_at = $8 THEN told_at ELSE NULL END, \
             state = $3, version = $4, facts = $5, updated_at = $6, limit_at = $8",
            $(", ", $column, " = ", $mark,)* " WHERE id = $1 AND merchant_id = $2 AND version = $7"))
    };
    (@names [$($column:literal $mark:literal),*]) => { &[$($column),*] };
    (@select $table:literal [$($column:literal $mark:literal),*] $name:literal $tail:expr) => {
        $crate::sql::Statement::new(concat!($table, "::", $name), concat!(
            "SELECT id, merchant_id, state, version, facts, created_at, updated_at, limit_at" $(, ", ", $column)*,
            " FROM ", $table, " ", $tail))
    };
    ($(#[$doc:meta])* $name:ident $table:literal $columns:tt
     $($query:ident $query_name:literal = $tail:expr;)*) => {
        $(#[$doc])*
        pub static $name: $crate::aggregate::Table = $crate::aggregate::Table {
            name: $table,
            columns: aggregate_table!(@names $columns),
            insert: aggregate_table!(@insert $table $columns),
            save: aggregate_table!(@save $table $columns),
            find: aggregate_table!(@select $table $columns "find" "WHERE id = $1 AND merchant_id = $2"),
            find_any: aggregate_table!(@select $table $columns "find_any" "WHERE id = $1"),
            lock: aggregate_table!(@select $table $columns "lock"
                "WHERE id = $1 AND merchant_id = $2 {for_update}"),
            list_by_state: aggregate_table!(@select $table $columns "list_by_state"
                "WHERE state = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3"),
            list_by_merchant: aggregate_table!(@select $table $columns "list_by_merchant"
                "WHERE merchant_id = $4 AND (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3"),
            list_all: aggregate_table!(@select $table $columns "list_all"
                "WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3"),
            due: $crate::sql::Statement::new(concat!($table, "::due"), concat!(
                "SELECT id, merchant_id, limit_at FROM ", $table, " WHERE state = $1 AND limit_at <= $2 \
                 AND told_at IS NULL AND (limit_at, id) > ($3, $4) ORDER BY limit_at, id LIMIT $5")),
            set_limit: $crate::sql::Statement::new(concat!($table, "::set_limit"), concat!(
                "UPDATE ", $table, " SET limit_at = $3 WHERE id = $1 AND merchant_id = $2")),
            tell: $crate::sql::Statement::new(concat!($table, "::tell"), concat!(
                "UPDATE ", $table, " SET told_at = $3 WHERE id = $1 AND merchant_id = $2 AND told_at IS NULL")),
            told: $crate::sql::Statement::new(concat!($table, "::told"), concat!(
                "SELECT id, merchant_id, state, limit_at, told_at FROM ", $table, " WHERE told_at IS NOT NULL \
                 AND (told_at, id) > ($1, $2) ORDER BY told_at, id LIMIT $3")),
            count_told: $crate::sql::Statement::new(concat!($table, "::count_told"), concat!(
                "SELECT count(*) FROM ", $table, " WHERE told_at IS NOT NULL")),
            forget_limits: $crate::sql::Statement::new(concat!($table, "::forget_limits"), concat!(
                "UPDATE ", $table, " SET limit_at = NULL, told_at = NULL WHERE merchant_id = $1")),
        };
        $(const $query: $crate::sql::Statement =
            aggregate_table!(@select $table $columns $query_name $tail);)*
        /// The further look-ups of this table.
        pub(crate) const STATEMENTS: &[$crate::sql::Statement] = &[$($query),*];
    };
}
pub(crate) use aggregate_table;
