//! Which span ends a trace's run, where its parent is in another process; and spans whose arguments are odd.

use chrono::Duration;
use kit::Kit;
use models::logs::LlmRunFilter;
use orchestrator::{
    background::sweeper,
    handlers::{account, activity, logs, overview, system},
};
use proof::words::{EnforcementMode, RunStatus, TerminationReason};
use serde_json::{Value, json};
use testkit::{Store, TestDatabase, on_both};

use crate::{
    agent::Agent,
    spans::{call, only_run, root, send, trace_id},
};

/// A span whose parent is in another process, as flags of OpenTelemetry say.
pub(crate) fn remote(id: &str, parent: &str, seconds: u64, failed: bool) -> Value {
    let end = 1_795_238_600_000_000_000 + seconds * 1_000_000_000;
    json!({ "traceId": trace_id(1), "spanId": id, "parentSpanId": parent, "name": "invoke_agent w", "flags": 0x301,
        "startTimeUnixNano": "1795238600000000000", "endTimeUnixNano": end.to_string(),
        "status": { "code": if failed { 2 } else { 0 } } })
}

pub(crate) const ONE: &str = "00000000000000a1";
pub(crate) const OTHER: &str = "00000000000000a2";
const ENTRY: &str = "00000000000000a3";
const OUTSIDE: &str = "0000000000000fff";

/// How the run stands once nothing has come for the quiet time.
async fn after_quiet(kit: &Kit, agent: &Agent<'_>) -> (RunStatus, Option<u64>) {
    kit.clock.advance(Duration::seconds(30));
    sweeper::tick(&kit.spine).await.unwrap();
    let run = only_run(agent).await;
    (run.status, run.duration_ms)
}

/// A span that cannot be recorded.
fn nameless() -> Value {
    let mut span = call(1, 9);
    span["spanId"] = "".into();
    span
}

/// What people are told of spans that were rejected: the summaries, newest first, and how many.
async fn told(agent: &Agent<'_>) -> (Vec<String>, u64) {
    let spine = &agent.kit.spine;
    let filter = models::logs::SystemFilter { component: Some("ingest".to_owned()), ..Default::default() };
    let page = models::page::PageRequest::new(Some(9), None, false).unwrap();
    let records = logs::list_system(spine, &agent.admin, filter, page).await.unwrap().items;
    let count = overview::highlights(spine, &agent.admin).await.unwrap().pulse.rejected_spans;
    (records.into_iter().map(|one| one.record.summary).collect(), count)
}

on_both! {
    async fn a_parent_that_is_elsewhere_is_not_waited_for(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut below = call(1, 1);
        below["parentSpanId"] = ONE.into();
        send(&agent, &[below, remote(ONE, OUTSIDE, 7, false)]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(7_000)));
    }

    /// A service that was called tells of its part at once, its caller of the root only in the end.
    async fn a_trace_that_goes_on_is_waited_for(db: TestDatabase) {
        let kit = Kit::on(db).await;
        // The called service's parent is a call that is still to be told, or the root itself; it comes first or last.
        let at_root = root(1, false)["spanId"].as_str().unwrap().to_owned();
        for (n, parent) in [OUTSIDE, at_root.as_str()].into_iter().enumerate() {
            for called_first in [true, false] {
                let agent = Agent::of(&kit, &format!("goes-on-{n}-{called_first}")).await;
                let mut spans = [remote(ONE, parent, 3, true), call(1, 1)];
                if !called_first {
                    spans.reverse();
                }
                for span in &spans {
                    send(&agent, std::slice::from_ref(span)).await;
                }
                assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Running, None), "{parent} {called_first}");
                let mut calls = call(1, 0xffe);
                calls["parentSpanId"] = at_root.clone().into();
                send(&agent, &[call(1, 2), calls, root(1, false)]).await;
                assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(5_000)));
                assert_eq!(only_run(&agent).await.late, None, "nothing came after the seal");
            }
        }
    }

    /// Collectors drop spans: a trace whose missing parent never comes ends all the same.
    async fn a_trace_whose_parents_never_come_ends_in_the_end(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[remote(ONE, OUTSIDE, 7, false), call(1, 1)]).await;
        for _ in 0..9 {
            assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Running, None));
        }
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(7_000)));
    }

    /// What another key tells of the trace ends nothing, and is waited for like all.
    async fn another_keys_part_is_waited_for(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let other = Agent::of(&kit, "acme").await;
        send(&agent, &[remote(ONE, OUTSIDE, 7, false)]).await;
        send(&other, &[call(1, 1)]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Running, None));
        send(&other, &[root(1, true)]).await;
        for _ in 0..8 {
            assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Running, None));
        }
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(7_000)));
    }

    /// Whoever knows a trace can name parents in it that never come.
    async fn another_key_does_not_put_the_end_off_for_good(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let other = Agent::of(&kit, "acme").await;
        send(&agent, &[remote(ONE, OUTSIDE, 7, false)]).await;
        for n in 1..=10 {
            let mut span = call(1, 0xb0 + n);
            span["parentSpanId"] = format!("{:016x}", 0xc00 + n).into();
            send(&other, &[span]).await;
            let due = if n < 10 { (RunStatus::Running, None) } else { (RunStatus::Succeeded, Some(7_000)) };
            assert_eq!(after_quiet(&kit, &agent).await, due, "{n}");
        }
    }

    /// Nor does it keep a trace whose root never comes from being given up: that goes by when its opener was heard
    /// last.
    async fn another_key_does_not_keep_a_trace_from_being_given_up(db: TestDatabase) {
        let kit = Kit::on(db).await;
        for opener_speaks in [false, true] {
            let tenant = if opener_speaks { "speaks" } else { "silent" };
            let (agent, other) = (Agent::of(&kit, tenant).await, Agent::of(&kit, tenant).await);
            send(&agent, &[call(1, 1)]).await;
            for n in 1..20 {
                kit.clock.advance(Duration::minutes(30));
                sweeper::tick(&kit.spine).await.unwrap();
                send(&other, &[call(1, 1 + n)]).await;
                assert_eq!(only_run(&agent).await.status, RunStatus::Running, "{n}");
            }
            if opener_speaks {
                send(&agent, &[call(1, 99)]).await;
            }
            kit.clock.advance(Duration::minutes(30));
            sweeper::tick(&kit.spine).await.unwrap();
            let run = only_run(&agent).await;
            let status = if opener_speaks { RunStatus::Running } else { RunStatus::Aborted };
            assert_eq!((run.status, run.step_count), (status, 20 + u64::from(opener_speaks)));
            assert_eq!(run.termination_reason, (!opener_speaks).then_some(TerminationReason::Abandoned));
        }
    }

    async fn it_fails_the_run_like_a_root(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[remote(ONE, OUTSIDE, 7, true)]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Failed, Some(7_000)));
    }

    async fn a_span_that_names_itself_as_its_parent_is_a_root(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut of_itself = root(1, true);
        of_itself["parentSpanId"] = of_itself["spanId"].clone();
        send(&agent, &[of_itself]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Failed, Some(5_000)));
    }

    async fn a_parent_that_comes_takes_its_place(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        // In one request or in two, before the parent or after it.
        send(&agent, &[remote(ONE, OTHER, 7, true)]).await;
        let mut parent = call(1, 0xa1);
        assert_eq!(parent["spanId"], OTHER);
        send(&agent, std::slice::from_ref(&parent)).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Running, None), "its root is still to come");
        send(&agent, &[root(1, false)]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(5_000)));
        assert_eq!(only_run(&agent).await.error_message, None);

        let agent = Agent::of(&kit, "other").await;
        parent["spanId"] = "00000000000000a3".into();
        send(&agent, &[call(1, 0xa1), remote(ONE, OTHER, 7, true)]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Running, None), "it was there before");
    }

    async fn a_root_is_believed_before_what_only_may_be_one(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        send(&agent, &[remote(ONE, OUTSIDE, 7, true), root(1, false), remote(OTHER, "0000000000000ffe", 9, true)]).await;
        assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(5_000)));
    }

    /// The entry's caller is not traced, and what the entry called has a service of its own: whatever the order in
    /// which they come, the run ends as its entry did.
    async fn two_that_may_be_the_root_end_the_run_alike_in_any_order(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let mut between = call(1, 0xa1);
        between["parentSpanId"] = ENTRY.into();
        let [below, entry] = [remote(ONE, OTHER, 3, true), remote(ENTRY, OUTSIDE, 7, false)];
        let spans = [below, entry, between];
        for (n, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].into_iter().enumerate() {
            let agent = Agent::of(&kit, &format!("order-{n}")).await;
            for at in order {
                send(&agent, std::slice::from_ref(&spans[at])).await;
            }
            assert_eq!(after_quiet(&kit, &agent).await, (RunStatus::Succeeded, Some(7_000)), "{order:?}");
            assert_eq!(only_run(&agent).await.error_message, None, "{order:?}");
        }
    }

    async fn a_call_is_over_when_its_span_is(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut exact = call(1, 1);
        exact["endTimeUnixNano"] = "1795238604042237159".into();
        send(&agent, &[exact]).await;
        let run = only_run(&agent).await;
        let page = models::page::PageRequest::default();
        let of_run = LlmRunFilter { run_id: Some(run.id), ..LlmRunFilter::default() };
        let calls = logs::list_llm_runs(&kit.spine, &agent.admin, of_run, page).await.unwrap().items;
        let times = (calls[0].record.started_at, calls[0].record.completed_at);
        let text = |at| models::time::text(at);
        assert_eq!((text(times.0).as_str(), times.1.map(text).as_deref()),
            ("2026-11-21T05:23:23.931000Z", Some("2026-11-21T05:23:24.042237Z")));
    }

    /// What a model writes keeps no step out, and a rule sees in it what can be read.
    async fn odd_arguments_are_recorded_and_seen(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let rule = agent.rule(EnforcementMode::Warn, "context.step.command like \"*rm -rf /srv*\"").await;
        let deep = format!("{{\"command\":\"rm -rf /srv\",\"x\":{}{}}}", "[".repeat(150), "]".repeat(150));
        let odd = [
            r#"{"command":"ls","command":"rm -rf /srv"}"#,
            r#"{"command":"rm -rf /srv \u0000"}"#,
            r#"{"command":"rm -rf /srv \ud83d"}"#,
            r#"{"command":"rm -rf /srv","timeout":1e400}"#,
            r#"{"command":"rm -rf /srv","then":"ech"#,
            "{'command': 'rm -rf /srv', 'dry': False}",
            r#""{\"command\": \"rm -rf /srv\"}""#,
            r#"{"args":[],"kwargs":{"command":"rm -rf /srv"}}"#,
            r#"{"tool_name":"sh","arguments":"{\"input\": {\"command\": \"rm -rf /srv\"}}"}"#,
            &deep,
        ];
        let spans: Vec<Value> = odd.iter().enumerate().map(|(at, arguments)| {
            let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
            let mut span = call(1, at as u64 + 1);
            span["attributes"] = json!([text("gen_ai.tool.name", "sh"), text("gen_ai.tool.call.arguments", arguments)]);
            span
        }).collect();
        assert_eq!(send(&agent, &spans).await.count, 0);
        let run = only_run(&agent).await;
        assert_eq!((run.step_count, run.tool_call_count), (odd.len() as u64, odd.len() as u64));
        let page = models::page::PageRequest::new(Some(200), None, false).unwrap();
        let fired = orchestrator::handlers::policies::rule_enforcements(&kit.spine, &agent.admin, rule.parse().unwrap(), page);
        assert_eq!(fired.await.unwrap().items.len(), odd.len());
    }

    /// What one of its spans says of the run is kept with it, sealed, and what runs are found by.
    async fn a_run_says_which_conversation_it_is_of(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let with = |trace: u64, id: u64, said: &[(&str, Value)]| {
            let mut span = call(trace, id);
            let said = said.iter().map(|(key, value)| json!({ "key": key, "value": value }));
            span["attributes"].as_array_mut().unwrap().extend(said);
            span
        };
        let text = |text: &str| json!({ "stringValue": text });
        let session = |trace| with(trace, 1, &[("session.id", text("s-1")), ("user.id", json!({ "intValue": "42" }))]);
        let talk = with(1, 2, &[("gen_ai.conversation.id", text("c-1")), ("user.id", text("other"))]);
        let later = with(1, 3, &[("gen_ai.conversation.id", text("c-2")), ("session.id", text("s-2"))]);
        send(&agent, &[session(1)]).await;
        send(&agent, &[talk, later, root(1, false)]).await;
        send(&agent, &[session(2)]).await;
        kit.clock.advance(Duration::seconds(30));
        assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1);
        for (id, sealed) in [("c-1", true), ("s-1", false)] {
            let filter = models::activity::RunFilter { conversation_id: Some(id.to_owned()), ..Default::default() };
            let page = models::page::PageRequest::new(Some(9), None, false).unwrap();
            let found = activity::list(&kit.spine, &agent.admin, filter, page).await.unwrap().items;
            assert_eq!(found.len(), 1, "{id}");
            let run = &found[0];
            let said = (run.conversation_id.as_deref(), run.session_id.as_deref(), run.user_id.as_deref());
            assert_eq!(said, (Some(id), Some("s-1"), Some("42")));
            assert_eq!(run.completed_at.is_some(), sealed);
            if sealed {
                let (report, bundle) = agent.verified(run.id).await;
                assert_eq!(report.word, verify::Word::Complete);
                let run = &bundle["records"]["sealed"]["run"][0];
                assert_eq!((&run["conversation_id"], &run["session_id"], &run["user_id"]), (&json!(id), &json!("s-1"), &json!("42")));
            }
        }
    }

    /// Children end first, and a sub-agent may have a conversation of its own: the root tells of the whole trace.
    async fn a_root_says_which_conversation_its_run_is_of(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let said = |of: &str| -> Vec<Value> {
            let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": format!("{value}-{of}") } });
            vec![text("gen_ai.conversation.id", "c"), text("session.id", "s"), text("user.id", "u")]
        };
        let mut child = call(1, 1);
        child["attributes"].as_array_mut().unwrap().extend(said("child"));
        let mut whole = root(1, false);
        whole["attributes"] = said("root").into();
        let mut late = call(1, 2);
        late["attributes"].as_array_mut().unwrap().extend(said("late"));
        for (span, of) in [(child, "child"), (whole, "root"), (late, "root")] {
            assert_eq!(send(&agent, &[span]).await.count, 0);
            let run = only_run(&agent).await;
            let known = [run.conversation_id, run.session_id, run.user_id].map(Option::unwrap);
            assert_eq!(known, ["c", "s", "u"].map(|id| format!("{id}-{of}")));
        }
    }

    /// Exporters hide what was rejected: people are told, in a record for many and in a count.
    async fn people_are_told_what_was_rejected(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        assert_eq!(send(&agent, &[call(1, 1), nameless(), nameless()]).await.count, 2);
        let (records, count) = told(&agent).await;
        assert_eq!((records.len(), count), (1, 2));
        assert!(records[0].starts_with("2 span(s) could not be recorded: a span `chat`"), "{}", records[0]);
        for _ in 0..3 {
            send(&agent, &[nameless()]).await;
        }
        kit.clock.advance(Duration::minutes(9));
        sweeper::tick(&kit.spine).await.unwrap();
        assert_eq!(told(&agent).await.0.len(), 1, "they wait for each other");
        kit.clock.advance(Duration::minutes(1));
        sweeper::tick(&kit.spine).await.unwrap();
        let (records, count) = told(&agent).await;
        assert_eq!((records.len(), count), (2, 5));
        assert!(records[0].starts_with("3 span(s)"), "{}", records[0]);
        kit.clock.advance(Duration::hours(25));
        assert_eq!(told(&agent).await.1, 0, "of the last day");
    }

    /// A store that takes nothing for a while, and a server that stops, lose nothing of it.
    async fn what_could_not_be_told_of_the_rejected_is_told_later(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let (taken, free) = match db.store() {
            Store::Sqlite => (
                "CREATE TRIGGER taken BEFORE INSERT ON system_records BEGIN SELECT RAISE(ABORT, 'taken'); END",
                "DROP TRIGGER taken",
            ),
            Store::Postgres => (
                "CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     RAISE EXCEPTION 'taken' USING ERRCODE = 'unique_violation'; END $$;
                 CREATE TRIGGER taken BEFORE INSERT ON system_records FOR EACH ROW EXECUTE FUNCTION taken()",
                "DROP TRIGGER taken ON system_records",
            ),
        };
        db.tamper(taken).await.unwrap();
        assert_eq!(send(&agent, &[nameless(), nameless()]).await.count, 2);
        assert_eq!(told(&agent).await, (vec![], 0), "it cannot be told");
        db.tamper(free).await.unwrap();
        send(&agent, &[nameless()]).await;
        assert_eq!(told(&agent).await.1, 0, "it waits for the next try");
        kit.clock.advance(Duration::minutes(1));
        sweeper::tick(&kit.spine).await.unwrap();
        let (records, count) = told(&agent).await;
        assert_eq!((records.len(), count), (1, 3));
        assert!(records[0].starts_with("3 span(s)"), "{}", records[0]);

        send(&agent, &[nameless()]).await;
        assert_eq!(told(&agent).await.1, 3, "it waits for what comes after it");
        account::record_stop(&kit.spine, "1.2.3").await.unwrap();
        assert_eq!(told(&agent).await.1, 4, "nothing comes after a stop");
    }

    /// The page on spans names each cause, and that their run was killed is none.
    async fn what_is_rejected_is_what_the_page_says(db: TestDatabase) {
        let page = include_str!("../../../../docs/otlp.md");
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        assert!(page.contains("no valid trace id or no valid span id"));
        assert_eq!(send(&agent, &[call(1, 1), nameless()]).await.count, 1);
        assert!(page.contains("another span of the same id, by the same key, is recorded in its trace"));
        let mut again = call(1, 1);
        again["endTimeUnixNano"] = "1795238605000000000".into();
        let rejected = send(&agent, &[call(1, 2), again]).await;
        let why = "span 0000000000000002: another span of this id is recorded in its trace";
        assert_eq!((rejected.count, rejected.reasons), (1, vec![why.to_owned()]));
        assert!(page.contains("A span of a run that was sealed or killed is recorded all the same"));
        let run = only_run(&agent).await.id;
        activity::kill(&kit.spine, &agent.admin, run, None).await.unwrap();
        assert_eq!(send(&agent, &[call(1, 3)]).await.count, 0);
        let page = models::page::PageRequest::new(Some(9), None, false).unwrap();
        let steps = activity::steps(&kit.spine, &agent.admin, run, page).await.unwrap().items;
        assert_eq!(steps.iter().map(|step| step.is_late).collect::<Vec<_>>(), [false, false, true]);
    }
}

/// A start that finds its store as left long ago gives up no trace whose root is still to come, as it gives up no
/// silent run; one whose root has come is sealed.
#[tokio::test]
async fn a_start_far_from_the_newest_leaf_gives_up_no_trace() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&database).await;
    let (open, ended) = (Agent::of(&kit, "open").await, Agent::of(&kit, "ended").await);
    send(&open, &[call(1, 1)]).await;
    send(&ended, &[root(1, false)]).await;
    kit.clock.set(kit::time::beginning() + Duration::days(2));
    system::look_at_clock(&kit.spine).await.unwrap();
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "its root has come");
    assert_eq!(only_run(&ended).await.status, RunStatus::Succeeded);
    assert_eq!(only_run(&open).await.status, RunStatus::Running, "its exporter may not be back yet");
    kit.clock.advance(Duration::minutes(59));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 0, "it may still speak");
    kit.clock.advance(Duration::minutes(2));
    assert_eq!(sweeper::tick(&kit.spine).await.unwrap(), 1, "it was silent for an hour");
    let run = only_run(&open).await;
    let given_up = (RunStatus::Aborted, Some(TerminationReason::Abandoned));
    assert_eq!((run.status, run.termination_reason), given_up);
}
