//! Without its store: a halt is still a halt, and nothing else is promised.

use kit::{Kit, limit};
use models::{ids::PermitId, policies::LimitDraft};
use orchestrator::{Error, Settings, background::overdue, choke::call::StepReport};
use proof::words::{Action, EnforcementMode, LimitType, ResetPeriod, RunStatus};
use testkit::{Store, TestDatabase, on_both};

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
        // Also of what names a permit that is not known here: whatever that is, the run takes nothing.
        let permit_id = Some(PermitId(uuid::Uuid::from_u128(7)));
        let late = agent.record(doomed, StepReport { permit_id, ..llm(1) }).await.unwrap_err();
        assert!(matches!(late, Error::RunKilled { .. }), "{late}");
        let calm = agent.record(calm, StepReport { permit_id, ..llm(600_000) }).await.unwrap_err();
        assert!(matches!(calm, Error::Unavailable(_)), "nobody knows what that permit is: {calm}");
    }

    async fn what_waits_for_the_store_is_weighed_with_what_was_decided(db: TestDatabase) {
        let settings = Settings { installation: "test".to_owned(), max_held_bytes: 256 << 10, ..Settings::default() };
        let kit = Kit::with(db, settings).await;
        let agent = Agent::of(&kit, "acme").await;
        for n in 0..20 {
            let name = format!("{n} {}", "of a long name ".repeat(10));
            agent.rule_named(name.trim(), EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        }
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;
        let mut halts = 0;
        let full = loop {
            match agent.record(run, llm(600_000)).await {
                Err(Error::StepHalted(_)) => halts += 1,
                other => break other,
            }
            // Each says the name of every rule twice, and there is room for half of 256 KiB.
            assert!(halts < 22, "there is more than there is room for");
        };
        assert!(matches!(full, Err(Error::Unavailable(_))), "{full:?}");
        assert!(halts > 0, "there is room for some");
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
