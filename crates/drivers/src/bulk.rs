//! Rows in, by the slice: a bounded number of statements, however long the slice.

use sea_orm::{
    ActiveModelTrait, DbBackend, EntityTrait, IdenStatic, IntoActiveModel, Iterable, PrimaryKeyToColumn,
    Value, Values,
};

use crate::{
    StoreError,
    conn::Conn,
    dialect::{self, Given, Taken},
    rowtype::Rows,
    together::{Sends, Write},
    version,
};

/// Adds rows. A key that is taken is a conflict, and then nothing of the slice is there.
pub(crate) async fn insert<E>(conn: &Conn, rows: Vec<E::Model>) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let columns: Vec<E::Column> = E::Column::iter().collect();
    for write in
        chunks::<E>(conn, rows, &columns, |backend, rows| dialect::insert::<E>(backend, rows, Taken::Fails))
    {
        conn.write(write?).await?;
    }
    Ok(())
}

/// Adds the rows whose key is not taken, where nobody asks how many those are: they may wait for others.
pub(crate) async fn add_missing<E>(conn: &Conn, rows: Vec<E::Model>) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let columns: Vec<E::Column> = E::Column::iter().collect();
    for write in
        chunks::<E>(conn, rows, &columns, |backend, rows| dialect::insert::<E>(backend, rows, Taken::Stays))
    {
        conn.write(Write { expected: None, ..write? }).await?;
    }
    Ok(())
}

/// Adds the rows whose key is not taken; returns how many that were.
pub(crate) async fn insert_missing<E>(conn: &Conn, rows: Vec<E::Model>) -> Result<u64, StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let columns: Vec<E::Column> = E::Column::iter().collect();
    let mut touched = 0;
    for write in
        chunks::<E>(conn, rows, &columns, |backend, rows| dialect::insert::<E>(backend, rows, Taken::Stays))
    {
        touched += conn.send_counting(write?).await?;
    }
    Ok(touched)
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

/// The same of rows that are as it is given: else the rows affected are too few. An update of what has a version, or
/// belongs to one that has, is refused where it leaves that as it was.
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
    let table = E::default().table_name();
    if !version::is_raised(table, &given) {
        return Err(StoreError::Database(
            format!("an update of {table} leaves the version of its run").into(),
        ));
    }
    write_back::<E>(conn, rows, changing, given).await
}

async fn write_back<E>(
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
    let sql = |backend, rows| dialect::update::<E>(backend, rows, &keys, changing, given);
    let decided = matches!(given, Given::Version(_));
    for write in chunks::<E>(conn, rows, &columns, sql) {
        conn.write(Write { decided, ..write? }).await?;
    }
    Ok(())
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
    write_back::<E>(conn, moved, seldom, Given::Nothing).await
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

/// The statements that write `columns` of all rows, chunk by chunk.
fn chunks<'c, E>(
    conn: &'c Conn,
    rows: Vec<E::Model>,
    columns: &'c [E::Column],
    sql: impl Fn(DbBackend, usize) -> String + 'c,
) -> impl Iterator<Item = Result<Write, StoreError>> + 'c
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let backend = conn.backend();
    let mut waiting = rows.into_iter();
    std::iter::from_fn(move || {
        if waiting.len() == 0 {
            return None;
        }
        let rows = dialect::chunk(backend, waiting.len(), columns.len());
        let chunk = waiting.by_ref().take(rows).map(IntoActiveModel::into_active_model);
        let sends = if backend == DbBackend::Postgres {
            row_array::<E>(conn, chunk, columns).map(Sends::Rows)
        } else {
            Ok(Sends::Values(Values(flat::<E>(chunk, columns, rows))))
        };
        let (table, expected) = (E::default().table_name(), Some(rows as u64));
        let sql = sql(backend, rows);
        Some(sends.map(|sends| Write { table, expected, decided: false, behind: false, sql, sends }))
    })
}

/// The values of SQLite's places, those of the padding too: what is not bound would take the first values of the
/// statement that goes behind this one.
fn flat<E: EntityTrait>(
    rows: impl Iterator<Item = E::ActiveModel>,
    columns: &[E::Column],
    count: usize,
) -> Vec<Value> {
    let places = count.next_power_of_two() * columns.len();
    let mut values = Vec::with_capacity(places);
    for mut row in rows {
        values.extend(columns.iter().map(|column| taken(&mut row, *column)));
    }
    values.resize(places, Value::BigInt(None));
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
