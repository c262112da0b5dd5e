//! Plays the chains of a tenant's jobs again, some jobs at a time, and holds each job against its own.

use std::collections::HashMap;

use engines::jobs::verify_chain;
use models::{
    ids::{JobId, TenantId},
    jobs::JobAuditEvent,
};

use crate::{errors::Error, spine::Spine};

/// So many jobs are looked at at once.
const JOBS: u64 = 50;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chained {
    /// The last job that was looked at. None where there are no more.
    pub last: Option<JobId>,
    /// How many there were.
    pub jobs: u64,
    /// How many events their chains have.
    pub events: u64,
    /// Those whose chains do not hold, and why not; none is good.
    pub faults: Vec<(JobId, String)>,
}

/// Looks at the jobs behind `after`, and their chains, as they are at one moment.
pub async fn check_jobs(spine: &Spine, tenant: TenantId, after: Option<JobId>) -> Result<Chained, Error> {
    let store = spine.read().await?;
    let jobs = store.jobs().jobs_after(tenant, after, JOBS).await?;
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    let events = store.jobs().chains(tenant, &ids).await?;
    let mut looked = Chained {
        last: ids.last().copied(),
        jobs: jobs.len() as u64,
        events: events.len() as u64,
        faults: Vec::new(),
    };
    let mut chains: HashMap<JobId, Vec<JobAuditEvent>> = HashMap::new();
    for event in events {
        chains.entry(event.job_id).or_default().push(event);
    }
    for job in &jobs {
        let chain = chains.get(&job.id).map(Vec::as_slice).unwrap_or_default();
        if let Err(fault) = verify_chain(job, chain) {
            looked.faults.push((job.id, fault.to_string()));
        }
    }
    Ok(looked)
}
