//! The runs that a group touches, locked, with their traces and the policies that they are bound to.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use drivers::{
    StoreError, Tx,
    logs::RunSalt,
    run_locks::{LockedRun, StoredState},
};
use models::{
    activity::{Run, RunVersion},
    ids::{RunId, SnapshotId},
    logs::Trace,
};
use proof::records::RecordKind;

use super::touched::Touched;
use crate::{
    choke::state::{RunState, State, hot::HotRun, open::OpenPermits, snapshots::BoundSnapshot},
    consequences::found::of_row,
};

/// Gives those that were not read, for they are remembered.
pub(super) async fn load(
    state: &mut State,
    tx: &Tx,
    touched: &Touched,
) -> Result<HashSet<RunId>, StoreError> {
    if touched.runs.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: Vec<RunId> = touched.runs.iter().copied().collect();
    let remembered = load_hot(state, tx, &ids).await?;
    let cold: Vec<RunId> = ids.iter().copied().filter(|id| !remembered.contains(id)).collect();
    if !cold.is_empty() {
        load_cold(state, tx, &cold).await?;
    }
    go_on(state, &ids).await?;
    load_salts(state, tx).await?;
    Ok(remembered)
}

/// Takes those of the runs that are remembered here, and that the store has in the state that is remembered; gives
/// them. Where one is remembered, all are locked.
async fn load_hot(state: &mut State, tx: &Tx, ids: &[RunId]) -> Result<HashSet<RunId>, StoreError> {
    let tenant = state.tenant.id;
    let not_before = state.now - state.spine.settings().outage_memory;
    let mut hot = state.spine.choke().memory.lend(tenant, ids, not_before);
    let mut taken = HashSet::with_capacity(hot.len());
    if hot.is_empty() {
        return Ok(taken);
    }
    let states = tx.run_locks().lock_states(tenant, ids, state.now).await?;
    for StoredState { run: id, version, frozen, salt, lapsed } in states {
        state.lapsed |= lapsed;
        // By a salt that is not the store's any more, nobody could tell again what the run says now.
        let holds = |hot: &HotRun| hot.version == version && salt.as_ref() == Some(&hot.beside.salt);
        let Some(hot) = hot.remove(&id).filter(holds) else { continue };
        let HotRun { run, trace, version, snapshot, open, beside } = hot;
        state.frozen |= frozen || may_be_frozen(&run);
        state.salts.insert(id, RunSalt::Kept(beside.salt));
        state.keys.extend(beside.keys.map(|keys| (id, keys)));
        state.runs.insert(id, RunState { open, ..stored(run, trace, version, snapshot) });
        taken.insert(id);
    }
    Ok(taken)
}

/// Reads runs, with their traces.
async fn load_cold(state: &mut State, tx: &Tx, ids: &[RunId]) -> Result<(), StoreError> {
    let tenant = Arc::clone(&state.tenant);
    let missing = |run: &Run, table| StoreError::Corrupt {
        table,
        row: run.id.to_string(),
        why: "the run names it, and it is not there".to_owned(),
    };
    let runs = tx.run_locks().lock_whole(tenant.id, ids, state.now).await?;
    if runs.len() < ids.len() {
        let there: HashSet<RunId> = runs.iter().map(|locked| locked.run.id).collect();
        let others: Vec<RunId> = ids.iter().copied().filter(|id| !there.contains(id)).collect();
        if let Some(run) = tx.activity().lock_runs(tenant.id, &others).await?.first() {
            return Err(missing(run, "aos_traces"));
        }
    }
    let bound: BTreeSet<SnapshotId> = runs.iter().map(|locked| locked.run.snapshot_id).collect();
    let snapshots = state.spine.choke().snapshots.of(tx, &tenant, &bound).await?;
    for LockedRun { run, trace, version, frozen, salt, lapsed } in runs {
        state.lapsed |= lapsed;
        let snapshot = snapshots.get(&run.snapshot_id).ok_or_else(|| missing(&run, "policy_snapshots"))?;
        // One that is over may have been erased while this waited for it. `load_salts` asks for those.
        let goes_on = run.state != models::activity::RunState::Completed;
        state.salts.extend(salt.filter(|_| goes_on).map(|salt| (run.id, RunSalt::Kept(salt))));
        state.frozen |= frozen || may_be_frozen(&run);
        state.runs.insert(run.id, stored(run, trace, version, Arc::clone(snapshot)));
    }
    Ok(())
}

/// What a store knows of a freeze is its text, and a name that is not ASCII may have been kept in another form. One
/// that is ASCII has one form: a freeze that an older build kept of a sign which only composes to ASCII (U+212A,
/// Kelvin) is met at a run's start, not at its steps, for no index finds it.
fn may_be_frozen(run: &Run) -> bool {
    !run.agent_id.is_ascii()
}

/// What the texts of the other runs are hashed with, of those that are over, and why some have nothing. Where that is
/// lost an incident is opened, and only what brings a text is refused: the run can be halted, ended and sealed.
async fn load_salts(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let ids: Vec<RunId> = state.runs.keys().copied().filter(|id| !state.salts.contains_key(id)).collect();
    state.salts.extend(tx.traces().salts(state.tenant.id, &ids).await?);
    let lost = state.salts.iter().filter_map(|(run, salt)| match salt {
        RunSalt::Lost(why) => Some(of_row(Some(*run), "run_salts", run.to_string(), why.clone())),
        RunSalt::Kept(_) | RunSalt::Erased { .. } => None,
    });
    let lost: Vec<_> = lost.collect();
    if !lost.is_empty() {
        state.spine.choke().snapshots.still_untold(state.tenant.id, lost);
    }
    Ok(())
}

/// Fails where one of the runs does not go on from where this process saw it: the store fell back.
///
/// What the logs of the store lost as well can be accepted by somebody, and may have been before this process met it.
/// So they are asked first, and only where nothing is missing in them does the process give up.
async fn go_on(state: &State, ids: &[RunId]) -> Result<(), StoreError> {
    let Some(why) = fallen(state, ids) else { return Ok(()) };
    match state.spine.db().compare_logs().await {
        Ok(()) => {}
        Err(StoreError::ReadOnly(_)) => {
            tracing::error!("{why}");
            return Err(StoreError::ReadOnly(why));
        }
        Err(err) => return Err(err),
    }
    let Some(why) = fallen(state, ids) else { return Ok(()) };
    state.spine.give_up(&why);
    Err(StoreError::ReadOnly(why))
}

fn fallen(state: &State, ids: &[RunId]) -> Option<String> {
    let (choke, tenant) = (state.spine.choke(), state.tenant.id);
    choke.accept(&state.spine, tenant);
    let memory = &choke.memory;
    ids.iter().find_map(|id| memory.fallen(tenant, *id, state.runs.get(id)))
}

fn stored(run: Run, trace: Trace, version: RunVersion, snapshot: Arc<BoundSnapshot>) -> RunState {
    RunState {
        stood: run.standing(),
        run,
        trace,
        version,
        snapshot,
        breached: HashSet::new(),
        open: OpenPermits::default(),
        near_limit: false,
        changed: false,
        is_new: false,
        ending: None,
        freeze: None,
        met: HashSet::new(),
        acked: HashSet::new(),
        unacked_kill: None,
        late: None,
    }
}

/// Breaches that the runs have already, so that a repeat is told from a first.
pub(super) async fn load_breaches(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let breached = state.runs.values().filter(|run| run.next_seq(RecordKind::Breach) > 0);
    let breached: Vec<RunId> = breached.map(|run| run.run.id).collect();
    if breached.is_empty() {
        return Ok(());
    }
    for breach in tx.policies().breach_keys_of_runs(state.tenant.id, &breached).await? {
        if let Some(run) = state.runs.get_mut(&breach.run_id) {
            run.breached.insert((breach.limit_id, breach.window_start));
        }
    }
    Ok(())
}
