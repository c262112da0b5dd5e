//! Counters say what is there, whatever is written; lists and sums by them are those by the rows; and what a counter
//! says wrongly is found and mended.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use drivers::{Db, ReadTx, counters::Round};
use models::{
    activity::{RiskLevel, Run, RunFilter, RunState, Stalls, Standing},
    counters::{Counted, Miscount},
    ids::{RunId, TenantId},
    logs::{LlmRunFilter, LlmRunRecord, Uncounted},
    overview::{Period, Spent},
    page::PageRequest,
};

use crate::{
    dice::Dice,
    sample::{self, ODD, OTHER, TENANT, at, run, uuid},
    whole::llm_run,
};

/// What there is, as the test knows it.
#[derive(Default)]
struct World {
    runs: BTreeMap<u128, Run>,
    /// Calls that count, by run and step.
    calls: Vec<(u128, u64)>,
    /// When those came that leave a cost in doubt.
    doubts: Vec<DateTime<Utc>>,
    next_step: u64,
}

impl World {
    /// One unit of work with some of everything; half of them know where their runs stood, and one of four is undone.
    async fn group(&mut self, db: &Db, dice: &mut Dice, tenant: TenantId) {
        let tx = db.begin().await.expect("begin");
        let first = self.runs.len() as u128 + 1;
        let new: BTreeMap<u128, Run> =
            (first..first + u128::from(dice.roll(4))).map(|n| (n, dice.run(tenant, n))).collect();
        tx.activity().insert_runs(&new.values().cloned().collect::<Vec<_>>()).await.expect("inserted");
        let mut runs = self.runs.clone();
        runs.extend(new);
        let mut changed = Vec::new();
        for run in runs.values_mut() {
            if dice.roll(3) > 0 {
                continue;
            }
            let (stood, now) = (run.standing(), dice.moved(run.clone()));
            *run = now;
            changed.push((run.clone(), stood));
        }
        let knows = dice.roll(2) == 0;
        let stood: HashMap<RunId, Standing> =
            changed.iter().filter(|_| knows).map(|(run, stood)| (run.id, stood.clone())).collect();
        let changed: Vec<Run> = changed.into_iter().map(|(run, _)| run).collect();
        tx.activity().save_runs(&changed, &stood).await.expect("saved");

        let (mut calls, mut uncounted, mut next) = (self.calls.clone(), Vec::new(), self.next_step);
        let mut doubts = self.doubts.clone();
        let not_counting = |run: u128, step_index: u64, in_doubt: bool| Uncounted {
            tenant,
            run_id: RunId(uuid(run)),
            step_index,
            told_by_index: step_index + 1,
            in_doubt,
            created_at: at(1),
        };
        let mut records = Vec::new();
        if !calls.is_empty() && dice.roll(2) == 0 {
            let gone = usize::try_from(dice.roll(calls.len() as u64)).expect("small");
            let (run, step) = calls.swap_remove(gone);
            uncounted.push(not_counting(run, step, false));
        }
        for _ in 0..dice.roll(5) {
            let Some(run) = runs.keys().copied().nth(usize::try_from(dice.roll(20)).expect("small")) else {
                continue;
            };
            let call = dice.call(tenant, run, next);
            if dice.roll(4) == 0 {
                let in_doubt = dice.roll(2) == 0;
                doubts.extend(in_doubt.then_some(call.created_at));
                uncounted.push(not_counting(run, next, in_doubt));
            } else {
                calls.push((run, next));
            }
            records.push(call);
            next += 1;
        }
        // Whoever says it after the calls were added, and whoever says it before.
        let agents = runs.values().map(|run| (run.id, run.agent_id.clone())).collect();
        if dice.roll(2) == 0 {
            tx.logs().insert_llm_runs(&records, &agents).await.expect("calls");
            tx.traces().insert_uncounted(&uncounted).await.expect("said");
        } else {
            tx.traces().insert_uncounted(&uncounted).await.expect("said");
            tx.logs().insert_llm_runs(&records, &agents).await.expect("calls");
        }
        let some: Vec<RunId> = runs.values().map(|run| run.id).filter(|_| dice.roll(5) == 0).collect();
        match dice.roll(6) {
            0 => tx.run_metrics().mark_violated(tenant, &some).await.expect("marked"),
            1 => {
                let risks: Vec<_> = some.iter().map(|run| (*run, dice.of(RiskLevel::ALL))).collect();
                tx.run_signals().raise_risk(tenant, &risks).await.expect("raised");
            }
            2 => {
                let stalls = Stalls { now: at(1), silent_since: at(1), expected_ms: 1 << 40, factor: 1 };
                tx.activity().mark_stalled(stalls).await.expect("marked");
            }
            _ => {}
        }
        if dice.roll(4) == 0 {
            return tx.rollback().await.expect("undone");
        }
        tx.commit().await.expect("commit");
        (self.calls, self.doubts, self.next_step) = (calls, doubts, next);
        let read = db.read().await.expect("read");
        let ids: Vec<RunId> = runs.values().map(|run| run.id).collect();
        let stored = read.activity().find_runs(tenant, &ids).await.expect("found");
        self.runs = runs.into_keys().zip(stored).collect();
    }
}

/// All that is looked at of a tenant's counters.
pub(crate) async fn rounds(db: &Db, tenant: TenantId) -> Vec<Round> {
    let read = db.read().await.expect("read");
    let mut rounds: Vec<Round> = Vec::new();
    while let Some(next) = read.counters().next_round(tenant, rounds.last()).await.expect("a round") {
        rounds.push(next);
    }
    rounds
}

/// Every counter of a tenant that does not say what is there.
pub(crate) async fn miscounts(db: &Db, tenant: TenantId) -> Vec<Miscount> {
    let mut found = Vec::new();
    for round in rounds(db, tenant).await {
        let read = db.read().await.expect("read");
        found.extend(read.counters().miscounts(tenant, &round).await.expect("held against"));
    }
    found
}

/// Makes them say it.
pub(crate) async fn recount(db: &Db, tenant: TenantId) {
    for round in rounds(db, tenant).await {
        let read = db.read().await.expect("read");
        let strays = read.counters().strays(tenant, &round).await.expect("looked for");
        drop(read);
        let tx = db.begin().await.expect("begin");
        tx.counters().delete(tenant, &strays).await.expect("deleted");
        tx.commit().await.expect("commit");
        let tx = db.begin().await.expect("begin");
        tx.counters().hold_recounts(tenant).await.expect("nobody else does it");
        // Of a moment behind those who did it before.
        let read = db.read().await.expect("read");
        let lacking = read.counters().lacking(tenant, &round).await.expect("held against");
        drop(read);
        tx.counters().mend(lacking);
        tx.commit().await.expect("commit");
    }
}

/// Lists and sums by counters are those of the rows.
async fn read_alike(read: &ReadTx, dice: &mut Dice, tenant: TenantId, doubts: &[DateTime<Utc>]) {
    let page = PageRequest::new(Some(200), None, true).expect("a page");
    for _ in 0..12 {
        let filter = dice.filter();
        let found = read.activity().list_runs(tenant, &filter, &page).await.expect("listed");
        assert_eq!(found.total, Some(found.items.len() as u64), "{filter:?}");
        let filter = dice.filter_of_calls();
        let found = read.logs().list_llm_runs(tenant, &filter, &page).await.expect("listed");
        assert_eq!(found.total, Some(found.items.len() as u64), "{filter:?}");
    }
    let [one, other] = [dice.time(), dice.time()];
    let period = Period { from: one.min(other), until: one.max(other) + chrono::Duration::seconds(1) };
    let all = read.logs().list_llm_runs(tenant, &LlmRunFilter::default(), &page).await.expect("listed").items;
    let counts = |call: &&LlmRunRecord| (period.from..period.until).contains(&call.created_at);
    let in_doubt = doubts.iter().filter(|at| (period.from..period.until).contains(*at)).count();
    let mut due = Spent { unknown: in_doubt as u64, ..Spent::default() };
    for call in all.iter().filter(counts) {
        due.calls += 1;
        due.unknown += u64::from(!call.cost_known);
        due.cost_nanousd += call.cost_nanousd;
        due.input_tokens += call.input_tokens;
        due.output_tokens += call.output_tokens;
    }
    let overview = read.overview();
    assert_eq!(overview.spent(tenant, period).await.expect("added up"), due, "{period:?}");
    let days = overview.spent_by_day(tenant, period).await.expect("by day");
    let models = overview.spent_by_model(tenant, period, 100).await.expect("by model");
    let agents = overview.spent_by_agent(tenant, period, 100).await.expect("by agent");
    let sums = [
        days.iter().map(|(_, spent)| spent.cost_nanousd).sum::<u64>(),
        models.iter().map(|(.., spent)| spent.cost_nanousd).sum(),
        agents.iter().map(|(_, spent)| spent.cost_nanousd).sum(),
    ];
    assert_eq!(sums, [due.cost_nanousd; 3], "{period:?}");
    let calls: u64 = days.iter().map(|(_, spent)| spent.calls).sum();
    assert_eq!(calls, due.calls);
    let unknown = [
        days.iter().map(|(_, spent)| spent.unknown).sum::<u64>(),
        models.iter().map(|(.., spent)| spent.unknown).sum(),
        agents.iter().map(|(_, spent)| spent.unknown).sum(),
    ];
    assert_eq!(unknown, [due.unknown; 3], "{period:?}");
}

testkit::on_both! {
    async fn counters_are_what_a_count_is_after_any_groups(db: TestDatabase) {
        let db = sample::store(db).await;
        for (seed, tenant) in [(1, TENANT), (2, OTHER)] {
            let (mut dice, mut world) = (Dice(seed), World::default());
            for _ in 0..40 {
                world.group(&db, &mut dice, tenant).await;
                assert_eq!(miscounts(&db, tenant).await, [], "seed {seed}");
            }
            assert!(world.runs.len() > 20 && world.calls.len() > 10, "the dice did something");
            assert!(!world.doubts.is_empty(), "of everything");
            let read = db.read().await.expect("read");
            for _ in 0..5 {
                read_alike(&read, &mut dice, tenant, &world.doubts).await;
            }
            let live = RunFilter { state: Some(RunState::Live), ..RunFilter::default() };
            let counts = read.activity().run_counts(tenant).await.expect("counted");
            assert_eq!(counts.total, world.runs.len() as u64);
            assert_eq!(counts.live, read.activity().count_runs(tenant, &live).await.expect("counted"));
        }
    }

    async fn what_is_not_committed_yet_counts_for_who_wrote_it_alone(db: TestDatabase) {
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1)]).await.expect("inserted");
        let all = RunFilter::default();
        assert_eq!(tx.activity().count_runs(TENANT, &all).await.expect("counted"), 1);
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().count_runs(TENANT, &all).await.expect("counted"), 0);
        drop(read);
        tx.activity().insert_runs(&[run(TENANT, 2)]).await.expect("inserted");
        assert_eq!(tx.activity().count_runs(TENANT, &all).await.expect("counted"), 2);
        tx.rollback().await.expect("undone");
        assert_eq!(miscounts(&db, TENANT).await, []);
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().count_runs(TENANT, &all).await.expect("counted"), 0);
    }

    async fn whoever_writes_at_the_same_moment_is_counted(db: TestDatabase) {
        let db = sample::store(db).await;
        let write = async |n: u128| {
            let tx = db.begin().await?;
            // Each in another order.
            let agents = if n.is_multiple_of(2) { ["a", "b", "c"] } else { ["c", "b", "a"] };
            let runs: Vec<Run> =
                (0..).zip(agents).map(|(i, agent)| Run { agent_id: agent.to_owned(), ..run(TENANT, 10 * n + i) }).collect();
            tx.activity().insert_runs(&runs).await?;
            tx.commit().await
        };
        for round in 0..5 {
            let first = 4 * round + 1;
            let (a, b, c, d) = tokio::join!(write(first), write(first + 1), write(first + 2), write(first + 3));
            for written in [a, b, c, d] {
                written.expect("nobody stands in another's way");
            }
        }
        assert_eq!(miscounts(&db, TENANT).await, []);
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().run_counts(TENANT).await.expect("counted").total, 60);
    }

    async fn a_counter_that_is_wrong_is_found_by_name_and_mended(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        let tx = db.begin().await.expect("begin");
        tx.activity().insert_runs(&[run(TENANT, 1), run(OTHER, 2)]).await.expect("inserted");
        let agents = sample::agents();
        tx.logs().insert_llm_runs(&[llm_run(TENANT, 1, 0)], &agents).await.expect("a call");
        tx.commit().await.expect("commit");
        assert_eq!(miscounts(&db, TENANT).await, []);

        for (planted, which, name, differs) in [
            (
                "UPDATE counters SET number = number + 1 WHERE counted = 'RUNS_OF_DAY'",
                vec![Counted::Runs, Counted::RunsOfMonth, Counted::RunsOfDay], "LIVE", "the number is 1 too high",
            ),
            (
                "UPDATE counters SET cost_low = cost_low - 7 WHERE counted = 'CALLS_OF_HOUR'",
                vec![Counted::CallsOfHour], "2026-11-21T00", "the cost in nano-USD is 7 too low",
            ),
            (
                "UPDATE counters SET part = 'x' WHERE counted = 'AGENT_CALLS_OF_DAY'",
                vec![Counted::AgentCallsOfDay, Counted::AgentCallsOfDay], "2026-11-21 x", "the number is 1 too",
            ),
            ("DELETE FROM counters WHERE counted = 'AGENT_RUNS'", vec![Counted::AgentRuns], ODD, "the number is 1 too low"),
            (
                "UPDATE counters SET place = '2031-01-01' WHERE counted = 'CALLS_OF_DAY'",
                vec![Counted::CallsOfDay, Counted::CallsOfDay], "2031-01-01", "the number is 1 too",
            ),
        ] {
            past.tamper(planted).await.expect("planted");
            let found = miscounts(&db, TENANT).await;
            let mut counted: Vec<Counted> = found.iter().map(|of| of.counted).collect();
            counted.sort_unstable();
            assert_eq!(counted, which, "{found:#?}");
            assert!(found.iter().any(|of| of.name.contains(name)), "{found:#?}");
            assert!(found.iter().any(|of| of.differs.starts_with(differs)), "{found:#?}");
            for tenant in [TENANT, OTHER] {
                recount(&db, tenant).await;
                assert_eq!(miscounts(&db, tenant).await, [], "{planted}");
            }
        }
        let read = db.read().await.expect("read");
        assert_eq!(read.activity().run_counts(TENANT).await.expect("counted").total, 1);
    }
}
