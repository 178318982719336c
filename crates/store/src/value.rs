//! Values that cross into SQL and back: three kinds and NULL, the same on both engines.

use crate::error::StoreError;
use starpay_domain::instant::Timestamp;
use uuid::Uuid;

/// A stored value. Money and times are `Int`, ids and sealed things `Bytes`, states `Text`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BYTEA or BLOB.
    Bytes(Vec<u8>),
}

/// A value on its way into a statement, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueRef<'a> {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(&'a str),
    /// BYTEA or BLOB.
    Bytes(&'a [u8]),
}

/// What can be a statement's parameter.
pub trait ToValue {
    /// The parameter, borrowed from `self`.
    fn to_value(&self) -> ValueRef<'_>;
}

/// What can be read from a column.
pub trait FromValue: Sized {
    /// The value, or `None` when the column holds another kind.
    fn from_value(value: &Value) -> Option<Self>;
}

impl ToValue for Value {
    fn to_value(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Int(int) => ValueRef::Int(*int),
            Self::Text(text) => ValueRef::Text(text),
            Self::Bytes(bytes) => ValueRef::Bytes(bytes),
        }
    }
}

impl ToValue for ValueRef<'_> {
    fn to_value(&self) -> ValueRef<'_> {
        *self
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Int(*self)
    }
}

impl ToValue for Timestamp {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Int(self.micros())
    }
}

impl ToValue for Uuid {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Bytes(self.as_bytes())
    }
}

impl ToValue for str {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Bytes(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Bytes(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Bytes(self)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> ValueRef<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> ValueRef<'_> {
        self.as_ref().map_or(ValueRef::Null, ToValue::to_value)
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(int) => Some(*int),
            Value::Null | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_micros)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Int(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Null | Value::Int(_) | Value::Text(_) => None,
        }
    }
}

impl FromValue for Uuid {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Self::from_slice(bytes).ok(),
            Value::Null | Value::Int(_) | Value::Text(_) => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => bytes.as_slice().try_into().ok(),
            Value::Null | Value::Int(_) | Value::Text(_) => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            Value::Int(_) | Value::Text(_) | Value::Bytes(_) => T::from_value(value).map(Some),
        }
    }
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values }
    }

    /// The value of a column by position, counted from 0.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the column is absent or holds another kind.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T, StoreError> {
        self.values.get(column).and_then(T::from_value).ok_or_else(|| {
            StoreError::corrupt(format_args!(
                "column {column} is not a {}",
                std::any::type_name::<T>().rsplit("::").next().unwrap_or_default()
            ))
        })
    }

    /// All values, in the order of the statement's columns.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// The parameters of a statement, in the order of `$1`, `$2` …
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::ToValue::to_value(&$value)),*] };
}

impl rusqlite::ToSql for ValueRef<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef as Lite};
        Ok(ToSqlOutput::Borrowed(match *self {
            ValueRef::Null => Lite::Null,
            ValueRef::Int(int) => Lite::Integer(int),
            ValueRef::Text(text) => Lite::Text(text.as_bytes()),
            ValueRef::Bytes(bytes) => Lite::Blob(bytes),
        }))
    }
}

/// Reads one SQLite column.
pub(crate) fn from_sqlite(value: rusqlite::types::ValueRef<'_>) -> Result<Value, StoreError> {
    use rusqlite::types::ValueRef as Lite;
    match value {
        Lite::Null => Ok(Value::Null),
        Lite::Integer(int) => Ok(Value::Int(int)),
        Lite::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(StoreError::corrupt("a TEXT column is not UTF-8")),
        },
        Lite::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        Lite::Real(_) => Err(StoreError::corrupt("a column holds a floating-point number")),
    }
}

mod postgres {
    use super::{Value, ValueRef};
    use bytes::BytesMut;
    use std::error::Error;
    use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

    impl ToSql for ValueRef<'_> {
        fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
            match *self {
                ValueRef::Null => Ok(IsNull::Yes),
                ValueRef::Int(int) if *ty == Type::INT8 => int.to_sql(ty, out),
                ValueRef::Text(text) if *ty == Type::TEXT => text.to_sql(ty, out),
                ValueRef::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
                ValueRef::Int(_) | ValueRef::Text(_) | ValueRef::Bytes(_) => {
                    Err(format!("a parameter of type {ty} was given {self:?}").into())
                }
            }
        }

        fn accepts(_: &Type) -> bool {
            true
        }

        to_sql_checked!();
    }

    impl<'a> FromSql<'a> for Value {
        fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
            match *ty {
                Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
                Type::INT4 => i32::from_sql(ty, raw).map(|int| Self::Int(i64::from(int))),
                Type::BOOL => bool::from_sql(ty, raw).map(|yes| Self::Int(i64::from(yes))),
                Type::BYTEA => Vec::from_sql(ty, raw).map(Self::Bytes),
                _ => String::from_sql(ty, raw).map(Self::Text),
            }
        }

        fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
            Ok(Self::Null)
        }

        fn accepts(ty: &Type) -> bool {
            matches!(
                *ty,
                Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT | Type::NAME | Type::VARCHAR
            )
        }
    }
}
