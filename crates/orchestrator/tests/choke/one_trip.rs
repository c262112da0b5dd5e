//! What a group writes goes to Postgres in one trip there and back.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use kit::Kit;
use orchestrator::{choke::call::StepReport, handlers::activity};
use testkit::{Store, TestDatabase};
use tracing::subscriber;

use crate::{
    agent::{Agent, keyed, llm, tool},
    sent::Writes,
};

#[tokio::test]
async fn steps_are_written_by_one_statement_whatever_tables_they_touch() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let run = agent.start().await;
    for report in [tool("read"), llm(1)] {
        agent.record(run, report).await.unwrap();
    }
    // What this thread sends: all of a test, whose runtime has no other.
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let here = Arc::clone(&heard);
    let _hears = subscriber::set_default(Writes(move |sql: &str| here.lock().unwrap().push(sql.to_owned())));
    for reports in [
        vec![tool("read")],
        vec![keyed("a", llm(1))],
        (0..8).map(|n| keyed(&format!("b{n}"), llm(1))).collect::<Vec<StepReport>>(),
    ] {
        let batch = activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
        assert!(batch.answers.iter().all(Result::is_ok));
        let writes = mem::take(&mut *heard.lock().unwrap());
        // Counters come apart, behind it: so nobody holds one for longer than the commit takes.
        let of_the_group: Vec<&String> =
            writes.iter().filter(|sql| !sql.starts_with("INSERT INTO counters")).collect();
        assert_eq!(of_the_group.len(), 2, "{writes:#?}");
        assert!(of_the_group[0].starts_with("WITH w0 AS (UPDATE \"runs\""), "{writes:#?}");
        assert_eq!(of_the_group[1], "COMMIT", "{writes:#?}");
    }
}
