//! A tenant that chose to go on without its store: what passes then, what does not, and that all of it is written.

use kit::{Kit, spooled};
use models::{account::FailureMode, activity::EvidenceHealth};
use orchestrator::{
    Error,
    background::{overdue, remembered},
    choke::call::{EndRun, StepReport},
    coordinators::run_proof,
    handlers::{
        account::{self, SettingsChange},
        activity,
    },
};
use proof::words::{Action, Assurance, EnforcementMode, LimitType, RunStatus};
use serde_json::Value;
use testkit::{Store, TestDatabase, on_both};
use verify::Word;

use crate::agent::{Agent, ask, keyed, llm, refused, tool};

/// An agent of a tenant that goes on.
pub(crate) async fn going_on(kit: &Kit) -> Agent<'_> {
    let agent = Agent::of(kit, "acme").await;
    let change = SettingsChange { failure_mode: Some(FailureMode::Degrade), ..SettingsChange::default() };
    let before = account::settings(&kit.spine, &agent.admin).await.unwrap();
    account::update_settings(&kit.spine, &agent.admin, before.settings_version, change).await.unwrap();
    Agent::of(kit, "acme").await
}

on_both! {
    async fn what_passed_is_written_by_the_next_process_as_it_was_told(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        agent.rule(EnforcementMode::Block, "context.step.cost_microusd > 500000").await;
        agent.rule(EnforcementMode::Warn, "context.step.skill == \"send_email\"").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;

        let passed = agent.record(run, keyed("a", llm(2))).await.unwrap();
        assert_eq!((passed.recorded, passed.step_index, passed.step_hash, passed.verdict.action), (false, 1, None, Action::Allow));
        assert_eq!(agent.record(run, keyed("a", llm(2))).await.unwrap(), passed, "a repeat is told the same");
        let other = agent.record(run, keyed("a", llm(3))).await.unwrap_err();
        assert!(matches!(other, Error::IdempotencyConflict { .. }), "{other}");
        let granted = agent.permit(run, ask("get_weather")).await.unwrap();
        assert!(!granted.recorded);
        let permitted = StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
        assert_eq!(agent.record(run, permitted).await.unwrap().verdict.permit_note, None, "the permit serves");
        assert_eq!(refused(agent.record(run, llm(600_000)).await).step_index, Some(3));
        let warned = agent.record(run, tool("send_email")).await.unwrap();
        assert_eq!((warned.verdict.action, warned.step_index, warned.run.step_count), (Action::Warn, 4, 4));
        let complete = agent.complete(run).await.unwrap_err();
        assert!(matches!(complete, Error::Unavailable(_)), "an end is not a step: {complete}");
        assert_eq!(spooled(folder.path()), (5, 0));
        drop(agent);
        kit.end(folder.path()).await;

        let kit = Kit::spooling(db, folder.path(), 2).await;
        kit.clock.advance(chrono::Duration::seconds(90));
        overdue::tick(&kit.spine).await.unwrap();
        assert_eq!(spooled(folder.path()), (0, 0), "all of it is in the store");
        let agent = Agent::of(&kit, "acme").await;
        let (spine, admin) = (&kit.spine, &agent.admin);
        let sealed = activity::complete(spine, admin, run, EndRun::Succeeded).await.unwrap();
        assert_eq!((sealed.step_count, sealed.refused_count, sealed.cost_nanousd), (4, 1, 600_003_000));
        assert_eq!(sealed.assurance, Assurance::Reported, "ENFORCED would say that there is no gap");
        let (report, bundle) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
        assert_eq!(report.grade.map(|grade| grade.to_string()).as_deref(), Some("WARN"), "{report}");
        let sealed = &bundle["records"]["sealed"];
        let gaps: Vec<_> = sealed["gaps"].as_array().unwrap().iter().map(|gap| gap["step_index"].as_u64()).collect();
        assert_eq!(gaps, [Some(1), None, Some(2), Some(4)], "what passed; the refusal is no gap");
        let decision = passed.verdict.decision_id.to_string();
        assert_eq!(sealed["steps"][1]["decision_id"], decision.as_str(), "the decision that was told");
        assert_eq!(sealed["gaps"][0]["decision_id"], decision.as_str());
    }

    async fn a_limit_holds_without_the_store(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = going_on(&kit).await;
        agent.limit(LimitType::RequestsPerMinute, 3).await;
        agent.limit(LimitType::Steps, 6).await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;
        for _ in 0..2 {
            assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
        }
        let fourth = refused(agent.record(run, llm(1)).await);
        assert_eq!((fourth.verdict.action, fourth.recorded), (Action::Block, false), "a rate is kept to");
        kit.clock.advance(chrono::Duration::minutes(1));
        for _ in 0..3 {
            agent.record(run, llm(1)).await.unwrap();
        }
        kit.clock.advance(chrono::Duration::minutes(1));
        let seventh = refused(agent.record(run, llm(1)).await);
        assert_eq!((seventh.verdict.action, seventh.recorded), (Action::Block, false), "the budget of six is spent");
    }

    async fn nothing_passes_that_could_not_be_kept(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = going_on(&kit).await;
        agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;
        let without_spool = agent.record(run, llm(1)).await.unwrap_err();
        assert!(matches!(without_spool, Error::Unavailable(_)), "{without_spool}");
        assert_eq!(refused(agent.record(run, llm(600_000)).await).run_status, RunStatus::Halted, "a halt holds");
    }

    async fn a_halt_outlives_its_process(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = Agent::of(&kit, "acme").await;
        agent.rule(EnforcementMode::Kill, "context.step.cost_microusd > 500000").await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;
        let killed = refused(agent.record(run, llm(600_000)).await);
        drop(agent);
        kit.end(folder.path()).await;
        let kit = Kit::spooling(db, folder.path(), 2).await;
        let agent = Agent::of(&kit, "acme").await;
        let calm = agent.start().await;
        assert_eq!(agent.run(calm).await.status, RunStatus::Running, "and before any other call is answered");
        let halted = agent.run(run).await;
        assert_eq!((halted.status, halted.refused_count), (RunStatus::Halted, 1));
        assert_eq!(halted.assurance, Assurance::Recorded, "a halt is no gap");
        let (report, bundle) = agent.verified(run).await;
        assert_eq!(report.word, Word::Complete, "{report}");
        let last = bundle["records"]["sealed"]["steps"][1]["decision_id"].as_str().map(str::to_owned);
        assert_eq!(last, Some(killed.verdict.decision_id.to_string()));
        assert_eq!(spooled(folder.path()), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_of_a_run_that_was_sealed_meanwhile_is_an_addendum() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let cut_off = Kit::spooling(&db, folder.path(), 1).await;
    let agent = going_on(&cut_off).await;
    let (run, asked_only) = (agent.start().await, agent.start().await);
    for run in [run, asked_only] {
        agent.record(run, llm(1)).await.unwrap();
    }
    let granted = agent.permit(run, ask("get_weather")).await.unwrap();
    db.take_away().await;
    let passed = agent.record(run, llm(2)).await.unwrap();
    let permitted = StepReport { permit_id: Some(granted.permit_id), ..tool("get_weather") };
    assert_eq!(
        agent.record(run, permitted).await.unwrap().verdict.permit_note,
        None,
        "its permit is of before"
    );
    assert!(!passed.recorded);
    assert!(!agent.permit(asked_only, ask("get_weather")).await.unwrap().recorded);
    db.bring_back().await;

    let replica = Kit::spooling(&db, folder.path(), 2).await;
    let elsewhere = Agent::of(&replica, "acme").await;
    for run in [run, asked_only] {
        let killed = Some("it mails customers".to_owned());
        activity::kill(&replica.spine, &elsewhere.admin, run, killed).await.unwrap();
    }
    overdue::tick(&cut_off.spine).await.unwrap();

    let after = agent.run(run).await;
    assert_eq!((after.step_count, after.totals().step_count), (1, 3));
    assert_eq!(after.sealed_assurance(), Assurance::Recorded, "the receipt stays what it is");
    assert_eq!((after.assurance, after.evidence_health), (Assurance::Reported, EvidenceHealth::Degraded));
    let (report, bundle) = agent.verified(run).await;
    assert_eq!(report.word, Word::Complete, "{report}");
    assert_eq!(
        (report.assurance, report.assurance_with_addenda),
        (Some(Assurance::Recorded), Some(Assurance::Reported))
    );
    let proof = run_proof::proof(&agent.kit.spine, &agent.admin, run, false).await.unwrap();
    assert_eq!(proof.integrity.failure_reason, None, "the lowered run is still the one that was sealed");
    let added = &bundle["records"]["after"]["addenda"][0]["records"];
    assert_eq!(added["steps"][0]["decision_id"], passed.verdict.decision_id.to_string().as_str());
    assert_eq!(added["gaps"][0]["step_index"], 1);
    let (report, bundle) = agent.verified(asked_only).await;
    assert_eq!(report.word, Word::Complete, "{report}");
    let added = &bundle["records"]["after"]["addenda"][0]["records"];
    assert_eq!(
        (added["steps"].as_array().map(Vec::len), &added["gaps"][0]["step_index"]),
        (Some(0), &Value::Null)
    );
    assert!(added["gaps"][0]["permit_id"].is_string(), "{added}");
    assert_eq!(spooled(folder.path()), (0, 0));

    // The replica knows now that the run is over, though it still has its late trace in memory.
    db.take_away().await;
    let over = agent.record(run, llm(3)).await.unwrap_err();
    assert!(matches!(over, Error::RunKilled { .. }), "{over}");
    db.bring_back().await;
}

/// The runs share a limit. One of them is locked and goes on from memory; what the store says of the limit meanwhile,
/// with each group of the other, does not have that in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_used_without_the_store_counts_though_another_is_written() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let agent = going_on(&kit).await;
    agent.limit(LimitType::Steps, 6).await;
    let (held, free) = (agent.start().await, agent.start().await);
    for run in [held, free] {
        agent.record(run, llm(1)).await.unwrap();
    }
    let stranger = db.stranger(&format!("SELECT * FROM runs WHERE id = '{}' FOR UPDATE", held.0)).await;
    for _ in 0..2 {
        assert!(!agent.record(held, llm(1)).await.unwrap().recorded);
    }
    assert!(agent.record(free, llm(1)).await.unwrap().recorded);
    assert!(!agent.record(held, llm(1)).await.unwrap().recorded, "two of the other, and four of this");
    let seventh = refused(agent.record(held, llm(1)).await);
    assert_eq!(
        (seventh.verdict.action, seventh.recorded),
        (Action::Block, false),
        "the budget of six is spent"
    );
    stranger.let_go().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_store_that_is_known_to_be_gone() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let agent = going_on(&kit).await;
    let run = agent.start().await;
    agent.record(run, llm(1)).await.unwrap();
    db.take_away().await;
    agent.record(run, llm(1)).await.unwrap();
    // The first has waited for a connection; twenty more that did would take a minute.
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    db.bring_back().await;
    assert!(agent.record(run, llm(1)).await.unwrap().recorded, "it is back with the first who asks");
    assert_eq!(agent.run(run).await.step_count, 23);
}

/// How late what is remembered is, is not told by a clock that anybody can set.
#[tokio::test]
async fn a_clock_that_was_ahead_and_is_set_right_leaves_no_run_without_its_memory() {
    let database = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&database, folder.path(), 1).await;
    let agent = going_on(&kit).await;
    kit.clock.set(kit::time::beginning() + chrono::Duration::hours(1));
    agent.start().await;
    kit.clock.set(kit::time::beginning());
    let run = agent.start().await;
    remembered::tick(&kit.spine).await.unwrap();
    kit.db.close().await;
    assert!(!agent.permit(run, ask("get_weather")).await.unwrap().recorded, "it was read a moment ago");
}
