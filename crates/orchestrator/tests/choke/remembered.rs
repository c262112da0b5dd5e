//! What a server remembers of a run for its next group is what the store has, after whatever a group did.

use std::collections::BTreeSet;

use kit::Kit;
use models::incidents::ResolutionType;
use orchestrator::{
    choke::call::PermitRequest,
    coordinators::check_memory::{self, Compared},
    handlers::{
        activity,
        incidents::{self, Resolve},
    },
};
use proof::words::{EnforcementMode, LimitType};
use testkit::{Store, on_both};

use crate::{
    agent::{Agent, ask, keyed, llm, refused, tool},
    counted::found_now,
    spans::{call, root, send},
};

/// The tenant's first runs, as they are compared.
async fn compared(agent: &Agent<'_>) -> Compared {
    check_memory::compare_next(&agent.kit.spine, agent.admin.tenant.id, None).await.unwrap()
}

/// Runs of the tenant are remembered, and all as they are stored.
pub(crate) async fn is_stored(agent: &Agent<'_>, what: &str) {
    let compared = compared(agent).await;
    assert_eq!(compared.differing, [], "{what}");
    assert!(compared.runs > 0, "{what}: nothing is remembered");
}

/// So many runs of the tenant are remembered, and all as they are stored.
async fn are_stored(agent: &Agent<'_>, runs: usize, what: &str) {
    let compared = compared(agent).await;
    assert_eq!((compared.runs, compared.differing), (runs, vec![]), "{what}");
}

on_both! {
    async fn whatever_a_group_did_its_runs_are_remembered_as_they_are_stored(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 10").await;
        agent.limit(LimitType::RunSteps, 6).await;
        agent.limit(LimitType::TokensTotal, 1_000).await;
        let run = agent.start().await;
        are_stored(&agent, 1, "it began").await;
        agent.record(run, keyed("a", llm(1))).await.unwrap();
        are_stored(&agent, 1, "a step").await;
        kit.clock.advance(chrono::Duration::seconds(1));
        agent.record(run, keyed("a", llm(1))).await.unwrap();
        are_stored(&agent, 1, "a step that was told again, and nothing was written").await;
        agent.record(run, tool("read")).await.unwrap();
        are_stored(&agent, 1, "a tool").await;
        let dear = agent.start().await;
        refused(agent.record(dear, llm(11)).await);
        are_stored(&agent, 2, "a step that was refused").await;
        let leave = PermitRequest { idempotency_key: Some("b".to_owned()), ..ask("read") };
        agent.permit(run, leave.clone()).await.unwrap();
        are_stored(&agent, 2, "a permit").await;
        agent.permit(run, leave).await.unwrap();
        are_stored(&agent, 2, "a permit that was told again").await;
        kit.clock.advance(chrono::Duration::seconds(61));
        agent.record(run, tool("read")).await.unwrap();
        are_stored(&agent, 2, "a step that released what had lapsed").await;

        send(&agent, &[call(1, 1), call(1, 2)]).await;
        are_stored(&agent, 3, "a trace").await;
        send(&agent, &[call(1, 3)]).await;
        are_stored(&agent, 3, "a span more").await;
        send(&agent, &[root(1, false)]).await;
        are_stored(&agent, 3, "its root").await;
        let other = agent.start().await;
        activity::kill(&kit.spine, &agent.admin, other, None).await.unwrap();
        are_stored(&agent, 3, "another was killed").await;
    }

    /// What its permits hold, and its keys: a group goes by both, and writes neither back.
    async fn what_is_kept_up_beside_its_rows_is_compared_as_well(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::RunSteps, 6).await;
        let run = agent.start().await;
        agent.record(run, keyed("a", llm(1))).await.unwrap();
        let leave = PermitRequest { idempotency_key: Some("b".to_owned()), ..ask("read") };
        let permit = agent.permit(run, leave).await.unwrap().permit_id;
        are_stored(&agent, 1, "a permit and two keys").await;
        db.disarm("step_keys").await;
        for (change, table, row) in [
            ("UPDATE permits SET estimate_input_tokens = 7", "permits", permit.to_string()),
            ("UPDATE permits SET estimate_input_tokens = 0", "", String::new()),
            ("UPDATE permits SET idempotency_key = 'c'", "step_keys", run.to_string()),
            ("UPDATE permits SET idempotency_key = 'b'", "", String::new()),
            ("DELETE FROM step_keys", "step_keys", run.to_string()),
        ] {
            db.tamper(change).await.unwrap();
            let differing = compared(&agent).await.differing;
            let told: Vec<_> = differing.iter().map(|one| (one.table, one.row.as_str())).collect();
            let due = if table.is_empty() { vec![] } else { vec![(table, row.as_str())] };
            assert_eq!(told, due, "{change}: {differing:?}");
        }
        // A permit that is over may have been released, and is asked for by nobody.
        db.tamper("UPDATE permits SET estimate_input_tokens = 7").await.unwrap();
        kit.clock.advance(chrono::Duration::seconds(61));
        assert_eq!(compared(&agent).await.differing.len(), 1, "the keys alone");
    }

    async fn what_is_stored_in_another_way_is_told_and_gone_on_with(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        assert_eq!(found_now(&agent).await, [], "nothing was changed yet");
        // No record says these.
        db.tamper("UPDATE runs SET policy_draft_count = 7").await.unwrap();
        db.tamper("UPDATE aos_traces SET failure_count = 7").await.unwrap();
        let differing = compared(&agent).await.differing;
        assert_eq!(differing.iter().map(|one| one.table).collect::<Vec<_>>(), ["runs", "aos_traces"]);
        let told = found_now(&agent).await;
        assert_eq!(told.iter().map(|one| (one.source_run_id, one.occurrences)).collect::<Vec<_>>(), [(Some(run), 2)]);
        let of_run = format!("Table runs, row {run}, by what this server remembers of it");
        assert!(told[0].description.contains(&of_run), "{}", told[0].description);
        agent.record(run, llm(1)).await.unwrap();
        assert_eq!(agent.run(run).await.policy_draft_count, 7, "it went by the store");
        is_stored(&agent, "and left the run so").await;
        let again = found_now(&agent).await;
        assert_eq!(again.iter().map(|one| (one.id, one.occurrences)).collect::<Vec<_>>(), [(told[0].id, 2)], "once");

        // Of what somebody has accepted nothing is written. It is not gone by all the same.
        let accepted = Resolve { resolution_type: Some(ResolutionType::AcceptedRisk), note: None };
        incidents::resolve(&kit.spine, &agent.admin, told[0].id, accepted).await.unwrap();
        agent.record(run, llm(1)).await.unwrap();
        is_stored(&agent, "it is remembered again").await;
        db.tamper("UPDATE runs SET policy_draft_count = 9").await.unwrap();
        assert_eq!(found_now(&agent).await.len(), 1);
        agent.record(run, llm(1)).await.unwrap();
        assert_eq!(agent.run(run).await.policy_draft_count, 9, "it went by the store");
    }

    async fn what_does_not_read_back_of_one_run_hides_nothing_of_another(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::RunSteps, 6).await;
        let mut runs = Vec::new();
        for _ in 0..3 {
            let run = agent.start().await;
            agent.record(run, keyed("a", llm(1))).await.unwrap();
            let leave = PermitRequest { idempotency_key: Some("b".to_owned()), ..ask("read") };
            runs.push((run, agent.permit(run, leave).await.unwrap().permit_id));
            kit.clock.advance(chrono::Duration::seconds(1));
        }
        are_stored(&agent, 3, "nothing was changed yet").await;
        let [_, (second, _), (third, permit)] = runs[..] else { panic!("{runs:?}") };
        let [of_second, of_third] = [second, third].map(|run| format!("run_id = {}", db.id(&run.to_string())));
        db.disarm("step_keys").await;
        // What no schema lets in, as in a file or a database that is damaged.
        let unreadable = match db.store() {
            Store::Sqlite => format!("UPDATE permits SET idempotency_key = CAST(x'ff' AS TEXT) WHERE {of_second}"),
            Store::Postgres => format!(
                "ALTER TABLE step_keys DROP CONSTRAINT step_keys_pkey; \
                 ALTER TABLE step_keys ALTER COLUMN is_span DROP NOT NULL; \
                 UPDATE step_keys SET is_span = NULL WHERE {of_second}"
            ),
        };
        for change in [
            "UPDATE runs SET late = 'x' WHERE started_at = (SELECT min(started_at) FROM runs)",
            "UPDATE runs SET policy_draft_count = 7",
            "UPDATE permits SET estimate_input_tokens = 7 WHERE granted_at = (SELECT max(granted_at) FROM permits)",
            &unreadable,
            &format!("DELETE FROM step_keys WHERE {of_third}"),
        ] {
            db.tamper(change).await.unwrap();
        }
        let compared = compared(&agent).await;
        let told: BTreeSet<_> =
            compared.differing.iter().map(|one| (one.run, one.table, one.row.clone())).collect();
        let due = [
            (second, "runs", second.to_string()),
            (third, "runs", third.to_string()),
            (third, "permits", permit.to_string()),
            (third, "step_keys", third.to_string()),
        ];
        assert_eq!((compared.runs, told), (2, BTreeSet::from(due)));
    }

    async fn many_are_asked_for_by_as_many_statements_as_one(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.limit(LimitType::RunSteps, 6).await;
        let (mut there, mut counts) = (0, Vec::new());
        for runs in [1, 5, 20] {
            for _ in there..runs {
                let run = agent.start().await;
                agent.record(run, keyed("a", llm(1))).await.unwrap();
                agent.permit(run, ask("read")).await.unwrap();
            }
            there = runs;
            let before = kit.db.statements();
            are_stored(&agent, runs, "each with a key and a permit").await;
            counts.push(kit.db.statements() - before);
        }
        assert_eq!(counts, [counts[0]; 3]);
        // That it begins, and what is stored of runs, traces, permits and keys.
        assert_eq!(counts[0], 5);
    }

    async fn what_another_server_did_to_a_run_is_no_fault(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        let other = Kit::replica(db, 2).await;
        let there = Agent { kit: &other, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        there.record(run, llm(1)).await.unwrap();
        assert_eq!(compared(&agent).await, Compared { last: Some(run), ..Compared::default() });
        assert_eq!(found_now(&agent).await, []);
    }

    async fn all_that_is_remembered_is_compared_some_at_a_time(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut runs = Vec::new();
        for _ in 0..21 {
            runs.push(agent.start().await);
        }
        runs.sort_unstable();
        let mut after = None;
        for (runs, last) in [(20, Some(runs[19])), (1, Some(runs[20])), (0, None)] {
            let next = check_memory::compare_next(&kit.spine, agent.admin.tenant.id, after).await.unwrap();
            assert_eq!(next, Compared { last, runs, differing: Vec::new() });
            after = last;
        }
    }
}
