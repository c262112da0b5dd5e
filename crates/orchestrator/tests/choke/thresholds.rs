//! Limits on a run hold what its open permits are to use: no more leave is given than there is, however many ask at
//! once.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use kit::{Kit, limit};
use models::{ids::RunId, policies::LimitDraft};
use orchestrator::{
    Error,
    choke::call::{EstimateRequest, Granted, PermitRequest, StepReport},
    handlers::system,
};
use proof::words::{Action, LimitEnforcement, LimitType, RunStatus, StepKind};
use testkit::{Store, TestDatabase, on_both};
use verify::Word;

use crate::{
    agent::{Agent, ask, llm, refused, tool},
    gaps::going_on,
};

/// Leave for a call of 30 tokens that costs 500 micro-USD, as [`llm`] reports one.
fn wish() -> PermitRequest {
    PermitRequest {
        kind: StepKind::LlmCall,
        params: None,
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        estimate: EstimateRequest { input_tokens: 21, output_tokens: 9, cost_nanousd: Some(500_000) },
        ..ask("gpt-4o")
    }
}

/// The call, by that leave.
fn done(granted: &Granted) -> StepReport {
    StepReport { permit_id: Some(granted.permit_id), ..llm(500) }
}

/// Used, reserved and remaining of the one limit.
fn stands(limits: &[rules::verdict::LimitView]) -> [u64; 3] {
    let [only] = limits else { panic!("one limit: {limits:?}") };
    [only.used, only.reserved, only.remaining].map(rules::Count::get)
}

/// Each limit on a run, of just two such calls, and what one of them is of it.
const OF_TWO: [(LimitType, u64, u64); 3] =
    [(LimitType::RunSteps, 2, 1), (LimitType::RunTokens, 60, 30), (LimitType::RunCostUsd, 1_000, 500_000)];

on_both! {
    async fn a_limit_on_a_run_holds_what_its_open_permits_are_to_use(db: TestDatabase) {
        let kit = Kit::on(db).await;
        for (n, (limit_type, max, one)) in OF_TWO.into_iter().enumerate() {
            let agent = Agent::of(&kit, &format!("tenant-{n}")).await;
            agent.limit(limit_type, max).await;
            let (run, other) = (agent.start().await, agent.start().await);
            let first = agent.permit(run, wish()).await.unwrap();
            assert_eq!(stands(&first.verdict.limits), [0, one, one], "{limit_type}");
            let second = agent.permit(run, wish()).await.unwrap();
            assert_eq!(stands(&second.verdict.limits), [0, 2 * one, 0], "{limit_type}");
            let full = refused(agent.permit(run, wish()).await);
            assert_eq!(stands(&full.verdict.limits), [0, 2 * one, 0], "{limit_type}");
            assert!(full.verdict.summary().contains("of it reserved by open permits"), "{full:?}");
            let apart = agent.permit(other, wish()).await.unwrap();
            assert_eq!(stands(&apart.verdict.limits), [0, one, one], "each run has its own");

            // What leave was given for is not refused when it is done; it is used then, and held no more.
            let recorded = agent.record(run, done(&first)).await.unwrap();
            assert_eq!(stands(&recorded.verdict.limits), [one, one, 0], "{limit_type}");
            refused(agent.permit(run, wish()).await);
            // What nobody asked for has no part in what others hold; and though it is counted, it takes no leave back.
            agent.permit(other, wish()).await.unwrap();
            refused(agent.record(other, llm(500)).await);
            agent.record(other, done(&apart)).await.unwrap();
            kit.clock.advance(TimeDelta::seconds(61));
            let again = agent.permit(run, wish()).await.unwrap();
            assert_eq!(stands(&again.verdict.limits), [one, one, 0], "{limit_type}: the second has lapsed");
            assert_eq!(agent.record(run, done(&again)).await.unwrap().verdict.permit_note, None);
            let spent = refused(agent.permit(run, wish()).await);
            assert_eq!(stands(&spent.verdict.limits), [2 * one, 0, 0], "{limit_type}");
            assert_eq!(agent.run(run).await.step_count, 2);
            agent.complete(run).await.unwrap();
            let (report, _) = agent.verified(run).await;
            assert_eq!(report.word, Word::Complete, "{report}");
        }
    }

    /// It has happened with leave, as with a budget: it is counted, and the next call is refused.
    async fn what_a_permit_spends_above_its_estimate_stops_the_next(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let kills = LimitDraft { enforcement: Some(LimitEnforcement::Kill), ..limit(LimitType::RunCostUsd, 1_000) };
        agent.limit_as(kills).await;
        let run = agent.start().await;
        let granted = agent.permit(run, wish()).await.unwrap();
        let report = StepReport { permit_id: Some(granted.permit_id), ..llm(1_500) };
        assert_eq!(agent.record(run, report).await.unwrap().verdict.action, Action::Warn);
        let halted = refused(agent.permit(run, wish()).await);
        assert_eq!((halted.verdict.action, halted.run_status), (Action::Kill, RunStatus::Halted));
    }

    async fn what_lapsed_holds_nothing_where_only_runs_are_limited(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::RunSteps, 2).await;
        let run = agent.start().await;
        for _ in 0..2 {
            agent.permit(run, ask("get_weather")).await.unwrap();
        }
        refused(agent.record(run, tool("get_weather")).await);
        kit.clock.advance(TimeDelta::seconds(61));
        agent.record(run, tool("get_weather")).await.unwrap();
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        assert_eq!(stands(&granted.verdict.limits), [1, 1, 0]);
    }

    async fn open_permits_hold_without_the_store(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        agent.limit(LimitType::RunSteps, 2).await;
        let run = agent.start().await;
        let before = agent.permit(run, wish()).await.unwrap();
        kit.db.close().await;
        let since = agent.permit(run, wish()).await.unwrap();
        assert_eq!((stands(&since.verdict.limits), since.recorded), ([0, 2, 0], false));
        let full = refused(agent.permit(run, wish()).await);
        assert_eq!((full.verdict.action, full.recorded), (Action::Block, false));
        assert_eq!(stands(&agent.record(run, done(&before)).await.unwrap().verdict.limits), [1, 1, 0]);
        refused(agent.permit(run, wish()).await);
        assert_eq!(stands(&agent.record(run, done(&since)).await.unwrap().verdict.limits), [2, 0, 0]);
    }

    async fn what_lapsed_holds_nothing_without_the_store(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        agent.limit(LimitType::RunSteps, 2).await;
        let run = agent.start().await;
        agent.permit(run, wish()).await.unwrap();
        kit.clock.advance(TimeDelta::seconds(30));
        agent.permit(run, wish()).await.unwrap();
        kit.db.close().await;
        refused(agent.permit(run, wish()).await);
        kit.clock.advance(TimeDelta::seconds(30));
        let granted = agent.permit(run, wish()).await.unwrap();
        assert_eq!((stands(&granted.verdict.limits), granted.recorded), ([0, 2, 0], false), "the first has lapsed");
    }

    async fn a_crowd_in_one_run_is_given_no_more_leave_than_there_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let replica = Kit::replica(db, 1).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::RunSteps, 10).await;
        agent.limit(LimitType::RunCostUsd, 6_000).await;
        let elsewhere = Agent { kit: &replica, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        let (run, lone) = (agent.start().await, agent.start().await);
        let agents = [Arc::new(agent), Arc::new(elsewhere)];
        // In groups of one process, and then of two.
        for (among, run) in [(1, lone), (2, run)] {
            let asked = stream::iter(0..60).map(|n| {
                let (agent, run) = (Arc::clone(&agents[n % among]), run);
                async move { agent.permit(run, wish()).await }
            });
            let answers: Vec<_> = asked.buffer_unordered(60).collect().await;
            let granted: Vec<&Granted> = answers.iter().flatten().collect();
            let halted = answers.iter().filter(|answer| matches!(answer, Err(Error::StepHalted(_)))).count();
            assert_eq!((granted.len(), halted), (10, 50), "of {among}: {answers:?}");
            served(&agents[0], run, &granted).await;
        }
    }
}

/// Each permit serves for what was asked, and nothing more is granted.
async fn served(agent: &Agent<'_>, run: RunId, granted: &[&Granted]) {
    for permit in granted {
        agent.record(run, done(permit)).await.unwrap();
    }
    let full = refused(agent.permit(run, wish()).await);
    let steps = full.verdict.limits.iter().find(|limit| limit.limit_type == LimitType::RunSteps).unwrap();
    assert_eq!((steps.used.get(), steps.reserved.get()), (10, 0));
    assert_eq!(agent.run(run).await.step_count, 10);
}

/// Releasing it is left to whoever has it locked; that it serves no more does not wait for that.
#[tokio::test]
async fn what_lapsed_holds_nothing_while_another_has_it_locked() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    agent.limit(LimitType::RunSteps, 2).await;
    let run = agent.start().await;
    for _ in 0..2 {
        agent.permit(run, wish()).await.unwrap();
    }
    refused(agent.permit(run, wish()).await);
    kit.clock.advance(TimeDelta::seconds(61));
    let stranger = db.stranger("SELECT id FROM permits FOR UPDATE").await;
    let granted = agent.permit(run, wish()).await.unwrap();
    assert_eq!(stands(&granted.verdict.limits), [0, 1, 1]);
    stranger.let_go().await;
}

/// What was granted before a start may still be under way, whatever time it seems to be; for so long as leave lasts.
#[tokio::test]
async fn nothing_lapses_at_a_start_far_from_the_newest_leaf() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&db).await;
    let mut asked = Vec::new();
    for (tenant, limit_type) in [("runs", LimitType::RunSteps), ("steps", LimitType::Steps)] {
        let agent = Agent::of(&kit, tenant).await;
        agent.limit(limit_type, 1).await;
        let run = agent.start().await;
        agent.permit(run, wish()).await.unwrap();
        asked.push((agent, run));
    }
    kit.clock.set(kit::time::beginning() + TimeDelta::days(2));
    system::look_at_clock(&kit.spine).await.unwrap();
    for (agent, run) in &asked {
        let full = refused(agent.permit(*run, wish()).await);
        assert_eq!(stands(&full.verdict.limits), [0, 1, 0]);
    }
    kit.clock.advance(TimeDelta::seconds(61));
    for (agent, run) in &asked {
        let granted = agent.permit(*run, wish()).await.unwrap();
        assert_eq!(stands(&granted.verdict.limits), [0, 1, 0], "the first has lapsed");
    }
}
