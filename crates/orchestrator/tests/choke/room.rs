//! What waits and what is remembered is bounded in bytes, in all and for one tenant: whoever has too much of it takes
//! nothing from another, and all of it is given back.

use futures::poll;
use kit::Kit;
use models::{
    ids::RunId,
    logs::{SystemEventType, SystemFilter},
    page::PageRequest,
};
use orchestrator::{
    Error, Settings,
    background::crowded::Crowded,
    choke::call::{StartRun, StepReport},
    handlers::{activity, logs, system},
};
use proof::words::EnforcementMode;
use testkit::on_both;

use crate::agent::{Agent, llm, refused, tool};

const WAITING: &str = "bytes of calls that wait";

fn with(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings { installation: "test".to_owned(), ..Settings::default() };
    change(&mut settings);
    settings
}

/// A step whose parameters are so long.
fn long(length: usize) -> StepReport {
    StepReport { params: Some(format!(r#"{{"text":"{}"}}"#, "word ".repeat(length / 5))), ..tool("write") }
}

on_both! {
    async fn a_greedy_tenant_is_told_to_come_again_and_another_passes(db: TestDatabase) {
        // Its parameters are counted twice: there is room for two such steps of a tenant.
        let kit = Kit::with(db, with(|settings| settings.max_held_bytes = 300 << 10)).await;
        let (greedy, modest) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "other").await);
        let (run, others) = (greedy.start().await, modest.start().await);
        let step = || long(32 << 10);
        let waiting = || system::held(&kit.spine)[WAITING];

        // Nothing of either run can be written.
        let locks = kit.db.begin().await.unwrap();
        locks.activity().lock_runs(greedy.ctx.tenant.id, &[run]).await.unwrap();
        locks.activity().lock_runs(modest.ctx.tenant.id, &[others]).await.unwrap();
        let (mut first, mut second) =
            (Box::pin(greedy.record(run, step())), Box::pin(greedy.record(run, step())));
        while waiting() < 128 << 10 {
            assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
            tokio::task::yield_now().await;
        }
        assert!(matches!(greedy.record(run, step()).await, Err(Error::Busy)), "it has its half");
        let held = waiting();
        let mut passes = Box::pin(modest.record(others, step()));
        while waiting() == held {
            assert!(poll!(&mut passes).is_pending(), "another has a half of its own");
            tokio::task::yield_now().await;
        }
        locks.rollback().await.unwrap();
        let mut indices = [first.await.unwrap().step_index, second.await.unwrap().step_index];
        indices.sort_unstable();
        assert_eq!((indices, passes.await.unwrap().step_index), ([0, 1], 0));
        assert_eq!(greedy.record(run, step()).await.unwrap().step_index, 2, "when it comes again there is room");

        assert_eq!(greedy.run(run).await.step_count, 3, "what was acknowledged is there");
        assert_eq!(modest.run(others).await.step_count, 1);
        let held = system::held(&kit.spine);
        assert!(held.len() == 6 && held.values().all(|held| *held == 0), "all is given back: {held:?}");
    }

    async fn for_whom_there_was_no_room_is_told_to_its_own_people(db: TestDatabase) {
        let kit = Kit::with(db, with(|settings| settings.max_waiting = 2)).await;
        let (greedy, modest) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "other").await);
        let run = greedy.start().await;
        for _ in 0..3 {
            let two = vec![tool("read"), tool("write")];
            let told = activity::record_batch(&kit.spine, &greedy.ctx, run, two).await;
            assert!(matches!(told, Err(Error::Busy)), "half of two places is one: {told:?}");
        }
        let crowded = Crowded::default();
        for _ in 0..2 {
            crowded.tick(&kit.spine).await.unwrap();
        }
        let filter = SystemFilter { event_type: Some(SystemEventType::Error), ..SystemFilter::default() };
        let mut told = Vec::new();
        for agent in [&greedy, &modest] {
            let page = PageRequest::default();
            let records = logs::list_system(&kit.spine, &agent.admin, filter.clone(), page).await.unwrap().items;
            told.push(records.into_iter().map(|logged| logged.record.summary).collect::<Vec<_>>());
        }
        let summary = "3 call(s) were answered 503 overloaded, for there was no room for more calls that wait";
        assert_eq!(told, [vec![summary.to_owned()], Vec::new()]);
    }

    async fn a_tenant_with_long_runs_makes_nobody_else_s_be_forgotten(db: TestDatabase) {
        // A quarter is for runs: some four of those with a long goal.
        let kit = Kit::with(db, with(|settings| settings.max_remembered_bytes = 1 << 20)).await;
        let (greedy, modest) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "other").await);
        for agent in [&greedy, &modest] {
            agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        }
        let others = modest.start().await;
        let mut runs: Vec<RunId> = Vec::new();
        for _ in 0..12 {
            let goal = Some("to find a word ".repeat(4_000));
            let start = StartRun { agent_id: "researcher".to_owned(), goal, ..StartRun::default() };
            runs.push(activity::start(&kit.spine, &greedy.ctx, start).await.unwrap().run.id);
        }
        kit.db.close().await;
        assert!(!refused(modest.record(others, llm(600_000)).await).recorded, "it is remembered");
        assert!(!refused(greedy.record(runs[11], llm(600_000)).await).recorded, "so is the newest");
        let oldest = greedy.record(runs[0], llm(600_000)).await;
        assert!(matches!(oldest, Err(Error::Unavailable(_))), "and the oldest is not: {oldest:?}");
    }
}
