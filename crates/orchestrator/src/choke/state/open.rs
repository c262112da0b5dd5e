//! What the open permits of a run hold of the limits on the run itself, which have no window that it could be counted in.
//!
//! A permit of a run is granted, and used, only by who holds the run locked, so what is read with the run stays true. One
//! that has lapsed may be released by another group: it is held here until the next call then, and serves nobody meanwhile.

use std::collections::HashMap;

use models::{ids::PermitId, policies::Estimate};
use rules::{Count, limits::Held};

/// The permits of one run that are granted, and neither used nor lapsed.
#[derive(Clone, Default)]
pub(in crate::choke) struct OpenPermits(HashMap<PermitId, Estimate>);

impl OpenPermits {
    pub(in crate::choke) fn grant(&mut self, id: PermitId, estimate: Estimate) {
        self.0.insert(id, estimate);
    }

    /// It was used, or has lapsed.
    pub(in crate::choke) fn close(&mut self, id: PermitId) {
        self.0.remove(&id);
    }

    /// What all of them hold, without the one whose step is recorded.
    pub(in crate::choke) fn held(&self, but: Option<PermitId>) -> Held {
        let others = self.0.iter().filter(|(id, _)| Some(**id) != but);
        others.map(|(_, estimate)| held_by(estimate)).fold(Held::default(), |sum, held| sum + held)
    }
}

/// What one permit holds.
pub(in crate::choke) fn held_by(estimate: &Estimate) -> Held {
    Held {
        steps: Count::from(1),
        tokens: Count::from(estimate.input_tokens) + Count::from(estimate.output_tokens),
        cost_nanousd: estimate.cost_nanousd.unwrap_or(0).into(),
    }
}
