//! The facts that a condition can read: one table, from which schema, evaluation, hints and forms are made.

use proof::words::BindAt;

mod fact;
mod page;
mod table;
mod values;

pub(crate) use self::{fact::Value, values::Values};
pub use self::{
    fact::{Fact, FactType, FactUnit, Since},
    page::{RECORDS, page},
    table::FACTS,
};

/// The facts that a rule bound at that moment can read.
pub fn known_at(bind_at: BindAt) -> impl Iterator<Item = &'static Fact> {
    FACTS.iter().filter(move |fact| fact.since.known_at(bind_at))
}

/// The fact of that path, or of that name in short.
#[must_use]
pub fn find(name: &str) -> Option<&'static Fact> {
    FACTS.iter().find(|fact| fact.path == name || fact.name() == name)
}

/// The place of a fact in the table.
pub(crate) fn position(path: &str) -> Option<usize> {
    FACTS.iter().position(|fact| fact.path == path)
}
