//! The records of runs, all of them opened.

use indicatif::ProgressBar;
use models::account::Tenant;
use orchestrator::{
    Spine,
    coordinators::look_into::{Glanced, Looked, glance, how_many, look_into},
    handlers::account,
};

use super::findings::Findings;
use crate::{causes, progress};

/// How many runs of a tenant are told of one by one.
const TOLD: usize = 20;

/// Says that they were not looked into, because that was asked for; and whether those of the newest runs are there at
/// all.
pub(super) async fn leave_out(spine: &Spine, findings: &mut Findings) {
    match account::list_tenants(spine).await {
        Ok(tenants) => {
            for tenant in &tenants {
                are_there(spine, tenant, findings).await;
            }
        }
        Err(err) => findings.failed("segments", causes::line(&err), "this could not be looked at"),
    }
    findings.note(
        "segments",
        "no records of runs were opened (--quick)",
        "a server opens them in the background; `hoc doctor` without --quick opens them all",
    );
}

/// Without opening any.
async fn are_there(spine: &Spine, tenant: &Tenant, findings: &mut Findings) {
    match glance(spine, tenant.id).await {
        Ok(Glanced { runs, not_begun }) => {
            let Some(newest) = not_begun.first() else { return };
            findings.failed(
                "segments",
                format!(
                    "{} of the {runs} newest runs of `{}` that have steps have no records in run_segments, the newest of them \
                     {newest}",
                    not_begun.len(),
                    tenant.slug
                ),
                "was a backup restored that lacks that table? Restore one that has it: without its records no run is shown or \
                 proven. `hoc doctor` without --quick looks at all runs",
            );
        }
        Err(err) => findings.failed(
            "segments",
            format!("of `{}`: {}", tenant.slug, causes::line(&err)),
            "this could not be looked at",
        ),
    }
}

/// The records of every run of every tenant: each of their segments is opened.
pub(super) async fn look(spine: &Spine, findings: &mut Findings) {
    let tenants = match account::list_tenants(spine).await {
        Ok(tenants) => tenants,
        Err(err) => return findings.failed("segments", causes::line(&err), "this could not be looked at"),
    };
    for tenant in &tenants {
        let bar = bar(spine, tenant).await;
        let (mut all, mut after) = (Looked::default(), None);
        let ended = loop {
            match look_into(spine, tenant.id, after).await {
                Ok(Looked { last: None, .. }) => break Ok(()),
                Ok(looked) => {
                    after = looked.last;
                    all.runs += looked.runs;
                    all.segments += looked.segments;
                    all.keys += looked.keys;
                    all.faults.extend(looked.faults);
                    bar.set_position(all.runs);
                }
                Err(err) => break Err(err),
            }
        };
        bar.finish_and_clear();
        let Looked { runs, segments, keys, faults, .. } = all;
        let held =
            format!("{segments} segments of {runs} runs of `{}` and {keys} keys of steps", tenant.slug);
        for (run, why) in faults.iter().take(TOLD) {
            findings.failed(
                "segments",
                format!("{run} of `{}`: {why}", tenant.slug),
                "keep the store as it is, and a copy: its other records are served, and its bundle names what is missing in it. A \
                 backup of before the damage has them",
            );
        }
        if faults.len() > TOLD {
            let more = format!("{} runs more of `{}`", faults.len() - TOLD, tenant.slug);
            findings.failed(
                "segments",
                more,
                "each has an incident INTEGRITY_FAILURE, which names what is wrong",
            );
        }
        match ended {
            Ok(()) if faults.is_empty() => {
                findings.ok("segments", format!("{held} were looked into, each as it was written"));
            }
            Ok(()) => {
                findings.note(
                    "segments",
                    format!("{held} were looked into, {} runs are not as they were", faults.len()),
                    "see above",
                );
            }
            Err(err) => {
                let why = format!("{held} were looked into, and then: {}", causes::line(&err));
                findings.failed("segments", why, "the rest could not be looked at");
            }
        }
    }
}

/// How far it is: against the number of runs that counters know, where they do.
async fn bar(spine: &Spine, tenant: &Tenant) -> ProgressBar {
    let doing = format!("runs of {}", tenant.slug);
    let bar = match how_many(spine, tenant.id).await {
        Ok(runs) => progress::bar(runs, &doing),
        Err(_) => progress::tally(&doing),
    };
    bar.tick();
    bar
}
