//! Leave that was given without the store, and what was done by it, where the run was sealed before they could be
//! written.

use std::fs;

use kit::{Kit, spooled};
use models::{
    account::Role,
    activity::Run,
    ids::{DecisionId, RunId},
};
use orchestrator::{
    background::overdue,
    choke::call::{EndRun, StepReport},
    handlers::activity,
};
use proof::words::{Action, LimitType};
use serde_json::Value;
use testkit::{TestDatabase, on_both};
use verify::Word;

use crate::{
    agent::{Agent, ask, llm, tool},
    gaps::going_on,
};

/// A run under a budget of steps, which leave is measured against and a step by leave is not: with the store closed it
/// was given leave, and took the step. Gives the run, the permit, and the decision on the step.
async fn permitted(kit: &Kit) -> (RunId, String, DecisionId) {
    let agent = going_on(kit).await;
    agent.limit(LimitType::Steps, 100).await;
    let run = agent.start().await;
    agent.record(run, llm(1)).await.unwrap();
    kit.db.close().await;
    let permit = agent.permit(run, ask("get_weather")).await.unwrap().permit_id;
    let step = StepReport { permit_id: Some(permit), ..tool("get_weather") };
    let done = agent.record(run, step).await.unwrap();
    let verdict = &done.verdict;
    assert_eq!((done.recorded, verdict.permit_note), (false, None), "the permit serves");
    assert_eq!(verdict.action, Action::Allow);
    (run, permit.to_string(), verdict.decision_id)
}

/// Another server ends the run while the store answers it.
async fn killed_elsewhere(db: &TestDatabase, run: RunId) -> Run {
    let elsewhere = Kit::replica(db, 2).await;
    let admin = elsewhere.caller("acme", Role::Admin).await;
    activity::kill(&elsewhere.spine, &admin, run, Some("it mails customers".to_owned())).await.unwrap();
    let sealed = activity::get(&elsewhere.spine, &admin, run).await.unwrap();
    elsewhere.db.close().await;
    sealed
}

/// The leave is kept apart, and the step is written without it.
async fn written_without_its_leave(db: &TestDatabase, is_sealed: bool) {
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(db, folder.path(), 1).await;
    let (run, leave, decided) = permitted(&kit).await;
    kit.end(folder.path()).await;
    if is_sealed {
        killed_elsewhere(db, run).await;
    }
    // The leave was asked for first: its line is now of a build that is to come.
    let path = folder.path().join("spool-0.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"form\":2", "\"form\":99", 1)).unwrap();

    let kit = Kit::spooling(db, folder.path(), 3).await;
    overdue::tick(&kit.spine).await.unwrap();
    assert_eq!(spooled(folder.path()).1, 1, "the leave is none that this build can read");
    let agent = Agent::of(&kit, "acme").await;
    if !is_sealed {
        activity::complete(&kit.spine, &agent.admin, run, EndRun::Succeeded).await.unwrap();
    }
    let (report, bundle) = agent.verified(run).await;
    assert_eq!(report.word, Word::Complete, "{report}");
    let records = &bundle["records"];
    let records = if is_sealed { &records["after"]["addenda"][0]["records"] } else { &records["sealed"] };
    let step = records["steps"].as_array().unwrap().last().unwrap();
    let (asked, permit) = (&step["asked"], &step["permit_id"]);
    assert_eq!(
        (asked, permit),
        (&Value::from("BEFORE"), &Value::Null),
        "leave was given, and the store has it not"
    );
    let (moment, note) = (Value::from("STEP_POST"), Value::from("permit_unknown"));
    assert_eq!(judged(records).last(), Some(&[&moment, &Value::Null, &note]), "as it was decided");
    let decision = records["policy_decisions"].as_array().unwrap().last().unwrap();
    let told = (Value::from(decided.to_string()), Value::from("ALLOW"));
    assert_eq!((&decision["decision_id"], &decision["action"]), (&told.0, &told.1), "as its caller was told");
    let gaps: Vec<_> = records["gaps"].as_array().unwrap().iter().map(|gap| &gap["permit_id"]).collect();
    assert_eq!(gaps, [&Value::from(leave)], "which leave it was");
}

fn judged(records: &Value) -> Vec<[&Value; 3]> {
    let decisions = records["policy_decisions"].as_array().into_iter().flatten();
    decisions.map(|one| [&one["moment"], &one["permit_id"], &one["permit_note"]]).collect()
}

on_both! {
    async fn leave_and_its_step_are_an_addendum_however_late_they_are_written(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let (run, permit, _) = permitted(&kit).await;
        kit.end(folder.path()).await;
        let sealed = killed_elsewhere(db, run).await;

        let kit = Kit::spooling(db, folder.path(), 3).await;
        // What a run was last seen at is sealed with it: a clock that goes on must not move it.
        kit.clock.advance(chrono::Duration::seconds(90));
        overdue::tick(&kit.spine).await.unwrap();
        assert_eq!(spooled(folder.path()), (0, 0), "all of it is in the store");
        let agent = Agent::of(&kit, "acme").await;
        let written = agent.run(run).await;
        assert_eq!((written.last_seen_at, written.totals().step_count), (sealed.last_seen_at, 2));
        let (report, bundle) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
        let added = &bundle["records"]["after"]["addenda"][0]["records"];
        let (permit, before, after) = (Value::from(permit), Value::from("STEP_PRE"), Value::from("STEP_POST"));
        assert_eq!(judged(added), [[&before, &permit, &Value::Null], [&after, &permit, &Value::Null]]);
        let gaps = added["gaps"].as_array().unwrap();
        let gaps: Vec<_> = gaps.iter().map(|gap| (gap["step_index"].as_u64(), &gap["permit_id"])).collect();
        assert_eq!(gaps, [(None, &permit), (Some(1), &permit)]);
    }

    async fn a_step_whose_leave_is_lost_is_decided_alike_again(db: TestDatabase) {
        written_without_its_leave(db, false).await;
    }

    async fn so_is_one_that_comes_late_to_a_sealed_run(db: TestDatabase) {
        written_without_its_leave(db, true).await;
    }
}
