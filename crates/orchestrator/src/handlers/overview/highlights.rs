//! The pulse of the system, and a line for each domain.

use chrono::{DateTime, Duration, Utc};
use models::policies::ProposalFilter;

use crate::{consequences::system_records::INGEST, context::CallContext, errors::Error, spine::Spine};

/// Over how long a breach counts as recent.
const RECENT: Duration = Duration::hours(24);

proof::words! {
    /// How the system is, worst last.
    PulseStatus { Healthy = "HEALTHY", AttentionNeeded = "ATTENTION_NEEDED", Critical = "CRITICAL" }
}

/// How the system is, and from what that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// In one word.
    pub status: PulseStatus,
    /// ACTIVE incidents.
    pub active_incidents: u64,
    /// All that waits for a decision: the total of `overview.decisions`.
    pub pending_decisions: u64,
    /// Breaches in 24 hours.
    pub recent_breaches: u64,
    /// Runs that are not sealed.
    pub live_runs: u64,
    /// Spans that could not be recorded, in 24 hours.
    pub rejected_spans: u64,
}

/// One domain in three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainCount {
    /// Its name.
    pub domain: &'static str,
    /// Activity: runs. Incidents: all. Policies: proposals.
    pub total: u64,
    /// Activity: LIVE. Incidents: ACTIVE. Policies: drafts.
    pub pending: u64,
    /// Activity: VIOLATED. Incidents: ACTIVE and critical. Policies: breaches in 24 hours.
    pub critical: u64,
}

/// The O2 of Cross-Domain Highlights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlights {
    /// How the system is.
    pub pulse: Pulse,
    /// Activity, Incidents, Policies.
    pub domain_counts: Vec<DomainCount>,
    /// The newest entry of the Audit Ledger.
    pub last_activity_at: Option<DateTime<Utc>>,
}

/// `overview.highlights`: one read of one moment.
#[tracing::instrument(name = "overview.highlights", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn highlights(spine: &Spine, ctx: &CallContext) -> Result<Highlights, Error> {
    let (store, tenant) = (spine.read().await?, ctx.tenant.id);
    let runs = store.activity().run_counts(tenant).await?;
    let incidents = store.incidents().counts(tenant).await?;
    let waiting = store.overview().decision_counts(tenant).await?;
    let proposals = store.policies().count_proposals(tenant, &ProposalFilter::default()).await?;
    let recent_breaches = store.policies().breaches_since(tenant, spine.now() - RECENT).await?;
    let last_activity_at = store.logs().last_audit_at(tenant).await?;

    let pending_decisions = waiting.iter().map(|waiting| waiting.count).sum();
    let drafts = waiting.iter().filter(|waiting| !waiting.incidents).map(|waiting| waiting.count).sum();
    let pulse = Pulse {
        status: status(incidents.active_critical_or_high, pending_decisions, recent_breaches),
        active_incidents: incidents.active,
        pending_decisions,
        recent_breaches,
        live_runs: runs.live,
        rejected_spans: store.overview().rejected_spans(tenant, INGEST, spine.now() - RECENT).await?,
    };
    let line = |domain, total, pending, critical| DomainCount { domain, total, pending, critical };
    let domain_counts = vec![
        line("Activity", runs.total, runs.live, runs.violated),
        line("Incidents", incidents.total, incidents.active, incidents.active_critical),
        line("Policies", proposals, drafts, recent_breaches),
    ];
    Ok(Highlights { pulse, domain_counts, last_activity_at })
}

/// CRITICAL while an ACTIVE incident is critical or high; ATTENTION_NEEDED while something waits for a decision or a
/// limit was passed lately; else HEALTHY.
fn status(critical_or_high: u64, pending: u64, breaches: u64) -> PulseStatus {
    if critical_or_high > 0 {
        PulseStatus::Critical
    } else if pending > 0 || breaches > 0 {
        PulseStatus::AttentionNeeded
    } else {
        PulseStatus::Healthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_what_there_is_decides() {
        assert_eq!(status(0, 0, 0), PulseStatus::Healthy);
        assert_eq!(status(0, 1, 0), PulseStatus::AttentionNeeded);
        assert_eq!(status(0, 0, 1), PulseStatus::AttentionNeeded);
        assert_eq!(status(1, 0, 0), PulseStatus::Critical);
    }
}
