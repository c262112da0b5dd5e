//! Without its store: a halt is still a halt, and nothing else is promised.

use orchestrator::{Error, choke::call::StepReport};
use proof::words::{Action, EnforcementMode, RunStatus};
use testkit::{Kit, on_both};

use crate::agent::{Agent, ask, llm, refused};

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
