//! What is used of the windows of limits, locked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    ids::RunId,
    policies::{Usage, UsageKey},
};

use crate::choke::{
    prepare::{Call, CallKind},
    state::{State, Tracked, tree, usage},
};

/// Every window that the group may count in, and every window that a reservation is released from.
///
/// `decided` is when the calls of a run were decided that were answered while the store was down: they count in the
/// windows of then.
pub(super) async fn load(
    state: &mut State,
    tx: &Tx,
    calls: &[&[Call]],
    decided: &HashMap<RunId, Vec<DateTime<Utc>>>,
) -> Result<(), StoreError> {
    let mut opened: BTreeMap<UsageKey, Option<DateTime<Utc>>> = BTreeMap::new();
    for call in calls.iter().copied().flatten() {
        if !matches!(call.what, CallKind::Permit(_) | CallKind::Record(_)) {
            continue;
        }
        if let Some(run) = call.run_id().and_then(|run| state.runs.get(&run)) {
            let now = [run.counts_at(state.now)];
            for at in decided.get(&run.run.id).map_or(&now[..], Vec::as_slice) {
                opened.extend(usage::windows(run, call.provider(), *at, state.tenant.calendar));
            }
        }
    }
    let mut keys: BTreeSet<UsageKey> = opened.keys().cloned().collect();
    for permit in state.permits.values() {
        keys.extend(usage::reserved(permit.row()));
    }
    for ((run, _), spent) in tree::windows_of(state, calls.iter().copied().flatten()) {
        let Some(run) = state.runs.get(&run) else { continue };
        let windows = usage::windows(run, spent.provider.as_deref(), spent.at, state.tenant.calendar);
        keys.extend(windows.into_iter().map(|(key, _)| key));
    }
    if keys.is_empty() {
        return Ok(());
    }
    let (tenant, keys) = (state.tenant.id, keys.into_iter().collect::<Vec<_>>());
    let mut usage = tx.policies().lock_usage(tenant, &keys).await?;
    // Windows that nobody has counted in yet. One that is over, and of which a lapsed permit held something, may be
    // gone.
    let found: HashSet<UsageKey> = usage.iter().map(Usage::key).collect();
    opened.retain(|key, _| !found.contains(key));
    if !opened.is_empty() {
        let opened: Vec<usage::Opened> = opened.into_iter().collect();
        let made = tx.policies().ensure_usage(tenant, &opened, state.now).await?;
        if made == opened.len() as u64 {
            let none = |(key, over_by)| Usage::none(tenant, key, over_by, state.now);
            usage.extend(opened.into_iter().map(none));
        } else {
            // Another has made some of them, and counted in them.
            usage = tx.policies().lock_usage(tenant, &keys).await?;
        }
    }
    for usage in usage {
        state.usage.insert(usage.key(), Tracked::stored(usage));
    }
    Ok(())
}
