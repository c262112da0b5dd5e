//! What a server remembers of a run for its next group is what the store has, after whatever a group did.

use kit::Kit;
use orchestrator::{choke::call::PermitRequest, coordinators::check_memory, handlers::activity};
use proof::words::{EnforcementMode, LimitType};
use testkit::on_both;

use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    spans::{call, root, send},
};

/// Runs of the tenant are remembered, and all as they are stored.
async fn is_stored(agent: &Agent<'_>, what: &str) {
    let compared = check_memory::compare(&agent.kit.spine, agent.admin.tenant.id).await.unwrap();
    assert_eq!(compared.stale, Vec::<String>::new(), "{what}");
    assert!(compared.runs > 0, "{what}: nothing is remembered");
}

on_both! {
    async fn whatever_a_group_did_its_runs_are_remembered_as_they_are_stored(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        agent.limit(LimitType::RunSteps, 6).await;
        agent.limit(LimitType::TokensTotal, 1_000).await;
        let run = agent.start().await;
        is_stored(&agent, "it began").await;
        agent.record(run, keyed("a", llm(1))).await.unwrap();
        is_stored(&agent, "a step").await;
        kit.clock.advance(chrono::Duration::seconds(1));
        agent.record(run, keyed("a", llm(1))).await.unwrap();
        is_stored(&agent, "a step that was told again, and nothing was written").await;
        agent.record(run, tool("read")).await.unwrap();
        is_stored(&agent, "a tool").await;
        let dear = agent.start().await;
        refused(agent.record(dear, llm(11)).await);
        is_stored(&agent, "a step that was refused").await;
        let leave = PermitRequest { idempotency_key: Some("b".to_owned()), ..ask("read") };
        agent.permit(run, leave.clone()).await.unwrap();
        is_stored(&agent, "a permit").await;
        agent.permit(run, leave).await.unwrap();
        is_stored(&agent, "a permit that was told again").await;
        kit.clock.advance(chrono::Duration::seconds(61));
        agent.record(run, tool("read")).await.unwrap();
        is_stored(&agent, "a step that released what had lapsed").await;

        send(&agent, &[call(1, 1), call(1, 2)]).await;
        is_stored(&agent, "a trace").await;
        send(&agent, &[call(1, 3)]).await;
        is_stored(&agent, "a span more").await;
        send(&agent, &[root(1, false)]).await;
        is_stored(&agent, "its root").await;
        let other = agent.start().await;
        activity::kill(&kit.spine, &agent.admin, other, None).await.unwrap();
        is_stored(&agent, "another was killed").await;
    }

    async fn what_is_stored_in_another_way_is_seen(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        for table in ["runs", "aos_traces"] {
            db.tamper(&format!("UPDATE {table} SET step_count = step_count + 1")).await.unwrap();
        }
        let compared = check_memory::compare(&kit.spine, agent.admin.tenant.id).await.unwrap();
        assert_eq!((compared.runs, compared.stale.len()), (1, 2), "{compared:?}");
    }
}
