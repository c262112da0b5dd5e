//! RunEvidenceCoordinator: what else a run touched (O4).
//!
//! A part whose read fails is named with its reason; evidence is never empty because a query failed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use drivers::{ReadTx, StoreError};
use models::{
    ids::{RunId, TenantId},
    incidents::RunIncident,
    logs::{AuditEntry, Trace},
};
use proof::{
    records::{BreachRecord, DecisionRecord, PreventionRecord},
    segment::MissingSegment,
    words::Action,
};

use crate::{
    consequences::{found::of_segments, mismatches::tell},
    context::CallContext,
    errors::Error,
    handlers::activity,
    spine::{Spine, WholeRun},
};

/// Whether a part of the answer could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is all there.
    Complete,
    /// It is not, or not all of it, and why.
    Unavailable(String),
}

/// What a run touched.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEvidence {
    /// The run.
    pub run_id: RunId,
    /// Incidents that it opened, and those that it joined.
    pub incidents_caused: Vec<RunIncident>,
    /// Policies that were evaluated in it and fired, or the one row that says that none did.
    pub policies_evaluated: Vec<PreventionRecord>,
    /// Limits that it passed.
    pub limits_hit: Vec<BreachRecord>,
    /// Verdicts above ALLOW.
    pub decisions_made: Vec<DecisionRecord>,
    /// Rows of the Audit Ledger that name it.
    pub governance_events: Vec<AuditEntry>,
    /// Its traces.
    pub traces_linked: Vec<Trace>,
    /// Each part, and whether it could be read.
    pub completeness: BTreeMap<&'static str, Part>,
    /// When this was put together.
    pub computed_at: DateTime<Utc>,
}

/// `activity.evidence`: the evidence of a run, all of it from one moment; with the place that it was read in, to be
/// kept until what is told of it is counted.
#[tracing::instrument(name = "activity.evidence", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn evidence(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<(RunEvidence, WholeRun), Error> {
    activity::get(spine, ctx, id).await?;
    let place = spine.whole_run(ctx.tenant.id).await?;
    let (evidence, missing) = {
        let store = spine.read().await?;
        RunEvidenceCoordinator { store: &store, tenant: ctx.tenant.id, run: id }.gather(spine.now()).await
    };
    tell(spine, ctx.tenant.id, &of_segments(id, &missing)).await;
    Ok((evidence, place))
}

/// Reads the parts of a run's evidence from each domain.
struct RunEvidenceCoordinator<'s> {
    store: &'s ReadTx,
    tenant: TenantId,
    run: RunId,
}

impl RunEvidenceCoordinator<'_> {
    /// The evidence, and the segments that are missing from it.
    async fn gather(self, now: DateTime<Utc>) -> (RunEvidence, Vec<MissingSegment>) {
        let Self { store, tenant, run } = self;
        let mut completeness = BTreeMap::new();
        let mut part = Parts(&mut completeness);
        let mut missing = Vec::new();
        let above_allow = |decision: &DecisionRecord| {
            decision.action > Action::Allow
                || decision.would_have.is_some_and(|action| action > Action::Allow)
        };
        let decisions = store.traces().decisions_of_run(tenant, run, above_allow).await;
        let decisions = decisions.map(|(decisions, lost)| {
            missing = lost;
            decisions
        });
        let decisions_made = part.read("decisions_made", decisions);
        part.lacks("decisions_made", run, &missing);
        let incidents = store.incident_runs().by_run(tenant, run).await;
        let preventions = store.preventions().of_run(tenant, run).await;
        let breaches = store.policies().breaches_of_run(tenant, run).await;
        let governance = store.logs().get_governance_events(tenant, run).await;
        let traces = store.traces().traces_of_run(tenant, run).await;
        let evidence = RunEvidence {
            run_id: run,
            incidents_caused: part.read("incidents_caused", incidents),
            policies_evaluated: part.read("policies_evaluated", preventions),
            limits_hit: part.read("limits_hit", breaches),
            decisions_made,
            governance_events: part.read("governance_events", governance),
            traces_linked: part.read("traces_linked", traces),
            completeness,
            computed_at: now,
        };
        (evidence, missing)
    }
}

/// Notes of each part whether it could be read.
struct Parts<'c>(&'c mut BTreeMap<&'static str, Part>);

impl Parts<'_> {
    /// Of a part of which the rest was read.
    fn lacks(&mut self, name: &'static str, run: RunId, missing: &[MissingSegment]) {
        if !missing.is_empty() {
            let why = MissingSegment::told_of_all(missing, &run.to_string());
            tracing::error!(part = name, why, "part of a run's evidence is missing");
            self.0.insert(name, Part::Unavailable(why));
        }
    }

    fn read<T>(&mut self, name: &'static str, read: Result<Vec<T>, StoreError>) -> Vec<T> {
        match read {
            Ok(rows) => {
                self.0.insert(name, Part::Complete);
                rows
            }
            Err(err) => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    part = name,
                    "part of a run's evidence is missing"
                );
                self.0.insert(name, Part::Unavailable(err.to_string()));
                Vec::new()
            }
        }
    }
}
