//! Death at a statement. What a unit of work carries out is heard where the drivers trace it: what ships has nothing of
//! this.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber,
};

/// Statements that leave a store as it is: who dies after one of them has died after the write before it.
const READS: [&str; 2] = ["SELECT", "SET "];

/// The beginnings of all that was written.
pub(super) type Heard = Arc<Mutex<Vec<String>>>;

struct Deadly {
    after: usize,
    heard: Heard,
}

/// From now on this process hears what it writes, and dies when that is so much, where that is not 0: before its next
/// statement, and before anybody is told. Without unwinding and without a destructor, as by kill -9. A COMMIT that was
/// carried out is one of the writes.
pub(super) fn after(writes: usize) -> Heard {
    let heard = Heard::default();
    subscriber::set_global_default(Deadly { after: writes, heard: Arc::clone(&heard) }).unwrap();
    heard
}

pub(super) fn lock(heard: &Heard) -> MutexGuard<'_, Vec<String>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Subscriber for Deadly {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "drivers::conn"
    }

    fn event(&self, event: &Event<'_>) {
        let mut sql = Sql::default();
        event.record(&mut sql);
        let Some(statement) = sql.0.filter(|sql| !READS.iter().any(|read| sql.starts_with(*read))) else {
            return;
        };
        let mut heard = lock(&self.heard);
        heard.push(statement);
        if heard.len() == self.after {
            std::process::abort();
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The first words of the statement that an event tells of.
#[derive(Default)]
struct Sql(Option<String>);

impl Visit for Sql {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            self.0 = Some(value.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
