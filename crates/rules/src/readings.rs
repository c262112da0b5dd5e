//! The readings of a call: if a fact that holds one value has several, each of them in its turn.
//!
//! A call can name two URLs, or have a command in two members. If only the first were a fact, it would hide the second
//! from a rule that reads `context.step.url_host`. So such a rule is judged against each value, and fires if it does on
//! any.
//!
//! Some values HOC makes itself: a command as a shell reads its quotes, a table without its schema. A rule that names a
//! value is judged on these too. A rule that excepts a value (`context.step.table != "public.customers"`) is not: it
//! would refuse the very value that it allows.

use std::collections::BTreeSet;

use crate::{
    facts::{Facts, ParamFacts},
    known::position,
    shape::{FactSet, Shape},
};

/// The most readings that one rule is tried on. A rule that reads several such facts at once is tried on all their
/// combinations; one that would need more cannot be evaluated.
pub const MAX_READINGS: usize = 128;

/// What stands in place of the facts in one reading: name in `context.step`, and value.
pub(crate) type Reading<'a> = Vec<(&'static str, &'a str)>;

/// One fact, or a pair of them, that has several values: where it is in the table of facts, and the values.
struct Several<'a> {
    facts: FactSet,
    told: Vec<Reading<'a>>,
    /// Those that nobody told.
    read: Vec<Reading<'a>>,
}

/// The facts of a call that have several values.
pub(crate) struct Readings<'a>(Vec<Several<'a>>);

/// What of them a rule is judged on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The facts that it reads and that have several values.
    pub several: FactSet,
    /// Those of them of which values count that nobody told.
    read: FactSet,
}

impl<'a> Readings<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let Some(step) = &facts.step else { return Self(Vec::new()) };
        let ParamFacts {
            url_host,
            url_path,
            urls,
            command,
            commands,
            commands_read,
            table,
            tables,
            tables_read,
            ..
        } = &step.params;
        let urls = urls.iter().filter(|url| (&url.host, &url.path) != (url_host, url_path));
        let urls = urls.map(|url| vec![("url_host", url.host.as_str()), ("url_path", url.path.as_str())]);
        let several = [
            Several { facts: set_of(&["url_host", "url_path"]), told: urls.collect(), read: Vec::new() },
            texts("command", command, commands, commands_read),
            texts("table", table, tables, tables_read),
        ];
        Self(several.into())
    }

    /// What a rule of that shape is judged on beside the first values.
    pub(crate) fn asked(&self, shape: &Shape) -> Asked {
        let mut asked = Asked::default();
        for several in self.0.iter().filter(|several| !several.facts.meet(shape.reads).is_empty()) {
            let read = !several.read.is_empty() && several.facts.meet(shape.excepts).is_empty();
            if read || !several.told.is_empty() {
                asked.several = asked.several.union(several.facts);
            }
            if read {
                asked.read = asked.read.union(several.facts);
            }
        }
        asked
    }

    /// All readings of those facts but the first, in which each has its first value; `None` if there are too many.
    pub(crate) fn others(&self, asked: Asked) -> Option<Vec<Reading<'a>>> {
        let mut readings: Vec<Reading<'a>> = vec![Vec::new()];
        for several in self.0.iter().filter(|several| !several.facts.meet(asked.several).is_empty()) {
            let with_read = !several.facts.meet(asked.read).is_empty();
            let read: &[Reading<'a>] = if with_read { &several.read } else { &[] };
            let values = several.told.iter().chain(read);
            if readings.len() * (several.told.len() + read.len() + 1) > MAX_READINGS {
                return None;
            }
            let further = readings.iter().flat_map(|reading| {
                values.clone().map(|value| reading.iter().chain(value).copied().collect())
            });
            let further: Vec<_> = further.collect();
            readings.extend(further);
        }
        readings.remove(0);
        Some(readings)
    }
}

fn texts<'a>(
    name: &'static str,
    first: &'a str,
    all: &'a BTreeSet<String>,
    read: &'a BTreeSet<String>,
) -> Several<'a> {
    let others = move || all.iter().filter(move |one| one.as_str() != first);
    let reading = |one: &'a String| -> Reading<'a> { vec![(name, one.as_str())] };
    Several {
        facts: set_of(&[name]),
        told: others().filter(|one| !read.contains(*one)).map(reading).collect(),
        read: others().filter(|one| read.contains(*one)).map(reading).collect(),
    }
}

fn set_of(names: &[&str]) -> FactSet {
    let mut set = FactSet::default();
    for name in names {
        if let Some(position) = position(&format!("context.step.{name}")) {
            set.insert(position);
        }
    }
    set
}
