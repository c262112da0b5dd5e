//! Cells of counters (ADR 44), as a unit of work changes them: what it notes, and the statements that store it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write as _,
    ops::{AddAssign, Neg},
    sync::{Mutex, MutexGuard, PoisonError},
};

use models::{
    counters::Counted,
    ids::{RunId, TenantId},
    logs::{LlmRunRecord, Uncounted},
};
use proof::hash::sha256;
use sea_orm::{DbBackend, Statement, Value, Values, sea_query::ArrayType};

pub(crate) const TABLE: &str = "counters";

/// Counters of one statement at most. A group of steps changes a few; only one that starts runs of hundreds of agents
/// has more.
const AT_ONCE: usize = 1_024;

/// How many columns are sent.
const WIDTH: usize = 14;

/// They, with their types in Postgres; the first [`KEYS`] of them say which counter it is.
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

/// What comes after them is added to.
const KEYS: usize = 6;

/// On Postgres, units of work write to one of four rows of a counter, by their session, so that replicas seldom wait
/// for each other's commit here. The embedded store has one writer.
const SHARD: &str = "pg_backend_pid() & 3";

/// By so much counts the high part of an amount.
pub(crate) const LOW: i128 = 1 << 20;

/// What is stored is taken for no more than this, nor for less than as much below 0, before something is added, and what is
/// added is less: their sum has a place in 64 bits, whatever somebody wrote past HOC. A counter is not to refuse a run.
const MOST: i64 = 1 << 62;

/// One counter. Their order is that in which they are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) tenant: TenantId,
    pub(crate) counted: Counted,
    pub(crate) place: String,
    pub(crate) part: String,
    pub(crate) kind: String,
}

impl Cell {
    /// What stands for part and kind in the key of its row.
    pub(crate) fn digest(&self) -> Vec<u8> {
        sha256(format!("{}\n{}", self.part, self.kind).as_bytes()).0[..16].to_vec()
    }
}

/// What a counter says, or what is added to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many runs, or calls.
    pub(crate) number: i64,
    /// How many of the calls have a cost that nobody knows.
    pub(crate) unknown: i64,
    pub(crate) cost: i128,
    pub(crate) input: i128,
    pub(crate) output: i128,
}

/// What somebody wrote past HOC may be as large as a number can be.
impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.number = self.number.saturating_add(more.number);
        self.unknown = self.unknown.saturating_add(more.unknown);
        self.cost = self.cost.saturating_add(more.cost);
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
    }
}

impl Neg for Tally {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            number: self.number.saturating_neg(),
            unknown: self.unknown.saturating_neg(),
            cost: self.cost.saturating_neg(),
            input: self.input.saturating_neg(),
            output: self.output.saturating_neg(),
        }
    }
}

/// What a unit of work changes of counters, and has not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    cells: BTreeMap<Cell, Tally>,
    /// From which step on the steps of a run are of this unit of work.
    own_steps: HashMap<(TenantId, RunId), u64>,
    /// Steps that this unit of work says do not count.
    uncounted: HashSet<(TenantId, RunId, u64)>,
    has_calls: bool,
}

impl Pending {
    /// Notes what is added to these counters.
    pub(crate) fn add(&self, cells: impl IntoIterator<Item = Cell>, tally: Tally) {
        let mut changes = self.lock();
        for cell in cells {
            *changes.cells.entry(cell).or_default() += tally;
        }
    }

    /// The statements that store what is noted, in the one order of counters; what is noted is nothing any more after that. One,
    /// however many runs and calls are counted, and none where nothing is.
    pub(crate) fn statements(&self, backend: DbBackend) -> Vec<Statement> {
        let cells = std::mem::take(&mut self.lock().cells);
        let changed = cells.into_iter().filter(|(_, tally)| *tally != Tally::default());
        let rows: Vec<_> = changed.map(|(cell, tally)| row(cell, tally)).collect();
        rows.chunks(AT_ONCE).map(|rows| upsert(backend, rows)).collect()
    }

    /// Notes that the steps of a run from `first` on are added by this unit of work.
    pub(crate) fn note_steps(&self, tenant: TenantId, run: RunId, first: u64) {
        let mut changes = self.lock();
        let of_run = changes.own_steps.entry((tenant, run)).or_insert(first);
        *of_run = first.min(*of_run);
    }

    /// Notes steps that do not count; gives those, by tenant, whose calls the store may have counted.
    pub(crate) fn uncount(&self, steps: &[Uncounted]) -> BTreeMap<TenantId, Vec<(RunId, u64)>> {
        let mut changes = self.lock();
        let mut earlier: BTreeMap<TenantId, Vec<(RunId, u64)>> = BTreeMap::new();
        for step in steps {
            let own = changes.own_steps.get(&(step.tenant, step.run_id));
            let is_own = own.is_some_and(|first| *first <= step.step_index);
            if !is_own || changes.has_calls {
                earlier.entry(step.tenant).or_default().push((step.run_id, step.step_index));
            }
            changes.uncounted.insert((step.tenant, step.run_id, step.step_index));
        }
        earlier
    }

    /// Those of the calls that count, as far as this unit of work knows: whoever says that a step does not count says
    /// it before its call is added, or after that, but in no earlier unit of work.
    pub(crate) fn counting<'c>(&self, calls: &'c [LlmRunRecord]) -> Vec<&'c LlmRunRecord> {
        let mut changes = self.lock();
        changes.has_calls |= !calls.is_empty();
        let counts =
            |call: &&LlmRunRecord| !changes.uncounted.contains(&(call.tenant, call.run_id, call.step_index));
        calls.iter().filter(counts).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A counter and what is added, as [`COLUMNS`] has it.
fn row(cell: Cell, tally: Tally) -> [Value; WIDTH] {
    let high = |amount: i128| Value::from(added(amount.div_euclid(LOW)));
    let low = |amount: i128| Value::from(added(amount.rem_euclid(LOW)));
    let digest = cell.digest();
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

/// A number as it is added: less than [`MOST`], above 0 and below it.
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
        let _ = write!(sql, "{names}, {SHARD} FROM UNNEST({}) AS v ({names})", arrays.join(", "));
        let column = |(n, (_, of)): (usize, (&str, &str))| {
            let all: Vec<Value> = rows.iter().map(|row| row[n].clone()).collect();
            Value::Array(array_of(of), Some(Box::new(all)))
        };
        COLUMNS.into_iter().enumerate().map(column).collect()
    } else {
        // As for other rows: texts are few, and what is not bound is NULL and matches nothing.
        let tuple = format!("({})", ["?"; WIDTH].join(","));
        let tuples = vec![tuple; rows.len().next_power_of_two()].join(",");
        let _ = write!(sql, "*, 0 FROM (VALUES {tuples}) WHERE column1 IS NOT NULL");
        rows.iter().flatten().cloned().collect()
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
    fn what_is_taken_back_leaves_nothing() {
        let one = Tally { number: 1, unknown: 1, cost: 1 << 53, input: 7, output: 0 };
        let mut sum = Tally::default();
        sum += one;
        sum += -one;
        assert_eq!(sum, Tally::default());
    }
}
