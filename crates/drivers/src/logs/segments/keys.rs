//! The idempotency keys of a run's steps, held against the steps that its segments hold: each key names its step, and
//! each step's key is there.

use std::collections::HashMap;

use entities::logs::step_keys::{self, Column};
use models::{
    ids::{RunId, TenantId},
    logs::StepKey,
};
use proof::{records::StepRecord, segment::MissingSegment};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::write::digest;
use crate::{StoreError, conn::Conn, driver::of_tenant, read};

of_tenant!(step_keys);

/// How many of a run are told of: where all of them are wrong, the first say enough.
const TOLD: usize = 10;

/// The keys of a run, of which each step takes its own away.
#[derive(Clone, Debug, Default)]
pub struct KeysOfRun {
    /// Which step each names, by its digest and whether it is a span's.
    left: HashMap<(Vec<u8>, bool), i64>,
    /// How many there are.
    pub count: u64,
    wrong: Vec<String>,
}

/// So many are read at once.
const AT_ONCE: u64 = 4_096;

pub(crate) async fn keys_of_run(conn: &Conn, tenant: TenantId, run: RunId) -> Result<KeysOfRun, StoreError> {
    let (mut left, mut from, mut is_last) = (HashMap::new(), Vec::<u8>::new(), false);
    while !is_last {
        let of_run = of(tenant).filter(Column::RunId.eq(run.0)).filter(Column::Digest.gte(from));
        let rows = read::all(conn, of_run.order_by_asc(Column::Digest).limit(AT_ONCE)).await?;
        is_last = (rows.len() as u64) < AT_ONCE;
        // Two may have one digest, of which one is a span's: so the last is read again.
        from = rows.last().map(|row| row.digest.clone()).unwrap_or_default();
        left.extend(rows.into_iter().map(|row| ((row.digest, row.is_span), row.step_index)));
    }
    let count = left.len() as u64;
    Ok(KeysOfRun { left, count, wrong: Vec::new() })
}

impl KeysOfRun {
    /// Holds a step against its key.
    pub fn meet(&mut self, step: &StepRecord) {
        let Some(key) = StepKey::of(step) else { return };
        let index = step.step_index;
        let why = match self.left.remove(&(digest(key.text()), key.is_span())) {
            None => format!("the key of step {index} is not there"),
            Some(at) if u64::try_from(at) != Ok(index) => format!("the key of step {index} names step {at}"),
            Some(_) => return,
        };
        self.note(why);
    }

    /// What is wrong with them, once all steps were met; those of steps that are missing are as they should be.
    #[must_use]
    pub fn wrong(mut self, missing: &[MissingSegment]) -> Vec<String> {
        let mut left: Vec<i64> = std::mem::take(&mut self.left).into_values().collect();
        left.sort_unstable();
        for at in left {
            let is_in = |one: &MissingSegment| {
                let at = u64::try_from(at).ok().and_then(|at| at.checked_sub(one.first_step));
                at.is_some_and(|at| at < one.step_count)
            };
            if !missing.iter().any(is_in) {
                self.note(format!("a key names step {at}, which has another, or none, or is not there"));
            }
        }
        self.wrong
    }

    fn note(&mut self, why: String) {
        if self.wrong.len() < TOLD {
            self.wrong.push(why);
        }
    }
}
