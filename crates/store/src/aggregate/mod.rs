//! Aggregates: one table each, the same first columns, the same few operations.
//!
//! The sealed facts are bytes here; what they mean is `domain`'s business and what seals them is
//! `app`'s. A table's own columns exist only to be looked up or to carry a rule across rows.

pub mod activation;
pub mod agreement;
pub mod application;
pub mod capability;
pub mod device;
pub mod device_auth;
pub mod key_slot;
pub mod limit;
pub mod registration;
pub mod shipment;
mod table;
pub mod visit;

pub use activation::ACTIVATION;
pub use agreement::AGREEMENT;
pub use application::APPLICATION;
pub use capability::CAPABILITY;
pub use device::DEVICE;
pub use device_auth::DEVICE_AUTH;
pub use key_slot::KEY_SLOT;
pub use registration::REGISTRATION;
pub use shipment::SHIPMENT;
pub use table::Table;
pub(crate) use table::aggregate_table;
pub use visit::VISIT;

use crate::error::StoreError;
use crate::page::{Cursor, Page, rows_wanted};
use crate::params;
use crate::sql::Statement;
use crate::tx::Tx;
use crate::value::{FromValue, Row, ToValue, Value, ValueRef};
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

/// Every aggregate's table.
pub static TABLES: [&Table; 10] = [
    &APPLICATION,
    &AGREEMENT,
    &VISIT,
    &REGISTRATION,
    &SHIPMENT,
    &DEVICE,
    &ACTIVATION,
    &DEVICE_AUTH,
    &KEY_SLOT,
    &CAPABILITY,
];

/// The further look-ups of every table.
pub(crate) const LOOK_UPS: &[&[Statement]] = &[
    application::STATEMENTS,
    application::COUNTS,
    agreement::STATEMENTS,
    visit::STATEMENTS,
    registration::STATEMENTS,
    shipment::STATEMENTS,
    device::STATEMENTS,
    activation::STATEMENTS,
    device_auth::STATEMENTS,
    device_auth::COUNTS,
    key_slot::STATEMENTS,
    capability::STATEMENTS,
];

/// How many columns every aggregate's table begins with.
const SHARED_COLUMNS: usize = 8;

/// One stored aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is; the nil id for directory tables.
    pub merchant_id: Uuid,
    /// The name of its state.
    pub state: String,
    /// The version of its last event: 1 after the first.
    pub version: i64,
    /// The facts of its state, sealed.
    pub facts: Vec<u8>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Since when it is so.
    pub updated_at: Timestamp,
    /// The moment from which, or until which, the state's limit counts; `None` without a limit.
    pub limit_at: Option<Timestamp>,
    /// The table's own columns, in the order of [`Table::columns`].
    pub columns: Vec<Value>,
}

impl AggregateRow {
    fn read(row: Row) -> Result<Self, StoreError> {
        let mut read = Self {
            id: row.get(0)?,
            merchant_id: row.get(1)?,
            state: row.get(2)?,
            version: row.get(3)?,
            facts: row.get(4)?,
            created_at: row.get(5)?,
            updated_at: row.get(6)?,
            limit_at: row.get(7)?,
            columns: Vec::new(),
        };
        read.columns = row.into_values().split_off(SHARED_COLUMNS);
        Ok(read)
    }

    fn params(&self) -> Vec<ValueRef<'_>> {
        let mut params = vec![
            self.id.to_value(),
            self.merchant_id.to_value(),
            self.state.to_value(),
            self.version.to_value(),
            self.facts.to_value(),
            self.created_at.to_value(),
            self.updated_at.to_value(),
            self.limit_at.to_value(),
        ];
        params.extend(self.columns.iter().map(ToValue::to_value));
        params
    }

    fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id }
    }
}

impl Table {
    /// The value of one of the table's own columns in `row`, by name.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when there is no such column or it holds another kind.
    pub fn column<T: FromValue>(&self, row: &AggregateRow, name: &str) -> Result<T, StoreError> {
        self.columns
            .iter()
            .position(|column| *column == name)
            .and_then(|index| row.columns.get(index))
            .and_then(T::from_value)
            .ok_or_else(|| StoreError::corrupt(format_args!("{}.{name}", self.name)))
    }
}

/// Adds a new aggregate.
///
/// # Errors
/// [`StoreError::Constraint`] with the name of the rule that refuses it.
pub fn insert(tx: &mut Tx, table: &Table, row: &AggregateRow) -> Result<(), StoreError> {
    tx.execute(&table.insert, &row.params()).map(|_| ())
}

/// The aggregate with that id, if there is one.
///
/// # Errors
/// The store's own.
pub fn find(
    tx: &mut Tx,
    table: &Table,
    id: Uuid,
    merchant: Uuid,
) -> Result<Option<AggregateRow>, StoreError> {
    tx.query_opt(&table.find, params![id, merchant])?.map(AggregateRow::read).transpose()
}

/// The aggregate with that id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn get(tx: &mut Tx, table: &Table, id: Uuid, merchant: Uuid) -> Result<AggregateRow, StoreError> {
    find(tx, table, id, merchant)?.ok_or(StoreError::NotFound { what: table.name })
}

/// The aggregate with that id when the merchant is not known (an operator's or a device's view).
///
/// # Errors
/// The store's own.
pub fn find_any(tx: &mut Tx, table: &Table, id: Uuid) -> Result<Option<AggregateRow>, StoreError> {
    tx.query_opt(&table.find_any, params![id])?.map(AggregateRow::read).transpose()
}

/// The aggregate with that id, locked until the transaction ends.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn lock(tx: &mut Tx, table: &Table, id: Uuid, merchant: Uuid) -> Result<AggregateRow, StoreError> {
    tx.query_opt(&table.lock, params![id, merchant])?
        .map(AggregateRow::read)
        .transpose()?
        .ok_or(StoreError::NotFound { what: table.name })
}

/// Writes the next state of an aggregate over the version the caller had read.
///
/// # Errors
/// [`StoreError::Stale`] when somebody was faster, [`StoreError::NotFound`],
/// [`StoreError::Constraint`].
pub fn save(tx: &mut Tx, table: &Table, row: &AggregateRow, expected_version: i64) -> Result<(), StoreError> {
    let mut params = vec![row.id.to_value(), row.merchant_id.to_value(), row.state.to_value()];
    params.extend([row.version.to_value(), row.facts.to_value(), row.updated_at.to_value()]);
    params.extend([expected_version.to_value(), row.limit_at.to_value()]);
    params.extend(row.columns.iter().map(ToValue::to_value));
    if tx.execute(&table.save, &params)? == 1 {
        return Ok(());
    }
    let found = get(tx, table, row.id, row.merchant_id)?.version;
    Err(StoreError::Stale { expected: expected_version, found })
}

/// The aggregates in one state, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_state(
    tx: &mut Tx,
    table: &Table,
    state: &str,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &table.list_by_state, &[&state], after, limit)
}

/// The aggregates of one merchant, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_by_merchant(
    tx: &mut Tx,
    table: &Table,
    merchant: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &table.list_by_merchant, &[&merchant], after, limit)
}

/// All aggregates, oldest first.
///
/// # Errors
/// The store's own.
pub fn list_all(
    tx: &mut Tx,
    table: &Table,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    list(tx, &table.list_all, &[], after, limit)
}

/// One page of a list statement: `$1` moment, `$2` id, `$3` rows, from `$4` on what the list is of.
pub(crate) fn list(
    tx: &mut Tx,
    statement: &Statement,
    of: &[&dyn ToValue],
    after: Option<Cursor>,
    limit: i64,
) -> Result<Page<AggregateRow>, StoreError> {
    let Cursor { at, id } = after.unwrap_or(Cursor::START);
    let limit = rows_wanted(limit);
    let wanted = limit + 1;
    let mut params = vec![at.to_value(), id.to_value(), wanted.to_value()];
    params.extend(of.iter().map(|value| value.to_value()));
    let rows = tx.query(statement, &params)?;
    let rows = rows.into_iter().map(AggregateRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, limit, AggregateRow::cursor))
}

/// The first row of a look-up statement.
pub(crate) fn look_up(
    tx: &mut Tx,
    statement: &Statement,
    params: &[ValueRef<'_>],
) -> Result<Option<AggregateRow>, StoreError> {
    tx.query_opt(statement, params)?.map(AggregateRow::read).transpose()
}

/// All rows of a statement whose answer is a handful.
pub(crate) fn rows(
    tx: &mut Tx,
    statement: &Statement,
    params: &[ValueRef<'_>],
) -> Result<Vec<AggregateRow>, StoreError> {
    tx.query(statement, params)?.into_iter().map(AggregateRow::read).collect()
}
