//! `GET /highlights`: the system in a few numbers.

use axum::extract::State;
use orchestrator::{
    Spine,
    handlers::overview::{self, DomainCount, Highlights},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Json, Views, roles},
    view::{Time, words},
};

/// Cross-domain highlights.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Highlights)]
pub(super) struct HighlightsView {
    pulse: PulseView,
    /// Activity, Incidents, Policies.
    domain_counts: Vec<DomainCountView>,
    /// The newest entry of the Audit Ledger.
    last_activity_at: Option<Time>,
}

/// How the system is, and from what that follows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pulse)]
struct PulseView {
    #[schema(value_type = words::PulseStatus)]
    status: &'static str,
    active_incidents: u64,
    /// The total of `/decisions`.
    pending_decisions: u64,
    /// In 24 hours.
    recent_breaches: u64,
    live_runs: u64,
    /// Spans that could not be recorded, in 24 hours. Their records, of component `ingest` in `/logs/system`, say why.
    rejected_spans: u64,
}

/// One domain in three numbers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DomainCount)]
struct DomainCountView {
    domain: &'static str,
    /// Activity: runs. Incidents: all. Policies: proposals.
    total: u64,
    /// Activity: LIVE. Incidents: ACTIVE. Policies: drafts.
    pending: u64,
    /// Activity: VIOLATED. Incidents: ACTIVE and critical. Policies: breaches in 24 hours.
    critical: u64,
}

impl From<Highlights> for HighlightsView {
    fn from(found: Highlights) -> Self {
        let pulse = found.pulse;
        let count = |count: DomainCount| DomainCountView {
            domain: count.domain,
            total: count.total,
            pending: count.pending,
            critical: count.critical,
        };
        Self {
            pulse: PulseView {
                status: pulse.status.as_str(),
                active_incidents: pulse.active_incidents,
                pending_decisions: pulse.pending_decisions,
                recent_breaches: pulse.recent_breaches,
                live_runs: pulse.live_runs,
                rejected_spans: pulse.rejected_spans,
            },
            domain_counts: found.domain_counts.into_iter().map(count).collect(),
            last_activity_at: found.last_activity_at.map(Time),
        }
    }
}

/// Get cross-domain highlights.
#[utoipa::path(get, path = "/highlights", operation_id = "overview.highlights", tag = "overview",
    extensions(("x-roles" = json!(roles::<Views>()))),
    responses((status = 200, description = "The highlights.", body = HighlightsView)))]
pub(super) async fn highlights(
    State(spine): State<Spine>,
    caller: Caller<Views>,
) -> Result<Json<HighlightsView>, Problem> {
    let found = overview::highlights(&spine, caller.context()).await?;
    Ok(Json(found.into()))
}
