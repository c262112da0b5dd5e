//! Counters that somebody changed past HOC: they prove nothing, so they stop nobody.

use drivers::Db;
use models::{
    activity::{Run, RunFilter, RunState},
    counters::Counted,
    logs::{ExecutionStatus, LlmRunFilter},
    overview::Period,
    page::PageRequest,
};
use testkit::{Store, TestDatabase};

use crate::{
    counters::{miscounts, recount},
    sample::{self, ODD, TENANT, at, run},
    whole::llm_run,
};

/// All that a counter says.
const NUMBERS: [&str; 8] =
    ["number", "unknown", "cost_high", "cost_low", "input_high", "input_low", "output_high", "output_low"];

/// One more run, of a kind of its own, with a call of the one kind.
async fn write(db: &Db, n: u128) {
    let tx = db.begin().await.expect("begin");
    let new = Run { project_id: Some(n.to_string()), ..run(TENANT, n) };
    tx.activity().insert_runs(&[new]).await.expect("inserted");
    tx.logs().insert_llm_runs(&[llm_run(TENANT, n, 0)], &sample::agents()).await.expect("a call");
    tx.commit().await.expect("nobody is refused");
}

/// All that is read of counters.
async fn read(db: &Db, runs: usize) {
    let read = db.read().await.expect("read");
    let page = PageRequest::new(Some(200), None, true).expect("a page");
    let day = (Some(at(0)), Some(at(86_400)));
    for filter in [
        RunFilter::default(),
        RunFilter { agent_id: Some(ODD.to_owned()), state: Some(RunState::Live), ..RunFilter::default() },
        RunFilter { started_after: day.0, started_before: day.1, ..RunFilter::default() },
    ] {
        let found = read.activity().list_runs(TENANT, &filter, &page).await.expect("listed");
        assert_eq!(found.items.len(), runs, "no list leaves out a row for what counters say");
    }
    let execution_status = Some(ExecutionStatus::Timeout);
    for filter in [
        LlmRunFilter::default(),
        LlmRunFilter { execution_status, is_synthetic: Some(false), ..LlmRunFilter::default() },
        LlmRunFilter { created_after: day.0, created_before: day.1, ..LlmRunFilter::default() },
    ] {
        let found = read.logs().list_llm_runs(TENANT, &filter, &page).await.expect("listed");
        assert_eq!(found.items.len(), runs);
    }
    read.activity().run_counts(TENANT).await.expect("counted");
    let period = Period { from: "2026-11-21T00:00:00Z".parse().expect("a time"), until: at(86_400) };
    let overview = read.overview();
    overview.spent(TENANT, period).await.expect("added up");
    overview.spent_by_day(TENANT, period).await.expect("by day");
    overview.spent_by_model(TENANT, period, 9).await.expect("by model");
    overview.spent_by_agent(TENANT, period, 9).await.expect("by agent");
}

/// Counted anew, everything says what is there.
async fn mended(db: &Db, runs: usize) {
    recount(db, TENANT).await;
    assert_eq!(miscounts(db, TENANT).await, []);
    let read = db.read().await.expect("read");
    assert_eq!(read.activity().run_counts(TENANT).await.expect("counted").total, runs as u64);
}

/// What is no text can be in the file of an embedded store alone: Postgres takes it nowhere.
#[tokio::test]
async fn a_name_that_is_no_text_is_told_and_the_others_are_looked_at() {
    let past = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
    let db = sample::store(&past).await;
    write(&db, 1).await;
    let another = |counted: &str, place: &str, part: &str| {
        format!(
            "INSERT INTO counters SELECT tenant_id, counted, {place}, cell, 7, {part}, kind, 3, 0, 0, 0, 0, 0, 0, 0 \
             FROM counters WHERE counted = '{counted}'"
        )
    };
    let (first, last) = ("CAST(x'31FF' AS TEXT)", "CAST(x'FF' AS TEXT)");
    for planted in [
        another("RUNS_OF_DAY", first, "part"),
        another("RUNS_OF_DAY", last, "part"),
        another("CALLS_OF_HOUR", "CAST(CAST(place AS BLOB) || x'FF' AS TEXT)", "part"),
        another("AGENT_RUNS", first, "part"),
        another("AGENT_RUNS", last, "part"),
        another("AGENT_RUNS_OF_DAY", last, "part"),
        another("AGENT_RUNS_OF_DAY", "place", first),
        format!("UPDATE counters SET kind = {last} WHERE counted = 'RUNS_OF_DAY'"),
        format!("UPDATE counters SET kind = {last} WHERE counted = 'AGENT_RUNS'"),
        format!("UPDATE counters SET part = {last} WHERE counted = 'AGENT_CALLS_OF_DAY'"),
        // Of what is counted itself.
        format!("UPDATE runs SET agent_id = {last}"),
    ] {
        past.tamper(&planted).await.expect("planted");
        past.tamper("UPDATE counters SET number = number + 1 WHERE counted = 'RUNS_OF_MONTH'")
            .await
            .expect("planted");
        let found = miscounts(&db, TENANT).await;
        assert!(found.iter().any(|of| of.name.contains('\u{fffd}')), "{planted}: {found:#?}");
        assert!(found.iter().any(|of| of.counted == Counted::RunsOfMonth), "{planted}: {found:#?}");
        mended(&db, 1).await;
    }
}

testkit::on_both! {
    async fn a_counter_at_its_limit_refuses_nobody(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        write(&db, 1).await;
        write(&db, 2).await;
        for (n, number) in [(3, i64::MAX), (4, i64::MIN), (5, 1 << 62)] {
            let all = NUMBERS.map(|column| format!("{column} = {number}")).join(", ");
            past.tamper(&format!("UPDATE counters SET {all}")).await.expect("planted");
            write(&db, n).await;
            read(&db, usize::try_from(n).expect("small")).await;
            assert!(!miscounts(&db, TENANT).await.is_empty(), "and it is found");
            mended(&db, usize::try_from(n).expect("small")).await;
        }
    }

    async fn a_counter_of_no_kind_stops_no_list(db: TestDatabase) {
        let past = db;
        let db = sample::store(db).await;
        write(&db, 1).await;
        past.tamper("UPDATE counters SET kind = 'nothing'").await.expect("planted");
        read(&db, 1).await;
        write(&db, 2).await;
        read(&db, 2).await;
        assert!(!miscounts(&db, TENANT).await.is_empty());
        mended(&db, 2).await;
    }
}
