//! Everything that was measured on one store, and how it compares.

use super::{
    bundle::Bundle, list_page::ListPage, options::Kind, rate::Rate, standing::Standing, stats::ratio,
    traces::Trace,
};

/// More than the system itself takes for the sockets and files of the measured: then the figures are of less worth.
const DISTURBED: f64 = 0.25;

/// Everything about one store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) kind: Kind,
    /// `SQLite` or `Postgres 15.18`.
    pub(super) name: String,
    pub(super) rates: Vec<Rate>,
    pub(super) traces: Vec<Trace>,
    pub(super) bundles: Vec<Bundle>,
    pub(super) lists: Vec<ListPage>,
    pub(super) standing: Standing,
    /// What could not be measured, and why.
    pub(super) missed: Vec<String>,
}

/// What was measured on one store: by this tree's binary, and by the one of before where there is one.
pub(super) struct Measured {
    pub(super) before: Option<Store>,
    pub(super) after: Store,
}

impl Store {
    /// Of which nothing is measured yet.
    pub(super) fn new(kind: Kind, name: String) -> Self {
        Self {
            kind,
            name,
            rates: Vec::new(),
            traces: Vec::new(),
            bundles: Vec::new(),
            lists: Vec::new(),
            standing: Standing::default(),
            missed: Vec::new(),
        }
    }

    /// Takes over a measurement, or one more round of it.
    pub(super) fn add_rate(&mut self, rate: Rate) {
        let mut rates = self.rates.iter_mut();
        if let Some(known) = rates.find(|known| known.what == rate.what && known.callers == rate.callers) {
            known.join(rate);
        } else {
            self.rates.push(rate);
        }
    }

    /// Takes over a trace, or one more round of it.
    pub(super) fn add_trace(&mut self, trace: Trace) {
        if let Some(known) = self.traces.iter_mut().find(|known| known.spans == trace.spans) {
            known.join(trace);
        } else {
            self.traces.push(trace);
        }
    }

    /// The measurement of that name, with as many callers where that is said.
    pub(super) fn find(&self, what: &str, callers: Option<usize>) -> Option<&Rate> {
        self.rates
            .iter()
            .find(|rate| rate.what == what && callers.is_none_or(|callers| rate.callers == callers))
    }

    /// Of what the store itself can do with as many callers; where one is all that it lets write, of that one.
    pub(super) fn of_store(&self, rate: &Rate) -> Option<f64> {
        let callers = if self.kind == Kind::Sqlite { 1 } else { rate.callers };
        ratio(rate.per_second, self.find(rate.limit()?, Some(callers))?.per_second)
    }

    /// Of what the server answers when it does nothing.
    pub(super) fn of_bare(&self, rate: &Rate) -> Option<f64> {
        let bare = self.find(Rate::BARE, None).filter(|_| !rate.is_limit())?;
        ratio(rate.per_second, bare.per_second)
    }

    /// What should not be: answers that did not count, and what could not be measured.
    pub(super) fn anomalies(&self) -> Vec<String> {
        let of = |rate: &Rate| {
            let told = |(status, count, first): &(u16, usize, String)| {
                format!(
                    "{}: {}, {} callers: {count} answers {status}, first: {first}",
                    self.name, rate.what, rate.callers
                )
            };
            rate.others.iter().map(told).collect::<Vec<_>>()
        };
        let missed = self.missed.iter().map(|missed| format!("{}: not measured: {missed}", self.name));
        self.rates.iter().flat_map(of).chain(missed).collect()
    }

    /// The most processors that something else kept busy during a measurement, where that is worth a word.
    pub(super) fn disturbance(&self) -> Option<f64> {
        let most = self.rates.iter().filter_map(|rate| rate.disturbance).fold(0.0, f64::max);
        (most > DISTURBED).then_some(most)
    }
}
