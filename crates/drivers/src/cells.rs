//! Cells of counters (ADR 44), as a unit of work changes them.

mod cell;
mod upsert;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use models::{
    ids::{RunId, TenantId},
    logs::{LlmRunRecord, Uncounted},
};
use sea_orm::DbBackend;

pub(crate) use self::cell::{Cell, LOW, MOST, TABLE, Tally, digest};
use crate::together::Write;

/// What a unit of work changes of counters, and has not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<Changes>);

#[derive(Debug, Default)]
struct Changes {
    cells: BTreeMap<Cell, Tally>,
    /// From which step on the steps of a run are of this unit of work.
    own_steps: HashMap<(TenantId, RunId), u64>,
    /// Steps that this unit of work says do not count, and whether they leave a cost in doubt.
    uncounted: HashMap<(TenantId, RunId, u64), bool>,
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

    /// The statements that store what is noted, in the one order of counters; what is noted is nothing any more after
    /// that. One, however many runs and calls are counted, and none where nothing is.
    pub(crate) fn writes(&self, backend: DbBackend) -> Vec<Write> {
        let cells = std::mem::take(&mut self.lock().cells);
        let changed = cells.into_iter().filter(|(_, tally)| *tally != Tally::default());
        let mut changed: Vec<(Cell, Tally)> = changed.collect();
        changed.sort_by_cached_key(|(cell, _)| cell.key());
        let statements = upsert::statements(backend, changed);
        statements.into_iter().map(|statement| Write::any(TABLE, statement)).collect()
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
            changes.uncounted.insert((step.tenant, step.run_id, step.step_index), step.in_doubt);
        }
        earlier
    }

    /// Those of the calls that count, and those that leave a cost in doubt, as far as this unit of work knows: whoever
    /// says that a step does not count says it before its call is added, or after that, but in no earlier unit of work.
    pub(crate) fn counting<'c>(&self, calls: &'c [LlmRunRecord]) -> [Vec<&'c LlmRunRecord>; 2] {
        let mut changes = self.lock();
        changes.has_calls |= !calls.is_empty();
        let said = |call: &LlmRunRecord| changes.uncounted.get(&(call.tenant, call.run_id, call.step_index));
        [None, Some(&true)].map(|wanted| calls.iter().filter(|call| said(call) == wanted).collect())
    }

    /// Whether this unit of work says of a step that it leaves a cost in doubt.
    pub(crate) fn is_in_doubt(&self, tenant: TenantId, (run, step): (RunId, u64)) -> bool {
        self.lock().uncounted.get(&(tenant, run, step)) == Some(&true)
    }

    fn lock(&self) -> MutexGuard<'_, Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
