//! What was answered without the store and is written later: at its own time, and not given up for a passing error.

use std::{collections::BTreeSet, fs};

use kit::{Kit, limit, spooled};
use models::{
    account::{FailureMode, Role},
    ids::LimitId,
    policies::LimitDraft,
};
use orchestrator::{
    CallContext, Error,
    background::{overdue, set_aside},
    choke::call::StartRun,
    handlers::{activity, policies, system},
};
use proof::words::{LimitType, ResetPeriod};
use serde_json::Value;
use testkit::{Store, TestDatabase, on_both};

use crate::{
    agent::{Agent, ask, llm, refused, tool},
    away::{Back, drained, set},
};

/// Has Postgres take no step of any run but the first, until the constraint is dropped.
async fn refuse_later_steps(db: &TestDatabase) {
    let only_first = "CHECK (step_count = 0 OR first_step + step_count < 2)";
    db.tamper(&format!("ALTER TABLE run_segments ADD CONSTRAINT odd {only_first} NOT VALID")).await.unwrap();
}

on_both! {
    async fn a_late_answer_counts_when_it_was_given(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = set(&kit, FailureMode::Degrade).await;
        let daily = LimitDraft { reset_period: Some(ResetPeriod::Daily), ..limit(LimitType::Steps, 5) };
        let limit = agent.limit_as(daily).await;
        let run = agent.start().await;
        agent.record(run, llm(1)).await.unwrap();
        kit.db.close().await;
        for _ in 0..3 {
            assert!(!agent.record(run, llm(1)).await.unwrap().recorded);
        }
        drop(agent);
        kit.end(folder.path()).await;

        let kit = Kit::spooling(db, folder.path(), 2).await;
        kit.clock.advance(chrono::Duration::days(1));
        overdue::tick(&kit.spine).await.unwrap();
        let agent = Agent::of(&kit, "acme").await;
        let limit: LimitId = limit.parse().unwrap();
        let read = kit.db.read().await.unwrap();
        let usage = read.policies().usage_of(agent.ctx.tenant.id, &[limit]).await.unwrap();
        let used: Vec<_> = usage.iter().filter(|window| window.used > 0).map(|window| (&window.window_start[..10], window.used)).collect();
        assert_eq!(used, [("2026-03-02", 4)], "none of it is of the day after");
    }

    async fn a_line_is_read_by_the_builds_that_know_its_form(db: TestDatabase) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool-0.jsonl");
        let kit = Kit::spooling(db, folder.path(), 1).await;
        let agent = set(&kit, FailureMode::Degrade).await;
        let run = agent.start().await;
        let other = StartRun { agent_id: "other".to_owned(), ..StartRun::default() };
        let frozen = activity::start(&kit.spine, &agent.ctx, other).await.unwrap().run.id;
        agent.record(run, llm(1)).await.unwrap();
        let (other, reason) = (Some("other".to_owned()), "stop it".to_owned());
        policies::freeze(&kit.spine, &agent.admin, other, reason).await.unwrap();
        kit.db.close().await;
        // Of each kind that is spooled: leave, a refusal by a freeze, steps.
        assert!(!agent.permit(run, ask("get_weather")).await.unwrap().recorded);
        assert!(!refused(agent.record(frozen, tool("get_weather")).await).recorded);
        for step in [llm(1), tool("get_weather"), llm(2)] {
            assert!(!agent.record(run, step).await.unwrap().recorded);
        }
        drop(agent);
        kit.end(folder.path()).await;

        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut members = BTreeSet::new();
        for line in &lines {
            named(line, "", &mut members);
        }
        let members = members.into_iter().collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!("members_of_a_line_of_form_2", members);
        // One as a build wrote it that did not say its form, and one of a build that is to come.
        lines[2].as_object_mut().unwrap().retain(|name, _| !["form", "build"].contains(&name.as_str()));
        lines[4]["form"] = 99.into();
        let of_builds: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&path, of_builds.concat()).unwrap();
        let kit = Kit::spooling(db, folder.path(), 2).await;
        drained(&kit, folder.path()).await;
        assert_eq!(spooled(folder.path()), (0, 1), "what nobody can read here is kept apart");
        let agent = Agent::of(&kit, "acme").await;
        assert_eq!((agent.run(run).await.step_count, agent.run(frozen).await.refused_count), (3, 1));
        drop(agent);
        kit.db.close().await;
        kit.end(folder.path()).await;

        // The build that knows it takes it up.
        let aside = folder.path().join("spool-refused.jsonl");
        let kept = fs::read_to_string(&aside).unwrap();
        fs::write(&aside, kept.replace("\"form\":99", "\"form\":2")).unwrap();
        let kit = Kit::spooling(db, folder.path(), 3).await;
        drained(&kit, folder.path()).await;
        assert_eq!(spooled(folder.path()), (0, 0));
        let agent = Agent::of(&kit, "acme").await;
        assert_eq!(agent.run(run).await.step_count, 4);
    }
}

/// The names of all members; of a document of the caller's, that it is one.
fn named(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{path}/{name}");
                named(value, &path, into);
                into.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, &format!("{path}/*"), into)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_error_sets_no_answer_aside() {
    // The first eight rows meet a connection as a drill left it; a sequence is not rolled back.
    all_is_written_although(
        "CREATE SEQUENCE rows_met;
         CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('rows_met') <= 8 THEN
                 RAISE EXCEPTION 'current transaction is aborted' USING ERRCODE = '25P02';
             END IF;
             RETURN NEW;
         END $$",
    )
    .await;
}

/// What was answered without the store is all written, whatever this trigger makes of what is written at first.
async fn all_is_written_although(refused: &str) {
    let Some(back) = Back::on_postgres().await else { return };
    back.refuses_by(refused).await;
    back.drained().await;
    back.is_written().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_set_aside_is_tried_again_by_the_next_process() {
    let Some(back) = Back::on_postgres().await else { return };
    let runs = back.runs;
    back.db
        .tamper(&format!(
            "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation';
             END $$;
             CREATE TRIGGER refused BEFORE INSERT ON run_segments FOR EACH ROW
                 WHEN (NEW.run_id = '{}' AND NEW.step_count > 0 AND NEW.first_step + NEW.step_count > 1) EXECUTE FUNCTION refused()",
            runs[0].0
        ))
        .await
        .unwrap();
    back.drained().await;
    assert_eq!(back.spooled(), (0, 2), "its neighbour is written");
    assert_eq!(back.agent().run(runs[1]).await.step_count, 3);
    back.refuses_no_more().await;
    back.kit.db.close().await;
    let Back { kit, folder, db, .. } = back;
    kit.end(folder.path()).await;

    let kit = Kit::spooling(&db, folder.path(), 2).await;
    drained(&kit, folder.path()).await;
    assert_eq!(spooled(folder.path()), (0, 0));
    let agent = Agent::of(&kit, "acme").await;
    assert_eq!(agent.run(runs[0]).await.step_count, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_set_aside_stays_in_the_spool() {
    let Some(back) = Back::on_postgres().await else { return };
    refuse_later_steps(&back.db).await;
    // As where the disk is full: no line can be added there.
    let aside = back.folder.path().join("spool-refused.jsonl");
    fs::create_dir(&aside).unwrap();
    overdue::tick(&back.kit.spine).await.unwrap();
    let kept = fs::read_to_string(back.folder.path().join("spool-0.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 4, "{kept}");
    fs::remove_dir(&aside).unwrap();
    back.drained().await;
    assert_eq!(back.spooled(), (0, 4));
}

/// What refused them was nothing of theirs, and is gone while the server runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_set_aside_is_tried_again_by_the_process_that_runs() {
    let Some(back) = Back::on_postgres().await else { return };
    let (agent, runs) = (back.agent(), back.runs);
    refuse_later_steps(&back.db).await;
    back.drained().await;
    assert_eq!(back.spooled(), (0, 4));
    set_aside::try_again(&back.kit.spine).await.unwrap();
    assert_eq!(back.spooled(), (4, 0), "they are to be written again");
    back.drained().await;
    assert_eq!(back.spooled(), (0, 4), "it stands in their way still");

    back.db.tamper("ALTER TABLE run_segments DROP CONSTRAINT odd").await.unwrap();
    assert_eq!(agent.record(runs[0], llm(1)).await.unwrap().step_index, 1, "its run goes on without them");
    set_aside::try_again(&back.kit.spine).await.unwrap();
    back.drained().await;
    assert_eq!(back.spooled(), (0, 0));
    assert_eq!((agent.run(runs[0]).await.step_count, agent.run(runs[1]).await.step_count), (4, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_is_never_idle_goes_by_the_newest_settings() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let kit = Kit::spooling(&db, folder.path(), 1).await;
    let before = set(&kit, FailureMode::Degrade).await;
    let (held, free) = (before.start().await, before.start().await);
    for run in [held, free] {
        before.record(run, llm(1)).await.unwrap();
    }
    set(&kit, FailureMode::FailClosed).await;
    let ctx = CallContext { tenant: kit.caller("acme", Role::Agent).await.tenant, ..before.ctx.clone() };
    let after = Agent { kit: &kit, ctx, admin: before.admin.clone() };
    // The lane is set going by one who has read the settings before; calls of both kinds wait in it, as one group.
    let stranger = db.stranger(&format!("SELECT * FROM runs WHERE id = '{}' FOR UPDATE", held.0)).await;
    let mut first = Box::pin(before.record(held, llm(1)));
    let (mut old, mut new) = (Box::pin(before.record(free, llm(1))), Box::pin(after.record(free, llm(1))));
    // A call that was polled once may not be in the lane yet; one that has its place is.
    let in_lane = || system::held(&kit.spine)["calls that wait"];
    while in_lane() < 1 {
        assert!(futures::poll!(first.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    db.until_blocked(1).await;
    while in_lane() < 3 {
        for call in [old.as_mut(), new.as_mut()] {
            assert!(futures::poll!(call).is_pending());
        }
        tokio::task::yield_now().await;
    }
    db.take_away().await;
    drop(first);
    for answer in [old.await, new.await] {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    }
    // And so does what comes later with settings that were read before.
    let later = before.record(free, llm(1)).await.unwrap_err();
    assert!(matches!(later, Error::Unavailable(_)), "{later}");
    drop(stranger);
}
