//! The statement that stores what a unit of work adds to counters.

use std::fmt::Write as _;

use sea_orm::{DbBackend, Statement, Value, Values, sea_query::ArrayType};

use super::cell::{Cell, LOW, MOST, TABLE, Tally, digest};

/// Counters of one statement at most. A group of steps changes a few; only one that starts runs of hundreds of agents
/// has more.
const AT_ONCE: usize = 1_024;

/// How many columns are sent.
const WIDTH: usize = 14;

/// The columns that are sent, with their types in Postgres; the first [`KEYS`] of them say which counter it is.
const COLUMNS: [(&str, &str); WIDTH] = [
    ("tenant_id", "uuid"),
    ("counted", "text"),
    ("place", "text"),
    ("cell", "bytea"),
    ("part", "text"),
    ("kind", "text"),
    ("number", "int8"),
    ("unknown", "int8"),
    ("cost_high", "int8"),
    ("cost_low", "int8"),
    ("input_high", "int8"),
    ("input_low", "int8"),
    ("output_high", "int8"),
    ("output_low", "int8"),
];

/// How many of the columns say which counter it is. The others are added to.
const KEYS: usize = 6;

/// On Postgres, a unit of work writes to a row of each counter that nobody else writes to until it is committed, so
/// that one whose replica hangs there holds nobody up: to the first of eight shards of its tenant that is free. What
/// asks is no part of the row, so it is asked once for a statement. The embedded store has one writer.
const FREE: &str = "(SELECT s FROM generate_series(0, 7) AS s \
                    WHERE pg_try_advisory_xact_lock(hashtext((($1::uuid[])[1])::text), s) LIMIT 1)";

/// Where none is free, and where counters of several tenants are written: one of eight others, by the session.
const BY_SESSION: &str = "8 + (pg_backend_pid() & 7)";

/// The statements for these counters, in the order in which they are given: that in which they are locked.
pub(super) fn statements(backend: DbBackend, changed: Vec<(Cell, Tally)>) -> Vec<Statement> {
    let rows: Vec<_> = changed.into_iter().map(|(cell, tally)| row(cell, tally)).collect();
    rows.chunks(AT_ONCE).map(|rows| upsert(backend, rows)).collect()
}

/// A counter and what is added, as [`COLUMNS`] has it.
fn row(cell: Cell, tally: Tally) -> [Value; WIDTH] {
    let high = |amount: i128| Value::from(added(amount.div_euclid(LOW)));
    let low = |amount: i128| Value::from(added(amount.rem_euclid(LOW)));
    let digest = digest(&cell.part, &cell.kind);
    [
        cell.tenant.0.into(),
        cell.counted.as_str().into(),
        cell.place.into(),
        digest.into(),
        cell.part.into(),
        cell.kind.into(),
        added(tally.number.into()).into(),
        added(tally.unknown.into()).into(),
        high(tally.cost),
        low(tally.cost),
        high(tally.input),
        low(tally.input),
        high(tally.output),
        low(tally.output),
    ]
}

/// A number as it is added: less than [`MOST`], above 0 and below it. What is stored is taken for no more than that
/// before something is added, so their sum has a place in 64 bits, whatever somebody wrote past HOC: a counter is not
/// to refuse a run.
fn added(number: i128) -> i64 {
    let most = i128::from(MOST) - 1;
    i64::try_from(number.clamp(-most, most)).unwrap_or_default()
}

fn upsert(backend: DbBackend, rows: &[[Value; WIDTH]]) -> Statement {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let mut sql = format!("INSERT INTO {TABLE} ({names}, shard) SELECT ");
    let values: Vec<Value> = if backend == DbBackend::Postgres {
        let arrays: Vec<String> =
            COLUMNS.iter().enumerate().map(|(n, (_, of))| format!("${}::{of}[]", n + 1)).collect();
        let is_of_one = rows.iter().all(|row| row.first() == rows[0].first());
        let shard = if is_of_one { format!("COALESCE({FREE}, {BY_SESSION})") } else { BY_SESSION.to_owned() };
        let _ = write!(sql, "{names}, {shard} FROM UNNEST({}) AS v ({names})", arrays.join(", "));
        let column = |(n, (_, of)): (usize, (&str, &str))| {
            let all: Vec<Value> = rows.iter().map(|row| row[n].clone()).collect();
            Value::Array(array_of(of), Some(Box::new(all)))
        };
        COLUMNS.into_iter().enumerate().map(column).collect()
    } else {
        // As for other rows: texts are few, and what they are padded with is NULL and matches nothing.
        let tuple = format!("({})", ["?"; WIDTH].join(","));
        let padded = rows.len().next_power_of_two();
        let tuples = vec![tuple; padded].join(",");
        let _ = write!(sql, "*, 0 FROM (VALUES {tuples}) WHERE column1 IS NOT NULL");
        let mut values: Vec<Value> = rows.iter().flatten().cloned().collect();
        values.resize(padded * WIDTH, Value::BigInt(None));
        values
    };
    let [least, greatest] =
        if backend == DbBackend::Postgres { ["LEAST", "GREATEST"] } else { ["MIN", "MAX"] };
    let added: Vec<String> = COLUMNS
        .iter()
        .skip(KEYS)
        .map(|(name, _)| {
            format!("{name} = {greatest}({least}({TABLE}.{name}, {MOST}), -{MOST}) + excluded.{name}")
        })
        .collect();
    let _ = write!(
        sql,
        " ON CONFLICT (tenant_id, counted, place, cell, shard) DO UPDATE SET {}",
        added.join(", ")
    );
    Statement { sql, values: Some(Values(values)), db_backend: backend }
}

/// What sea-query calls the type of an array's items.
fn array_of(of: &str) -> ArrayType {
    match of {
        "uuid" => ArrayType::Uuid,
        "bytea" => ArrayType::Bytes,
        "int8" => ArrayType::BigInt,
        _ => ArrayType::String,
    }
}

#[cfg(test)]
mod tests {
    use models::{counters::Counted, ids::TenantId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_amount_below_nothing_is_in_two_parts_as_any_other() {
        let cell = Cell {
            tenant: TenantId(Uuid::nil()),
            counted: Counted::Calls,
            place: String::new(),
            part: String::new(),
            kind: "[]".to_owned(),
        };
        for cost in [0, 1, LOW - 1, LOW, (1 << 53) - 1, -1, -LOW, -(1 << 53)] {
            let row = row(cell.clone(), Tally { cost, ..Tally::default() });
            let (Value::BigInt(Some(high)), Value::BigInt(Some(low))) = (&row[KEYS + 2], &row[KEYS + 3])
            else {
                panic!("two numbers: {row:?}");
            };
            assert_eq!(i128::from(*high) * LOW + i128::from(*low), cost);
            assert!((0..LOW).contains(&i128::from(*low)), "{cost}");
        }
    }

    #[test]
    fn what_is_added_leaves_room_for_what_is_there() {
        for number in [i128::MIN, i64::MIN.into(), -1, 0, 1, i64::MAX.into(), i128::MAX] {
            let added = added(number);
            assert!(MOST.checked_add(added).is_some() && (-MOST).checked_add(added).is_some(), "{number}");
            assert_eq!(i128::from(added).signum(), number.signum());
        }
    }

    #[test]
    fn a_group_of_any_size_is_one_statement_with_a_text_that_is_known() {
        let text = |rows: usize| {
            let row: [Value; WIDTH] = std::array::from_fn(|_| Value::BigInt(None));
            upsert(DbBackend::Sqlite, &vec![row; rows]).sql
        };
        assert_eq!(text(3), text(4));
        assert!(text(1).contains("SELECT *, 0 FROM (VALUES (?,"));
    }

    #[test]
    fn counters_of_several_tenants_ask_for_no_shard_of_one() {
        let row = |tenant: u128| {
            let mut row: [Value; WIDTH] = std::array::from_fn(|_| Value::BigInt(None));
            row[0] = Value::from(Uuid::from_u128(tenant));
            row
        };
        let asks = |rows: &[[Value; WIDTH]]| {
            upsert(DbBackend::Postgres, rows).sql.contains("pg_try_advisory_xact_lock")
        };
        assert!(asks(&[row(1)]) && asks(&[row(1), row(1)]));
        assert!(!asks(&[row(1), row(2)]));
    }
}
