//! The readings of a call: where a fact of one value has several, each of them in its turn.
//!
//! A call can name two URLs, or a command in two members. Whichever were put first, the other would be hidden from a
//! rule that reads `context.step.url_host`. So such a rule is judged against each, and fires if it does on any: for a
//! rule only ever refuses.

use crate::{
    facts::{Facts, ParamFacts},
    known::position,
    shape::FactSet,
};

/// The most readings that one rule is tried on. A rule that reads several such facts at once is tried on all their
/// combinations; one that would need more cannot be evaluated.
pub const MAX_READINGS: usize = 128;

/// What stands in place of the facts in one reading: name in `context.step`, and value.
pub(crate) type Reading<'a> = Vec<(&'static str, &'a str)>;

/// One fact, or a pair of them, that has several values: where it is in the table of facts, and the values.
struct Several<'a> {
    facts: FactSet,
    values: Vec<Reading<'a>>,
}

/// The facts of a call that have several values.
pub(crate) struct Readings<'a>(Vec<Several<'a>>);

impl<'a> Readings<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let Some(step) = &facts.step else { return Self(Vec::new()) };
        let ParamFacts { url_host, url_path, urls, command, commands, table, tables, .. } = &step.params;
        let urls = urls.iter().filter(|url| (&url.host, &url.path) != (url_host, url_path));
        let urls = urls.map(|url| vec![("url_host", url.host.as_str()), ("url_path", url.path.as_str())]);
        let texts = |name: &'static str, first: &'a String, all: &'a std::collections::BTreeSet<String>| {
            all.iter().filter(|one| *one != first).map(|one| vec![(name, one.as_str())]).collect::<Vec<_>>()
        };
        let several = [
            (vec!["url_host", "url_path"], urls.collect()),
            (vec!["command"], texts("command", command, commands)),
            (vec!["table"], texts("table", table, tables)),
        ];
        let several = several.into_iter().filter(|(_, values)| !values.is_empty());
        Self(several.map(|(names, values)| Several { facts: set_of(&names), values }).collect())
    }

    /// Those of the facts that a rule reads.
    pub(crate) fn read_by(&self, reads: FactSet) -> FactSet {
        self.0.iter().fold(FactSet::default(), |all, several| {
            if several.facts.meet(reads).is_empty() { all } else { all.union(several.facts) }
        })
    }

    /// All readings of those facts but the first, in which each has its first value; `None` if there are too many.
    pub(crate) fn others(&self, of: FactSet) -> Option<Vec<Reading<'a>>> {
        let mut readings: Vec<Reading<'a>> = vec![Vec::new()];
        for several in self.0.iter().filter(|several| !several.facts.meet(of).is_empty()) {
            if readings.len() * (several.values.len() + 1) > MAX_READINGS {
                return None;
            }
            let further = readings.iter().flat_map(|reading| {
                several.values.iter().map(|value| reading.iter().chain(value).copied().collect())
            });
            let further: Vec<_> = further.collect();
            readings.extend(further);
        }
        readings.remove(0);
        Some(readings)
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
