//! What the records of a bundle say that is told of all of them, as far as they have come.

use std::collections::BTreeMap;

use super::Engine;
use crate::{
    hash::Hash,
    run_ranges::RunRanges,
    words::{Action, IntegrityGrade},
};

/// Whose records they are.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) tenant_id: String,
    pub(super) run_id: String,
}

/// What the records say that is told of all of them.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) ranges: RunRanges,
    pub(super) newest_step: Option<Hash>,
    pub(super) grade: Option<IntegrityGrade>,
    pub(super) verdict_tally: BTreeMap<Action, u64>,
    pub(super) engines: Vec<Engine>,
}

impl Said {
    /// One more decision.
    pub(super) fn decision(&mut self, action: Action, engine: (&str, &str)) {
        *self.verdict_tally.entry(action).or_default() += 1;
        let is_it = |known: &Engine| (known.engine_version.as_str(), known.schema_version.as_str()) == engine;
        if !self.engines.iter().any(is_it) {
            let (engine_version, schema_version) = (engine.0.to_owned(), engine.1.to_owned());
            self.engines.push(Engine { engine_version, schema_version });
        }
    }
}
