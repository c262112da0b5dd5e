//! What fails for one call costs its neighbours next to nothing: a lock that a stranger holds, a row that no store
//! takes.

use std::time::{Duration, Instant};

use futures::{future::join_all, join};
use kit::Kit;
use models::ids::RunId;
use orchestrator::{Error, choke::call::StartRun, handlers::activity};
use proof::words::LimitType;
use testkit::{Store, TestDatabase, on_both};

use crate::agent::{Agent, keyed, llm, tool};

/// What a caller waits at most, whatever anybody holds.
const AT_MOST: Duration = Duration::from_secs(10);

/// Records a step of each of these runs at once; and whether each was recorded, and how long the slowest took.
async fn at_once(agent: &Agent<'_>, runs: &[RunId]) -> (Vec<Result<(), Error>>, Duration) {
    let since = Instant::now();
    let answers = join_all(runs.iter().map(|run| agent.record(*run, tool("get_weather")))).await;
    (answers.into_iter().map(|answer| answer.map(drop)).collect(), since.elapsed())
}

fn unavailable<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Unavailable(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_on_one_run_costs_the_others_a_moment() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(agent.start().await);
    }
    let stranger = db.stranger(&format!("SELECT * FROM runs WHERE id = '{}' FOR UPDATE", runs[5].0)).await;
    // The first goes alone, and the others are one group. It finds out; the next ones know.
    for within in [AT_MOST, Duration::from_secs(2)] {
        let (answers, took) = at_once(&agent, &runs).await;
        let failed: Vec<usize> = (0..runs.len()).filter(|n| answers[*n].is_err()).collect();
        assert_eq!(failed, [5], "{answers:?}");
        assert!(unavailable(&answers[5]), "{answers:?}");
        assert!(took < within, "{took:?}");
    }
    stranger.let_go().await;
    let (answers, _) = at_once(&agent, &runs).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(agent.run(runs[5]).await.step_count, 1, "what was unavailable left nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_longer_than_ten_seconds_for_what_all_need() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    agent.limit(LimitType::TokensTotal, 1_000_000).await;
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(agent.start().await);
    }
    agent.record(runs[0], llm(1)).await.unwrap();
    let stranger = db.stranger("SELECT * FROM limit_usage FOR UPDATE").await;
    let (answers, took) = at_once(&agent, &runs).await;
    assert!(answers.iter().all(unavailable), "{answers:?}");
    assert!(took < AT_MOST, "{took:?}");
    stranger.let_go().await;
    let (answers, _) = at_once(&agent, &runs).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_on_the_logs_does_not_stop_steps() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let runs = [agent.start().await, agent.start().await, agent.start().await];
    let ending = agent.start().await;
    let stranger = db.stranger("SELECT * FROM log_heads FOR UPDATE").await;
    let since = Instant::now();
    let start = StartRun { agent_id: "researcher".to_owned(), ..StartRun::default() };
    let (steps, opened, ended) =
        join!(at_once(&agent, &runs), activity::start(&kit.spine, &agent.ctx, start), agent.complete(ending));
    assert!(unavailable(&opened) && unavailable(&ended), "{opened:?} {ended:?}");
    assert!(steps.0.iter().all(Result::is_ok), "{steps:?}");
    assert!(since.elapsed() < AT_MOST, "{:?}", since.elapsed());
    stranger.let_go().await;
    agent.complete(ending).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_stays_taken_is_no_race() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let mut runs = Vec::new();
    for _ in 0..9 {
        runs.push(agent.start().await);
    }
    // The sequence counts the tries, for it is not rolled back.
    let poisoned = db.id(&runs[5].to_string());
    db.tamper(&format!(
        "CREATE SEQUENCE tries;
         CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             PERFORM nextval('tries');
             RAISE EXCEPTION 'taken' USING ERRCODE = 'unique_violation';
         END $$;
         CREATE TRIGGER taken BEFORE INSERT ON run_segments FOR EACH ROW
             WHEN (NEW.run_id = {poisoned}) EXECUTE FUNCTION taken()",
    ))
    .await
    .unwrap();
    let answers = join_all(runs.iter().map(|run| agent.record(*run, tool("get_weather")))).await;
    let failed: Vec<usize> = (0..runs.len()).filter(|n| answers[*n].is_err()).collect();
    assert_eq!(failed, [5], "{answers:?}");
    assert!(matches!(answers[5], Err(Error::Store(_))), "{answers:?}");
    // All eight once, and again for it may have been a race; then their halves, down to the one.
    let tries = db.number("SELECT last_value FROM tries").await;
    assert!(tries <= 3 + 3, "{tries} tries");
}

/// Two replicas make the same snapshot of a policy that was changed, and then begin the same trace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_one_key_behind_another_is_answered_all_the_same() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    db.tamper(
        "CREATE SEQUENCE snapshots; CREATE SEQUENCE begun;
         CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval(TG_ARGV[0]::regclass) = 1 THEN
                 RAISE EXCEPTION 'taken: %', TG_ARGV[0] USING ERRCODE = 'unique_violation';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER taken BEFORE INSERT ON policy_snapshots FOR EACH ROW EXECUTE FUNCTION taken('snapshots');
         CREATE TRIGGER taken BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION taken('begun')",
    )
    .await
    .unwrap();
    agent.start().await;
    for taken in ["snapshots", "begun"] {
        let tries = db.number(&format!("SELECT last_value FROM {taken}")).await;
        assert!(tries > 1, "{taken}: {tries} tries");
    }
}

on_both! {
    async fn an_answer_that_does_not_read_back_fails_alone_and_has_nobody_tried_again(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let mut runs = Vec::new();
        for _ in 0..16 {
            let run = agent.start().await;
            agent.record(run, keyed("k", tool("get_weather"))).await.unwrap();
            runs.push(run);
        }
        let repeats = async || {
            let before = kit.db.statements();
            let repeat = |run: &RunId| agent.record(*run, keyed("k", tool("get_weather")));
            let answers = join_all(runs.iter().map(repeat)).await;
            (answers, kit.db.statements() - before)
        };
        let (answers, sound) = repeats().await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let damaged = runs[5].to_string();
        db.change_records(|record| {
            let mut record = record.clone();
            if record["type"] == "hoc/policy-decision/v1" && record["run_id"] == damaged.as_str() {
                record["limits"] = "nothing".into();
            }
            Some(record)
        })
        .await;
        let (answers, odd) = repeats().await;
        let failed: Vec<usize> = (0..runs.len()).filter(|n| answers[*n].is_err()).collect();
        assert_eq!(failed, [5], "{answers:?}");
        assert!(matches!(answers[5], Err(Error::Damaged { table: "run_segments", .. })), "{answers:?}");
        // The first may find the lane idle and go alone, and may not; halves of the others would be many more.
        assert!(odd <= 2 * sound, "{odd} statements, not {sound}: they were tried in halves");
    }
}
