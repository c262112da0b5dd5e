//! The integrity check: reads definitions, logs, runs and counters again, and what this server remembers of runs, a
//! bounded piece at a time, and opens an incident for each row that is not what was recorded.
//!
//! It trusts no result that was stored: leaves are hashed from their columns, the tree is built anew from the first
//! leaf, and must come to the roots that were signed and to the head.

use std::{
    collections::{HashMap, VecDeque},
    sync::PoisonError,
};

use chrono::{DateTime, Utc};
use drivers::{ReadTx, StoreError, counters::Round};
use engines::incidents::Mismatch;
use models::{
    ids::{RunId, TenantId},
    ledger::Checkpoint,
};
use proof::{hash::Hash, leaves::AuditLeaf, merkle::Frontier, words::LogName};

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

/// Rows of a log, and runs, of one piece.
const ROWS: u64 = 500;
const RUNS: u64 = 20;

/// So many bytes of segments and texts, opened, are one piece, whatever runs they are of; one run is always one.
const BYTES: u64 = 16 << 20;

/// How many pieces of a pass delete counters of one round that came to nothing. What is left is deleted by the next
/// pass: no tenant keeps the check from the others by what it leaves.
const SWEEPING_PIECES: u32 = 10;

/// How many rows of one log a pass tells of: where all of them are bad, the first say enough.
const TOLD: usize = 10;

/// How far one server has come.
#[derive(Debug, Default)]
pub struct Checker {
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

/// A log, as far as it has been read.
#[derive(Clone, Debug)]
struct Walk {
    log: LogName,
    tree: Frontier,
    /// What was signed of it when the walk began.
    signed: Option<Checkpoint>,
    told: usize,
}

impl Checker {
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
        if let Some(part) = next {
            pass.part = part;
        } else {
            pass.tenants.pop_front();
            pass.part = Part::Definitions;
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
        let tenants = spine.read().await?.account().list_tenants().await?;
        let tenants = tenants.into_iter().map(|tenant| tenant.id).collect();
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

/// A leaf as it is stored: its place, the hash beside it, and the hash that it has.
struct Leaf {
    index: u64,
    stored: Hash,
    computed: Hash,
}

impl Walk {
    async fn begin(store: &ReadTx, tenant: TenantId, log: LogName) -> Result<Self, StoreError> {
        let signed = store.ledger().latest_checkpoint(tenant, log).await?;
        Ok(Self { log, tree: Frontier::default(), signed, told: 0 })
    }

    /// Reads on; true where the log is over, or cannot be read further.
    async fn go_on(&mut self, store: &ReadTx, tenant: TenantId) -> Result<(Vec<Found>, bool), StoreError> {
        let (leaves, over) = match self.leaves(store, tenant).await {
            Ok(read) => read,
            Err(err) => return Ok((vec![of_corrupt(None, err)?], true)),
        };
        let mut found = Vec::new();
        for leaf in &leaves {
            let expected = self.tree.size();
            if leaf.index != expected {
                found.push(self.leaf(expected, "it is gone"));
                return Ok((found, true));
            }
            if leaf.stored != leaf.computed {
                self.told += 1;
                found.push(self.leaf(expected, "it does not match its hash"));
                if self.told >= TOLD {
                    return Ok((found, true));
                }
            }
            self.tree.push(leaf.stored);
            found.extend(self.unlike_signed());
        }
        if over {
            let head = store.ledger().head(tenant, self.log).await?;
            let size = head.as_ref().map_or(0, |head| head.frontier.size());
            if self.tree.size() < size {
                found.push(self.leaf(self.tree.size(), "it is gone"));
            } else if head.is_some_and(|head| head.frontier != self.tree) {
                found.push(self.of(
                    "log_heads",
                    self.log.to_string(),
                    "the log's head is not the root of its rows",
                ));
            }
        }
        Ok((found, over))
    }

    /// The next leaves, and whether there are no more: rows of the log, and between them what it says of itself.
    async fn leaves(&self, store: &ReadTx, tenant: TenantId) -> Result<(Vec<Leaf>, bool), StoreError> {
        let from = self.tree.size();
        let mut leaves: Vec<Leaf> = match self.log {
            LogName::Audit => {
                let rows = store.logs().audit_from(tenant, from, ROWS).await?;
                let leaf = |row: models::logs::AuditEntry| Leaf {
                    index: row.leaf_index,
                    stored: row.leaf_hash,
                    computed: AuditLeaf::Entry(row.record).hash(),
                };
                rows.into_iter().map(leaf).collect()
            }
            LogName::Runs => {
                let rows = store.ledger().run_log_from(tenant, from, ROWS).await?;
                let leaf = |row: models::ledger::RunLogEntry| Leaf {
                    index: row.leaf_index,
                    stored: row.leaf_hash,
                    computed: row.leaf.hash(),
                };
                rows.into_iter().map(leaf).collect()
            }
        };
        let over = (leaves.len() as u64) < ROWS;
        let last = leaves.last().map_or(from, |leaf| leaf.index);
        let marks = store.ledger().log_marks(tenant, self.log).await?.into_iter();
        let here = marks.filter(|mark| mark.leaf_index >= from && (over || mark.leaf_index < last));
        leaves.extend(here.map(|mark| Leaf {
            index: mark.leaf_index,
            stored: mark.leaf_hash,
            computed: mark.mark.hash(),
        }));
        leaves.sort_by_key(|leaf| leaf.index);
        Ok((leaves, over))
    }

    /// The log is as long now as what was signed of it, and is something else.
    fn unlike_signed(&self) -> Option<Found> {
        let signed = self.signed.as_ref().filter(|signed| signed.tree_size == self.tree.size())?;
        let differs = signed.root_hash != self.tree.root();
        differs.then(|| {
            self.of("checkpoints", signed.id.to_string(), "the rows do not come to the root that was signed")
        })
    }

    fn leaf(&self, index: u64, why: &str) -> Found {
        let table = match self.log {
            LogName::Audit => "audit_ledger",
            LogName::Runs => "run_log",
        };
        self.of(table, format!("leaf {index}"), why)
    }

    fn of(&self, table: &'static str, row: String, why: &str) -> Found {
        let log = match self.log {
            LogName::Audit => "the Audit Ledger",
            LogName::Runs => "the run log",
        };
        (None, Mismatch { table, row, log, why: why.to_owned(), policy_id: None, part_of: Some(self.log) })
    }
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
