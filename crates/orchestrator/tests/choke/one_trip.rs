//! What a group writes goes to the store in one trip there and back.

use std::{cell::RefCell, mem, sync::Once};

use kit::Kit;
use models::ids::RunId;
use orchestrator::{choke::call::StepReport, handlers::activity};
use proof::words::LimitType;
use serde_json::json;
use testkit::{Store, TestDatabase, on_both};
use tracing::subscriber;

use crate::{
    agent::{Agent, keyed, llm, tool},
    sent::Writes,
    spans::send,
    trees::{span, usage},
};

thread_local! {
    /// What this thread sends, from when it listens: all of a test, whose runtime has no other.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// This thread listens from now on. All threads have one subscriber: where each has its own, what another thread is the
/// first to trace is kept as traced for nobody.
fn listen() {
    static ONCE: Once = Once::new();
    let listener = Writes(|sql: &str| {
        HEARD.with_borrow_mut(|heard| {
            if let Some(all) = heard {
                all.push(sql.to_owned());
            }
        });
    });
    ONCE.call_once(|| subscriber::set_global_default(listener).expect("no other listens"));
    HEARD.set(Some(Vec::new()));
}

/// What this thread wrote since it was asked last.
fn written() -> Vec<String> {
    HEARD.with_borrow_mut(|heard| heard.as_mut().map(mem::take).unwrap_or_default())
}

/// That they are one that begins so, and its commit.
fn is_one_trip(writes: &[String], begins: &str, store: Store) {
    let before = if store == Store::Postgres { "WITH w0 AS (" } else { "" };
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert!(writes[0].starts_with(&format!("{before}{begins}")), "{writes:#?}");
    assert_eq!(writes[1], "COMMIT", "{writes:#?}");
}

/// What a group of steps writes first, which are the runs that it goes on with.
fn begins(store: Store) -> &'static str {
    match store {
        Store::Postgres => "UPDATE \"runs\"",
        Store::Sqlite => "WITH v (\"tenant_id\", \"id\"",
    }
}

async fn steps_are_one_trip(db: &TestDatabase) {
    let kit = Kit::on(db).await;
    let agent = Agent::of(&kit, "acme").await;
    let run = agent.start().await;
    for report in [tool("read"), llm(1)] {
        agent.record(run, report).await.unwrap();
    }
    listen();
    for reports in [
        vec![tool("read")],
        vec![keyed("a", llm(1))],
        (0..8).map(|n| keyed(&format!("b{n}"), llm(1))).collect::<Vec<StepReport>>(),
    ] {
        let batch = activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
        assert!(batch.answers.iter().all(Result::is_ok));
        is_one_trip(&written(), begins(db.store()), db.store());
    }
}

/// Two spans tell of one call, and one of them counts: what says so of the other is part of that.
async fn spans_that_do_not_count_are_one_trip(db: &TestDatabase) {
    let kit = Kit::on(db).await;
    let agent = Agent::of(&kit, "acme").await;
    let chain = |id: u64, parent: u64| span(1, (id, parent), &[("openinference.span.kind", json!("CHAIN"))]);
    let chat = |id: u64, parent: u64| span(1, (id, parent), &usage("chat", 100, 10));
    send(&agent, &[chain(1, 0)]).await;
    listen();
    assert_eq!(send(&agent, &[chat(2, 1), chain(3, 2), chat(4, 3)]).await.count, 0);
    is_one_trip(&written(), begins(db.store()), db.store());
    assert!(db.number("SELECT count(*) FROM uncounted_steps").await > 0);
}

/// Its leaves, which say that it began and how it ended, and the heads of their log are part of that.
async fn whole_runs_are_one_trip(db: &TestDatabase) {
    let kit = Kit::on(db).await;
    let agent = Agent::of(&kit, "acme").await;
    let first = agent.start().await;
    agent.complete(first).await.unwrap();
    listen();
    let run = agent.start().await;
    is_one_trip(&written(), "INSERT INTO \"run_log\"", db.store());
    agent.record(run, llm(1)).await.unwrap();
    written();
    agent.complete(run).await.unwrap();
    is_one_trip(&written(), "INSERT INTO \"run_log\"", db.store());
}

// One thread does all of it, which is the one that hears it.

#[tokio::test]
async fn steps_are_written_in_one_trip_whatever_tables_they_touch_on_sqlite() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    steps_are_one_trip(&db).await;
}

#[tokio::test]
async fn steps_are_written_in_one_trip_whatever_tables_they_touch_on_postgres() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    steps_are_one_trip(&db).await;
}

#[tokio::test]
async fn what_does_not_count_is_no_trip_more_on_sqlite() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    spans_that_do_not_count_are_one_trip(&db).await;
}

#[tokio::test]
async fn what_does_not_count_is_no_trip_more_on_postgres() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    spans_that_do_not_count_are_one_trip(&db).await;
}

#[tokio::test]
async fn a_run_begins_and_ends_in_one_trip_each_on_sqlite() {
    let db = TestDatabase::migrated(Store::Sqlite).await.unwrap();
    whole_runs_are_one_trip(&db).await;
}

#[tokio::test]
async fn a_run_begins_and_ends_in_one_trip_each_on_postgres() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    whole_runs_are_one_trip(&db).await;
}

on_both! {
    /// Its beginning and its end, what is asked of the run, and what is written.
    async fn a_step_of_a_run_that_is_remembered_takes_few_trips(db: TestDatabase) {
        let kit = Kit::on(db).await;
        let agent = Agent::of(&kit, "acme").await;
        let free = agent.start().await;
        agent.limit(LimitType::TokensTotal, 1_000_000).await;
        let limited = agent.start().await;
        let trips = async |run: RunId, report: StepReport| {
            let before = kit.db.statements();
            agent.record(run, report).await.unwrap();
            kit.db.statements() - before
        };
        assert_eq!(trips(limited, keyed("first", llm(1))).await, 6, "the window of the limit is made");
        trips(limited, tool("read")).await;
        for report in [keyed("first", llm(1)), tool("read")] {
            trips(free, report).await;
        }
        assert_eq!(trips(free, tool("read")).await, 4);
        assert_eq!(trips(free, keyed("second", llm(1))).await, 4, "counters of calls are among what is written");
        assert_eq!(trips(limited, keyed("second", llm(1))).await, 5, "with windows of limits");
    }
}
