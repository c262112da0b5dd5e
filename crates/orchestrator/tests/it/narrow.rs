//! With one connection to the store, nothing waits for itself.

use std::time::Duration;

use kit::Kit;
use models::{activity::InterventionOutcome, incidents::IncidentFilter, page::PageRequest};
use orchestrator::{
    coordinators::export_bundle,
    handlers::{activity, incidents, policies},
};
use proof::words::EnforcementMode;
use testkit::{Store, TestDatabase};

use crate::agent::{Agent, llm, refused};

/// Only what waits for itself takes so long.
const DEADLINE: Duration = Duration::from_mins(1);

async fn does_it_all(url: &str) {
    let kit = Kit::narrow(url).await;
    let (spine, agent) = (&kit.spine, Agent::of(&kit, "acme").await);
    agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
    agent.budget("all", 1_000_000_000).await;
    let run = agent.start().await;
    agent.record(run, llm(1)).await.unwrap();
    refused(agent.record(run, llm(600_000)).await);
    let reason = || "it misbehaves".to_owned();
    let frozen = policies::freeze(spine, &agent.admin, None, reason()).await.unwrap();
    assert_eq!((frozen.live_runs, frozen.unacked_runs, frozen.outcome), (1, 1, InterventionOutcome::Unacked));
    refused(agent.record(run, llm(1)).await);
    policies::unfreeze(spine, &agent.admin, None, None).await.unwrap();
    let open = incidents::list(spine, &agent.admin, IncidentFilter::default(), PageRequest::default()).await;
    let open: Vec<_> = open.unwrap().items.into_iter().map(|incident| incident.id).collect();
    incidents::acknowledge_many(spine, &agent.admin, open, None).await.unwrap();
    activity::kill(spine, &agent.admin, run, None).await.unwrap();
    export_bundle::bundle(spine, &agent.admin, run).await.unwrap();
    agent.complete(agent.start().await).await.unwrap();
}

#[tokio::test]
async fn nothing_waits_for_itself_on_postgres() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    tokio::time::timeout(DEADLINE, does_it_all(db.url())).await.expect("something waits for itself");
}

#[tokio::test]
async fn nothing_waits_for_itself_in_memory() {
    tokio::time::timeout(DEADLINE, does_it_all("sqlite::memory:")).await.expect("something waits for itself");
}
