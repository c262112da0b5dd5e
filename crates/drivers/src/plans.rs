//! That the statements which every group sends find their rows by an index, on both stores, however long the table is.

use models::{
    activity::entity::runs,
    ids::TenantId,
    logs::entity::{aos_trace_steps as steps, aos_traces as traces},
    page::{Cursor, PageRequest},
    policies::entity::{limit_usage as usage, permits},
};
use sea_orm::{
    ColumnTrait as _, Condition, DbBackend, EntityTrait, Iterable as _, PrimaryKeyToColumn, QueryFilter as _,
    QueryTrait as _, Select, Statement, Value, Values,
    entity::prelude::DateTimeUtc,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use crate::{
    ConnectConfig, Db,
    conn::Conn,
    dialect,
    read::{self, Newest},
    tally,
};

const TENANT: TenantId = TenantId(Uuid::nil());

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

/// No line of the plan may go over the whole of `table`.
async fn searches(conn: &Conn, table: &str, statement: Statement) {
    let lines = plan(conn, statement).await;
    let whole = |line: &&String| match conn.backend() {
        DbBackend::Postgres => line.contains(&format!("Seq Scan on {table}")),
        _ => line.starts_with(&format!("SCAN {table}")),
    };
    assert_eq!(lines.iter().find(whole), None, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("ndex") || line.contains("INDEX")), "{lines:#?}");
}

/// As many keys as a group may have.
fn keys(columns: &[Value]) -> Vec<Vec<Value>> {
    columns.iter().map(|value| vec![value.clone(); 100]).collect()
}

async fn found<E: EntityTrait>(conn: &Conn, tenant: E::Column, columns: &[E::Column], values: &[Value]) {
    let among = dialect::among(conn.backend(), columns, keys(values));
    let select = E::find().filter(tenant.eq(TENANT)).filter(among);
    searches(conn, E::default().table_name(), select.build(conn.backend())).await;
}

fn runs_of(tenant: TenantId) -> Select<runs::Entity> {
    runs::Entity::find().filter(runs::Column::TenantId.eq(tenant))
}

/// A page of a filtered list is a range of an index: nothing is sorted.
async fn page_after_page(conn: &Conn) {
    use runs::{Column as C, Model};
    let cursor = Cursor::Before { at: DateTimeUtc::UNIX_EPOCH, id: Uuid::nil() };
    for request in [PageRequest::default(), PageRequest::from(cursor)] {
        for filter in
            [None, Some(C::State.eq("LIVE")), Some(C::AgentId.eq("a")), Some(Expr::col("at_risk").eq(true))]
        {
            let select = runs_of(TENANT).filter(Condition::all().add_option(filter));
            let newest =
                Newest { at: C::StartedAt, id: C::Id, key: |row: &Model| (row.started_at, row.id.0) };
            let page = read::page_of(select, &newest, &request).expect("a page").build(conn.backend());
            let lines = plan(conn, page.clone()).await;
            assert!(
                !lines.iter().any(|line| line.contains("Sort") || line.contains("TEMP B-TREE")),
                "{lines:#?}"
            );
            searches(conn, "runs", page).await;
        }
    }
}

async fn updated<E: EntityTrait>(conn: &Conn, changing: &[E::Column]) {
    let keys: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let columns: Vec<E::Column> = keys.iter().chain(changing).copied().collect();
    let backend = conn.backend();
    let mut texts = vec![dialect::update::<E>(backend, 64, &keys, changing)];
    if backend == DbBackend::Sqlite {
        texts.push(dialect::update_if_changed::<E>(64, &keys, changing));
    }
    for sql in texts {
        // The values do not matter to the plan, but they must be there.
        let (sql, values) = match backend {
            DbBackend::Postgres => (sql.replace("$1", "'{}'"), vec![]),
            _ => (sql, vec![Value::BigInt(Some(0)); 64 * columns.len()]),
        };
        let statement = Statement { sql, values: Some(Values(values)), db_backend: backend };
        searches(conn, E::default().table_name(), statement).await;
    }
}

testkit::on_both! {
    async fn rows_are_found_by_an_index(db: TestDatabase) {
        let config = ConnectConfig { test: true, ..ConnectConfig::new(db.url()) };
        let db = Db::connect(&config).await.expect("a store");
        let tx = db.begin().await.expect("begin");
        let conn = &tx.conn;
        if conn.backend() == DbBackend::Postgres {
            // A table without rows is gone over whatever indexes it has, unless that is made dear.
            let settings = "SET LOCAL enable_seqscan = off";
            conn.execute(Statement::from_string(DbBackend::Postgres, settings)).await.expect("set");
        }
        let (id, text): (Value, Value) = (Uuid::nil().into(), "x".into());
        found::<runs::Entity>(conn, runs::Column::TenantId, &[runs::Column::Id], std::slice::from_ref(&id)).await;
        found::<traces::Entity>(conn, traces::Column::TenantId, &[traces::Column::RunId], std::slice::from_ref(&id)).await;
        let key = [id.clone(), text.clone()];
        let columns = [steps::Column::RunId, steps::Column::IdempotencyKey];
        found::<steps::Entity>(conn, steps::Column::TenantId, &columns, &key).await;
        let columns = [permits::Column::RunId, permits::Column::IdempotencyKey];
        found::<permits::Entity>(conn, permits::Column::TenantId, &columns, &key).await;
        let columns = [usage::Column::LimitId, usage::Column::ScopeKey, usage::Column::WindowStart];
        found::<usage::Entity>(conn, usage::Column::TenantId, &columns, &[id, text.clone(), text]).await;
        page_after_page(conn).await;
        updated::<runs::Entity>(conn, &[runs::Column::StepCount, runs::Column::CostMicrousd]).await;
        updated::<traces::Entity>(conn, &[traces::Column::StepCount]).await;
        updated::<permits::Entity>(conn, &[permits::Column::UsedByStep]).await;
        updated::<usage::Entity>(conn, &[usage::Column::Used, usage::Column::Reserved]).await;
    }
}
