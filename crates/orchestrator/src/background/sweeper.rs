//! The sweeper: a run that was stopped and not ended is sealed after its grace, a trace whose root span has ended after
//! its quiet time, and a run of which nothing was heard is given up. All go through the choke point, as every end of a
//! run does; so two replicas that sweep the same run seal it once.

use std::{collections::BTreeMap, sync::Arc};

use models::{
    activity::DueReason,
    ids::{RunId, TenantId},
};

use crate::{
    choke::call::EndRun,
    context::TenantSettings,
    errors::Error,
    handlers::{account::settings_of, activity},
    spine::Spine,
};

/// Ends every run that is due at the spine's time, those of a tenant together. Gives how many. What cannot be ended
/// does not keep the others waiting; the first failure is given when all were tried.
pub async fn tick(spine: &Spine) -> Result<usize, Error> {
    activity::write_overdue(spine).await?;
    let now = spine.now();
    let silent_since = now - spine.settings().run_abandon_after;
    let due = spine.read().await?.activity().due_runs(now, silent_since).await?;
    let mut tenants: BTreeMap<TenantId, Vec<(RunId, EndRun)>> = BTreeMap::new();
    for run in due {
        let how = match run.reason {
            DueReason::Stopped => EndRun::StopElapsed,
            DueReason::Abandoned => EndRun::Abandoned,
        };
        tenants.entry(run.tenant).or_default().push((run.id, how));
    }
    let (mut ended, mut failure) = (0, None);
    for (tenant, ends) in tenants {
        let answers = match tenant_of(spine, tenant).await {
            Ok(tenant) => activity::sweep(spine, &tenant, &ends).await,
            Err(err) => Err(err),
        };
        for answer in answers.unwrap_or_else(|err| vec![Err(err)]) {
            match answer {
                Ok(_) => ended += 1,
                // Its agent, or another replica, was first.
                Err(Error::RunNotRunning { .. } | Error::RunKilled { .. }) => {}
                Err(err) => failure = failure.or(Some(err)),
            }
        }
    }
    failure.map_or(Ok(ended), Err)
}

async fn tenant_of(spine: &Spine, id: TenantId) -> Result<Arc<TenantSettings>, Error> {
    let found = spine.read().await?.account().find_tenant(id).await?;
    settings_of(spine, &found.ok_or_else(|| Error::not_found("tenant", id))?).map(Arc::new)
}
