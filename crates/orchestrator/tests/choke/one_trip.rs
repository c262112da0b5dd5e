//! What a group writes goes to Postgres in one trip there and back. What it sends is heard where the drivers trace it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use kit::Kit;
use orchestrator::{choke::call::StepReport, handlers::activity};
use testkit::{Store, TestDatabase};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber,
};

use crate::agent::{Agent, keyed, llm, tool};

/// What this thread sent: all of a test, whose runtime has no other.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// What was sent since this was last asked and is no read.
    fn writes(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        sent.into_iter().filter(|sql| !sql.starts_with("SELECT") && !sql.starts_with("SET ")).collect()
    }
}

impl Subscriber for Heard {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "drivers::conn"
    }

    fn event(&self, event: &Event<'_>) {
        let mut sql = Sql::default();
        event.record(&mut sql);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(sql.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The statement that an event tells of.
#[derive(Default)]
struct Sql(Option<String>);

impl Visit for Sql {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[tokio::test]
async fn steps_are_written_by_one_statement_whatever_tables_they_touch() {
    let Some(db) = TestDatabase::migrated(Store::Postgres).await else { return };
    let kit = Kit::on(&db).await;
    let agent = Agent::of(&kit, "acme").await;
    let run = agent.start().await;
    for report in [tool("read"), llm(1)] {
        agent.record(run, report).await.unwrap();
    }
    let heard = Heard::default();
    let _hears = subscriber::set_default(heard.clone());
    for reports in [
        vec![tool("read")],
        vec![keyed("a", llm(1))],
        (0..8).map(|n| keyed(&format!("b{n}"), llm(1))).collect::<Vec<StepReport>>(),
    ] {
        let batch = activity::record_batch(&kit.spine, &agent.ctx, run, reports).await.unwrap();
        assert!(batch.answers.iter().all(Result::is_ok));
        let writes = heard.writes();
        // Counters come apart, behind it: so nobody holds one for longer than the commit takes.
        let of_the_group: Vec<&String> =
            writes.iter().filter(|sql| !sql.starts_with("INSERT INTO counters")).collect();
        assert_eq!(of_the_group.len(), 2, "{writes:#?}");
        assert!(of_the_group[0].starts_with("WITH w0 AS (UPDATE \"runs\""), "{writes:#?}");
        assert_eq!(of_the_group[1], "COMMIT", "{writes:#?}");
    }
}
