//! A repeated call gets its stored answer; concurrent equals execute once.

use std::sync::Arc;

use futures::future::join_all;
use orchestrator::{Error, choke::call::StartRun, handlers::activity};
use proof::words::EnforcementMode;
use testkit::{Kit, on_both};

use crate::agent::{Agent, ask, keyed, llm, refused};

on_both! {
    async fn a_repeat_gets_the_same_answer(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let first = agent.record(run, keyed("a", llm(5))).await.unwrap();
        agent.record(run, llm(7)).await.unwrap();
        kit.clock.advance(chrono::Duration::days(400));
        assert_eq!(agent.record(run, keyed("a", llm(5))).await.unwrap(), first, "for ever, as it was");
        let err = agent.record(run, keyed("a", llm(6))).await.unwrap_err();
        assert!(matches!(err, Error::IdempotencyConflict { .. }), "{err}");
        assert_eq!(agent.run(run).await.step_count, 2);
    }

    async fn a_stored_refusal_is_refused_again_whatever_became_of_the_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 10").await;
        let run = agent.start().await;
        let first = refused(agent.record(run, keyed("a", llm(11))).await);
        let again = refused(agent.record(run, keyed("a", llm(11))).await);
        assert_eq!(first, again);
        assert!(matches!(agent.record(run, keyed("b", llm(11))).await, Err(Error::RunKilled { .. })));
    }

    async fn concurrent_equals_execute_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Arc::new(Agent::of(&kit, "acme").await);
        let run = agent.start().await;
        let answers = join_all((0..50).map(|_| agent.record(run, keyed("same", llm(3))))).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
        assert_eq!(agent.run(run).await.cost_nanousd, 3_000);
    }

    async fn a_permit_and_a_start_repeat_too(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let request = StartRun {
            agent_id: "researcher".to_owned(),
            idempotency_key: Some("run-1".to_owned()),
            ..StartRun::default()
        };
        let started = activity::start(&kit.spine, &agent.ctx, request.clone()).await.unwrap();
        let again = activity::start(&kit.spine, &agent.ctx, request.clone()).await.unwrap();
        assert_eq!(started, again);
        let other = StartRun { goal: Some("another".to_owned()), ..request };
        let err = activity::start(&kit.spine, &agent.ctx, other).await.unwrap_err();
        assert!(matches!(err, Error::IdempotencyConflict { .. }), "{err}");

        let run = started.run.id;
        let mut asked = ask("get_weather");
        asked.idempotency_key = Some("p".to_owned());
        let granted = agent.permit(run, asked.clone()).await.unwrap();
        assert_eq!(agent.permit(run, asked).await.unwrap(), granted);
        let err = agent.record(run, keyed("p", llm(1))).await.unwrap_err();
        assert!(matches!(err, Error::IdempotencyConflict { .. }), "one key for permits and steps: {err}");
    }

    async fn a_start_key_is_its_credentials_own(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (agent, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        let keyed = |goal: &str| StartRun {
            agent_id: "researcher".to_owned(),
            goal: Some(goal.to_owned()),
            idempotency_key: Some("job-1".to_owned()),
            ..StartRun::default()
        };
        // In one group and in several.
        let (first, second) = futures::join!(
            activity::start(&kit.spine, &agent.ctx, keyed("a")),
            activity::start(&kit.spine, &other.ctx, keyed("b")),
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_ne!(first.run.id, second.run.id);
        let third = activity::start(&kit.spine, &agent.admin, keyed("c")).await.unwrap();
        assert!(![first.run.id, second.run.id].contains(&third.run.id), "whoever sees all runs has keys of its own too");
        assert_eq!(activity::start(&kit.spine, &other.ctx, keyed("b")).await.unwrap(), second);
        assert_eq!(activity::start(&kit.spine, &agent.ctx, keyed("a")).await.unwrap(), first);
        let err = activity::start(&kit.spine, &agent.ctx, keyed("b")).await.unwrap_err();
        assert!(matches!(err, Error::IdempotencyConflict { .. }), "{err}");
    }
}
