//! What is kept beside the steps of a run is held against them: which of them count and what they add up to, the
//! records of its calls to models, the rows of its traces.

use chrono::Duration;
use kit::Kit;
use models::{
    activity::Run,
    incidents::{Incident, IncidentFilter},
    page::PageRequest,
};
use orchestrator::{
    background::{checker::Checker, sweeper},
    coordinators::{
        check_counters,
        run_proof::{self, VerificationStatus},
    },
    handlers::incidents,
};
use proof::words::{IncidentCategory, LimitType};
use serde_json::Value;
use testkit::{TestDatabase, on_both};

use crate::{
    agent::Agent,
    spans::{call, only_run, root, runs, send},
    trees::used,
};

/// Sends a call that is told twice: by a span, and then by one below it, which counts.
async fn send_twice(agent: &Agent<'_>, trace: u64, first: u64) {
    let above = call(trace, first);
    let below = below(call(trace, first + 1), &above);
    for span in [above, below] {
        send(agent, &[span]).await;
    }
}

fn below(mut span: Value, above: &Value) -> Value {
    span["parentSpanId"] = above["spanId"].clone();
    span
}

/// The places of the run's steps that are said not to count.
async fn uncounted(agent: &Agent<'_>, run: &Run) -> Vec<u64> {
    let read = agent.kit.db.read().await.unwrap();
    let all = read.traces().uncounted(agent.ctx.tenant.id, run.id, 0..=u64::MAX).await.unwrap();
    all.iter().map(|of| of.step_index).collect()
}

/// What the check of everything has found, two hours later.
async fn found(kit: &Kit, agent: &Agent<'_>) -> Vec<Incident> {
    kit.clock.advance(Duration::hours(2));
    found_now(agent).await
}

/// What the check of everything has found, but for counters: they say what was counted, and rows were changed past
/// them.
pub(crate) async fn found_now(agent: &Agent<'_>) -> Vec<Incident> {
    let checker = Checker::default();
    while checker.tick(&agent.kit.spine).await.unwrap() {}
    let filter =
        IncidentFilter { category: Some(IncidentCategory::IntegrityFailure), ..IncidentFilter::default() };
    let page = PageRequest::new(Some(100), None, false).unwrap();
    let mut found = incidents::list(&agent.kit.spine, &agent.admin, filter, page).await.unwrap().items;
    found.retain(|one| !one.cause_key.starts_with("counters/"));
    found
}

/// A sealed run to which a step came late, and an open one, newest first; in each a step that does not count.
async fn two_runs(kit: &Kit, agent: &Agent<'_>) -> [Run; 2] {
    send_twice(agent, 1, 1).await;
    send(agent, &[root(1, false)]).await;
    kit.clock.advance(Duration::seconds(30));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
    send(agent, &[call(1, 5)]).await;
    send_twice(agent, 2, 10).await;
    runs(agent).await.try_into().expect("two")
}

/// Says of the step of a span that it does not count, past HOC. A table that is added to takes it.
async fn say_uncounted(db: &TestDatabase, span: &str) {
    let mut of_span = db.records_of("hoc/step/v1").await;
    of_span.retain(|step| step["external_span_id"] == span);
    assert!(!of_span.is_empty(), "no step is of {span}");
    for step in of_span {
        let (run, index) = (db.id(step["run_id"].as_str().unwrap()), &step["step_index"]);
        let of_step = format!("SELECT tenant_id, id, {index}, {index}, 1 = 0, started_at FROM runs");
        let said = format!(
            "INSERT INTO uncounted_steps (tenant_id, run_id, step_index, told_by_index, in_doubt, created_at) {of_step} \
             WHERE id = {run}"
        );
        db.tamper(&said).await.unwrap();
    }
}

on_both! {
    async fn what_is_said_of_a_step_past_hoc_is_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [open, sealed] = two_runs(&kit, &agent).await;
        assert_eq!(found(&kit, &agent).await, [], "nothing was changed yet");
        // Steps that another group recorded have ceased to count, and some came late.
        let miscounts = check_counters::miscounts(&kit.spine, agent.ctx.tenant.id).await.unwrap();
        assert_eq!(miscounts, []);
        let of_sealed = run_proof::proof(&kit.spine, &agent.admin, sealed.id, false).await.unwrap().integrity;
        assert_eq!((of_sealed.verification_status, of_sealed.failure_reason), (VerificationStatus::Verified, None));

        for below in [call(1, 2), call(2, 11)] {
            say_uncounted(db, below["spanId"].as_str().unwrap()).await;
        }
        let of_sealed = run_proof::proof(&kit.spine, &agent.admin, sealed.id, false).await.unwrap().integrity;
        let why = "step 1 is said to be one that does not count, and the run's steps say otherwise";
        assert_eq!(of_sealed.failure_reason.as_deref(), Some(why));
        let told = found(&kit, &agent).await;
        for run in [open.id, sealed.id] {
            let of_run = told.iter().find(|one| one.source_run_id == Some(run)).expect("an incident");
            assert!(of_run.description.contains(why), "{}", of_run.description);
        }
        assert_eq!(told.len(), 2);
    }

    /// Another version of the tally decided of its steps.
    async fn a_step_that_was_taken_for_told_is_given_back_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        send(&agent, &[call(1, 1), call(1, 2)]).await;
        say_uncounted(db, call(1, 1)["spanId"].as_str().unwrap()).await;
        let (before, spent) = (only_run(&agent).await, used(&agent, &tokens).await);
        let said = uncounted(&agent, &before).await;
        assert_eq!(said.len(), 1);

        let anew = Kit::replica(db, 2).await;
        let agent = Agent { kit: &anew, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        assert_eq!(send(&agent, &[below(call(1, 3), &call(1, 1))]).await.count, 0);
        let run = only_run(&agent).await;
        let (tokens_in, tokens_out) = (before.input_tokens + 21, before.output_tokens + 9);
        assert_eq!((run.input_tokens, run.output_tokens), (tokens_in, tokens_out), "the new one counts");
        assert_eq!(run.llm_call_count, before.llm_call_count + 1);
        assert_eq!(used(&agent, &tokens).await, spent + 30);
        assert_eq!(uncounted(&agent, &run).await, said);
    }

    async fn a_step_that_was_not_taken_for_told_is_given_back_when_it_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let tokens = agent.limit(LimitType::TokensTotal, 10_000_000).await;
        send_twice(&agent, 1, 1).await;
        db.disarm("uncounted_steps").await;
        db.tamper("DELETE FROM uncounted_steps").await.unwrap();
        let (before, spent) = (only_run(&agent).await, used(&agent, &tokens).await);

        let anew = Kit::replica(db, 2).await;
        let agent = Agent { kit: &anew, ctx: agent.ctx.clone(), admin: agent.admin.clone() };
        assert_eq!(send(&agent, &[call(1, 7)]).await.count, 0);
        assert_eq!(uncounted(&agent, &only_run(&agent).await).await, Vec::<u64>::new(), "it is not told by that");
        assert_eq!(send(&agent, &[below(call(1, 3), &call(1, 1))]).await.count, 0);
        let run = only_run(&agent).await;
        assert_eq!((run.input_tokens, run.output_tokens), (before.input_tokens + 21, before.output_tokens + 9));
        assert_eq!(run.llm_call_count, before.llm_call_count + 1);
        assert_eq!(used(&agent, &tokens).await, spent + 30);
        assert_eq!(uncounted(&agent, &run).await, [0]);
    }

    async fn a_late_step_that_is_said_not_to_count_is_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [_, sealed] = two_runs(&kit, &agent).await;
        say_uncounted(db, call(1, 5)["spanId"].as_str().unwrap()).await;
        let of_sealed = run_proof::proof(&kit.spine, &agent.admin, sealed.id, false).await.unwrap().integrity;
        assert!(of_sealed.failure_reason.is_some_and(|why| why.starts_with("step 3 is said")));
    }

    async fn totals_of_an_open_run_that_are_not_its_steps_are_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [open, _] = two_runs(&kit, &agent).await;
        db.disarm("runs").await;
        db.tamper("UPDATE runs SET input_tokens = input_tokens - 1 WHERE state = 'LIVE'").await.unwrap();
        let told = found(&kit, &agent).await;
        assert_eq!(told.iter().map(|one| one.source_run_id).collect::<Vec<_>>(), [Some(open.id)]);
        assert!(told[0].description.contains("the run's totals are not those of its steps"), "{}", told[0].description);
    }

    async fn a_record_of_a_call_that_says_something_else_than_its_step_is_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [open, sealed] = two_runs(&kit, &agent).await;
        let why = async || {
            let proof = run_proof::proof(&kit.spine, &agent.admin, sealed.id, false).await.unwrap();
            proof.integrity.failure_reason
        };
        db.disarm("llm_run_records").await;
        for (change, back) in [
            ("cost_nanousd = cost_nanousd - 1", "cost_nanousd = cost_nanousd + 1"),
            ("output_tokens = output_tokens + 1", "output_tokens = output_tokens - 1"),
            ("cost_known = NOT cost_known", "cost_known = NOT cost_known"),
            ("model = 'gpt-4o-mini'", "model = 'gpt-4o'"),
            ("provider = NULL", "provider = 'openai'"),
            ("execution_status = 'FAILED'", "execution_status = 'SUCCEEDED'"),
            ("is_synthetic = NOT is_synthetic", "is_synthetic = NOT is_synthetic"),
            ("prompt_hash = NULL, response_hash = prompt_hash", "prompt_hash = response_hash, response_hash = NULL"),
        ] {
            assert_eq!(why().await, None, "before {change}");
            db.tamper(&format!("UPDATE llm_run_records SET {change}")).await.unwrap();
            let said = why().await.unwrap_or_else(|| panic!("{change} is not seen"));
            assert!(said.starts_with("the record of the call of step "), "{change}: {said}");
            db.tamper(&format!("UPDATE llm_run_records SET {back}")).await.unwrap();
        }
        db.tamper("UPDATE llm_run_records SET created_at = started_at").await.unwrap();
        assert!(why().await.is_some_and(|why| why.starts_with("the record of the call of step ")), "another day's cost");
        db.tamper("DELETE FROM llm_run_records").await.unwrap();
        assert_eq!(why().await.as_deref(), Some("the call to a model of step 1 has no record"));
        // The open run is looked at by the check of everything alone; of the sealed one whoever asked was told before.
        let told = found(&kit, &agent).await;
        let of = |run| told.iter().find(|one| one.source_run_id == Some(run)).expect("an incident");
        assert!(of(open.id).description.contains("has no record"), "{}", of(open.id).description);
        assert!(of(sealed.id).description.contains("does not say what the step says"), "{}", of(sealed.id).description);
    }

    /// Overview's costs by day are of these times.
    async fn a_call_that_was_recorded_with_others_is_not_moved_to_another_day(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[call(1, 1)]).await;
        kit.clock.advance(Duration::hours(30));
        send(&agent, &[call(2, 1), call(2, 2), root(2, false)]).await;
        kit.clock.advance(Duration::seconds(30));
        sweeper::tick(&kit.spine).await.unwrap();
        let of = runs(&agent).await.remove(0).id;
        let why = async || run_proof::proof(&kit.spine, &agent.admin, of, false).await.unwrap().integrity.failure_reason;
        assert_eq!(why().await, None);
        db.disarm("llm_run_records").await;
        let earlier = "(SELECT MIN(created_at) FROM llm_run_records)";
        db.tamper(&format!("UPDATE llm_run_records SET created_at = {earlier} WHERE step_index > 0")).await.unwrap();
        let why = why().await;
        assert!(why.as_deref().is_some_and(|why| why.starts_with("the record of the call of step ")), "{why:?}");
    }

    async fn the_row_of_a_trace_that_says_something_else_than_the_log_is_found(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let [_, sealed] = two_runs(&kit, &agent).await;
        let why = async || {
            let proof = run_proof::proof(&kit.spine, &agent.admin, sealed.id, false).await.unwrap();
            proof.integrity.failure_reason
        };
        db.disarm("aos_traces").await;
        let own = "WHERE addendum_of IS NULL AND sealed_leaf_index IS NOT NULL";
        let late = "WHERE addendum_of IS NOT NULL";
        for (whose, change, back) in [
            (own, "step_count = step_count + 1, refused_count = refused_count + 1", "step_count = step_count - 1, refused_count = refused_count - 1"),
            (own, "root_hash = chain_head, chain_head = root_hash", "root_hash = chain_head, chain_head = root_hash"),
            (own, "opened_leaf_index = opened_leaf_index + 1", "opened_leaf_index = opened_leaf_index - 1"),
            (late, "sealed_leaf_index = sealed_leaf_index + 1", "sealed_leaf_index = sealed_leaf_index - 1"),
            (late, "step_count = step_count + 1", "step_count = step_count - 1"),
        ] {
            assert_eq!(why().await, None, "before {change}");
            db.tamper(&format!("UPDATE aos_traces SET {change} {whose}")).await.unwrap();
            let said = why().await.unwrap_or_else(|| panic!("{change} is not seen"));
            assert!(said.starts_with("the row of trace "), "{change}: {said}");
            db.tamper(&format!("UPDATE aos_traces SET {back} {whose}")).await.unwrap();
        }
        db.tamper(&format!("DELETE FROM aos_traces {late}")).await.unwrap();
        assert!(why().await.is_some_and(|why| why.ends_with("its row is gone")));
    }
}
