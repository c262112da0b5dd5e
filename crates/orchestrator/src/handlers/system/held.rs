//! How much is held now of what is bounded.

use std::collections::BTreeMap;

use crate::{budget::Budget, spine::Spine};

/// What is held now, in bytes or places, by what it is.
#[must_use]
pub fn held(spine: &Spine) -> BTreeMap<&'static str, usize> {
    budgets(spine).into_iter().map(|budget| (budget.what(), budget.held())).collect()
}

/// All budgets that calls share.
pub(crate) fn budgets(spine: &Spine) -> [&Budget; 7] {
    let [places, waiting, unwritten] = spine.choke().budgets();
    [spine.bodies(), spine.answers(), spine.whole_runs(), spine.told_runs(), places, waiting, unwritten]
}
