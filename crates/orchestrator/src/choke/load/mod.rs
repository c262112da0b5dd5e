//! Locks and reads every row that a group touches, in the one lock order: runs, each with its trace, permits, usage.
//! Incidents are next: which of them, is known when the calls are decided.
//!
//! Each kind is one statement, however many calls; those that no call needs are left out.

mod answers;
mod interventions;
mod permits;
mod runs;
mod touched;
mod usage;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::ids::RunId;

use self::touched::Touched;
use super::{
    prepare::Call,
    state::{State, kept, late, tree},
};
use crate::{context::TenantSettings, spine::Spine};

/// What is known of calls that were answered while the store was down.
#[derive(Default)]
pub(super) struct Late {
    /// What comes to these runs has happened already: if one is sealed, it goes into an addendum.
    pub(super) let_through: BTreeSet<RunId>,
    /// When the calls of each run were decided: they count in the windows of then.
    pub(super) decided: HashMap<RunId, Vec<DateTime<Utc>>>,
}

/// Everything that the group's calls are decided on.
pub(super) async fn load(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    tx: &Tx,
    calls: &[&[Call]],
    late: &Late,
) -> Result<State, StoreError> {
    let mut touched = Touched::by(calls);
    let mut state = State::new(spine, tenant);
    if !touched.start_keys.is_empty() {
        for run in tx.activity().find_runs_by_keys(tenant.id, &touched.start_keys).await? {
            touched.runs.insert(run.id);
            state.run_keys.extend(run.idempotency_key.map(|key| ((run.key_id, key), run.id)));
        }
    }
    if !touched.traces.is_empty() {
        state.traces = tx.activity().runs_of_traces(tenant.id, &touched.traces).await?;
        touched.runs.extend(state.traces.values());
    }
    if touched.starts {
        state.current = Some(spine.choke().snapshots.current(spine, tx, tenant).await?);
    }
    if !touched.lineage.is_empty() {
        // Not locked: what is asked of them never changes, and they may be another key's.
        let ids: Vec<RunId> = touched.lineage.iter().copied().collect();
        state.lineage = tx.activity().lineage(tenant.id, &ids).await?;
    }
    let remembered = runs::load(&mut state, tx, &touched).await?;
    interventions::load(&mut state, tx, &touched).await?;
    late::load(&mut state, tx, &touched.spans, &late.let_through).await?;
    tree::load(&mut state, tx, touched.spans.iter().copied()).await?;
    answers::load(&mut state, tx, &touched, calls).await?;
    permits::load(&mut state, tx, &touched).await?;
    permits::load_open(&mut state, tx, &remembered).await?;
    if touched.spends {
        usage::load(&mut state, tx, calls, &late.decided).await?;
        permits::release_lapsed(&mut state);
    }
    runs::load_breaches(&mut state, tx).await?;
    kept::load(&mut state, tx, calls).await?;
    Ok(state)
}
