//! What an incident cost: what refused and overspent calls cost beyond the limit, or what the run had when it was
//! stopped.

use kit::Kit;
use models::{
    incidents::{Incident, RunIncident},
    policies::{Amount, LimitDraft},
};
use orchestrator::{choke::call::StepReport, handlers::incidents};
use proof::words::{
    Consequence, EnforcementMode, LimitCategory, LimitEnforcement, LimitType, ResetPeriod, StepKind,
};
use testkit::on_both;

use crate::agent::{Agent, ask, llm, refused};

/// The one incident of a run.
async fn incident(agent: &Agent<'_>, run: models::ids::RunId) -> Incident {
    of_run(agent, run).await.incident
}

async fn of_run(agent: &Agent<'_>, run: models::ids::RunId) -> RunIncident {
    let found = incidents::by_run(&agent.kit.spine, &agent.admin, run).await.unwrap();
    let [one] = &found[..] else { panic!("one: {found:?}") };
    one.clone()
}

fn budget(limit_type: LimitType, max: u64, enforcement: LimitEnforcement) -> LimitDraft {
    let unit = if limit_type == LimitType::CostUsd { 1_000 } else { 1_000_000_000 };
    LimitDraft {
        name: format!("{limit_type} {max}"),
        limit_category: LimitCategory::Budget,
        limit_type,
        scope: None,
        scope_id: None,
        max_value: Amount { billionths: u128::from(max) * unit },
        reset_period: Some(ResetPeriod::None),
        window_seconds: None,
        measurement_window_seconds: None,
        degrade_to: None,
        enforcement: Some(enforcement),
        consequence: Some(Consequence::Incident),
    }
}

on_both! {
    async fn a_budget_says_what_was_spent_beyond_it(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit_as(budget(LimitType::CostUsd, 1_000_000, LimitEnforcement::Block)).await;
        let run = agent.start().await;
        refused(agent.record(run, llm(7_500_000)).await);
        let opened = incident(&agent, run).await;
        assert_eq!(opened.cost_impact_nanousd, 6_500_000_000, "7.50 spent of 1");
        refused(agent.record(run, llm(200_000)).await);
        let again = of_run(&agent, run).await;
        assert_eq!(again.incident.cost_impact_nanousd, 6_700_000_000);
        assert_eq!((again.of.cost_impact_nanousd, again.of.impact_nanousd()), (6_500_000_000, 6_700_000_000), "what came on top");
        // What was only asked for cost nothing.
        let mut wish = ask("gpt-4o");
        (wish.kind, wish.params, wish.estimate.cost_nanousd) = (StepKind::LlmCall, None, Some(900_000_000));
        refused(agent.permit(run, wish).await);
        assert_eq!(incident(&agent, run).await.cost_impact_nanousd, 6_700_000_000);
        agent.complete(run).await.unwrap();
        let proof = orchestrator::coordinators::run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None, "as it was opened is sealed");
    }

    async fn an_overspent_call_and_one_beyond_another_limit_count_what_they_cost(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit_as(budget(LimitType::CostUsd, 1_000, LimitEnforcement::Warn)).await;
        let run = agent.start().await;
        agent.record(run, llm(900)).await.unwrap();
        agent.record(run, llm(300)).await.unwrap();
        assert_eq!(incident(&agent, run).await.cost_impact_nanousd, 200_000);

        let other = Agent::of(&kit, "other").await;
        other.limit_as(budget(LimitType::TokensTotal, 40, LimitEnforcement::Block)).await;
        let run = other.start().await;
        other.record(run, llm(5)).await.unwrap();
        refused(other.record(run, llm(11)).await);
        assert_eq!(incident(&other, run).await.cost_impact_nanousd, 11_000, "all of the call lies beyond");
    }

    async fn a_rule_counts_the_refused_call_or_the_run_that_it_stopped(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_named("dear", EnforcementMode::Block, "context.step.cost_microusd > 500").await;
        agent.rule_named("dearest", EnforcementMode::Kill, "context.step.cost_microusd > 5000").await;
        let (blocked, killed) = (agent.start().await, agent.start().await);
        agent.record(blocked, llm(100)).await.unwrap();
        refused(agent.record(blocked, llm(600)).await);
        refused(agent.record(blocked, llm(700)).await);
        assert_eq!(incident(&agent, blocked).await.cost_impact_nanousd, 1_300_000);
        agent.record(killed, llm(100)).await.unwrap();
        refused(agent.record(killed, StepReport { duration_ms: 1, ..llm(6_000) }).await);
        assert_eq!(incident(&agent, killed).await.cost_impact_nanousd, 6_100_000, "what the run had cost");
    }
    async fn what_it_cost_is_summed_over_runs(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_named("dear", EnforcementMode::Block, "context.step.cost_microusd > 500").await;
        let runs = [agent.start().await, agent.start().await];
        for (run, cost) in [(runs[0], 600), (runs[1], 700), (runs[1], 800)] {
            refused(agent.record(run, llm(cost)).await);
        }
        let second = of_run(&agent, runs[1]).await;
        assert_eq!((second.incident.cost_impact_nanousd, second.of.impact_nanousd()), (2_100_000, 1_500_000));
        assert_eq!(of_run(&agent, runs[0]).await.of.impact_nanousd(), 600_000);
    }
}
