//! How much is held now of what is bounded.

use std::collections::BTreeMap;

use crate::{
    budget::{Budget, Refusals},
    spine::Spine,
};

/// What is held now, in bytes or places, by what it is.
#[must_use]
pub fn held(spine: &Spine) -> BTreeMap<&'static str, usize> {
    budgets(spine).into_iter().map(|budget| (budget.refusals().what(), budget.held())).collect()
}

/// All budgets that calls share.
fn budgets(spine: &Spine) -> [&Budget; 6] {
    let [places, waiting, unwritten] = spine.choke().budgets();
    [spine.bodies(), spine.answers(), spine.told_runs(), places, waiting, unwritten]
}

/// For whose calls there was no room, of whatever they share.
pub(crate) fn refusals(spine: &Spine) -> impl Iterator<Item = &Refusals> {
    budgets(spine).into_iter().map(Budget::refusals).chain([spine.unread_runs()])
}
