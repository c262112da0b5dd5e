//! Holds what this server remembers of a tenant's runs for their next groups (ADR 47) against the store. Nobody else
//! does: a group goes by it, and writes it back.

use std::collections::HashMap;

use drivers::run_locks::LockedRun;
use models::ids::{RunId, TenantId};

use crate::{errors::Error, spine::Spine};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many runs the store has in the very version that is remembered.
    pub runs: usize,
    /// What is remembered of them in another way than it is stored; empty is good.
    pub stale: Vec<String>,
}

/// Compares the runs that are remembered, and their traces, with what the store has. Where that was written since, the
/// run is read when it is asked for, and there is nothing to compare.
pub async fn compare(spine: &Spine, tenant: TenantId) -> Result<Compared, Error> {
    let remembered = spine.choke().hot(tenant);
    let ids: Vec<RunId> = remembered.iter().map(|hot| hot.run.id).collect();
    let tx = spine.begin().await?;
    let stored = tx.run_locks().lock_whole(tenant, &ids).await?;
    tx.rollback().await?;
    let stored: HashMap<RunId, LockedRun> = stored.into_iter().map(|one| (one.run.id, one)).collect();
    let mut compared = Compared::default();
    for hot in remembered {
        let same = |stored: &&LockedRun| stored.version == hot.version;
        let Some(stored) = stored.get(&hot.run.id).filter(same) else { continue };
        compared.runs += 1;
        if stored.run != hot.run {
            compared.stale.push(format!("the run {:?} is stored as {:?}", hot.run, stored.run));
        }
        if stored.trace != hot.trace {
            compared.stale.push(format!("the trace {:?} is stored as {:?}", hot.trace, stored.trace));
        }
    }
    Ok(compared)
}
