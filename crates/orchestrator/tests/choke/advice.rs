//! What a verdict asks of an agent that may go on, and the labels by which rules tell runs and steps apart.

use kit::Kit;
use models::policies::LimitDraft;
use orchestrator::{
    Error,
    choke::call::{StartRun, StepReport},
    handlers::{activity, policies},
};
use proof::words::{Action, EnforcementMode, LimitEnforcement, LimitType};
use testkit::on_both;

use crate::agent::{Agent, ask, keyed, llm, refused, tool};

fn limit(
    limit_type: LimitType,
    max: u64,
    enforcement: LimitEnforcement,
    degrade_to: Option<&str>,
) -> LimitDraft {
    LimitDraft {
        degrade_to: degrade_to.map(str::to_owned),
        enforcement: Some(enforcement),
        ..kit::limit(limit_type, max)
    }
}

on_both! {
    async fn a_limit_that_lets_go_on_says_how(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let nothing = limit(LimitType::StepCostUsd, 5, LimitEnforcement::Block, Some("gpt-4o-mini"));
        let refusal = policies::create_limit(&kit.spine, &agent.admin, nothing).await.unwrap_err();
        assert!(matches!(&refusal, Error::Invalid(errors) if errors[0].pointer == "/degrade_to"), "{refusal:?}");
        agent.limit_as(limit(LimitType::StepCostUsd, 500_000, LimitEnforcement::Degrade, Some("gpt-4o-mini"))).await;
        agent.limit_as(limit(LimitType::RequestsPerMinute, 1, LimitEnforcement::Queue, None)).await;
        let run = agent.start().await;
        let calm = agent.record(run, llm(1)).await.unwrap().verdict;
        assert_eq!((calm.action, calm.advice()), (Action::Warn, None), "near its limit, and nothing to obey");
        let warned = agent.record(run, keyed("k", llm(600_000))).await.unwrap().verdict;
        let advice = warned.advice().unwrap();
        assert_eq!((warned.action, advice.degrade_to.as_deref()), (Action::Warn, Some("gpt-4o-mini")));
        assert!(advice.retry_after_ms.is_some_and(|wait| (1..=60_000).contains(&wait.get())), "{advice:?}");
        let again = agent.record(run, keyed("k", llm(600_000))).await.unwrap().verdict;
        assert_eq!(again, warned, "a repeat is told the same");
    }

    async fn rules_tell_runs_and_steps_apart_by_their_labels(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let condition = "principal.labels.contains(\"prod\") && context.step.labels.contains(\"risky\")";
        agent.rule_pre("nothing risky in production", EnforcementMode::Block, condition).await;
        let start = async |metadata: &str| {
            let request = StartRun {
                agent_id: "a".to_owned(), metadata: Some(metadata.to_owned()), ..StartRun::default()
            };
            activity::start(&kit.spine, &agent.ctx, request).await.unwrap().run.id
        };
        let (production, trial) =
            (start(r#"{"labels":["prod","eu"]}"#).await, start(r#"{"labels":["trial"],"note":"prod"}"#).await);
        let risky = || StepReport { labels: vec!["risky".to_owned()], ..tool("deploy") };
        agent.record(production, tool("deploy")).await.unwrap();
        agent.record(trial, risky()).await.unwrap();
        refused(agent.record(production, risky()).await);
        let mut asked = ask("deploy");
        agent.permit(production, asked.clone()).await.unwrap();
        asked.labels = vec!["risky".to_owned()];
        refused(agent.permit(production, asked).await);
        let many = StepReport { labels: vec![String::new()], ..tool("deploy") };
        assert!(matches!(agent.record(trial, many).await, Err(Error::Invalid(_))));
    }
}
