//! Leave that was given without the store, and what was done by it, where the run was sealed before they could be written.

use kit::{Kit, spooled};
use models::{account::Role, ids::RunId};
use orchestrator::{background::overdue, choke::call::StepReport, handlers::activity};
use proof::words::LimitType;
use serde_json::Value;
use testkit::on_both;
use verify::Word;

use crate::{
    agent::{Agent, ask, llm, tool},
    gaps::going_on,
};

/// A run under a budget of steps, which leave is measured against and a step by leave is not: with the store closed it was
/// given leave, and took the step. Gives the run and the permit.
async fn permitted(kit: &Kit) -> (RunId, String) {
    let agent = going_on(kit).await;
    agent.limit(LimitType::Steps, 100).await;
    let run = agent.start().await;
    agent.record(run, llm(1)).await.unwrap();
    kit.db.close().await;
    let permit = agent.permit(run, ask("get_weather")).await.unwrap().permit_id;
    let step = StepReport { permit_id: Some(permit), ..tool("get_weather") };
    let done = agent.record(run, step).await.unwrap();
    assert_eq!((done.recorded, done.verdict.permit_note), (false, None), "the permit serves");
    (run, permit.to_string())
}

fn judged(records: &Value) -> Vec<[&Value; 3]> {
    let decisions = records["policy_decisions"].as_array().into_iter().flatten();
    decisions.map(|one| [&one["moment"], &one["permit_id"], &one["permit_note"]]).collect()
}

on_both! {
    async fn leave_and_its_step_are_an_addendum_however_late_they_are_written(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let (run, permit) = permitted(&kit).await;
        kit.end(folder.path()).await;
        let elsewhere = Kit::replica(db, 2).await;
        let admin = elsewhere.caller("acme", Role::Admin).await;
        activity::kill(&elsewhere.spine, &admin, run, Some("it mails customers".to_owned())).await.unwrap();
        let sealed = activity::get(&elsewhere.spine, &admin, run).await.unwrap();
        elsewhere.db.close().await;

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
}
