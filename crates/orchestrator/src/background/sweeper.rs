//! The sweeper: a run that was stopped and not ended is sealed after its grace, and one of which nothing was heard is
//! given up. Both go through the choke point, as every end of a run does; so two replicas that sweep the same run
//! seal it once.

use std::{collections::HashMap, sync::Arc};

use models::{activity::DueReason, ids::TenantId};

use crate::{
    choke::call::EndRun,
    context::TenantSettings,
    errors::Error,
    handlers::{account::settings_of, activity},
    spine::Spine,
};

/// Ends every run that is due at the spine's time. Gives how many. One that cannot be ended does not keep the others
/// waiting; the first failure is given when all were tried.
pub async fn tick(spine: &Spine) -> Result<usize, Error> {
    activity::write_overdue(spine).await?;
    let now = spine.now();
    let silent_since = now - spine.settings().run_abandon_after;
    let due = spine.read().await?.activity().due_runs(now, silent_since).await?;
    let mut tenants: HashMap<TenantId, Arc<TenantSettings>> = HashMap::new();
    let (mut ended, mut failure) = (0, None);
    for run in due {
        let tenant = match tenants.get(&run.tenant) {
            Some(tenant) => Arc::clone(tenant),
            None => match tenant_of(spine, run.tenant).await {
                Ok(tenant) => Arc::clone(tenants.entry(run.tenant).or_insert(tenant)),
                Err(err) => {
                    failure = failure.or(Some(err));
                    continue;
                }
            },
        };
        let how = match run.reason {
            DueReason::Stopped => EndRun::StopElapsed,
            DueReason::Abandoned => EndRun::Abandoned,
        };
        match activity::sweep_end(spine, &tenant, run.id, how).await {
            Ok(_) => ended += 1,
            // Its agent, or another replica, was first.
            Err(Error::RunNotRunning { .. } | Error::RunKilled { .. }) => {}
            Err(err) => failure = failure.or(Some(err)),
        }
    }
    failure.map_or(Ok(ended), Err)
}

async fn tenant_of(spine: &Spine, id: TenantId) -> Result<Arc<TenantSettings>, Error> {
    let found = spine.read().await?.account().find_tenant(id).await?;
    settings_of(spine, &found.ok_or_else(|| Error::not_found("tenant", id))?).map(Arc::new)
}
