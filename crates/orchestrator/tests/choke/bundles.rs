//! Real bundles, of every kind that exists: verified offline, kept as snapshots, and bent in every place.

use kit::{Kit, signing_key};
use orchestrator::{
    background::sweeper,
    choke::call::EndRun,
    coordinators::export_bundle,
    handlers::{activity, policies},
};
use proof::words::{EnforcementMode, LimitType};
use serde_json::Value;
use testkit::{Store, TestDatabase, on_both};
use verify::{Options, Word};

use crate::{
    agent::{Agent, ask, llm, refused, tool},
    spans,
};

const COSTLY: &str = "context.step.cost_microusd > 500000";

/// A run of a kind, and its bundle.
async fn bundle_of(kit: &Kit, kind: &str) -> Vec<u8> {
    let agent = Agent::of(kit, "acme").await;
    if kind == "otlp" {
        return reported(&agent).await;
    }
    match kind {
        "blocked" => drop(agent.rule(EnforcementMode::Block, COSTLY).await),
        "stopped" => drop(agent.rule(EnforcementMode::Stop, COSTLY).await),
        "killed" => drop(agent.rule(EnforcementMode::Kill, COSTLY).await),
        "breached" => drop(agent.limit(LimitType::CostUsd, 500_000).await),
        _ => {}
    }
    let run = agent.start().await;
    let granted = agent.permit(run, ask("get_weather")).await.unwrap();
    let permitted =
        orchestrator::choke::call::StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
    agent.record(run, permitted).await.unwrap();
    kit.clock.advance(chrono::Duration::milliseconds(1_500));
    agent.record(run, llm(1_000)).await.unwrap();
    if ["blocked", "stopped", "killed", "breached"].contains(&kind) {
        refused(agent.record(run, llm(600_000)).await);
    }
    match kind {
        "open" | "killed" => {}
        "killed_by_a_person" => {
            let reason = Some("it mails customers".to_owned());
            activity::kill(&kit.spine, &agent.admin, run, reason).await.unwrap();
        }
        "frozen" => {
            let (spine, admin, who) = (&kit.spine, &agent.admin, Some("researcher".to_owned()));
            policies::freeze(spine, admin, who.clone(), "under review".to_owned()).await.unwrap();
            refused(agent.permit(run, ask("get_weather")).await);
            refused(agent.record(run, llm(1_000)).await);
            policies::unfreeze(spine, admin, who, None).await.unwrap();
            agent.record(run, llm(1_000)).await.unwrap();
            agent.complete(run).await.unwrap();
        }
        "failed" => {
            let how = EndRun::Failed { error: Some("provider timeout".to_owned()) };
            activity::complete(&kit.spine, &agent.ctx, run, how).await.unwrap();
        }
        _ => drop(agent.complete(run).await.unwrap()),
    }
    export_bundle::bundle(&kit.spine, &agent.admin, run).await.unwrap()
}

/// A run that came by OTLP, with a span that came late.
async fn reported(agent: &Agent<'_>) -> Vec<u8> {
    agent.rule(EnforcementMode::Block, COSTLY).await;
    spans::send(agent, &[spans::call(1, 1), spans::root(1, false)]).await;
    agent.kit.clock.advance(chrono::Duration::seconds(30));
    assert_eq!(sweeper::tick(&agent.kit.spine).await.unwrap(), 1);
    spans::send(agent, &[spans::call(1, 2)]).await;
    let run = spans::only_run(agent).await.id;
    export_bundle::bundle(&agent.kit.spine, &agent.admin, run).await.unwrap()
}

/// Its parts stand in the file as they are hashed, whether they are told as values or as they are stored.
fn are_canonical(bundle: &[u8]) {
    let told: Value = serde_json::from_slice(bundle).unwrap();
    for (begin, place) in [
        ("{\"format\":\"hoc/run-evidence-bundle/v1\",\"records\":{\"sealed\":", "/records/sealed"),
        (",\"after\":", "/records/after"),
        ("},\"proofs\":", "/proofs"),
        (",\"contents\":", "/contents"),
    ] {
        let part = proof::canonical::to_bytes(told.pointer(place).unwrap());
        let written = [begin.as_bytes(), &part].concat();
        assert!(bundle.windows(written.len()).any(|window| window == written), "{place}");
    }
}

fn word(bundle: &[u8]) -> Word {
    verify::bundle(bundle, &[signing_key().public()], &Options::default()).unwrap().word
}

const KINDS: [&str; 9] =
    ["clean", "blocked", "stopped", "killed", "breached", "failed", "killed_by_a_person", "frozen", "otlp"];

on_both! {
    async fn every_kind_verifies_with_the_public_key_alone(db: TestDatabase) {
        // A store a kind: the rules of one are not to judge the next.
        for kind in KINDS {
            let Some(fresh) = TestDatabase::migrated(db.store()).await else { return };
            let kit = Kit::on(&fresh).await;
            let bundle = Box::pin(bundle_of(&kit, kind)).await;
            are_canonical(&bundle);
            let options = Options { reexecute: true, ..Options::default() };
            let report = verify::bundle(&bundle, &[signing_key().public()], &options).unwrap();
            let failed: Vec<_> = report.checks.iter().filter(|check| !check.passed).collect();
            assert_eq!((report.word, failed), (Word::Complete, vec![]), "{kind}");
            let other = proof::keys::SigningKey::from_seed(&[9; 32]).public();
            assert_eq!(verify::bundle(&bundle, &[other], &Options::default()).unwrap().word, Word::WrongKey);
        }
    }

    async fn an_open_run_says_so(db: TestDatabase) {
        let kit = Kit::on(db).await;
        assert_eq!(word(&Box::pin(bundle_of(&kit, "open")).await), Word::Open);
    }

    async fn the_same_bytes_for_ever(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        agent.complete(run).await.unwrap();
        let sealed = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap()["records"]["sealed"].clone();
        let first = export_bundle::bundle(&kit.spine, &agent.admin, run).await.unwrap();
        kit.clock.advance(chrono::Duration::days(30));
        let other = agent.start().await;
        agent.complete(other).await.unwrap();
        let later = export_bundle::bundle(&kit.spine, &agent.admin, run).await.unwrap();
        assert_eq!(sealed(first), sealed(later.clone()));
        assert_eq!(word(&later), Word::Complete);
    }
}

#[tokio::test]
async fn bundles_look_like_this() {
    for kind in ["clean", "blocked", "stopped", "killed", "breached", "killed_by_a_person", "frozen", "otlp"]
    {
        let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
        let kit = Kit::on(&db).await;
        let bundle: Value = serde_json::from_slice(&Box::pin(bundle_of(&kit, kind)).await).unwrap();
        insta::assert_json_snapshot!(format!("bundle_{kind}"), bundle);
    }
}

/// Every leaf value changed, every member and element dropped, every element doubled or swapped: never COMPLETE.
#[tokio::test]
async fn whatever_is_changed_shows() {
    for kind in ["blocked", "breached", "frozen"] {
        let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
        let kit = Kit::on(&db).await;
        let bytes = Box::pin(bundle_of(&kit, kind)).await;
        let bundle: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(word(&serde_json::to_vec(&bundle).unwrap()), Word::Complete, "as it is, written anew");
        let mut places = Vec::new();
        walk(&bundle, String::new(), &mut places);
        assert!(places.len() > 300, "{}", places.len());
        for place in &places {
            for bent in bend(&bundle, place) {
                let bent = serde_json::to_vec(&bent).unwrap();
                let verdict = verify::bundle(&bent, &[signing_key().public()], &Options::default());
                assert!(
                    verdict.is_err() || verdict.is_ok_and(|report| report.word != Word::Complete),
                    "{kind} {place}"
                );
            }
        }
    }
}

fn walk(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                walk(item, format!("{at}/{n}"), places);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        places.push(at);
    }
}

/// The bundle with the value at `place` changed, dropped, doubled, and swapped with its neighbour.
fn bend(bundle: &Value, place: &str) -> Vec<Value> {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let mut bent = Vec::new();
    let mut changed = bundle.clone();
    let value = changed.pointer_mut(place).unwrap();
    *value = match &value {
        Value::String(text) => Value::String(format!("{text}x")),
        Value::Number(number) => (number.as_u64().unwrap_or(0) + 1).into(),
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Null => Value::String(String::new()),
        Value::Array(_) | Value::Object(_) => Value::Null,
    };
    bent.push(changed);
    let mut dropped = bundle.clone();
    match dropped.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => {
            let at: usize = name.parse().unwrap();
            let mut doubled = bundle.clone();
            let twice = doubled.pointer_mut(parent).unwrap().as_array_mut().unwrap();
            twice.insert(at, items[at].clone());
            bent.push(doubled);
            if at > 0 && items[at] != items[at - 1] {
                let mut swapped = bundle.clone();
                swapped.pointer_mut(parent).unwrap().as_array_mut().unwrap().swap(at, at - 1);
                bent.push(swapped);
            }
            items.remove(at);
        }
        _ => {}
    }
    bent.push(dropped);
    bent
}
