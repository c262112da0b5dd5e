//! How many statements a lone call sends, and that the number does not grow with the group.

use kit::Kit;
use models::ids::RunId;
use orchestrator::{
    Error,
    choke::call::{Granted, PermitRequest, StartRun, StepReport},
    handlers::activity,
};
use proof::words::{EnforcementMode, LimitType};
use testkit::{Damage, on_both};

use crate::agent::{Agent, ask, keyed, llm, tool};

/// What a lone call sends, on either store: all that it writes is one statement. The first of a unit of work and its
/// commit are among them. Whoever has it send less writes the new number here, and no other way round: what a call
/// waits for is what these are.
const SENT: [(&str, u64); 6] = [
    // BEGIN; the run's state, which says whether a permit lapsed; what is written; COMMIT.
    ("a tool call of a run that is remembered", 4),
    // The same: its key is known to be new, and counters are among what is written.
    ("a call to a model with a key", 4),
    // And the windows of the limit, locked.
    ("the same under a limit that counts over runs", 5),
    // As the first: and the run with its trace and its salt.
    ("a tool call of a run that another server wrote", 5),
    // As the second: and the same, and all keys, of steps and of permits, at once.
    ("a call to a model with a key, of such a run", 6),
    // BEGIN; the tenant, what governs it, freezes; the head of the run log; what is written; COMMIT.
    ("a run that begins", 7),
];

/// What a group of any size may send, all kinds of rows included.
const BOUND: u64 = 45;

async fn start(agent: &Agent<'_>) -> Result<(), Error> {
    let request = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
    activity::start(&agent.kit.spine, &agent.ctx, request).await.map(drop)
}

on_both! {
    async fn a_lone_call_sends_so_many(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        let here = Agent::of(&one, "acme").await;
        let there = Agent { kit: &two, ctx: here.ctx.clone(), admin: here.admin.clone() };
        let free = here.start().await;
        here.limit(LimitType::TokensTotal, 1_000_000).await;
        let limited = here.start().await;
        let sent = async |agent: &Agent<'_>, run: RunId, report: StepReport| {
            let before = agent.kit.db.statements();
            agent.record(run, report).await.unwrap();
            agent.kit.db.statements() - before
        };
        let told = |key: &str| keyed(key, llm(1));
        // Until all is known that does not change.
        here.start().await;
        for key in ["first", "second"] {
            sent(&here, free, told(key)).await;
            sent(&here, limited, told(key)).await;
        }
        let mut counts = vec![
            sent(&here, free, tool("read")).await,
            sent(&here, free, told("third")).await,
            sent(&here, limited, told("third")).await,
        ];
        for key in ["fourth", "fifth"] {
            sent(&there, free, told(key)).await;
        }
        sent(&here, free, tool("read")).await;
        counts.push(sent(&there, free, tool("read")).await);
        sent(&here, free, tool("read")).await;
        counts.push(sent(&there, free, told("sixth")).await);
        let before = one.db.statements();
        here.start().await;
        counts.push(one.db.statements() - before);

        let counted: Vec<_> = SENT.iter().map(|(what, _)| *what).zip(counts).collect();
        assert_eq!(counted, SENT);
    }

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

    /// An exporter that was not answered in time sends all of it again.
    async fn the_same_bound_for_what_comes_again(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, "context.step.cost_microusd > 0").await;
        agent.limit(LimitType::CostUsd, 1_000_000).await;
        let run = agent.start().await;
        let mut counts = Vec::new();
        for size in [1, 8, 64, 256] {
            let reports = || -> Vec<StepReport> {
                (0..size).map(|n: usize| keyed(&format!("{size}-{n}"), llm(1))).collect()
            };
            let first = activity::record_batch(&kit.spine, &agent.ctx, run, reports()).await.unwrap();
            let before = kit.db.statements();
            let again = activity::record_batch(&kit.spine, &agent.ctx, run, reports()).await.unwrap();
            counts.push(kit.db.statements() - before);
            let [first, again] = [first, again].map(|batch| -> Vec<_> {
                let answers = batch.answers.into_iter().map(Result::unwrap);
                answers.map(|step| (step.step_index, step.step_hash)).collect()
            });
            assert_eq!(again, first);
        }
        assert!(counts.iter().all(|count| *count <= BOUND), "{counts:?}");
        assert!(counts[2] <= counts[0] + 4, "{counts:?}: a group of 64 sends what a lone call sends");

        let leave = |n: usize| PermitRequest { idempotency_key: Some(format!("leave {n}")), ..ask("get_weather") };
        for size in [5, 30] {
            let all = || futures::future::join_all((0..size).map(|n| agent.permit(run, leave(n))));
            let first = all().await;
            let before = kit.db.statements();
            let again = all().await;
            // The first call may find the lane idle and go alone; all others go as one group.
            assert!(kit.db.statements() - before <= 2 * BOUND, "{size}");
            let ids = |all: Vec<Result<Granted, Error>>| -> Vec<_> {
                all.into_iter().map(|one| one.unwrap().permit_id).collect()
            };
            assert_eq!(ids(again), ids(first));
        }
    }

    /// What comes again stands apart from each other: every second step is another's. So many ranges of steps are read.
    async fn the_same_bound_for_what_comes_again_from_many_places(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let mut counts = Vec::new();
        for size in [1, 8, 64, 256] {
            let report = |n: usize| keyed(&format!("{size}-{n}"), llm(1));
            let all: Vec<usize> = (0..2 * size).collect();
            for some in all.chunks(256) {
                let reports = some.iter().map(|n| report(*n)).collect();
                activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
            }
            let again = (0..size).map(|n| report(2 * n)).collect();
            let before = kit.db.statements();
            let again = activity::record_batch(&kit.spine, &agent.ctx, run, again).await.unwrap();
            counts.push(kit.db.statements() - before);
            assert!(again.not_attempted.is_empty() && again.answers.iter().all(Result::is_ok));
        }
        assert!(counts.iter().all(|count| *count <= BOUND), "{counts:?}");
        assert!(counts[2] <= counts[0] + 4, "{counts:?}: a group of 64 sends what a lone call sends");
    }

    /// The segments that hold what was recorded were cut in between: each of the keys stands in the open, and its step
    /// is lost.
    async fn the_same_bound_for_what_comes_again_and_is_lost(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let reports = |size: usize| -> Vec<StepReport> {
            (0..size).map(|n| keyed(&format!("{size}-{n}"), llm(1))).collect()
        };
        let sizes = [1, 8, 64, 256];
        for size in sizes {
            activity::record_batch(&kit.spine, &agent.ctx, run, reports(size)).await.unwrap();
        }
        db.keep_segments().await;
        for segment in db.segments_of(&run.to_string()).await {
            if segment.counts[0] > 0 {
                db.damage(&Damage::Put(segment.cut(segment.body.len() / 2))).await;
            }
        }
        let mut counts = Vec::new();
        for size in sizes {
            let before = kit.db.statements();
            let again = activity::record_batch(&kit.spine, &agent.ctx, run, reports(size)).await.unwrap();
            counts.push(kit.db.statements() - before);
            let told = again.answers.first();
            assert!(matches!(told, Some(Err(Error::Damaged { table: "run_segments", .. }))), "{told:?}");
        }
        // The group, and the incident about the segment.
        assert!(counts.iter().all(|count| *count <= 2 * BOUND), "{counts:?}");
        assert!(counts[2] <= counts[1] + 4, "{counts:?}: a group of 64 sends what one of 8 sends");
    }

    async fn the_same_bound_for_one_run_and_for_many(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Warn, "context.step.cost_microusd > 0").await;
        agent.rule(EnforcementMode::Block, "context.step.skill == \"delete\"").await;
        agent.limit(LimitType::CostUsd, 1_000_000).await;
        agent.limit(LimitType::RunSteps, 1_000).await;
        let mut counts = Vec::new();
        // Above 30, `join_all` takes turns, and how many groups come of that is chance.
        for size in [5, 30] {
            let mut runs = Vec::new();
            for _ in 0..size {
                runs.push(agent.start().await);
            }
            let call = |(n, run): (usize, RunId)| {
                let (agent, key) = (&agent, format!("{size}-{n}"));
                async move {
                    match n % 5 {
                        0 => agent.record(run, keyed(&key, llm(1))).await.map(drop),
                        1 => agent.record(run, keyed(&key, tool("delete"))).await.map(drop),
                        2 => agent.permit(run, ask("get_weather")).await.map(drop),
                        3 => agent.complete(run).await.map(drop),
                        _ => start(agent).await,
                    }
                }
            };
            let before = kit.db.statements();
            let answers = futures::future::join_all(runs.into_iter().enumerate().map(call)).await;
            counts.push(kit.db.statements() - before);
            let refused = answers.iter().filter(|answer| answer.is_err()).count();
            assert_eq!(refused, (0..size).filter(|n| n % 5 == 1).count(), "{answers:?}");
        }
        // The first call may find the lane idle and go alone; all others go as one group.
        assert!(counts.iter().all(|count| *count <= 2 * BOUND), "{counts:?}");
    }
}
