//! That what every group sends, and what lists are made of, finds its rows by an index on both stores, however long the
//! tables are.

use chrono::{DateTime, Utc};
use entities::{
    activity::runs,
    logs::aos_traces as traces,
    policies::{limit_usage as usage, permits},
};
use models::{
    activity::{RiskLevel, RunFilter, RunState, Stalls},
    counters::Counted,
    ids::{DecisionId, IncidentId, KeyId, LimitId, PermitId, RunId, SnapshotId, TenantId},
    incidents::{Cause, IncidentFilter, LifecycleState},
    logs::{AuditFilter, ExecutionStatus, LlmRunFilter, StepKey, SystemFilter},
    page::{Cursor, PageRequest},
    policies::{BreachKey, RuleFilter, UsageKey},
};
use proof::{
    hash::Hash,
    words::{AuditEventType, IncidentCategory, LogName, RunStatus},
};
use sea_orm::{DbBackend, EntityTrait, Iterable as _, PrimaryKeyToColumn, Statement, Value, Values};
use uuid::Uuid;

use crate::{
    ConnectConfig, Db, ReadTx, StoreError, Tx,
    cells::{Cell, Tally},
    conn::Conn,
    counters::{Name, Round},
    dialect, tally,
};

const TENANT: TenantId = TenantId(Uuid::nil());
const RUN: RunId = RunId(Uuid::nil());
const LIMIT: LimitId = LimitId(Uuid::nil());
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The plan, a line each.
async fn plan(conn: &Conn, statement: Statement) -> Vec<String> {
    let (explain, column) = match conn.backend() {
        DbBackend::Postgres => ("EXPLAIN ", 0),
        _ => ("EXPLAIN QUERY PLAN ", 3),
    };
    let statement = Statement { sql: format!("{explain}{}", statement.sql), ..statement };
    let rows = conn.rows(statement).await.expect("a plan");
    rows.iter().map(|row| tally::value("plan", row, column).expect("a line")).collect()
}

/// What SQLite may go over whole: the statement's own keys, its parts, and an index of few rows.
const SMALL: [&str; 12] = [
    "SCAN v",
    "SCAN names",
    "SCAN newest",
    "SCAN pending",
    "SCAN first",
    "SCAN second",
    "SCAN windows",
    "INDEX runs_live",
    "VALUES CLAUSE",
    "CONSTANT ROW",
    "SCAN (",
    "COMPOUND",
];

/// No line may go over the whole of a table, or over all rows of a tenant and no less.
async fn check(conn: &Conn, statement: Statement) {
    let sql = statement.sql.clone();
    let lines = plan(conn, statement).await;
    let whole = |line: &&String| match conn.backend() {
        DbBackend::Postgres => line.contains("Seq Scan on"),
        _ if line.starts_with("SCAN ") => !SMALL.iter().any(|own| line.contains(own)),
        _ => line.ends_with("(tenant_id=?)") && !line.contains("SEARCH tenants "),
    };
    assert_eq!(lines.iter().find(whole), None, "{lines:#?}\n{sql}");
}

/// Checks what was sent since the last time.
async fn heard(conn: &Conn) {
    let statements = std::mem::take(&mut *conn.heard.lock().expect("listening"));
    assert!(!statements.is_empty());
    for statement in statements {
        check(conn, statement).await;
    }
    conn.heard.lock().expect("listening").clear();
}

/// No line may go over all segments of a run: of a run of any length, few are looked into.
async fn few_segments(tx: &Tx) -> Result<(), StoreError> {
    let runs = [RUN, RunId(Uuid::max())];
    tx.traces().tree_steps(TENANT, &runs.map(|run| (run, 7..1_000))).await?;
    tx.traces().find_decisions(TENANT, &runs.map(|run| (run, DecisionId(Uuid::nil())))).await?;
    tx.traces().start_decisions(TENANT, &runs).await?;
    let conn = &tx.conn;
    let sent = std::mem::take(&mut *conn.heard.lock().expect("listening"));
    let mut of_segments = 0;
    for statement in sent.into_iter().filter(|statement| statement.sql.contains("run_segments")) {
        of_segments += 1;
        let lines = plan(conn, statement).await;
        let whole = lines.iter().find(|line| line.ends_with("(tenant_id=? AND run_id=?)"));
        assert_eq!(whole, None, "{lines:#?}");
    }
    assert_eq!(of_segments, 3);
    conn.heard.lock().expect("listening").clear();
    Ok(())
}

/// What a group reads and locks.
async fn group(tx: &Tx) -> Result<(), StoreError> {
    reads_of_group(tx, &[RUN]).await?;
    reads_of_group(tx, &[RUN, RunId(Uuid::max())]).await
}

async fn reads_of_group(tx: &Tx, runs: &[RunId]) -> Result<(), StoreError> {
    let text = "x".to_owned();
    let keys: Vec<_> = runs.iter().map(|run| (*run, text.clone())).collect();
    let windows = [UsageKey { limit_id: LIMIT, scope_key: text.clone(), window_start: text.clone() }];
    let (permit, decision, snapshot) =
        (PermitId(Uuid::nil()), DecisionId(Uuid::nil()), SnapshotId(Uuid::nil()));
    let cause = Cause { category: IncidentCategory::Threshold, cause_key: text.clone() };
    let causes = [cause.clone(), Cause { cause_key: "y".to_owned(), ..cause }];
    tx.activity().lock_runs(TENANT, runs).await?;
    tx.run_locks().lock_whole(TENANT, runs, NOW).await?;
    tx.run_locks().lock_states(TENANT, runs, NOW).await?;
    tx.traces().all_keys_of(TENANT, runs).await?;
    tx.activity().interventions_met(TENANT, runs).await?;
    tx.activity().acks_of_runs(TENANT, runs).await?;
    tx.activity().find_runs_by_keys(TENANT, &[(KeyId(Uuid::nil()), text.clone())]).await?;
    tx.activity().runs_of_traces(TENANT, std::slice::from_ref(&text)).await?;
    let of_steps: Vec<_> = runs.iter().map(|run| (*run, StepKey::Given(text.clone()))).collect();
    tx.traces().find_steps_by_keys(TENANT, &of_steps).await?;
    let indices: Vec<_> = runs.iter().map(|run| (*run, 7..1_000)).collect();
    tx.traces().tree_steps(TENANT, &indices).await?;
    tx.policies().find_permits_by_keys(TENANT, &keys).await?;
    tx.policies().lock_permits(TENANT, &[(permit, RUN)], NOW, 500).await?;
    tx.policies().open_permits(TENANT, runs, NOW).await?;
    tx.policies().end_permits(TENANT, runs).await?;
    let decisions: Vec<_> = runs.iter().map(|run| (*run, decision)).collect();
    tx.traces().find_decisions(TENANT, &decisions).await?;
    tx.traces().start_decisions(TENANT, runs).await?;
    tx.policies().find_snapshots(TENANT, &[snapshot]).await?;
    tx.policies().find_snapshot_by_digest(TENANT, Hash([0; 32])).await?;
    tx.policies().lock_usage(TENANT, &windows).await?;
    tx.policies().breach_keys_of_runs(TENANT, runs).await?;
    let breach = BreachKey { limit_id: LIMIT, window_start: text, run_id: RUN };
    tx.policies().existing_breaches(TENANT, &[breach]).await?;
    for causes in [&causes[..1], &causes] {
        tx.incidents().lock_open(TENANT, causes).await?;
        tx.incidents().of_causes(TENANT, causes).await?;
        tx.incidents().counts_of_causes(TENANT, causes).await?;
    }
    tx.incident_runs().of_runs(TENANT, runs).await?;
    tx.integrity().class_counts(TENANT, runs).await?;
    tx.integrity().unresolved_failures(TENANT, runs).await?;
    tx.logs().audit_run_seqs(TENANT, runs).await?;
    tx.traces().salts(TENANT, runs).await?;
    tx.ledger().nodes(TENANT, LogName::Runs, &[(0, 1), (1, 0)]).await?;
    tx.run_metrics().mark_violated(TENANT, runs).await?;
    tx.run_metrics().add_draft(TENANT, runs).await?;
    tx.run_signals().raise_risk(TENANT, &[(RUN, RiskLevel::Violated)]).await?;
    tx.account().policy_generation(TENANT).await.map(drop).or_else(|_| Ok(()))
}

/// What the check of counters reads.
async fn counters(read: &ReadTx) -> Result<(), StoreError> {
    assert_eq!(read.counters().next_round(TENANT, None).await?, Some(Round::Whole), "there is no day");
    let [first, second] = ["a", "b"].map(|agent| Some(Name::from(agent)));
    let no_days = vec![Name::from("x")];
    let last = Round::Agents { after: first.clone(), until: None, no_days: no_days.clone() };
    let agents = Round::Agents { after: first, until: second, no_days };
    for round in [Round::Day(NOW.date_naive()), Round::Whole, agents, last] {
        read.counters().next_round(TENANT, Some(&round)).await?;
        read.counters().miscounts(TENANT, &round).await?;
        read.counters().strays(TENANT, &round).await?;
        read.counters().has_empty(TENANT, &round).await?;
    }
    Ok(())
}

/// What is read of remembered runs, to compare them.
async fn remembered(read: &ReadTx) -> Result<(), StoreError> {
    for runs in [&[RUN][..], &[RUN, RunId(Uuid::max())]] {
        read.activity().find_runs_and_versions(TENANT, runs).await?;
        read.traces().own_traces_of(TENANT, runs).await?;
        read.policies().open_permits_of_each(TENANT, runs, NOW).await?;
        read.traces().all_keys_of(TENANT, runs).await?;
    }
    Ok(())
}

/// What lists, views and jobs read.
async fn reads(read: &ReadTx) -> Result<(), StoreError> {
    let after = Cursor::Before { at: NOW, id: Uuid::nil() };
    for page in [PageRequest::default(), PageRequest::from(after)] {
        let all = RunFilter::default;
        let risky = RunFilter { risk: Some(true), ..all() };
        let live = RunFilter { state: Some(RunState::Live), ..all() };
        let one = RunFilter { agent_id: Some("a".to_owned()), started_after: Some(NOW), ..all() };
        let talk = RunFilter { conversation_id: Some("c".to_owned()), ..all() };
        for filter in [risky, live, one, talk] {
            read.activity().list_runs(TENANT, &filter, &page).await?;
        }
        let active =
            IncidentFilter { lifecycle_states: vec![LifecycleState::Active], ..IncidentFilter::default() };
        read.incidents().list(TENANT, &active, &page).await?;
        let event = AuditFilter { event_type: Some(AuditEventType::LimitBreached), ..AuditFilter::default() };
        read.logs().list_audit(TENANT, &event, &page).await?;
        let of_run = AuditFilter { run_id: Some(RUN), ..AuditFilter::default() };
        read.logs().list_audit(TENANT, &of_run, &page).await?;
        read.policies().list_breaches(TENANT, LIMIT, &page).await?;
        read.enforcements().list_by_policy(TENANT, "p", &page).await?;
        read.ledger().list_checkpoints(TENANT, LogName::Audit, &page).await?;
        read.policies()
            .list_rules(
                TENANT,
                &RuleFilter { status: Some(models::policies::RuleStatus::Active), ..RuleFilter::default() },
                &page,
            )
            .await?;
    }
    read.traces().list_steps(TENANT, RUN, 9, None, &PageRequest::from(Cursor::After(1))).await?;
    let end = read.traces().segments_end(TENANT, RUN).await?;
    read.traces().segments_behind(TENANT, RUN, None, &end, 9).await?;
    read.traces().keys_of_run(TENANT, RUN).await?;
    read.traces().look_into(TENANT, RUN).await?;
    read.traces().not_begun(TENANT, &[RUN, RunId(Uuid::max())]).await?;
    read.traces().bytes_of_runs(TENANT, &[RUN, RunId(Uuid::max())]).await?;
    read.traces().span_places(TENANT, RUN, &["x".to_owned(), "y".to_owned()]).await?;
    read.traces().uncounted(TENANT, RUN, 50..=99).await?;
    read.traces().traces_of_run(TENANT, RUN).await?;
    read.traces().trace_of_run(TENANT, RUN).await?;
    remembered(read).await?;
    read.logs().llm_runs_of_run(TENANT, RUN).await?;
    read.logs().llm_runs_of_steps(TENANT, RUN, 50..=99).await?;
    read.logs().list_llm_runs(TENANT, &LlmRunFilter::default(), &PageRequest::from(after)).await?;
    read.logs()
        .list_system_records(TENANT, true, &SystemFilter::default(), &PageRequest::from(after))
        .await?;
    read.logs().system_records_of_correlation(TENANT, "c").await?;
    read.incidents().moves_of_all(TENANT, &[IncidentId(Uuid::nil())]).await?;
    read.incidents().active_by_severity(TENANT).await?;
    let period = models::overview::Period { from: NOW, until: NOW };
    read.overview().spent(TENANT, period).await?;
    read.overview().spent_by_day(TENANT, period).await?;
    read.overview().spent_by_model(TENANT, period, 1).await?;
    read.overview().spent_by_agent(TENANT, period, 1).await?;
    read.overview().overage(TENANT, period).await?;
    read.overview().rejected_spans(TENANT, "c", NOW).await?;
    let month = models::overview::Period { from: NOW, until: NOW + chrono::Duration::days(31) };
    read.overview().spent(TENANT, month).await?;
    read.overview().spent_by_model(TENANT, month, 1).await?;
    let one = RunFilter { agent_id: Some("a".to_owned()), started_after: Some(NOW), ..RunFilter::default() };
    let closed = RunFilter { state: Some(RunState::Live), started_before: Some(NOW), ..RunFilter::default() };
    for filter in [RunFilter::default(), one, closed] {
        read.activity().count_runs(TENANT, &filter).await?;
    }
    read.activity().run_counts(TENANT).await?;
    read.logs().count_llm_runs(TENANT, &LlmRunFilter::default()).await?;
    counters(read).await?;
    let urgent = Cursor::Ranked { rank: 1, at: NOW, id: Uuid::nil() };
    read.overview().decisions(TENANT, &PageRequest::from(urgent)).await?;
    read.activity().due_runs(NOW, Some(NOW)).await?;
    read.activity().due_runs(NOW, None).await?;
    read.bundles().get_run(TENANT, RUN).await?;
    read.bundles().get_tables(TENANT, RUN).await?;
    read.traces().decisions_of_run(TENANT, RUN, |_| true).await?;
    read.preventions().of_run(TENANT, RUN).await?;
    read.enforcements().of_run(TENANT, RUN).await?;
    read.enforcements().of_steps(TENANT, &[(RUN, 1), (RunId(Uuid::max()), 2)]).await?;
    read.incident_runs().by_run(TENANT, RUN).await?;
    read.incidents().events_of(TENANT, IncidentId(Uuid::nil()), 50).await?;
    for page in [PageRequest::default(), PageRequest::from(after)] {
        read.incident_runs().of_incident(TENANT, IncidentId(Uuid::nil()), &page).await?;
    }
    read.logs().get_governance_events(TENANT, RUN).await?;
    read.logs().audit_from(TENANT, 5, 10).await?;
    read.ledger().run_leaves(TENANT, RUN).await?;
    read.ledger().run_log_from(TENANT, 5, 10).await?;
    read.ledger().latest_checkpoint(TENANT, LogName::Runs).await?;
    read.enforcements().stats(TENANT, &["a".to_owned(), "b".to_owned()], NOW).await?;
    read.policies().breach_stats(TENANT, &[LIMIT], NOW).await?;
    read.policies().breaches_since(TENANT, NOW).await?;
    read.activity().runs_that_stopped(&[(TENANT, RUN)]).await?;
    read.activity().runs_that_stopped(&[(TENANT, RUN), (TENANT, RunId(Uuid::max()))]).await?;
    read.account().find_tenants(&[TENANT, TenantId(Uuid::max())]).await?;
    read.account().governed(&[(TENANT, 1), (TENANT, 2)]).await?;
    read.account().find_keys(&[KeyId(Uuid::nil()), KeyId(Uuid::max())]).await?;
    read.account().find_key(models::ids::KeyId(Uuid::nil())).await.map(drop)
}

/// What each filter of the list of calls finds, it finds by its own index, and not by a walk over all calls by their
/// time. On SQLite, which goes by the indexes alone: Postgres goes by statistics, and here has none.
async fn calls_by_filter(read: &ReadTx) -> Result<(), StoreError> {
    let all = LlmRunFilter::default;
    let filters = [
        ("provider", LlmRunFilter { provider: Some("p".to_owned()), ..all() }),
        ("model", LlmRunFilter { model: Some("m".to_owned()), ..all() }),
        ("execution_status", LlmRunFilter { execution_status: Some(ExecutionStatus::Failed), ..all() }),
        ("is_synthetic", LlmRunFilter { is_synthetic: Some(true), ..all() }),
    ];
    let after = Cursor::Before { at: NOW, id: Uuid::nil() };
    let conn = &read.conn;
    for (name, filter) in filters {
        let own = format!("INDEX llm_run_records_by_{name} ");
        for page in [PageRequest::default(), PageRequest::from(after)] {
            read.logs().list_llm_runs(TENANT, &filter, &page).await?;
            let sent = std::mem::take(&mut *conn.heard.lock().expect("listening"));
            assert!(!sent.is_empty());
            for statement in sent {
                if conn.backend() != DbBackend::Postgres {
                    let lines = plan(conn, statement.clone()).await;
                    assert!(lines.iter().any(|line| line.contains(&own)), "{name}: {lines:#?}");
                }
                check(conn, statement).await;
            }
            conn.heard.lock().expect("listening").clear();
        }
    }
    Ok(())
}

/// Of several filters the rarest leads, whichever index a store would take. On SQLite, which goes by the indexes alone.
async fn rarest_leads(tx: &Tx) -> Result<(), StoreError> {
    let conn = &tx.conn;
    let words =
        r#"["LIVE","HALTED","NORMAL","no","sdk","no","UNKNOWN","FLOWING","OK","ENFORCED",null,null,"key"]"#;
    let more = |counted, place: &str, number| {
        let (place, part, kind) = (place.to_owned(), String::new(), words.to_owned());
        let cell = Cell { tenant: TENANT, counted, place, part, kind };
        conn.counters().add([cell], Tally { number, ..Tally::default() });
    };
    let filter = RunFilter {
        agent_id: Some("a".to_owned()),
        status: Some(RunStatus::Halted),
        is_synthetic: Some(false),
        ..RunFilter::default()
    };
    more(Counted::Runs, "", 3);
    more(Counted::AgentRuns, "a", 5);
    for leads in ["status", "agent_id"] {
        for page in [PageRequest::default(), PageRequest::from(Cursor::Before { at: NOW, id: Uuid::nil() })] {
            tx.activity().list_runs(TENANT, &filter, &page).await?;
            let sent = std::mem::take(&mut *conn.heard.lock().expect("listening"));
            for statement in sent.into_iter().filter(|sent| sent.sql.contains("FROM \"runs\"")) {
                if conn.backend() != DbBackend::Postgres {
                    let lines = plan(conn, statement.clone()).await;
                    let own = format!("INDEX runs_by_{leads} ");
                    assert!(lines.iter().any(|line| line.contains(&own)), "{leads}: {lines:#?}");
                }
                check(conn, statement).await;
            }
            conn.heard.lock().expect("listening").clear();
        }
        more(Counted::Runs, "", 10);
    }
    Ok(())
}

async fn updated<E: EntityTrait>(conn: &Conn, changing: &[E::Column]) {
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let columns = keys.len() + changing.len();
    let backend = conn.backend();
    let sql = dialect::update::<E>(backend, 64, &keys, changing, dialect::Given::Nothing);
    // The values do not matter to the plan, but they must be there.
    let (sql, values) = match backend {
        DbBackend::Postgres => (sql.replace("$1", "'{}'"), vec![]),
        _ => (sql, vec![Value::BigInt(Some(0)); 64 * columns]),
    };
    check(conn, Statement { sql, values: Some(Values(values)), db_backend: backend }).await;
}

/// A table without rows is gone over whatever indexes it has, unless that is made dear.
async fn make_scans_dear(conn: &Conn) {
    if conn.backend() == DbBackend::Postgres {
        let setting = Statement::from_string(DbBackend::Postgres, "SET LOCAL enable_seqscan = off");
        conn.execute(setting).await.expect("set");
    }
    conn.heard.lock().expect("listening").clear();
}

testkit::on_both! {
    async fn rows_are_found_by_an_index(db: TestDatabase) {
        let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url()) };
        let db = Db::connect(&config).await.expect("a store");
        let tx = db.begin().await.expect("begin");
        make_scans_dear(&tx.conn).await;
        few_segments(&tx).await.expect("reads of segments");
        rarest_leads(&tx).await.expect("pages of lists");
        group(&tx).await.expect("a group's reads");
        let stalls = Stalls { now: NOW, silent_since: NOW, expected_ms: 1, factor: 5 };
        tx.activity().mark_stalled(stalls).await.expect("a job's mark");
        tx.counters().sweep(TENANT, &Round::Day(NOW.date_naive())).await.expect("nothing");
        heard(&tx.conn).await;
        updated::<runs::Entity>(&tx.conn, &[runs::Column::StepCount, runs::Column::CostNanousd]).await;
        updated::<traces::Entity>(&tx.conn, &[traces::Column::StepCount]).await;
        updated::<permits::Entity>(&tx.conn, &[permits::Column::UsedByStep]).await;
        updated::<usage::Entity>(&tx.conn, &[usage::Column::Used, usage::Column::Reserved]).await;
        drop(tx);
        let read = db.read().await.expect("read");
        make_scans_dear(&read.conn).await;
        reads(&read).await.expect("reads");
        read.traces().begin_texts(TENANT, RUN).await.expect("none");
        heard(&read.conn).await;
        calls_by_filter(&read).await.expect("lists");
    }
}
