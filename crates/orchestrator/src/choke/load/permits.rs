//! The permits that a group uses or releases, locked.

use drivers::{StoreError, Tx};
use models::ids::{PermitId, RunId};

use super::touched::Touched;
use crate::choke::state::{State, held::HeldPermit, usage};

/// The most permits that lapsed and are released with one group; the rest go with the next.
const MAX_LAPSED: u64 = 500;

/// The permits that records name, and those that lapsed meanwhile.
pub(super) async fn load(state: &mut State, tx: &Tx, touched: &Touched) -> Result<(), StoreError> {
    if !touched.spends {
        return Ok(());
    }
    let named: Vec<(PermitId, RunId)> = touched.permits.iter().copied().collect();
    // By a wrong clock nothing lapses: what others were granted is still under way.
    let most = if state.spine.clocks().wrong().is_some() { 0 } else { MAX_LAPSED };
    for permit in tx.policies().lock_permits(state.tenant.id, &named, state.now, most).await? {
        state.permits.insert(permit.id, HeldPermit::locked(permit));
    }
    Ok(())
}

/// Releases those that lapsed, when the windows are there of which they hold something: also those that hold nothing, which
/// each group would find again else.
pub(super) fn release_lapsed(state: &mut State) {
    if state.spine.clocks().wrong().is_none() {
        usage::release_lapsed(state);
    }
}
