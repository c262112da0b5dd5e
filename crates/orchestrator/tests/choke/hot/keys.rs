//! The keys of a run that a server knows all of: whatever was recorded under one of them is found, and where they are
//! not known, the store is asked.

use chrono::TimeDelta;
use kit::Kit;
use models::ids::RunId;
use orchestrator::{
    Error,
    background::sweeper,
    choke::call::{PermitRequest, StepReport},
    handlers::activity,
};
use proof::words::{EnforcementMode, RunStatus};
use serde_json::Value;
use testkit::on_both;

use super::{at, is_whole};
use crate::{
    agent::{Agent, ask, keyed, refused, tool},
    contributions::other,
    halts::{take_again, take_nothing, unavailable},
    remembered::is_stored,
    roots::{ONE, OTHER, remote},
    spans::{call, only_run, root, send},
};

/// The index of a step under that key, and how many statements it took.
async fn under(agent: &Agent<'_>, run: RunId, key: &str) -> (u64, u64) {
    let before = agent.kit.db.statements();
    let recorded = agent.record(run, keyed(key, tool("read"))).await.unwrap();
    (recorded.step_index, agent.kit.db.statements() - before)
}

/// A span that says something else than others of its id.
fn saying(span: Value, words: &str) -> Value {
    let mut span = other(span);
    span["attributes"][0]["value"]["stringValue"] = words.into();
    span
}

on_both! {
    async fn of_a_run_that_has_more_than_are_kept_the_store_is_asked(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let mut next = 0;
        for all in [999, 1_001] {
            while next < all {
                let some = next..all.min(next + 250);
                let reports = some.clone().map(|n| keyed(&n.to_string(), tool("read")));
                let reports: Vec<StepReport> = reports.collect();
                let batch = activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
                assert!(batch.answers.iter().all(Result::is_ok), "{some:?}");
                next = some.end;
            }
            assert_eq!(under(&agent, run, "0").await.0, 0, "it is told again");
            assert_eq!(under(&agent, run, &(all - 1).to_string()).await.0, all - 1);
        }
        is_stored(&agent, "with more than are kept").await;
        let (index, asked) = under(&agent, run, "more").await;
        assert_eq!(index, 1_001);
        let other = agent.start().await;
        under(&agent, other, "a").await;
        let (_, known) = under(&agent, other, "b").await;
        assert!(asked >= known + 2, "{asked}, {known}: steps and permits are looked for");
    }

    /// By the server that knows all keys of the trace, and by one that knows none.
    async fn a_span_of_an_id_that_another_keys_has_is_one_of_its_own(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        for (tenant, kit) in [("here", &one), ("there", &two)] {
            let (owner, guest) = (Agent::of(&one, tenant).await, Agent::of(&one, tenant).await);
            for id in [1, 2] {
                assert_eq!(send(&owner, &[call(1, id)]).await.count, 0);
            }
            is_stored(&owner, tenant).await;
            let (owner, guest) = (at(kit, &owner), at(kit, &guest));
            for (n, (agent, span, rejected, steps)) in [
                (&guest, saying(call(1, 1), "one"), 0, 3),
                (&guest, saying(call(1, 1), "one"), 0, 3),
                (&guest, saying(call(1, 1), "another"), 1, 3),
                (&guest, call(1, 2), 0, 3),
                (&owner, call(1, 1), 0, 3),
                (&owner, saying(call(1, 1), "one"), 1, 3),
                (&owner, call(1, 3), 0, 4),
            ]
            .into_iter()
            .enumerate()
            {
                assert_eq!(send(agent, &[span]).await.count, rejected, "{tenant}, {n}");
                assert_eq!(only_run(&owner).await.step_count, steps, "{tenant}, {n}");
            }
            is_stored(&owner, tenant).await;
        }
    }

    /// Else its child, whose parent is in another process, would stand for the root.
    async fn a_parent_that_was_told_before_is_known(db: TestDatabase) {
        let (one, two) = (Kit::replica(db, 1).await, Kit::replica(db, 2).await);
        for (tenant, kit) in [("here", &one), ("there", &two)] {
            let agent = Agent::of(&one, tenant).await;
            let parent = call(1, 0xa1);
            assert_eq!(parent["spanId"], OTHER);
            for span in [call(1, 1), parent] {
                send(&agent, &[span]).await;
            }
            is_stored(&agent, tenant).await;
            let quiet = async || {
                for kit in [&one, &two] {
                    kit.clock.advance(TimeDelta::seconds(30));
                }
                sweeper::tick(&one.spine).await.unwrap();
                only_run(&agent).await.status
            };
            send(&at(kit, &agent), &[remote(ONE, OTHER, 7, true)]).await;
            assert_eq!(only_run(&agent).await.reported_end, None, "{tenant}: it is none");
            assert_eq!(quiet().await, RunStatus::Running, "{tenant}: its root is still to come");
            send(&at(kit, &agent), &[root(1, false)]).await;
            assert_eq!(quiet().await, RunStatus::Succeeded, "{tenant}");
        }
    }

    async fn what_was_refused_leave_took_its_key(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule_pre("no rm", EnforcementMode::Block, r#"context.step.skill == "rm""#).await;
        let run = agent.start().await;
        under(&agent, run, "a").await;
        let leave = || PermitRequest { idempotency_key: Some("b".to_owned()), ..ask("rm") };
        let first = refused(agent.permit(run, leave()).await);
        is_stored(&agent, "leave was refused").await;
        let again = refused(agent.permit(run, leave()).await);
        assert_eq!((again.step_index, again.verdict.decision_id), (Some(1), first.verdict.decision_id));
        let taken = agent.record(run, keyed("b", tool("read"))).await;
        assert!(matches!(taken, Err(Error::IdempotencyConflict { .. })), "{taken:?}");
        assert_eq!(under(&agent, run, "c").await.0, 2);
        is_whole(&agent, run, 2).await;
    }

    async fn what_failed_took_none(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        under(&agent, run, "a").await;
        let stranger = take_nothing(db).await;
        unavailable(&agent.record(run, keyed("b", tool("read"))).await);
        take_again(db, stranger).await;
        for (key, index) in [("b", 1), ("b", 1), ("a", 0), ("c", 2), ("b", 1)] {
            assert_eq!(under(&agent, run, key).await.0, index, "{key}");
        }
        is_stored(&agent, "after a group that failed").await;
        is_whole(&agent, run, 3).await;
    }
}
