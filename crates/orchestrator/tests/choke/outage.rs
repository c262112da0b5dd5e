//! Without its store: a halt is still a halt, and nothing else is promised.

use models::policies::LimitDraft;
use orchestrator::{Error, background::overdue, choke::call::StepReport};
use proof::words::{Action, EnforcementMode, LimitType, ResetPeriod, RunStatus};
use testkit::{Kit, Store, TestDatabase, limit, on_both};

use crate::agent::{Agent, ask, keyed, llm, refused};

on_both! {
    async fn a_halt_holds_and_what_would_pass_is_unavailable(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
        let (doomed, calm) = (agent.start().await, agent.start().await);
        agent.record(doomed, llm(1)).await.unwrap();
        kit.db.close().await;

        for would_pass in [agent.record(calm, llm(1)).await.map(drop), agent.permit(calm, ask("x")).await.map(drop)] {
            assert!(matches!(would_pass, Err(Error::Unavailable(_))), "{would_pass:?}");
        }
        let halted = refused(agent.record(doomed, llm(600_000)).await);
        assert_eq!((halted.verdict.action, halted.recorded), (Action::Kill, false));
        assert_eq!((halted.run_status, halted.step_index), (RunStatus::Halted, Some(1)));
        let late = agent.record(doomed, llm(1)).await.unwrap_err();
        assert!(matches!(late, Error::RunKilled { .. }), "it stays in force here: {late}");
    }

    async fn a_run_that_is_not_remembered_cannot_be_decided(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        kit.clock.advance(chrono::Duration::minutes(11));
        kit.db.close().await;
        let unknown = agent.record(run, llm(600_000)).await.unwrap_err();
        assert!(matches!(unknown, Error::Unavailable(_)), "{unknown}");
        let report = StepReport { idempotency_key: Some("k".to_owned()), ..llm(1) };
        assert!(matches!(agent.record(run, report).await, Err(Error::Unavailable(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_written_as_it_was_given_whatever_time_it_is_by_then() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let daily = LimitDraft { reset_period: Some(ResetPeriod::Daily), ..limit(LimitType::Steps, 1) };
    agent.limit_as(daily).await;
    let run = agent.start().await;
    agent.record(run, llm(1)).await.unwrap();
    db.take_away().await;
    let halted = refused(agent.record(run, keyed("second", llm(1))).await);
    assert_eq!((halted.verdict.action, halted.recorded), (Action::Block, false));
    kit.clock.advance(chrono::Duration::days(1));
    db.bring_back().await;
    overdue::tick(&kit.spine).await.unwrap();
    assert_eq!(agent.run(run).await.refused_count, 1, "today it would pass; it was refused yesterday");
    let stored = refused(agent.record(run, keyed("second", llm(1))).await);
    assert_eq!((stored.verdict, stored.recorded), (halted.verdict, true));
    assert_eq!(agent.record(run, llm(1)).await.unwrap().step_index, 2);
}
