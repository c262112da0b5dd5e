//! Rows out: all, one, a count, a page. A row that cannot be read is an error that names it; none is left out.

use std::collections::HashMap;

use entities::Id;
use models::{
    ids::RunId,
    page::{Cursor, Page, PageRequest},
};
use sea_orm::{
    DbErr, EntityTrait, FromQueryResult as _, IdenStatic as _, Iterable as _, PrimaryKeyToColumn as _,
    QueryFilter as _, QueryOrder as _, QueryResult, QuerySelect as _, QueryTrait as _, Select, UpdateMany,
    Value,
    entity::prelude::DateTimeUtc,
    sea_query::{Asterisk, Expr, ExprTrait as _, Query, UnionType},
};
use uuid::Uuid;

use crate::{
    StoreError,
    conn::Conn,
    dialect,
    keys::{sorted, transposed},
    tally,
};

/// What there is of each of several runs. Where something of a run does not read back, that is told in the place of all
/// of it: nothing that is wrong with one hides what there is of another.
pub type ByRun<T> = HashMap<RunId, Result<T, StoreError>>;

/// Every row of `select`.
pub(crate) async fn all<E: EntityTrait>(conn: &Conn, select: Select<E>) -> Result<Vec<E::Model>, StoreError> {
    let rows = conn.rows(select.build(conn.backend())).await?;
    rows.iter().map(model::<E>).collect()
}

/// Every row of `first`, and then every row of `second`, by one statement: what is locked is locked in that order.
pub(crate) async fn both<E: EntityTrait>(
    conn: &Conn,
    first: Select<E>,
    second: Select<E>,
) -> Result<Vec<E::Model>, StoreError> {
    // Whole queries of their own: Postgres locks no rows of a part of a union.
    let all = |of: Select<E>, name: &'static str| {
        Query::select().column(Asterisk).from_subquery(of.into_query(), name).to_owned()
    };
    let mut query = all(first, "first");
    query.union(UnionType::All, all(second, "second"));
    let rows = conn.rows(conn.statement(&query)).await?;
    rows.iter().map(model::<E>).collect()
}

/// The first row of `select`, if there is one.
pub(crate) async fn one<E: EntityTrait>(
    conn: &Conn,
    select: Select<E>,
) -> Result<Option<E::Model>, StoreError> {
    let rows = conn.rows(select.limit(1).build(conn.backend())).await?;
    rows.first().map(model::<E>).transpose()
}

/// Every row of `select` whose `columns` are one of `keys`. A chunk of keys comes after the one before, so rows
/// come, and are locked, in the order of the keys if `select` orders by them and they are in order.
pub(crate) async fn by_keys<E: EntityTrait, const N: usize>(
    conn: &Conn,
    select: Select<E>,
    columns: [E::Column; N],
    keys: Vec<[Value; N]>,
) -> Result<Vec<E::Model>, StoreError> {
    let mut found = Vec::new();
    for chunk in keys.chunks(dialect::keys_at_once(conn.backend(), N)) {
        let among = dialect::among(conn.backend(), &columns, transposed(chunk));
        found.extend(all(conn, select.clone().filter(among)).await?);
    }
    Ok(found)
}

/// As [`by_keys`], each row with what `said` reads of it beside the columns.
pub(crate) async fn by_keys_with<E: EntityTrait, T, const N: usize>(
    conn: &Conn,
    select: Select<E>,
    columns: [E::Column; N],
    keys: Vec<[Value; N]>,
    said: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Result<Vec<(E::Model, T)>, StoreError> {
    let mut found = Vec::new();
    for chunk in keys.chunks(dialect::keys_at_once(conn.backend(), N)) {
        let among = dialect::among(conn.backend(), &columns, transposed(chunk));
        for row in conn.rows(select.clone().filter(among).build(conn.backend())).await? {
            let said = said(&row).map_err(|err| StoreError::Corrupt {
                table: E::default().table_name(),
                row: key_of::<E>(&row),
                why: err.to_string(),
            })?;
            found.push((model::<E>(&row)?, said));
        }
    }
    Ok(found)
}

/// The row of `select` of each of `runs`, which `column` says, as `read` reads it. A run without one is not listed.
pub(crate) async fn by_run<E: EntityTrait, T>(
    conn: &Conn,
    select: Select<E>,
    column: E::Column,
    runs: &[RunId],
    read: impl Fn(E::Model) -> Result<T, StoreError>,
) -> Result<ByRun<T>, StoreError> {
    let mut found = HashMap::with_capacity(runs.len());
    for chunk in sorted(runs).chunks(dialect::keys_at_once(conn.backend(), 1)) {
        let among = dialect::among(conn.backend(), &[column], transposed(chunk));
        for row in conn.rows(select.clone().filter(among).build(conn.backend())).await? {
            let run = row.try_get::<Id<RunId>>("", column.as_str());
            let Id(run) = run.map_err(|err| StoreError::Corrupt {
                table: E::default().table_name(),
                row: key_of::<E>(&row),
                why: err.to_string(),
            })?;
            found.insert(run, model::<E>(&row).and_then(&read));
        }
    }
    Ok(found)
}

/// Sends `update` for the rows whose `columns` are one of `keys`; returns how many it changed.
pub(crate) async fn update_by_keys<E: EntityTrait, const N: usize>(
    conn: &Conn,
    update: UpdateMany<E>,
    columns: [E::Column; N],
    keys: Vec<[Value; N]>,
) -> Result<u64, StoreError> {
    let mut changed = 0;
    for chunk in keys.chunks(dialect::keys_at_once(conn.backend(), N)) {
        let among = dialect::among(conn.backend(), &columns, transposed(chunk));
        changed += conn.execute(update.clone().filter(among).build(conn.backend())).await?;
    }
    Ok(changed)
}

/// One page of `select`, newest first, by the time and the id that the columns hold.
pub(crate) async fn page<E: EntityTrait, T>(
    conn: &Conn,
    select: Select<E>,
    newest: Newest<E>,
    request: &PageRequest,
    read: impl Fn(E::Model) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let total = if request.total { Some(tally::count(conn, select.clone()).await?) } else { None };
    page_with(conn, select, newest, (request, total), read).await
}

/// The same with a total that is known already.
pub(crate) async fn page_with<E: EntityTrait, T>(
    conn: &Conn,
    select: Select<E>,
    newest: Newest<E>,
    (request, total): (&PageRequest, Option<u64>),
    read: impl Fn(E::Model) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let key = newest.key;
    let rows = all(conn, page_of(select, &newest, request)?).await?;
    let page = Page::cut(rows, request, total, |row| {
        let (at, id) = key(row);
        Cursor::Before { at, id }
    });
    let Page { items, next_cursor, has_more, total } = page;
    let items = items.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor, has_more, total })
}

/// The rows of a page, and one more if there is one.
pub(crate) fn page_of<E: EntityTrait>(
    select: Select<E>,
    newest: &Newest<E>,
    request: &PageRequest,
) -> Result<Select<E>, StoreError> {
    let Newest { at, id, .. } = newest;
    let mut select = select.order_by_desc(*at).order_by_desc(*id).limit(request.limit() + 1);
    if let Some(cursor) = request.cursor {
        let (before, before_id) = cursor.before().map_err(StoreError::Cursor)?;
        let place = Expr::tuple([Expr::col(*at), Expr::col(*id)]);
        select = select.filter(place.lt(Expr::tuple([Expr::val(before), Expr::val(before_id)])));
    }
    Ok(select)
}

/// By which columns a list is newest first, and how a row's place among them is read.
pub(crate) struct Newest<E: EntityTrait> {
    pub(crate) at: E::Column,
    pub(crate) id: E::Column,
    pub(crate) key: fn(&E::Model) -> (DateTimeUtc, Uuid),
}

/// A row as its entity.
pub(crate) fn model<E: EntityTrait>(row: &QueryResult) -> Result<E::Model, StoreError> {
    E::Model::from_query_result(row, "").map_err(|err| StoreError::Corrupt {
        table: E::default().table_name(),
        row: key_of::<E>(row),
        why: err.to_string(),
    })
}

/// The key of a row that cannot be read, as far as it can.
fn key_of<E: EntityTrait>(row: &QueryResult) -> String {
    let parts = E::PrimaryKey::iter().map(|key| {
        let column = key.into_column();
        let name = column.as_str();
        row.try_get::<Uuid>("", name)
            .map(|id| id.simple().to_string())
            .or_else(|_| row.try_get::<i64>("", name).map(|n| n.to_string()))
            .or_else(|_| row.try_get::<String>("", name))
            .unwrap_or_else(|_| "?".to_owned())
    });
    parts.collect::<Vec<_>>().join("/")
}
