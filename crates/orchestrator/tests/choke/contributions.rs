//! What one agent's key can do to another's runs: nothing to its own, and to a trace that they share, add.

use std::time::Duration;

use chrono::TimeDelta;
use kit::Kit;
use models::{
    activity::{Run, RunFilter},
    ids::{KeyId, RunId},
    page::PageRequest,
};
use orchestrator::{
    CallContext, Error,
    background::sweeper,
    choke::call::StartRun,
    handlers::{account::SystemCaller, activity},
    ports::SpanEncoding,
};
use proof::{
    records::StepRecord,
    words::{IntegrityStatus, LimitType, RunStatus},
};
use serde_json::{Value, json};
use testkit::on_both;
use verify::Word;

use crate::{
    agent::Agent,
    spans::{call, only_run, root, send},
    trees::used,
};

pub(crate) async fn steps_as(kit: &Kit, ctx: &CallContext, run: RunId) -> Result<Vec<StepRecord>, Error> {
    let page = activity::steps(&kit.spine, ctx, run, PageRequest::default()).await?;
    Ok(page.items.into_iter().map(|step| step.step.record).collect())
}

fn reporters(steps: &[StepRecord]) -> Vec<Option<KeyId>> {
    steps.iter().map(|step| step.reported_by.as_deref().map(|key| key.parse().unwrap())).collect()
}

/// Another prompt in a span, and so another span of the same id.
pub(crate) fn other(mut span: Value) -> Value {
    span["attributes"] = json!([{ "key": "gen_ai.prompt.0.content", "value": { "stringValue": "forged" } }]);
    span
}

async fn quiet(kit: &Kit) {
    kit.clock.advance(TimeDelta::seconds(30));
    sweeper::tick(&kit.spine).await.unwrap();
}

async fn start_after(
    agent: &Agent<'_>,
    parent: Option<RunId>,
    replay_of: Option<RunId>,
) -> Result<Run, Error> {
    let request = StartRun {
        agent_id: "researcher".to_owned(),
        parent_run_id: parent.map(|id| id.to_string()),
        replay_of: replay_of.map(|id| id.to_string()),
        ..StartRun::default()
    };
    Ok(activity::start(&agent.kit.spine, &agent.ctx, request).await?.run)
}

on_both! {
    async fn a_start_names_no_run_that_its_key_may_not_see(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (owner, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        let (run, nobodys) = (owner.start().await, RunId::from(uuid::Uuid::from_u128(1)));
        for id in [run, nobodys] {
            let told = [start_after(&other, Some(id), None).await, start_after(&other, None, Some(id)).await];
            for (pointer, told) in ["/parent_run_id", "/replay_of"].into_iter().zip(told) {
                let Err(Error::Invalid(faults)) = told else { panic!("{told:?}") };
                let told: Vec<_> = faults.iter().map(|at| (at.pointer.as_str(), at.message.clone())).collect();
                assert_eq!(told, [(pointer, format!("there is no run {id}"))], "the same of one that is there");
            }
        }
        assert_eq!(start_after(&owner, Some(run), None).await.unwrap().parent_run_id, Some(run));
        let again = start_after(&owner, None, Some(run)).await.unwrap();
        assert_eq!((again.replay_of, again.attempt), (Some(run), 2));
        assert_eq!(start_after(&owner, None, Some(again.id)).await.unwrap().attempt, 3);
    }

    async fn a_start_locks_no_run_that_it_names(db: TestDatabase) {
        if !db.url().starts_with("postgres") {
            return; // SQLite has one lock for everything.
        }
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        let tx = kit.db.begin().await.unwrap();
        tx.activity().lock_runs(agent.ctx.tenant.id, &[run]).await.unwrap();
        let started = tokio::time::timeout(Duration::from_secs(20), start_after(&agent, Some(run), Some(run)));
        started.await.expect("it waits for nobody's lock").unwrap();
        drop(tx);
    }

    async fn another_keys_root_neither_ends_nor_fails_a_run(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (owner, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        send(&owner, &[call(1, 1)]).await;
        let mut forged = root(1, true);
        forged["spanId"] = json!("00000000000000aa");
        assert_eq!(send(&other, &[forged]).await.count, 0, "it is recorded");
        quiet(&kit).await;
        let run = only_run(&owner).await;
        assert_eq!((run.status, run.step_count, run.error_message), (RunStatus::Running, 2, None));
        let keys = [Some(owner.ctx.key), Some(other.ctx.key)];
        assert_eq!(reporters(&steps_as(&kit, &owner.admin, run.id).await.unwrap()), keys);
        // Its own root does, and what another key sends does not put the end off.
        send(&owner, &[root(1, false)]).await;
        kit.clock.advance(TimeDelta::seconds(20));
        send(&other, &[call(1, 2)]).await;
        kit.clock.advance(TimeDelta::seconds(10));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        let run = only_run(&owner).await;
        assert_eq!((run.status, run.step_count, run.error_message), (RunStatus::Succeeded, 4, None));
        assert_eq!((run.key_id, run.integrity_status), (owner.ctx.key, IntegrityStatus::Verified));
        // What comes late says so, too.
        send(&other, &[call(1, 3)]).await;
        let late = steps_as(&kit, &owner.admin, run.id).await.unwrap().pop().unwrap();
        assert_eq!(late.reported_by, Some(other.ctx.key.to_string()));
    }

    async fn another_keys_span_gives_no_budget_back(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (owner, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        let tokens = owner.limit(LimitType::TokensTotal, 1_000_000).await;
        let below = |id: u64, parent: &Value| {
            let mut span = call(1, id);
            span["parentSpanId"] = parent["spanId"].clone();
            span
        };
        let own = call(1, 1);
        send(&owner, std::slice::from_ref(&own)).await;
        send(&other, &[below(2, &own)]).await;
        assert_eq!((only_run(&owner).await.input_tokens, used(&owner, &tokens).await), (42, 60));
        // By another replica, which reads the tree from the store; and of its own key, one is told of twice.
        let replica = Kit::replica(db, 2).await;
        let again = Agent { kit: &replica, ctx: other.ctx.clone(), admin: other.admin.clone() };
        send(&again, &[below(3, &own)]).await;
        assert_eq!((only_run(&owner).await.input_tokens, used(&owner, &tokens).await), (63, 90));
        send(&owner, &[below(4, &own), root(1, false)]).await;
        assert_eq!((only_run(&owner).await.input_tokens, used(&owner, &tokens).await), (63, 90));
        quiet(&kit).await;
        let (report, _) = owner.verified(only_run(&owner).await.id).await;
        assert_eq!(report.word, Word::Complete, "{report}");
    }

    async fn a_key_sees_of_a_trace_that_it_opened_what_it_said(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (first, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        // Whoever knows the trace sends the first of its spans: the run is its own, and what others say is theirs.
        send(&first, &[call(1, 1)]).await;
        assert_eq!(send(&other, &[call(1, 2), root(1, true)]).await.count, 0);
        let run = only_run(&first).await;
        assert_eq!((run.key_id, run.status, run.step_count), (first.ctx.key, RunStatus::Running, 3));
        assert_eq!(reporters(&steps_as(&kit, &first.ctx, run.id).await.unwrap()), [Some(first.ctx.key)]);
        let page = PageRequest::new(Some(1), None, true).unwrap();
        assert_eq!(activity::steps(&kit.spine, &first.ctx, run.id, page).await.unwrap().total, Some(1));
        assert!(matches!(steps_as(&kit, &other.ctx, run.id).await, Err(Error::NotFound { .. })));
        assert!(matches!(activity::get(&kit.spine, &other.ctx, run.id).await, Err(Error::NotFound { .. })));
        let seen = activity::list(&kit.spine, &other.ctx, RunFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(seen.items, []);
        let said = reporters(&steps_as(&kit, &first.admin, run.id).await.unwrap());
        assert_eq!(said, [Some(first.ctx.key), Some(other.ctx.key), Some(other.ctx.key)]);
    }

    async fn another_key_says_nothing_of_whom_a_run_is_for(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (owner, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        let saying = |id: u64, whose: &str| {
            let said = ["gen_ai.conversation.id", "session.id", "user.id"]
                .map(|key| json!({ "key": key, "value": { "stringValue": format!("{key} of {whose}") } }));
            let mut span = call(1, id);
            span["attributes"].as_array_mut().unwrap().extend(said);
            span
        };
        let said = async || {
            let run = only_run(&owner).await;
            let seen = activity::get(&kit.spine, &owner.ctx, run.id).await.unwrap();
            [seen.conversation_id, seen.session_id, seen.user_id]
        };
        send(&owner, &[call(1, 1)]).await;
        send(&other, &[saying(2, "another")]).await;
        assert_eq!(said().await, [None, None, None]);
        send(&owner, &[saying(3, "its own")]).await;
        let own = ["gen_ai.conversation.id", "session.id", "user.id"].map(|key| Some(format!("{key} of its own")));
        assert_eq!(said().await, own);
    }

    async fn a_span_whose_id_another_key_took_is_recorded_all_the_same(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let (owner, other) = (Agent::of(&kit, "acme").await, Agent::of(&kit, "acme").await);
        send(&owner, &[call(1, 1)]).await;
        // The ids of a caller's spans go to whom it calls.
        let taken = [self::other(call(1, 2)), self::other(root(1, true))];
        assert_eq!(send(&other, &taken).await.count, 0);
        let own = [call(1, 2), root(1, false)];
        for _ in 0..2 {
            assert_eq!(send(&owner, &own).await.count, 0, "and sent again, it changes nothing");
            assert_eq!(send(&other, &taken).await.count, 0);
        }
        let again = send(&owner, &[self::other(call(1, 1))]).await;
        assert_eq!(again.count, 1, "of one key, the first truth wins");
        let third = Agent::of(&kit, "acme").await;
        assert_eq!(send(&third, &[call(1, 1)]).await.count, 0, "what was said word for word is known");
        quiet(&kit).await;
        let run = only_run(&owner).await;
        assert_eq!((run.status, run.step_count, run.error_message), (RunStatus::Succeeded, 5, None));
        // A child's parent is what its own key says of that span.
        send(&owner, &[call(1, 3)]).await;
        let page = activity::steps(&kit.spine, &owner.admin, run.id, PageRequest::default()).await.unwrap();
        let parents: Vec<_> = page.items.iter().map(|step| step.parent_step_index).collect();
        assert_eq!(parents, [Some(4), Some(2), None, Some(4), None, Some(4)]);
    }

    async fn what_is_imported_names_no_key(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let by = SystemCaller { name: "an operator".to_owned() };
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [call(1, 1), root(1, false)] }] }] }).to_string();
        activity::ingest_as(&kit.spine, &by, "acme", SpanEncoding::Json, body.as_bytes()).await.unwrap();
        quiet(&kit).await;
        let run = only_run(&agent).await;
        assert_eq!((run.key_id.real(), run.status), (None, RunStatus::Succeeded));
        assert_eq!(reporters(&steps_as(&kit, &agent.admin, run.id).await.unwrap()), [None, None]);
    }
}
