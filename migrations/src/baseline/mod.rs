//! The schema that the history begins with: a file for each part, with its tables, their indexes, and what of their
//! rows is kept.
//!
//! What builds before it made is not brought up to it: none of them was released. Until this one is, it may be edited,
//! with another number in its name: a store that has the one from before is refused then, and not taken for this.

mod account;
mod counters;
mod decisions;
mod evidence;
mod incidents;
mod interventions;
mod jobs;
mod ledger;
mod limits;
mod policies;
mod records;
mod runs;
mod segments;
mod traces;

use crate::{dialect::Dialect, protect};

/// A table comes after those that it refers to.
pub(crate) fn statements(d: Dialect) -> Vec<String> {
    [
        protect::refusal(d),
        account::statements(d),
        policies::statements(d),
        limits::statements(d),
        runs::statements(d),
        interventions::statements(d),
        traces::statements(d),
        segments::statements(d),
        evidence::statements(d),
        decisions::statements(d),
        incidents::statements(d),
        records::statements(d),
        ledger::statements(d),
        counters::statements(d),
        jobs::statements(d),
    ]
    .concat()
}
