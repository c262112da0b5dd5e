//! What units of work send to write, heard where the drivers trace it: what ships has nothing of this.

use std::fmt;

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Statements that leave a store as it is.
const READS: [&str; 2] = ["SELECT", "SET "];

/// Whoever is told of each statement that is no read, when it was carried out.
pub(crate) struct Writes<F>(pub(crate) F);

impl<F: Fn(&str) + Send + Sync + 'static> Subscriber for Writes<F> {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "drivers::conn"
    }

    fn event(&self, event: &Event<'_>) {
        let mut sent = Sent(&self.0);
        event.record(&mut sent);
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
struct Sent<'f, F>(&'f F);

impl<F: Fn(&str)> Visit for Sent<'_, F> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let sql = value.trim_start();
        if field.name() == "sql" && !READS.iter().any(|read| sql.starts_with(*read)) {
            (self.0)(sql);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
