//! Rows in, by the slice: a bounded number of statements, however long the slice.

use sea_orm::{
    ActiveModelTrait, DbBackend, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PrimaryKeyToColumn,
    Statement, Value, Values,
};

use crate::{
    StoreError,
    conn::Conn,
    dialect::{self, Given, Taken},
    rowtype::Rows,
};

/// Adds rows. A key that is taken is a conflict, and then nothing of the slice is there.
pub(crate) async fn insert<E>(conn: &Conn, rows: Vec<E::Model>) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let expected = rows.len() as u64;
    let actual = insert_as::<E>(conn, rows, Taken::Fails).await?;
    exactly::<E>(expected, actual)
}

/// Adds the rows whose key is not taken; returns how many that were.
pub(crate) async fn insert_missing<E>(conn: &Conn, rows: Vec<E::Model>) -> Result<u64, StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    insert_as::<E>(conn, rows, Taken::Stays).await
}

/// Writes `changing` of rows that are there, found by their primary key. All of them must be.
pub(crate) async fn update<E>(
    conn: &Conn,
    rows: Vec<E::Model>,
    changing: &[E::Column],
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    update_only::<E>(conn, rows, changing, Given::Nothing).await
}

/// The same of rows that are as it is given: else the rows affected are too few.
pub(crate) async fn update_only<E>(
    conn: &Conn,
    rows: Vec<E::Model>,
    changing: &[E::Column],
    given: Given<E::Column>,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let columns: Vec<E::Column> = keys.iter().chain(changing).copied().chain(given.sent()).collect();
    let expected = rows.len() as u64;
    let actual = in_chunks::<E>(conn, rows, &columns, |backend, rows| {
        dialect::update::<E>(backend, rows, &keys, changing, given)
    })
    .await?;
    exactly::<E>(expected, actual)
}

/// As `update`, for tables in which most rows keep the columns in `seldom` and lists have indexes on those columns.
/// SQLite writes the index of every column that an UPDATE names, so there these columns are written by a statement of
/// their own, and only in rows that `moved`. Postgres compares by itself.
pub(crate) async fn update_sparing<E>(
    conn: &Conn,
    rows: Vec<E::Model>,
    always: &[E::Column],
    seldom: &[E::Column],
    moved: impl Fn(&E::Model) -> bool,
    given: Given<E::Column>,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    if conn.backend() == DbBackend::Postgres {
        return update_only::<E>(conn, rows, &[always, seldom].concat(), given).await;
    }
    let moved: Vec<E::Model> = rows.iter().filter(|row| moved(row)).cloned().collect();
    update_only::<E>(conn, rows, always, given).await?;
    // These rows were found as it is given, and this unit of work has them now.
    update::<E>(conn, moved, seldom).await
}

/// That these lists of what may change in a row, and of what stays, have each column once: what none of them names
/// would never be saved, and nothing would fail.
#[cfg(test)]
pub(crate) fn has_each_column_once<E: EntityTrait>(lists: &[&[E::Column]]) {
    let mut told: Vec<&str> = lists.iter().copied().flatten().map(IdenStatic::as_str).collect();
    let mut all: Vec<&str> = E::Column::iter().map(|column| column.as_str()).collect();
    told.sort_unstable();
    all.sort_unstable();
    assert_eq!(told, all, "{}: say of each column whether it may change", E::default().table_name());
}

async fn insert_as<E>(conn: &Conn, rows: Vec<E::Model>, taken: Taken) -> Result<u64, StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let columns: Vec<E::Column> = E::Column::iter().collect();
    in_chunks::<E>(conn, rows, &columns, |backend, rows| dialect::insert::<E>(backend, rows, taken)).await
}

/// Sends `columns` of all rows, chunk by chunk; returns how many rows were touched.
async fn in_chunks<E>(
    conn: &Conn,
    rows: Vec<E::Model>,
    columns: &[E::Column],
    sql: impl Fn(DbBackend, usize) -> String,
) -> Result<u64, StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let backend = conn.backend();
    let mut waiting = rows.into_iter();
    let mut touched = 0;
    while waiting.len() > 0 {
        let rows = dialect::chunk(backend, waiting.len(), columns.len());
        let chunk = waiting.by_ref().take(rows).map(IntoActiveModel::into_active_model);
        touched += if backend == DbBackend::Postgres {
            let sent = row_array::<E>(conn, chunk, columns)?;
            conn.send_rows(&sql(backend, rows), sent).await?
        } else {
            let values = Some(Values(flat::<E>(chunk, columns, rows)));
            conn.execute(Statement { sql: sql(backend, rows), values, db_backend: backend }).await?
        };
    }
    Ok(touched)
}

fn flat<E: EntityTrait>(
    rows: impl Iterator<Item = E::ActiveModel>,
    columns: &[E::Column],
    count: usize,
) -> Vec<Value> {
    let mut values = Vec::with_capacity(count * columns.len());
    for mut row in rows {
        values.extend(columns.iter().map(|column| taken(&mut row, *column)));
    }
    values
}

fn row_array<E: EntityTrait>(
    conn: &Conn,
    rows: impl Iterator<Item = E::ActiveModel>,
    columns: &[E::Column],
) -> Result<Rows, StoreError> {
    let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
    let mut array = conn.no_rows(E::default().table_name(), &names)?;
    let mut values = Vec::with_capacity(columns.len());
    for mut row in rows {
        values.clear();
        values.extend(columns.iter().map(|column| taken(&mut row, *column)));
        array.push(&values)?;
    }
    Ok(array)
}

/// The value of a column, moved out of a row in which all are set.
fn taken<A: ActiveModelTrait>(row: &mut A, column: <A::Entity as EntityTrait>::Column) -> Value {
    row.take(column).into_value().expect("a row that was made from a model has every column")
}

fn exactly<E: EntityTrait>(expected: u64, actual: u64) -> Result<(), StoreError> {
    if actual == expected {
        return Ok(());
    }
    Err(StoreError::RowsAffected { table: E::default().table_name(), expected, actual })
}
