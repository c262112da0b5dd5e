//! Runs of which nothing is heard: shown as stalled without a call, on both stores, and as what they are once they
//! call.

use chrono::Duration;
use engines::activity::{LatencySigns, latency_bucket};
use kit::Kit;
use models::{
    activity::{LatencyBucket, RiskLevel, Run, RunFilter, RunState},
    ids::RunId,
    page::PageRequest,
};
use orchestrator::{
    background::stalls,
    choke::call::StartRun,
    handlers::{activity, system},
};
use proof::words::EnforcementMode;
use testkit::{Store, TestDatabase, on_both};

use crate::agent::{Agent, llm, refused};

async fn start(agent: &Agent<'_>, expected_latency_ms: Option<u64>, trace: Option<&str>) -> RunId {
    let external_trace_id = trace.map(str::to_owned);
    let agent_id = "researcher".to_owned();
    let request = StartRun { agent_id, expected_latency_ms, external_trace_id, ..StartRun::default() };
    activity::start(&agent.kit.spine, &agent.ctx, request).await.unwrap().run.id
}

async fn get(agent: &Agent<'_>, run: RunId) -> Run {
    activity::get(&agent.kit.spine, &agent.admin, run).await.unwrap()
}

async fn standing(agent: &Agent<'_>, run: RunId) -> (LatencyBucket, RiskLevel) {
    let run = get(agent, run).await;
    (run.latency_bucket, run.risk_level)
}

/// The runs that the list has as stalled.
async fn listed(agent: &Agent<'_>) -> Vec<RunId> {
    let filter = RunFilter { latency_bucket: Some(LatencyBucket::Stalled), ..RunFilter::default() };
    let page = activity::list(&agent.kit.spine, &agent.admin, filter, PageRequest::default()).await.unwrap();
    page.items.iter().map(|run| run.id).collect()
}

#[tokio::test]
async fn what_could_not_speak_is_not_stalled() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    start(&agent, Some(3_600_000), None).await;
    kit.clock.set(kit::time::beginning() + Duration::minutes(50));
    system::look_at_clock(&kit.spine).await.unwrap();
    for ms in [0, 119_999] {
        kit.clock.advance(Duration::milliseconds(ms));
        assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 0, "the server came up just now");
    }
    kit.clock.advance(Duration::milliseconds(1));
    assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 1);
}

on_both! {
    async fn a_run_that_is_silent_is_stalled_until_it_speaks(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let patient = Some(3_600_000);
        let (silent, busy) = (start(&agent, patient, None).await, start(&agent, patient, None).await);
        let reported = start(&agent, patient, Some("5b8efff798038103d269b633813fc60c")).await;
        let ended = start(&agent, patient, None).await;
        agent.record(silent, llm(1)).await.unwrap();
        agent.complete(ended).await.unwrap();
        kit.clock.advance(Duration::milliseconds(119_999));
        agent.record(busy, llm(1)).await.unwrap();
        assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 0, "not for 120 s yet");
        kit.clock.advance(Duration::milliseconds(1));
        assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 2);
        assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 0, "once");
        for run in [silent, reported] {
            assert_eq!(standing(&agent, run).await, (LatencyBucket::Stalled, RiskLevel::AtRisk));
        }
        for run in [busy, ended] {
            assert_eq!(standing(&agent, run).await, (LatencyBucket::Ok, RiskLevel::Normal));
        }
        assert_eq!(listed(&agent).await, [reported, silent]);
        let stranger = Agent::of(&kit, "other").await;
        assert!(listed(&stranger).await.is_empty());

        agent.record(silent, llm(1)).await.unwrap();
        assert_eq!(standing(&agent, silent).await, (LatencyBucket::Ok, RiskLevel::Normal), "it speaks again");
        assert_eq!(listed(&agent).await, [reported]);
        assert_eq!(agent.complete(silent).await.unwrap().risk_level, RiskLevel::Normal);
    }

    async fn what_has_another_cause_stays_when_a_run_speaks_again(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.budget("cap", 1_000).await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let (violated, near) = (start(&agent, Some(3_600_000), None).await, start(&agent, Some(3_600_000), None).await);
        refused(agent.record(violated, llm(600_000)).await);
        assert_eq!(standing(&agent, violated).await.1, RiskLevel::Violated);
        kit.clock.advance(Duration::minutes(3));
        assert_eq!(stalls::tick(&kit.spine).await.unwrap(), 2);
        assert_eq!(standing(&agent, violated).await, (LatencyBucket::Stalled, RiskLevel::Violated), "never lowered");
        refused(agent.record(near, llm(1)).await);
        assert_eq!(standing(&agent, near).await, (LatencyBucket::Ok, RiskLevel::NearThreshold), "its budget is used up");
    }

    /// The statement of the job and the derivation of a call are one rule.
    async fn the_job_marks_what_the_derivation_calls_stalled(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut runs = Vec::new();
        for expected_ms in [None, Some(0), Some(1), Some(3_000), Some(20_000), Some(1 << 53)] {
            runs.push(start(&agent, expected_ms, None).await);
        }
        let silent = runs.clone();
        let mut seen = [false; 2];
        // Those of the second half speak all the time, the others never.
        for expected_ms in [None, Some(0), Some(15_001), Some(1 << 53)] {
            runs.push(start(&agent, expected_ms, None).await);
        }
        for seconds in [0, 5, 10, 60, 44, 1, 1, 100, 78, 1, 1, 300] {
            kit.clock.advance(Duration::seconds(seconds));
            for run in runs.iter().filter(|run| !silent.contains(run)) {
                agent.record(*run, llm(1)).await.unwrap();
            }
            stalls::tick(&kit.spine).await.unwrap();
            let now = kit.spine.now();
            for run in &runs {
                let run = get(&agent, *run).await;
                let ms = |since: chrono::DateTime<chrono::Utc>| u64::try_from((now - since).num_milliseconds()).unwrap();
                let signs = LatencySigns {
                    state: RunState::Live,
                    elapsed_ms: ms(run.started_at),
                    silent_ms: ms(run.last_seen_at),
                    expected_ms: run.expected_latency_ms,
                };
                let stalled = latency_bucket(signs) == LatencyBucket::Stalled;
                assert_eq!(run.latency_bucket == LatencyBucket::Stalled, stalled, "{signs:?}");
                seen[usize::from(stalled)] = true;
            }
        }
        assert_eq!(seen, [true, true]);
    }
}
