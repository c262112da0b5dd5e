//! Counts, newest times and single words of many rows at once.

use models::ids::TenantId;
use sea_orm::{
    EntityTrait, IdenStatic as _, QueryFilter as _, QueryResult, QueryTrait as _, Select, TryGetable, Value,
    entity::prelude::{ColumnTrait as _, DateTimeUtc},
    sea_query::{Asterisk, Expr, ExprTrait as _, Func, Query, SelectStatement, UnionType},
};

use crate::{
    StoreError,
    conn::Conn,
    dialect,
    field::Field,
    keys::{Key, transposed},
};

/// Terms of one UNION: SQLite takes 500.
const TERMS: usize = 100;

/// How many rows `select` has.
pub(crate) async fn count<E: EntityTrait>(conn: &Conn, select: Select<E>) -> Result<u64, StoreError> {
    let mut query: SelectStatement = select.into_query();
    query.clear_selects().clear_order_by().expr(Func::count(Expr::col(Asterisk)));
    let rows = conn.rows(conn.statement(&query)).await?;
    number(E::default().table_name(), rows.first(), 0)
}

/// How many rows `select` has of each word of a column; a word without any is not listed.
pub(crate) async fn count_by<E: EntityTrait, W>(
    conn: &Conn,
    select: Select<E>,
    column: E::Column,
) -> Result<Vec<(W, u64)>, StoreError>
where
    String: Field<W>,
{
    let mut query: SelectStatement = select.into_query();
    query
        .clear_selects()
        .clear_order_by()
        .column((E::default(), column))
        .expr(Func::count(Expr::col(Asterisk)))
        .add_group_by([dialect::after_the_fact(conn.backend(), &column)]);
    let table = E::default().table_name();
    let corrupt = |why: String| StoreError::Corrupt { table, row: column.as_str().to_owned(), why };
    let rows = conn.rows(conn.statement(&query)).await?;
    rows.iter()
        .map(|row| {
            let word: String = row.try_get_by(0).map_err(|err| corrupt(err.to_string()))?;
            Ok((word.get().map_err(corrupt)?, number(table, Some(row), 1)?))
        })
        .collect()
}

/// How many rows `select` has of each of `keys`, which are words of two columns; one without any is not listed.
pub(crate) async fn count_by_words<E: EntityTrait>(
    conn: &Conn,
    select: Select<E>,
    columns: [E::Column; 2],
    keys: Vec<[Value; 2]>,
) -> Result<Vec<([String; 2], u64)>, StoreError> {
    let table = E::default().table_name();
    let mut tallies = Vec::new();
    for chunk in keys.chunks(dialect::keys_at_once(conn.backend(), 2)) {
        let among = dialect::among(conn.backend(), &columns, transposed(chunk));
        let mut query: SelectStatement = select.clone().filter(among).into_query();
        query
            .clear_selects()
            .columns(columns.map(|column| (E::default(), column)))
            .expr(Func::count(Expr::col(Asterisk)))
            .add_group_by(columns.map(|column| dialect::after_the_fact(conn.backend(), &column)));
        for row in conn.rows(conn.statement(&query)).await? {
            let words = [value(table, &row, 0)?, value(table, &row, 1)?];
            tallies.push((words, number(table, Some(&row), 2)?));
        }
    }
    Ok(tallies)
}

/// A number that a query counted, never less than 0.
pub(crate) fn number(
    table: &'static str,
    row: Option<&QueryResult>,
    column: usize,
) -> Result<u64, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { table, row: "count".to_owned(), why };
    let row = row.ok_or_else(|| corrupt("a query that counts gave no row".to_owned()))?;
    let count: i64 = row.try_get_by(column).map_err(|err| corrupt(err.to_string()))?;
    u64::try_from(count).map_err(|err| corrupt(err.to_string()))
}

/// How many rows `select` has of each of `keys` of a column; a key without any is not listed.
pub(crate) async fn count_by_keys<E: EntityTrait, K: Key>(
    conn: &Conn,
    select: Select<E>,
    column: E::Column,
    keys: Vec<[Value; 1]>,
) -> Result<Vec<(K, u64)>, StoreError> {
    by_keys(conn, select, column, Func::count(Expr::col(Asterisk)).into(), keys).await
}

/// The greatest number in `number` of each of `keys` of a column; a key without any is not listed.
pub(crate) async fn max_by_keys<E: EntityTrait, K: Key>(
    conn: &Conn,
    select: Select<E>,
    column: E::Column,
    number: E::Column,
    keys: Vec<[Value; 1]>,
) -> Result<Vec<(K, u64)>, StoreError> {
    by_keys(conn, select, column, Func::max(Expr::col(number)).into(), keys).await
}

/// What `figure`, a number in SQL of ours, comes to over the rows of each of `keys` of a column; a key without any is
/// not listed.
pub(crate) async fn sums_by_keys<E: EntityTrait, K: Key>(
    conn: &Conn,
    select: Select<E>,
    column: E::Column,
    figure: &str,
    keys: Vec<[Value; 1]>,
) -> Result<Vec<(K, u64)>, StoreError> {
    by_keys(conn, select, column, Expr::cust(format!("CAST(SUM({figure}) AS bigint)")), keys).await
}

async fn by_keys<E: EntityTrait, K: Key>(
    conn: &Conn,
    select: Select<E>,
    column: E::Column,
    figure: Expr,
    keys: Vec<[Value; 1]>,
) -> Result<Vec<(K, u64)>, StoreError> {
    let table = E::default().table_name();
    let mut tallies = Vec::new();
    for chunk in keys.chunks(dialect::keys_at_once(conn.backend(), 1)) {
        let among = dialect::among(conn.backend(), &[column], transposed(chunk));
        let mut query: SelectStatement = select.clone().filter(among).into_query();
        let of = (E::default(), column);
        query.clear_selects().column(of).expr(figure.clone()).group_by_col(of);
        for row in conn.rows(conn.statement(&query)).await? {
            tallies.push((key(table, &row)?, number(table, Some(&row), 1)?));
        }
    }
    Ok(tallies)
}

/// The newest time in `at` of a tenant's rows with each of `keys` in `column`. Each is one look into an index.
pub(crate) async fn newest_by_keys<E: EntityTrait, K: Key>(
    conn: &Conn,
    (tenant_column, tenant): (E::Column, TenantId),
    column: E::Column,
    at: E::Column,
    keys: &[K],
) -> Result<Vec<(K, Option<DateTimeUtc>)>, StoreError> {
    let term = |key: &K| {
        let key = || Expr::val(key.clone().stored());
        let newest = Query::select()
            .expr(Func::max(Expr::col(at)))
            .from(E::default())
            .and_where(tenant_column.eq(tenant.0))
            .and_where(Expr::col(column).eq(key()))
            .to_owned();
        let newest = Expr::SubQuery(None, Box::new(newest.into()));
        Query::select().expr(key()).expr(newest).to_owned()
    };
    let table = E::default().table_name();
    let mut times = Vec::new();
    for chunk in keys.chunks(TERMS) {
        let Some((first, others)) = chunk.split_first() else { continue };
        let mut query = term(first);
        query.unions(others.iter().map(|key| (UnionType::All, term(key))));
        for row in conn.rows(conn.statement(&query)).await? {
            times.push((key(table, &row)?, value(table, &row, 1)?));
        }
    }
    Ok(times)
}

/// The key that a row of figures begins with.
fn key<K: Key>(table: &'static str, row: &QueryResult) -> Result<K, StoreError> {
    value(table, row, 0).map(K::of)
}

/// A text of a row that is no whole row of a table, or none. The file of an embedded store that was damaged may hold
/// bytes in its place that are none: they are replaced, so that whoever only counts and names goes on.
pub(crate) fn legible(
    table: &'static str,
    row: &QueryResult,
    column: usize,
) -> Result<Option<String>, StoreError> {
    if let Ok(text) = row.try_get_by(column) {
        return Ok(text);
    }
    let bytes: Option<Vec<u8>> = value(table, row, column)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The same of a column that has one in every row.
pub(crate) fn legible_word(
    table: &'static str,
    row: &QueryResult,
    column: usize,
) -> Result<String, StoreError> {
    Ok(legible(table, row, column)?.unwrap_or_default())
}

/// A value of a row that is no whole row of a table.
pub(crate) fn value<T: TryGetable>(
    table: &'static str,
    row: &QueryResult,
    column: usize,
) -> Result<T, StoreError> {
    row.try_get_by(column).map_err(|err| StoreError::Corrupt {
        table,
        row: format!("column {column}"),
        why: err.to_string(),
    })
}
