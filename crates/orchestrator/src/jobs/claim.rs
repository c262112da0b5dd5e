//! A server takes a job that is due, of one tenant after the other.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use drivers::{ClaimedJob, DueJobs};
use engines::jobs::{Taken, take};
use models::{
    ids::{JobId, TenantId},
    jobs::JobKind,
};

use super::{policy::policy_of, stored::store, work::Work};
use crate::{clock_check, errors::Error, spine::Spine};

/// So many tenants have their turn before one has it again.
const TURNS: usize = 32;

/// So many jobs of which the row does not read back are passed over: no other waits behind them.
const PASSED_OVER: usize = 500;

/// For how long: then each is tried, and told, again. Somebody may have mended it.
const FOR: TimeDelta = TimeDelta::minutes(10);

/// What a server knows of what it takes next.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The tenants that had theirs: who orders much does not have the others wait until all of it is done.
    had: VecDeque<TenantId>,
    /// Jobs of which the row did not read back, and since when the first of them is passed over.
    unreadable: Vec<JobId>,
    since: Option<DateTime<Utc>>,
}

impl Turns {
    fn passes_over(&mut self, job: JobId, now: DateTime<Utc>) {
        self.since.get_or_insert(now);
        self.unreadable.push(job);
    }

    fn tries_again(&mut self, now: DateTime<Utc>) {
        if self.since.is_some_and(|since| (now - since).abs() >= FOR) {
            self.unreadable.clear();
            self.since = None;
        }
    }

    fn has(&mut self, tenant: TenantId) {
        self.had.push_back(tenant);
        if self.had.len() > TURNS {
            self.had.pop_front();
        }
    }
}

/// Takes the job of this kind that has been due longest of those whose turn it is, if it was at `by`; none where there
/// is none.
pub(super) async fn claim(
    spine: &Spine,
    kind: JobKind,
    server: &str,
    by: DateTime<Utc>,
    turns: &mut Turns,
) -> Result<Option<Work>, Error> {
    turns.tries_again(spine.now());
    loop {
        let all = DueJobs { kind, by, but_jobs: &turns.unreadable, but_tenants: &[] };
        if !spine.read_first().await?.jobs().is_due(all).await? {
            return Ok(None);
        }
        // What is due by a clock that is wrong is not.
        if !clock_check::may_sweep(spine).await? {
            return Ok(None);
        }
        let tx = spine.begin().await?;
        let now = spine.now();
        let had: Vec<TenantId> = turns.had.iter().copied().collect();
        let mut claimed = tx.jobs().claim_due(DueJobs { but_tenants: &had, ..all }).await?;
        if claimed.is_none() && !had.is_empty() {
            claimed = tx.jobs().claim_due(all).await?;
            turns.had.clear();
        }
        let job = match claimed {
            Some(ClaimedJob::Job(job)) => *job,
            Some(ClaimedJob::Unreadable(job, err)) if turns.unreadable.len() < PASSED_OVER => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    %job,
                    "a job cannot be read; it is passed over"
                );
                turns.passes_over(job, now);
                continue;
            }
            Some(ClaimedJob::Unreadable(_, err)) => return Err(err.into()),
            None => return Ok(None),
        };
        turns.has(job.tenant);
        match take(job, server, &policy_of(spine, kind), now) {
            Taken::Started(moved) => {
                let job = store(&tx, moved).await?;
                tx.commit().await?;
                return Ok(Some(Work::new(spine, job, server)));
            }
            Taken::GivenUp(moved) => {
                let job = store(&tx, moved).await?;
                tx.commit().await?;
                let (tenant, id) = (job.tenant, job.id);
                tracing::error!(%tenant, job = %id, %kind, "every server that was at a job went silent; it is given up");
            }
        }
    }
}
