//! The permits that a group uses or releases, locked; and those of its runs that are open.

use std::collections::HashSet;

use chrono::DateTime;
use drivers::{StoreError, Tx};
use models::ids::{PermitId, RunId};

use super::touched::Touched;
use crate::{
    choke::state::{
        State,
        held::HeldPermit,
        open::{self, OpenPermits},
        usage,
    },
    clock_check,
};

/// The most permits that lapsed and are released with one group; the rest go with the next.
const MAX_LAPSED: u64 = 500;

/// The permits that records name, and those that lapsed meanwhile, of which it was said with the runs whether there are
/// any.
pub(super) async fn load(state: &mut State, tx: &Tx, touched: &Touched) -> Result<(), StoreError> {
    if !touched.spends {
        return Ok(());
    }
    let named: Vec<(PermitId, RunId)> = touched.permits.iter().copied().collect();
    let most = if state.lapsed && may_release(state) { MAX_LAPSED } else { 0 };
    for permit in tx.policies().lock_permits(state.tenant.id, &named, state.now, most).await? {
        state.permits.insert(permit.id, HeldPermit::locked(permit));
    }
    Ok(())
}

/// The open permits of the runs that have a limit which asks for them: not locked, for the runs are. Of those that are
/// `remembered` they are, too.
pub(super) async fn load_open(
    state: &mut State,
    tx: &Tx,
    remembered: &HashSet<RunId>,
) -> Result<(), StoreError> {
    let may_lapse = clock_check::may_lapse(&state.spine);
    let mut runs: Vec<RunId> = Vec::new();
    for run in state.runs.values_mut().filter(|run| open::are_asked_for(&run.snapshot)) {
        if may_lapse && remembered.contains(&run.run.id) {
            run.open.lapse(state.now);
        } else {
            // What had lapsed by the clock is not remembered, and may not have by now.
            run.open = OpenPermits::default();
            runs.push(run.run.id);
        }
    }
    if runs.is_empty() {
        return Ok(());
    }
    let serving_at = if may_lapse { state.now } else { DateTime::UNIX_EPOCH };
    for permit in tx.policies().open_permits(state.tenant.id, &runs, serving_at).await? {
        if let Some(run) = state.runs.get_mut(&permit.run_id) {
            run.open.grant(permit.id, &permit.estimate, permit.expires_at);
        }
    }
    Ok(())
}

/// Releases those that lapsed, when the windows are there of which they hold something: also those that hold nothing,
/// which each group would find again else.
pub(super) fn release_lapsed(state: &mut State) {
    if may_release(state) {
        usage::release_lapsed(state);
    }
}

/// By a wrong clock nothing lapses, nor by one that may just have jumped: what others were granted is still under way.
fn may_release(state: &State) -> bool {
    state.spine.clocks().wrong().is_none() && clock_check::may_lapse(&state.spine)
}
