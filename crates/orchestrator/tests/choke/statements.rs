//! The number of statements does not grow with the group.

use orchestrator::{choke::call::StepReport, handlers::activity};
use proof::words::{EnforcementMode, LimitType};
use testkit::{Kit, on_both};

use crate::agent::{Agent, keyed, llm, tool};

/// What a group of any size may send, all kinds of rows included.
const BOUND: u64 = 45;

on_both! {
    async fn the_same_bound_for_one_and_for_many(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, "context.step.cost_microusd > 0").await;
        agent.limit(LimitType::CostUsd, 1_000_000).await;
        agent.limit(LimitType::TokensTotal, 1_000_000).await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        let mut counts = Vec::new();
        for size in [1, 8, 64, 256] {
            let report = |n: usize| -> StepReport {
                let report = if n.is_multiple_of(2) { llm(1) } else { tool("get_weather") };
                keyed(&format!("{size}-{n}"), report)
            };
            let reports = (0..size).map(report).collect();
            let before = kit.db.statements();
            let batch = activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
            counts.push(kit.db.statements() - before);
            assert!(batch.not_attempted.is_empty() && batch.answers.iter().all(Result::is_ok));
        }
        assert!(counts.iter().all(|count| *count <= BOUND), "{counts:?}");
        assert!(counts[2] <= counts[0] + 4, "{counts:?}: a group of 64 sends what a lone call sends");
    }
}
