//! A connection with the statements of both engines behind one door.
//!
//! Every statement is a persistent prepared one, so its text must be one of few: rows are written by
//! [`Rows`], which rounds their number up to a fixed size.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use sqlx::{
    Arguments as _, AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite, pool::PoolConnection, postgres::PgArguments,
    sqlite::SqliteArguments,
};

use super::{DbError, Engine, Row, Value};

/// A connection, in a transaction if its owner began one.
pub(crate) struct Tx {
    pub(super) connection: Connection,
}

pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Tx {
    pub(crate) fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Closes a connection whose transaction is in doubt; the pool makes another.
    pub(super) async fn discard(self) {
        let closed = match self.connection {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "a database connection did not close in order");
        }
    }

    /// Runs a statement; the number of rows that it changed.
    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr, params: &[Value]) -> Result<u64, DbError> {
        let sql = sql.into_sql_str();
        #[cfg(test)]
        super::tests::assert_searches(&mut self.connection, &sql).await;
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite_arguments(params)?);
                Ok(query.execute(&mut **connection).await?.rows_affected())
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(params)?);
                Ok(query.execute(&mut **connection).await?.rows_affected())
            }
        }
    }

    /// Runs a statement and collects its rows. The caller's LIMIT, or its key, bounds them.
    pub(crate) async fn fetch(&mut self, sql: impl SqlSafeStr, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let sql = sql.into_sql_str();
        #[cfg(test)]
        super::tests::assert_searches(&mut self.connection, &sql).await;
        Ok(match &mut self.connection {
            Connection::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite_arguments(params)?);
                let rows = query.fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(params)?);
                let rows = query.fetch_all(&mut **connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(crate) async fn fetch_optional(
        &mut self,
        sql: impl SqlSafeStr,
        params: &[Value],
    ) -> Result<Option<Row>, DbError> {
        Ok(self.fetch(sql, params).await?.into_iter().next())
    }

    /// Runs `sql`, in which `{rows}` stands for the rows, for all of them.
    ///
    /// A row may be bound twice to round the number up: the statement must not mind
    /// (`ON CONFLICT DO NOTHING`, `UPDATE ... FROM`, `IN`, but not `DO UPDATE`, see [`Self::execute_exact`]).
    pub(crate) async fn execute_rows(&mut self, sql: &'static str, rows: &Rows) -> Result<u64, DbError> {
        let mut changed = 0;
        for (size, chunk) in rows.padded_chunks() {
            changed += self
                .execute(statement(self.engine(), sql, rows.width, size), &chunk)
                .await?;
        }
        Ok(changed)
    }

    /// As [`Self::execute_rows`], with the rows that the statement returns. Padding is not seen in
    /// `UPDATE ... FROM` and `IN`.
    pub(crate) async fn fetch_rows(&mut self, sql: &'static str, rows: &Rows) -> Result<Vec<Row>, DbError> {
        let mut all = Vec::new();
        for (size, chunk) in rows.padded_chunks() {
            all.extend(
                self.fetch(statement(self.engine(), sql, rows.width, size), &chunk)
                    .await?,
            );
        }
        Ok(all)
    }

    /// For statements that a row bound twice would break: several statements of fixed sizes instead of padding.
    pub(crate) async fn fetch_exact(&mut self, sql: &'static str, rows: &Rows) -> Result<Vec<Row>, DbError> {
        let mut all = Vec::new();
        for (size, chunk) in rows.exact_chunks() {
            all.extend(
                self.fetch(statement(self.engine(), sql, rows.width, size), chunk)
                    .await?,
            );
        }
        Ok(all)
    }
}

/// Rows for a multi-row statement, flat.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    width: usize,
    values: Vec<Value>,
}

/// Numbers of rows that statements are prepared for. 256 rows of 10 columns stay far below SQLite's 32,766 binds.
const SIZES: [usize; 16] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

impl Rows {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            values: Vec::new(),
        }
    }

    pub(crate) fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.width, "a row has as many values as the statement has columns");
        self.values.extend(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Chunks of few sizes, the last one rounded up by repeating its last row.
    fn padded_chunks(&self) -> impl Iterator<Item = (usize, Cow<'_, [Value]>)> {
        self.values.chunks(SIZES[SIZES.len() - 1] * self.width).map(|chunk| {
            let rows = chunk.len() / self.width;
            let size = SIZES.into_iter().find(|size| *size >= rows).unwrap_or(rows);
            if size == rows {
                return (size, Cow::Borrowed(chunk));
            }
            let mut padded = Vec::with_capacity(size * self.width);
            padded.extend_from_slice(chunk);
            let last = &chunk[chunk.len() - self.width..];
            (rows..size).for_each(|_| padded.extend_from_slice(last));
            (size, Cow::Owned(padded))
        })
    }

    fn exact_chunks(&self) -> impl Iterator<Item = (usize, &[Value])> {
        let mut rest = self.values.as_slice();
        std::iter::from_fn(move || {
            let rows = rest.len() / self.width;
            let size = SIZES.into_iter().rev().find(|size| *size <= rows)?;
            let (chunk, tail) = rest.split_at(size * self.width);
            rest = tail;
            Some((size, chunk))
        })
    }
}

/// `sql` with `{rows}` replaced by `($1, $2), ($3, $4), ...`; built once per size.
fn statement(engine: Engine, sql: &'static str, width: usize, size: usize) -> SqlStr {
    type Cache = Mutex<HashMap<(Engine, &'static str, usize), Arc<str>>>;
    static TEXTS: LazyLock<Cache> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = texts
        .entry((engine, sql, size))
        .or_insert_with(|| sql.replace("{rows}", &placeholders(engine, width, size)).into());
    AssertSqlSafe(Arc::clone(text)).into_sql_str()
}

/// SQLite takes `$1` too, but finds a numbered parameter by a linear search at every execution; a bare `?` it counts.
fn placeholders(engine: Engine, width: usize, size: usize) -> String {
    let mut text = String::with_capacity(width * size * 7);
    for row in 0..size {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            text.push_str(if column == 1 { "" } else { ", " });
            // Writing to a String does not fail.
            let _ = match engine {
                Engine::Sqlite => write!(text, "?"),
                Engine::Postgres => write!(text, "${}", row * width + column),
            };
        }
        text.push(')');
    }
    text
}

fn sqlite_arguments(params: &[Value]) -> Result<SqliteArguments, DbError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(params.len(), 0);
    for value in params {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Id(id) => arguments.add(&id[..]),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            Value::Text(text) => arguments.add(text.as_deref()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(params: &[Value]) -> Result<PgArguments, DbError> {
    let mut arguments = PgArguments::default();
    arguments.reserve(params.len(), 0);
    for value in params {
        match value {
            Value::Int(value) => arguments.add(*value),
            Value::Id(id) => arguments.add(&id[..]),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            Value::Text(text) => arguments.add(text.as_deref()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Rows {
        let mut rows = Rows::new(2);
        (0..count).for_each(|n| rows.push([Value::from(n as u64), Value::from(0_i64)]));
        rows
    }

    #[test]
    fn placeholders_count_through_the_rows() {
        assert_eq!(placeholders(Engine::Postgres, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(placeholders(Engine::Sqlite, 2, 2), "(?, ?), (?, ?)");
    }

    #[test]
    fn rows_are_rounded_up_or_split_into_few_sizes() {
        let padded = |count| rows(count).padded_chunks().map(|(size, _)| size).collect::<Vec<_>>();
        assert_eq!(padded(5), [6]);
        assert_eq!(padded(300), [256, 48]);
        assert_eq!(padded(0), [0; 0]);
        let exact = |count| rows(count).exact_chunks().map(|(size, _)| size).collect::<Vec<_>>();
        assert_eq!(exact(300), [256, 32, 12]);
        assert_eq!(exact(5), [4, 1]);
    }
}
