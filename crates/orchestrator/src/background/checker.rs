//! The integrity check: reads definitions, logs, runs and counters again, and what this server remembers of runs, a
//! bounded piece at a time, and opens an incident for each row that is not what was recorded.
//!
//! Each server does so by itself, again and again; and what is stored of one tenant once more for whoever orders that,
//! as a job (`log_check`).
//!
//! It trusts no result that was stored.

mod walk;

use std::{
    collections::{HashMap, VecDeque},
    sync::PoisonError,
};

use chrono::{DateTime, Utc};
use drivers::counters::Round;
use models::ids::{RunId, TenantId};
use proof::words::LogName;

use self::walk::Walk;
use crate::{
    consequences::{
        found::{Found, mismatched_definitions, of_corrupt, of_remembered},
        mismatches::report_mismatches,
    },
    coordinators::{
        check_counters,
        check_memory::{self, Differing},
        check_records::check_run,
    },
    errors::Error,
    spine::Spine,
};

/// Runs of one piece.
const RUNS: u64 = 20;

/// So many bytes of segments and texts, opened, are one piece, whatever runs they are of; one run is always one.
const BYTES: u64 = 16 << 20;

/// How many pieces of a pass delete counters of one round that came to nothing. What is left is deleted by the next
/// pass: no tenant keeps the check from the others by what it leaves.
const SWEEPING_PIECES: u32 = 10;

/// How far one server has come.
#[derive(Debug, Default)]
pub struct Checker {
    /// What is stored of this tenant, and nothing else; where none is named, everything of all tenants.
    stored_of: Option<TenantId>,
    pass: std::sync::Mutex<Option<Pass>>,
    ended: std::sync::Mutex<Option<DateTime<Utc>>>,
}

/// One way through all tenants.
#[derive(Clone, Debug)]
struct Pass {
    tenants: VecDeque<TenantId>,
    part: Part,
}

#[derive(Clone, Debug)]
enum Part {
    Definitions,
    Log(Walk),
    Runs(Option<RunId>),
    /// What this server remembers of runs (ADR 47). It comes behind their records: where these say already that a row
    /// was changed, its run has another version, and is not told of twice.
    Remembered(Option<RunId>),
    /// What is counted, by the day and by the agent (ADR 44).
    Counters(Option<Round>),
    /// Of a round that was looked at, what came to nothing is deleted; in so many pieces more at most.
    Sweep(Round, u32),
}

impl Checker {
    /// One that checks what is stored of a tenant.
    #[must_use]
    pub fn of_stored(tenant: TenantId) -> Self {
        Self { stored_of: Some(tenant), ..Self::default() }
    }

    /// About how much of the pass is behind it, of a hundred: by its parts, for how long each is nobody knows before.
    #[must_use]
    pub fn percentage(&self) -> u64 {
        match lock(&self.pass).as_ref().map(|pass| &pass.part) {
            None | Some(Part::Definitions) => 0,
            Some(Part::Log(walk)) if walk.log == LogName::Audit => 5,
            Some(Part::Log(_)) => 20,
            Some(Part::Runs(_)) => 40,
            Some(Part::Remembered(_)) => 80,
            Some(Part::Counters(_)) => 85,
            Some(Part::Sweep(..)) => 90,
        }
    }

    /// Checks the next piece. True where the pass goes on, false where it is over or the next is not due.
    pub async fn tick(&self, spine: &Spine) -> Result<bool, Error> {
        let Some(pass) = self.current(spine).await? else { return Ok(false) };
        let Some(tenant) = pass.tenants.front().copied() else {
            *lock(&self.pass) = None;
            *lock(&self.ended) = Some(spine.now());
            return Ok(false);
        };
        let (found, next) = piece(spine, tenant, pass.part.clone()).await?;
        report_mismatches(spine, tenant, &found).await?;
        // Whoever goes on with a run of which a row is not what was recorded goes by what is stored.
        for run in found.iter().filter_map(|(run, _)| *run) {
            spine.choke().let_go(tenant, run);
        }
        let mut pass = pass;
        match next {
            Some(Part::Remembered(_)) if self.stored_of.is_some() => pass.part = Part::Counters(None),
            Some(part) => pass.part = part,
            None => {
                pass.tenants.pop_front();
                pass.part = Part::Definitions;
            }
        }
        *lock(&self.pass) = Some(pass);
        Ok(true)
    }

    async fn current(&self, spine: &Spine) -> Result<Option<Pass>, Error> {
        if let Some(pass) = lock(&self.pass).clone() {
            return Ok(Some(pass));
        }
        let every = spine.settings().check_every;
        if lock(&self.ended).is_some_and(|ended| spine.now() - ended < every) {
            return Ok(None);
        }
        let tenants = if let Some(tenant) = self.stored_of {
            VecDeque::from([tenant])
        } else {
            let all = spine.read().await?.account().list_tenants().await?;
            all.into_iter().map(|tenant| tenant.id).collect()
        };
        Ok(Some(Pass { tenants, part: Part::Definitions }))
    }
}

/// Checks one piece; gives what was found, and where to go on in this tenant.
async fn piece(spine: &Spine, tenant: TenantId, part: Part) -> Result<(Vec<Found>, Option<Part>), Error> {
    let store = spine.read().await?;
    match part {
        Part::Definitions => {
            let found = match store.policies().active_definitions(tenant).await {
                Ok((rules, limits)) => mismatched_definitions(&rules, &limits)
                    .into_iter()
                    .map(|mismatch| (None, mismatch))
                    .collect(),
                Err(err) => vec![of_corrupt(None, err)?],
            };
            Ok((found, Some(Part::Log(Walk::begin(&store, tenant, LogName::Audit).await?))))
        }
        Part::Log(mut walk) => {
            let (found, over) = walk.go_on(&store, tenant).await?;
            let next = match (over, walk.log) {
                (false, _) => Part::Log(walk),
                (true, LogName::Audit) => Part::Log(Walk::begin(&store, tenant, LogName::Runs).await?),
                (true, LogName::Runs) => Part::Runs(None),
            };
            Ok((found, Some(next)))
        }
        Part::Runs(after) => {
            let mut runs = store.activity().run_ids(tenant, after, RUNS).await?;
            let bytes = store.traces().bytes_of_runs(tenant, &runs).await?;
            runs.truncate(within(&runs, &bytes));
            let mut found = Vec::new();
            for run in &runs {
                found.extend(check_run(&store, tenant, *run).await?);
            }
            Ok((found, Some(runs.last().map_or(Part::Remembered(None), |last| Part::Runs(Some(*last))))))
        }
        Part::Remembered(after) => {
            drop(store);
            let compared = check_memory::compare_next(spine, tenant, after).await?;
            tracing::debug!(runs = compared.runs, "what is remembered of runs was compared");
            let next = compared.last.map_or(Part::Counters(None), |last| Part::Remembered(Some(last)));
            Ok((compared.differing.into_iter().map(remembered).collect(), Some(next)))
        }
        Part::Counters(after) => {
            let (found, round) = check_counters::check_next(&store, tenant, after.as_ref()).await?;
            drop(store);
            let Some(round) = round else { return Ok((found, None)) };
            Ok((found, Some(sweep(spine, tenant, round, SWEEPING_PIECES).await)))
        }
        Part::Sweep(round, pieces) => {
            drop(store);
            Ok((Vec::new(), Some(sweep(spine, tenant, round, pieces).await)))
        }
    }
}

/// A row of a run that is not as this server stored it. What the two are is for whoever looks into it.
fn remembered(differing: Differing) -> Found {
    let Differing { run, table, row, remembered, stored } = differing;
    tracing::debug!(table, row, remembered, stored, "a row is stored in another way than it is remembered");
    of_remembered(run, table, row)
}

/// Deletes what came to nothing of a round, as far as one of so many pieces goes.
async fn sweep(spine: &Spine, tenant: TenantId, round: Round, pieces: u32) -> Part {
    let is_more = check_counters::sweep(spine, tenant, &round).await;
    swept(round, pieces, is_more)
}

/// Where to go on behind that: what was found of the round is told, so it is not looked at again.
fn swept(round: Round, pieces: u32, is_more: bool) -> Part {
    match pieces.saturating_sub(1) {
        left @ 1.. if is_more => Part::Sweep(round, left),
        _ => Part::Counters(Some(round)),
    }
}

/// How many of these runs are one piece, by the bytes of their segments: one at least.
fn within(runs: &[RunId], bytes: &HashMap<RunId, u64>) -> usize {
    let mut read: u64 = 0;
    let fits = |run: &&RunId| {
        read = read.saturating_add(bytes.get(run).copied().unwrap_or(0));
        read <= BYTES
    };
    runs.iter().take_while(fits).count().max(1)
}

fn lock<T>(of: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_round_leaves_keeps_nobody_from_the_next_for_long() {
        let (mut part, mut pieces) = (Part::Sweep(Round::Whole, SWEEPING_PIECES), 0);
        while let Part::Sweep(round, left) = part {
            (part, pieces) = (swept(round, left, true), pieces + 1);
        }
        assert!(matches!(part, Part::Counters(Some(Round::Whole))), "the next piece is the round behind it");
        assert_eq!(pieces, SWEEPING_PIECES);
        assert!(
            matches!(swept(Round::Whole, SWEEPING_PIECES, false), Part::Counters(Some(_))),
            "nothing is left"
        );
    }

    #[test]
    fn a_piece_is_as_many_runs_as_fit_and_one_at_least() {
        let runs = [1, 2, 3].map(|n| RunId(uuid::Uuid::from_u128(n)));
        for (bytes, due) in [
            ([1, 1, 1], 3),
            ([BYTES, 0, 1], 2),
            ([BYTES + 1, 1, 1], 1),
            ([1, BYTES, 1], 1),
            ([u64::MAX, u64::MAX, 1], 1),
        ] {
            let bytes = runs.into_iter().zip(bytes).collect();
            assert_eq!(within(&runs, &bytes), due, "{bytes:?}");
        }
    }
}
