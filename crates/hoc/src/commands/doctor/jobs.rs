//! The chains of what happened to jobs, all of them played again.

use models::account::Tenant;
use orchestrator::{
    Spine,
    coordinators::check_jobs::{Chained, check_jobs},
    handlers::account,
};

use super::findings::Findings;
use crate::causes;

/// How many jobs of a tenant are told of one by one.
const TOLD: usize = 20;

/// Plays the chains of the jobs of every tenant again.
pub(super) async fn look(spine: &Spine, findings: &mut Findings) {
    let tenants = match account::list_tenants(spine).await {
        Ok(tenants) => tenants,
        Err(err) => return findings.failed("jobs", causes::line(&err), "this could not be looked at"),
    };
    for tenant in &tenants {
        of_tenant(spine, tenant, findings).await;
    }
}

async fn of_tenant(spine: &Spine, tenant: &Tenant, findings: &mut Findings) {
    let mut all = Chained::default();
    loop {
        match check_jobs(spine, tenant.id, all.last).await {
            Ok(Chained { last: None, .. }) => break,
            Ok(looked) => {
                all.last = looked.last;
                all.jobs += looked.jobs;
                all.events += looked.events;
                all.faults.extend(looked.faults);
            }
            Err(err) => {
                let why = format!("of `{}`: {}", tenant.slug, causes::line(&err));
                return findings.failed("jobs", why, "the rest could not be looked at");
            }
        }
    }
    let Chained { jobs, events, faults, .. } = all;
    for (job, why) in faults.iter().take(TOLD) {
        findings.failed(
            "jobs",
            format!("{job} of `{}`: {why}", tenant.slug),
            "a row of jobs or of job_audit_events was changed past HOC, or damaged: keep the store as it is, and a copy. What the \
             job did has records of its own",
        );
    }
    if faults.len() > TOLD {
        let more = format!("{} jobs more of `{}`", faults.len() - TOLD, tenant.slug);
        findings.failed("jobs", more, "see above");
    }
    if faults.is_empty() && jobs > 0 {
        let held = format!("{events} events of {jobs} jobs of `{}`, each as it was hashed", tenant.slug);
        findings.ok("jobs", held);
    }
}
