//! Leave that is asked in the run of a trace: nothing has happened by then, so it is refused as in any run. What the
//! trace tells has happened, and is taken whatever became of the run.

use chrono::TimeDelta;
use kit::{Kit, limit};
use models::{activity::RunState, ids::RunId, page::PageRequest, policies::LimitDraft};
use orchestrator::{
    Error,
    background::sweeper,
    choke::call::StepReport,
    handlers::{
        account::{self, SettingsChange},
        activity, policies,
    },
};
use proof::words::{
    Action, Asked, Assurance, EnforcementMode, HaltReason, LimitEnforcement, LimitType, RunStatus, StepStatus,
};
use testkit::on_both;
use verify::Word;

use crate::{
    agent::{Agent, ask, llm, refused, tool},
    spans::{call, only_run, root, send},
};

/// The run that a span has opened.
async fn traced(agent: &Agent<'_>) -> RunId {
    assert_eq!(send(agent, &[call(1, 1)]).await.count, 0);
    only_run(agent).await.id
}

async fn steps(agent: &Agent<'_>, run: RunId) -> Vec<activity::StepView> {
    let page = PageRequest::new(Some(50), None, false).unwrap();
    activity::steps(&agent.kit.spine, &agent.admin, run, page).await.unwrap().items
}

/// The run is proven, with what was refused in it; once nothing has come for so long.
async fn proven(agent: &Agent<'_>, run: RunId, quiet: TimeDelta) {
    agent.kit.clock.advance(quiet);
    sweeper::tick(&agent.kit.spine).await.unwrap();
    let (report, _) = agent.verified(run).await;
    assert_eq!((report.word, report.assurance), (Word::Complete, Some(Assurance::Reported)), "{report}");
}

on_both! {
    async fn a_rule_refuses_what_is_asked_in_a_traces_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no rm", EnforcementMode::Block, r#"context.step.skill == "rm""#).await;
        let run = traced(&agent).await;
        let halted = refused(agent.permit(run, ask("rm")).await);
        assert_eq!((halted.verdict.action, halted.verdict.would_have), (Action::Block, None));
        assert_eq!((halted.verdict.asked, halted.run_status), (Some(Asked::Before), RunStatus::Running));
        // What it does not forbid is granted, done and reported; what was done and is forbidden is refused, and said to
        // be done.
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        let done = StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
        assert_eq!(agent.record(run, done).await.unwrap().verdict.asked, Some(Asked::Before));
        assert!(refused(agent.record(run, tool("rm")).await).verdict.refused_after().is_some());
        // And a span of the same has happened, whatever fires.
        let mut span = call(1, 2);
        span["attributes"] = serde_json::json!([{ "key": "gen_ai.tool.name", "value": { "stringValue": "rm" } }]);
        assert_eq!(send(&agent, &[span, root(1, false)]).await.count, 0);
        let steps = steps(&agent, run).await;
        let told: Vec<_> = steps.iter().map(|step| (step.step.record.status, step.action, step.would_have)).collect();
        let (done, refused) = (StepStatus::Success, StepStatus::Refused);
        assert_eq!(told, [
            (done, Some(Action::Allow), None),
            (refused, Some(Action::Block), None),
            (done, Some(Action::Allow), None),
            (refused, Some(Action::Block), None),
            (done, Some(Action::Allow), Some(Action::Block)),
            (done, Some(Action::Allow), None),
        ]);
        assert_eq!(steps[1].step.record.reported_status, None, "nothing was done");
        let now = agent.run(run).await;
        assert_eq!((now.step_count, now.refused_count), (4, 2));
        proven(&agent, run, TimeDelta::seconds(30)).await;
        assert_eq!(agent.run(run).await.status, RunStatus::Succeeded);
    }

    async fn a_limit_a_rate_and_a_freeze_refuse_it_too(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "exhausted").await;
        agent.limit(LimitType::Steps, 1).await;
        let run = traced(&agent).await;
        let halted = refused(agent.permit(run, ask("get_weather")).await);
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::BudgetExceeded), "the span has used it up");
        assert_eq!(send(&agent, &[call(1, 2), root(1, false)]).await.count, 0);
        proven(&agent, run, TimeDelta::seconds(30)).await;

        let agent = Agent::of(&kit, "fast").await;
        let rate = LimitDraft {
            window_seconds: Some(60),
            enforcement: Some(LimitEnforcement::Reject),
            ..limit(LimitType::RequestsPerMinute, 1)
        };
        agent.limit_as(rate).await;
        let run = traced(&agent).await;
        // In one group with spans, too: what is rejected is no step, and takes no place among them.
        let spans = [call(1, 2), call(1, 3)];
        let (sent, asked, told) = futures::join!(
            send(&agent, &spans),
            agent.permit(run, ask("get_weather")),
            agent.record(run, tool("get_weather")),
        );
        assert_eq!(sent.count, 0);
        assert!(matches!(asked, Err(Error::RateLimited { .. })), "{asked:?}");
        assert!(matches!(told, Err(Error::RateLimited { .. })), "{told:?}");
        assert_eq!(send(&agent, &[root(1, false)]).await.count, 0);
        assert_eq!(steps(&agent, run).await.len(), 4);
        proven(&agent, run, TimeDelta::seconds(30)).await;

        let agent = Agent::of(&kit, "frozen").await;
        let run = traced(&agent).await;
        policies::freeze(&kit.spine, &agent.admin, Some("researcher".to_owned()), "why".to_owned()).await.unwrap();
        let halted = refused(agent.permit(run, ask("get_weather")).await);
        assert!(halted.verdict.intervention.is_some(), "{halted:?}");
        assert_eq!(send(&agent, &[call(1, 2), root(1, false)]).await.count, 0);
        proven(&agent, run, TimeDelta::seconds(30)).await;
    }

    /// A span names no permit, so nobody knows that it is what leave was given for. Until that lapses, both stand in
    /// the way of more; never is more let through than there is.
    async fn what_a_span_used_stands_beside_what_its_permit_holds(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::RunSteps, 3).await;
        let run = traced(&agent).await;
        agent.permit(run, ask("get_weather")).await.unwrap();
        assert_eq!(send(&agent, &[call(1, 2)]).await.count, 0);
        assert_eq!(refused(agent.permit(run, ask("get_weather")).await).verdict.action, Action::Block);
        kit.clock.advance(TimeDelta::seconds(61));
        agent.permit(run, ask("get_weather")).await.unwrap();
    }

    async fn a_killed_run_grants_nothing_and_its_spans_come_late(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no rm", EnforcementMode::Kill, r#"context.step.skill == "rm""#).await;
        let run = traced(&agent).await;
        // In whatever order they are decided, in one group or not: no span that has happened is rejected.
        let spans: Vec<_> = (2..6).map(|id| call(1, id)).collect();
        let (first, last) = spans.split_at(2);
        let (before, asked, after) = futures::join!(send(&agent, first), agent.permit(run, ask("rm")), send(&agent, last));
        assert_eq!((before.count, after.count), (0, 0), "{before:?} {after:?}");
        let halted = refused(asked);
        assert_eq!((halted.verdict.action, halted.run_status), (Action::Kill, RunStatus::Halted));
        let now = agent.run(run).await;
        assert_eq!((now.status, now.state), (RunStatus::Halted, RunState::Completed));
        let again = agent.permit(run, ask("get_weather")).await;
        assert!(matches!(again, Err(Error::RunKilled { .. })), "{again:?}");
        assert_eq!(send(&agent, &[call(1, 7), root(1, false)]).await.count, 0);
        let steps = steps(&agent, run).await;
        assert_eq!(steps.len(), 8, "five spans and the refusal, and two that came late");
        assert!(steps.last().unwrap().is_late);
        proven(&agent, run, TimeDelta::seconds(30)).await;
        assert_eq!(agent.run(run).await.status, RunStatus::Halted, "its root ends nothing any more");
    }

    async fn a_stopped_run_grants_nothing_and_takes_spans_until_it_is_sealed(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no rm", EnforcementMode::Stop, r#"context.step.skill == "rm""#).await;
        let run = traced(&agent).await;
        assert_eq!(refused(agent.permit(run, ask("rm")).await).run_status, RunStatus::Halted);
        assert_eq!(send(&agent, &[call(1, 2), root(1, true)]).await.count, 0);
        for refused in [
            agent.permit(run, ask("get_weather")).await.map(drop),
            agent.record(run, tool("get_weather")).await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::RunNotRunning { .. })), "{refused:?}");
        }
        kit.clock.advance(TimeDelta::seconds(59));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "its root does not end it");
        kit.clock.advance(TimeDelta::seconds(1));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        let sealed = agent.run(run).await;
        assert_eq!((sealed.status, sealed.state, sealed.step_count), (RunStatus::Halted, RunState::Completed, 3));
        assert!(steps(&agent, run).await.iter().all(|step| !step.is_late));
        assert_eq!(send(&agent, &[call(1, 3)]).await.count, 0);
        assert!(steps(&agent, run).await.last().unwrap().is_late);
        proven(&agent, run, TimeDelta::zero()).await;
    }

    async fn no_step_of_the_api_goes_without_a_permit_that_is_required(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let version = account::settings(&kit.spine, &agent.admin).await.unwrap().settings_version;
        let required = SettingsChange { permits: Some(models::account::Permits::Required), ..SettingsChange::default() };
        account::update_settings(&kit.spine, &agent.admin, version, required).await.unwrap();
        // As its key sees it from now on.
        let agent = Agent::of(&kit, "acme").await;
        let run = traced(&agent).await;
        let halted = refused(agent.record(run, llm(1)).await);
        assert_eq!(halted.verdict.halt_reason, Some(HaltReason::PermitRequired));
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        let done = StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
        agent.record(run, done).await.unwrap();
        assert_eq!(send(&agent, &[root(1, false)]).await.count, 0);
        proven(&agent, run, TimeDelta::seconds(30)).await;
        assert_eq!((agent.run(run).await.step_count, agent.run(run).await.refused_count), (3, 1));
    }
}
