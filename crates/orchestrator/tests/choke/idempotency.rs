//! A repeated call gets its stored answer; concurrent equals execute once.

use std::sync::Arc;

use futures::future::join_all;
use kit::Kit;
use orchestrator::{
    CallContext, Error,
    background::{answers, sweeper},
    choke::call::{EndRun, LlmReport, StartRun, StepReport},
    handlers::activity,
};
use proof::words::{EnforcementMode, RunStatus};
use testkit::on_both;
use verify::Word;

use crate::{
    agent::{Agent, ask, keyed, llm, refused},
    spans::{call, only_run, root, send},
};

/// The same caller, with an idempotency key.
fn with_key(ctx: &CallContext, key: &str) -> CallContext {
    CallContext { idempotency_key: Some(key.to_owned()), ..ctx.clone() }
}

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

    async fn each_text_tells_a_step_from_another(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let empty = || Some(String::new());
        let said = |prompt: Option<String>, response: Option<String>| {
            let report = llm(5);
            StepReport { llm: report.llm.map(|llm| LlmReport { prompt, response, ..llm }), ..report }
        };
        let json = |params: Option<&str>, data: Option<&str>| StepReport {
            params: params.map(str::to_owned),
            outcome_data: data.map(str::to_owned),
            ..said(None, None)
        };
        let (one, other) = (Some(r#"{"a":1}"#), Some(r#"{"a":2}"#));
        let all = Vec::from([
            said(None, None),
            said(empty(), None),
            said(None, empty()),
            said(Some("a".to_owned()), Some("b".to_owned())),
            said(Some("b".to_owned()), Some("a".to_owned())),
            json(one, None),
            json(None, one),
            json(other, None),
            json(one, other),
        ]);
        for (at, report) in all.iter().enumerate() {
            let key = format!("k{at}");
            let first = agent.record(run, keyed(&key, report.clone())).await.unwrap();
            for (of, report) in all.iter().enumerate() {
                let again = agent.record(run, keyed(&key, report.clone())).await;
                if of == at {
                    assert_eq!(again.unwrap(), first);
                } else {
                    let err = again.unwrap_err();
                    assert!(matches!(err, Error::IdempotencyConflict { .. }), "{at} {of}: {err}");
                }
            }
        }
        assert_eq!(agent.run(run).await.step_count, all.len() as u64);
    }

    /// Ids of spans are no secrets, and a caller gives the keys that it likes.
    async fn no_key_takes_the_place_of_a_span(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        assert_eq!(send(&agent, &[call(1, 1)]).await.count, 0);
        let run = only_run(&agent).await.id;
        // Of a span that comes then, of one that is recorded, and of one that comes with it.
        let [next, known, beside] = ["0000000000000003", "0000000000000002", "0000000000000004"];
        let first = agent.record(run, keyed(next, llm(5))).await.unwrap();
        assert_eq!(send(&agent, &[call(1, 2)]).await.count, 0);
        let second = agent.record(run, keyed(known, llm(6))).await.unwrap();
        let span = [call(1, 3)];
        let (sent, third) =
            futures::join!(send(&agent, &span), agent.record(run, keyed(beside, llm(7))));
        let third = third.unwrap();
        assert_eq!(sent.count, 0);
        let all = |run: &models::activity::Run| (run.step_count, run.input_tokens, run.llm_call_count);
        assert_eq!(all(&agent.run(run).await), (6, 6 * 21, 6));
        // Each is known when it comes again, and another under its key or its id is refused.
        for (key, micro_usd, told) in [(next, 5, first), (known, 6, second), (beside, 7, third)] {
            assert_eq!(agent.record(run, keyed(key, llm(micro_usd))).await.unwrap(), told, "{key}");
            let err = agent.record(run, keyed(key, llm(8))).await.unwrap_err();
            assert!(matches!(err, Error::IdempotencyConflict { .. }), "{err}");
        }
        assert_eq!(send(&agent, &[1, 2, 3].map(|id| call(1, id))).await.count, 0);
        let others = [1, 2, 3].map(|id| {
            let mut other = call(1, id);
            other["attributes"] = serde_json::json!([]);
            other
        });
        assert_eq!(send(&agent, &others).await.count, 3);
        assert_eq!(all(&agent.run(run).await), (6, 6 * 21, 6));
        assert_eq!(send(&agent, &[root(1, false)]).await.count, 0);
        kit.clock.advance(chrono::Duration::seconds(31));
        sweeper::tick(&kit.spine).await.unwrap();
        let (report, _) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
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

    async fn a_key_of_an_end_or_a_kill_is_free_again_when_its_day_is_over(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [ends, kills] = [&agent.ctx, &agent.admin].map(|ctx| with_key(ctx, "k"));
        for day in 0..3 {
            let [ended, killed] = [agent.start().await, agent.start().await];
            let done = activity::complete(&kit.spine, &ends, ended, EndRun::Succeeded).await.unwrap();
            assert_eq!((done.id, done.status), (ended, RunStatus::Succeeded), "day {day}");
            let done = activity::kill(&kit.spine, &kills, killed, None).await.unwrap();
            assert_eq!(done.run.id, killed, "day {day}");
            let err = activity::kill(&kit.spine, &kills, ended, None).await.unwrap_err();
            assert!(matches!(err, Error::IdempotencyConflict { .. }), "it is taken for a day: {err}");
            kit.clock.advance(chrono::Duration::hours(24));
        }
        assert_eq!(db.number("SELECT count(*) FROM idempotency_keys").await, 2);
        answers::tick(&kit.spine).await.unwrap();
        assert_eq!(db.number("SELECT count(*) FROM idempotency_keys").await, 0, "nobody has to come for that");
    }

    async fn an_end_is_told_again_as_it_was_whatever_became_of_the_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [ends, kills] = [&agent.ctx, &agent.admin].map(|ctx| with_key(ctx, "k"));
        let [ended, killed] = [agent.start().await, agent.start().await];
        let complete = || activity::complete(&kit.spine, &ends, ended, EndRun::Succeeded);
        let kill = || activity::kill(&kit.spine, &kills, killed, Some("enough".to_owned()));
        let (first_end, first_kill) = (complete().await.unwrap(), kill().await.unwrap());
        // As an incident does that is found later.
        db.tamper("UPDATE runs SET incident_count = 7, risk_level = 'VIOLATED'").await.unwrap();
        assert_eq!(agent.run(ended).await.incident_count, 7);
        assert_eq!(complete().await.unwrap(), first_end);
        assert_eq!(kill().await.unwrap(), first_kill);
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
