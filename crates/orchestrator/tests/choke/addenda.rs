//! What comes after a run was sealed: added, marked, counted, proven; and the receipt stays what it was.

use chrono::Duration;
use kit::{Kit, signing_key};
use models::{ids::RunId, page::PageRequest};
use orchestrator::{
    background::sweeper,
    coordinators::{export_bundle, run_proof},
    handlers::{activity, policies},
};
use proof::words::EnforcementMode;
use serde_json::Value;
use testkit::{Store, TestDatabase, on_both};
use verify::{Options, Word};

use crate::{
    agent::Agent,
    spans::{call, only_run, root, send},
};

fn verified(bundle: &[u8]) -> verify::Report {
    let options = Options { reexecute: true, ..Options::default() };
    verify::bundle(bundle, &[signing_key().public()], &options).unwrap()
}

fn word(document: &Value) -> Word {
    verified(document.to_string().as_bytes()).word
}

/// A run that was sealed with two steps.
async fn sealed(agent: &Agent<'_>) -> RunId {
    send(agent, &[call(1, 1), root(1, false)]).await;
    agent.kit.clock.advance(Duration::seconds(30));
    assert_eq!(sweeper::tick(&agent.kit.spine).await.unwrap(), 1);
    only_run(agent).await.id
}

async fn bundle(agent: &Agent<'_>, run: RunId) -> Value {
    let bundle = export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await.unwrap();
    serde_json::from_slice(&bundle).unwrap()
}

on_both! {
    async fn late_spans_are_added_marked_and_counted(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        let run = sealed(&agent).await;
        let before = bundle(&agent, run).await;
        assert_eq!(word(&before), Word::Complete);
        assert_eq!(send(&agent, &[call(1, 1), call(1, 2)]).await.count, 0);
        kit.clock.advance(Duration::seconds(1));
        assert_eq!(send(&agent, &[call(1, 4), call(1, 3)]).await.count, 0);
        let after = only_run(&agent).await;
        let (totals, late) = (after.totals(), after.late.clone().unwrap());
        assert_eq!((late.addenda, late.step_count, late.input_tokens), (2, 3, 63));
        assert_eq!((totals.step_count, totals.input_tokens, after.step_count), (5, 84, 2));
        let steps = activity::steps(&kit.spine, &agent.admin, run, PageRequest::default()).await.unwrap().items;
        let shown: Vec<_> = steps.iter().map(|step| (step.step.record.step_index, step.is_late, step.parent_step_index)).collect();
        assert_eq!(shown, [(0, false, Some(1)), (1, false, None), (2, true, Some(1)), (3, true, Some(1)), (4, true, Some(1))]);

        let proof = run_proof::proof(&kit.spine, &agent.admin, run, false).await.unwrap();
        assert_eq!(proof.integrity.failure_reason, None);
        assert_eq!(proof.aos_traces.len(), 3);
        let document = bundle(&agent, run).await;
        let report = verified(document.to_string().as_bytes());
        assert_eq!(report.word, Word::Complete, "{report}");
        assert_eq!(document["records"]["sealed"], before["records"]["sealed"], "the same for ever");
        assert_eq!(document["records"]["after"]["addenda"].as_array().map(Vec::len), Some(2));

        // Sent again, all of it: nothing.
        assert_eq!(send(&agent, &[call(1, 3), call(1, 1), call(1, 2), root(1, false)]).await.count, 0);
        assert_eq!(only_run(&agent).await, after);
        assert_eq!(send(&agent, &[root(1, true)]).await.count, 1, "first truth wins");
        assert_eq!(only_run(&agent).await, after);
    }
}

on_both! {
    async fn what_comes_late_under_a_freeze_meets_it_once(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = sealed(&agent).await;
        policies::freeze(&kit.spine, &agent.admin, None, "under review".to_owned()).await.unwrap();
        assert_eq!(send(&agent, &[call(1, 2), call(1, 3)]).await.count, 0);
        assert_eq!(send(&agent, &[call(1, 4)]).await.count, 0);
        assert_eq!(only_run(&agent).await.late.unwrap().step_count, 3, "what is reported has happened");
        let document = bundle(&agent, run).await;
        let report = verified(document.to_string().as_bytes());
        assert_eq!(report.word, Word::Complete, "{report}");
        let met = |at: usize| {
            let added = &document["records"]["after"]["addenda"][at]["records"]["interventions"];
            added.as_array().map(Vec::len)
        };
        assert_eq!((met(0), met(1)), (Some(1), Some(0)));
    }
}

#[tokio::test]
async fn no_addendum_can_be_changed_dropped_or_moved() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
    let run = sealed(&agent).await;
    send(&agent, &[call(1, 2)]).await;
    send(&agent, &[call(1, 3), call(1, 4)]).await;
    let whole = bundle(&agent, run).await;
    assert_eq!(word(&whole), Word::Complete);
    let bent = |change: &dyn Fn(&mut Value)| {
        let mut document = whole.clone();
        change(&mut document["records"]["after"]["addenda"]);
        word(&document)
    };
    let drop_one = |at: usize| bent(&move |addenda| drop(addenda.as_array_mut().unwrap().remove(at)));
    assert_eq!((drop_one(0), drop_one(1)), (Word::Truncated, Word::Truncated));
    assert_eq!(bent(&|addenda| *addenda = Value::Array(Vec::new())), Word::Truncated);
    assert_eq!(bent(&|addenda| addenda.as_array_mut().unwrap().swap(0, 1)), Word::Tampered);
    let mut places = Vec::new();
    leaves_of(&whole["records"]["after"]["addenda"], String::new(), &mut places);
    assert!(places.len() > 100, "{}", places.len());
    for place in places {
        let change = |addenda: &mut Value| bend(addenda.pointer_mut(&place).unwrap());
        assert_eq!(bent(&change), Word::Tampered, "{place}");
    }
}

/// The pointers of all values that hold no others.
fn leaves_of(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, one) in members {
                leaves_of(one, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (i, one) in items.iter().enumerate() {
                leaves_of(one, format!("{at}/{i}"), found);
            }
        }
        _ => found.push(at),
    }
}

fn bend(value: &mut Value) {
    *value = match &*value {
        Value::Null => Value::from("x"),
        Value::Bool(it) => Value::from(!*it),
        Value::Number(it) => Value::from(it.as_u64().unwrap_or(0) + 1),
        Value::String(it) if it.chars().all(|c| c.is_ascii_hexdigit()) && it.starts_with('0') => {
            Value::from(it.replacen('0', "1", 1))
        }
        Value::String(it) => Value::from(format!("0{}", it.get(1..).unwrap_or_default())),
        other => other.clone(),
    };
}
