//! What goes into a statement and what comes out of it, the same for both engines.
//!
//! Three column types only: BIGINT, TEXT and bytes. Nothing here knows a table.

use bytes::Bytes;
use kabar_protocol::ids::{AccountId, ConversationId, DeviceId, Timeline};
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use super::DbError;

/// A bound parameter. Absent values keep their type, because PostgreSQL wants to know it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Id([u8; 16]),
    Bytes(Option<Bytes>),
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}

/// Counters stay far below 2^63; a larger one from the wire is refused before it gets here.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<[u8; 16]> for Value {
    fn from(value: [u8; 16]) -> Self {
        Self::Id(value)
    }
}

impl From<Bytes> for Value {
    fn from(value: Bytes) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<&Bytes> for Value {
    fn from(value: &Bytes) -> Self {
        Self::Bytes(Some(value.clone()))
    }
}

impl From<Option<Bytes>> for Value {
    fn from(value: Option<Bytes>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value.into()))
    }
}

macro_rules! array_values {
    ($($n:literal),*) => {$(
        impl From<[u8; $n]> for Value {
            fn from(value: [u8; $n]) -> Self {
                Self::Bytes(Some(Bytes::copy_from_slice(&value)))
            }
        }
    )*};
}

array_values!(8, 32);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

macro_rules! id_values {
    ($($name:ident),*) => {$(
        impl From<$name> for Value {
            fn from(id: $name) -> Self {
                Self::Id(id.0)
            }
        }

        impl Column for $name {
            fn read(row: &Row, index: usize) -> Result<Self, DbError> {
                <[u8; 16]>::read(row, index).map($name)
            }
        }
    )*};
}

id_values!(AccountId, DeviceId, ConversationId, Timeline);

/// The parameters of a statement: `params![a, b, c]` fills `$1, $2, $3`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use params;

/// One result row.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of the column at `index`, from 0, in the order of the select list.
    pub(crate) fn get<T: Column>(&self, index: usize) -> Result<T, DbError> {
        T::read(self, index)
    }
}

/// A struct from the columns of a row, in the order of the select list: `columns!(row => Number { phone, name })`.
macro_rules! columns {
    ($row:expr => $name:ident { $($field:ident),* $(,)? }) => {{
        let mut index = 0..;
        $name { $($field: $row.get(index.next().unwrap_or(usize::MAX))?),* }
    }};
}
pub(crate) use columns;

/// A type that a column can be read as.
pub(crate) trait Column: Sized {
    fn read(row: &Row, index: usize) -> Result<Self, DbError>;
}

macro_rules! native_columns {
    ($($native:ty),*) => {$(
        impl Column for $native {
            fn read(row: &Row, index: usize) -> Result<Self, DbError> {
                Ok(match row {
                    Row::Sqlite(row) => row.try_get_unchecked(index)?,
                    Row::Postgres(row) => row.try_get_unchecked(index)?,
                })
            }
        }
    )*};
}

native_columns!(i64, Option<i64>, Vec<u8>, Option<Vec<u8>>, String, Option<String>);

impl Column for u64 {
    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        u64::try_from(i64::read(row, index)?).map_err(|_| DbError::Column { index })
    }
}

impl Column for u32 {
    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        u32::try_from(i64::read(row, index)?).map_err(|_| DbError::Column { index })
    }
}

impl Column for bool {
    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        Ok(i64::read(row, index)? != 0)
    }
}

impl Column for Bytes {
    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        Vec::<u8>::read(row, index).map(Bytes::from)
    }
}

impl Column for Option<Bytes> {
    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        Ok(Option::<Vec<u8>>::read(row, index)?.map(Bytes::from))
    }
}

macro_rules! array_columns {
    ($($length:literal),*) => {$(
        impl Column for [u8; $length] {
            fn read(row: &Row, index: usize) -> Result<Self, DbError> {
                let bytes: &[u8] = match row {
                    Row::Sqlite(row) => row.try_get_unchecked(index)?,
                    Row::Postgres(row) => row.try_get_unchecked(index)?,
                };
                bytes.try_into().map_err(|_| DbError::Column { index })
            }
        }
    )*};
}

impl Column for Option<AccountId> {
    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        let Some(bytes) = Option::<Vec<u8>>::read(row, index)? else {
            return Ok(None);
        };
        let id = AccountId::from_slice(&bytes).map_err(|_| DbError::Column { index })?;
        Ok(Some(id))
    }
}

array_columns!(16, 32);
