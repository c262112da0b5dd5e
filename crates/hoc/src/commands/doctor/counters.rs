//! The counters that lists and Overview show, held against what they count.

use std::sync::atomic::{AtomicI32, Ordering};

use orchestrator::{Spine, coordinators::check_counters, handlers::account};

use super::findings::Findings;
use crate::{causes, out};

/// How many counters of one tenant are told of.
const TOLD: usize = 20;

/// Holds the counters of every tenant against what they count; and counts anew, where that was asked for.
pub(super) async fn look(spine: &Spine, recount: bool, findings: &mut Findings) {
    let tenants = match account::list_tenants(spine).await {
        Ok(tenants) => tenants,
        Err(err) => return findings.failed("counters", causes::line(&err), "this could not be looked at"),
    };
    for tenant in &tenants {
        let of = format!("of `{}`", tenant.slug);
        let waited_for = AtomicI32::new(0);
        let looked = if recount {
            let waits = |other: i32| {
                // Once of each, and at once: it may take as long as there are calls.
                if waited_for.swap(other, Ordering::Relaxed) != other {
                    out::note(format!(
                        "another counts the counters {of} anew (pid {other} of Postgres); waiting until it is over"
                    ));
                }
            };
            check_counters::recount(spine, tenant.id, &waits).await
        } else {
            check_counters::miscounts(spine, tenant.id).await
        };
        let found = match looked {
            Ok(found) => found,
            Err(err) => {
                findings.failed(
                    "counters",
                    format!("{of}: {}", causes::line(&err)),
                    "this could not be looked at",
                );
                continue;
            }
        };
        if found.is_empty() {
            findings.ok("counters", format!("those {of} say what a count says"));
            continue;
        }
        let told = found.iter().take(TOLD).map(|of| format!("{} of {}: {}", of.counted, of.name, of.differs));
        let told = told.collect::<Vec<_>>().join("; ");
        let more =
            if found.len() > TOLD { format!("; and {} more", found.len() - TOLD) } else { String::new() };
        if recount {
            // What was found before the other was over may have been mended by that one.
            let by = if waited_for.into_inner() == 0 { "" } else { ", here or by the other" };
            findings.ok("counters", format!("{} {of} were counted anew{by}: {told}{more}", found.len()));
        } else {
            findings.failed(
                "counters",
                format!("{} {of} do not say what is there: {told}{more}", found.len()),
                "lists and Overview show these numbers; nothing that proves is made of them. `hoc doctor --recount` counts \
                 anew; if nobody changed the store past HOC, tell us",
            );
        }
    }
}
