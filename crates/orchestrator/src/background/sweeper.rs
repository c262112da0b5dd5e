//! The sweeper seals runs that nobody ends:
//!
//! - a run that was stopped, when its grace is over;
//! - a trace whose root span has ended, when its quiet time is over;
//! - a run of which nothing was heard for too long, or a trace whose opener was not heard of: it is given up.
//!
//! All of them go through the choke point, as every end of a run does, so two replicas that sweep the same run seal it
//! once. A run that cannot be sealed is tried again by itself, at growing intervals, and does not stand in any other's
//! way.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use models::{
    activity::{DueReason, DueRun},
    ids::{RunId, TenantId},
};

use crate::{
    choke::call::EndRun, clock_check, consequences::rejected, context::TenantSettings, errors::Error,
    handlers::activity, spine::Spine, tenants::settings_of,
};

/// The first wait of a run that could not be sealed, and the longest.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(64);

/// Ends every run that is due at the spine's time, if that time can be relied on; the runs of one tenant together.
/// Gives how many.
///
/// A run that cannot be ended is logged and put off, and keeps no other waiting. A failure that will pass is given when
/// all runs were tried.
pub async fn tick(spine: &Spine) -> Result<usize, Error> {
    activity::write_overdue(spine).await?;
    rejected::flush(spine).await;
    if !clock_check::may_sweep(spine).await? {
        return Ok(0);
    }
    let now = spine.now();
    let silent_since = clock_check::may_give_up(spine).then(|| now - spine.settings().run_abandon_after);
    let due = spine.read_first().await?.activity().due_runs(now, silent_since).await?;
    let mut tenants: BTreeMap<TenantId, Vec<DueRun>> = BTreeMap::new();
    for run in due {
        tenants.entry(run.tenant).or_default().push(run);
    }
    let (mut ended, mut failure) = (0, None);
    for (tenant, due) in tenants {
        let ends: Vec<(RunId, EndRun)> = due.iter().map(|run| (run.id, how(run.reason))).collect();
        let answers = match tenant_of(spine, tenant).await {
            Ok(tenant) => activity::sweep(spine, &tenant, &ends).await,
            Err(err) => Err(err),
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(err) if passes(&err) => {
                failure = failure.or(Some(err));
                continue;
            }
            Err(err) => {
                tracing::error!(error = &err as &dyn std::error::Error, %tenant, "no run of the tenant can be sealed");
                put_off(spine, tenant, &due).await?;
                continue;
            }
        };
        let mut failed = Vec::new();
        for (run, answer) in due.into_iter().zip(answers) {
            match answer {
                Ok(_) => ended += 1,
                // Its agent, or another replica, was first.
                Err(Error::RunNotRunning { .. } | Error::RunKilled { .. }) => {}
                Err(err) if passes(&err) => failure = failure.or(Some(err)),
                Err(err) => {
                    let cause = &err as &dyn std::error::Error;
                    tracing::error!(error = cause, %tenant, run = %run.id, "a run cannot be sealed; it is put off");
                    failed.push(run);
                }
            }
        }
        put_off(spine, tenant, &failed).await?;
    }
    failure.map_or(Ok(ended), Err)
}

fn how(reason: DueReason) -> EndRun {
    match reason {
        DueReason::Stopped => EndRun::StopElapsed,
        DueReason::Abandoned => EndRun::Abandoned,
    }
}

/// Whether it is nothing of the run's own.
fn passes(err: &Error) -> bool {
    matches!(err, Error::Busy | Error::Unavailable(_) | Error::HeldBack(_) | Error::CommitUnknown(_))
}

/// Puts off the next try of runs that could not be sealed.
async fn put_off(spine: &Spine, tenant: TenantId, runs: &[DueRun]) -> Result<(), Error> {
    let now = spine.now();
    let mut waits: BTreeMap<TimeDelta, Vec<RunId>> = BTreeMap::new();
    for run in runs {
        waits.entry(wait(spine, run, now)).or_default().push(run.id);
    }
    if waits.is_empty() {
        return Ok(());
    }
    let tx = spine.begin().await?;
    for (wait, runs) in waits {
        tx.activity().put_off_sealing(tenant, &runs, now + wait).await?;
    }
    Ok(tx.commit().await?)
}

/// As long as it has been due already, rounded to a power of two: so each wait is about twice the one before.
fn wait(spine: &Spine, run: &DueRun, now: DateTime<Utc>) -> TimeDelta {
    let due = match run.reason {
        DueReason::Stopped => run.since,
        DueReason::Abandoned => run.since + spine.settings().run_abandon_after,
    };
    let (mut wait, waited) = (FIRST_WAIT, now - due);
    while wait < LONGEST_WAIT && wait <= waited {
        wait += wait;
    }
    wait
}

async fn tenant_of(spine: &Spine, id: TenantId) -> Result<Arc<TenantSettings>, Error> {
    let found = spine.read_first().await?.account().find_tenant(id).await?;
    settings_of(spine, &found.ok_or_else(|| Error::not_found("tenant", id))?).map(Arc::new)
}
