//! Opening incidents about what was changed behind our back.

use std::collections::{BTreeMap, HashMap};

use drivers::{StoreError, Tx};
use engines::{
    activity::{RiskSigns, risk_level},
    incidents::{Mismatch, Origin, integrity_failure, of_run, open_outside, recur},
};
use models::{
    activity::{LatencyBucket, Run},
    ids::{IncidentId, RunId, TenantId},
    incidents::{Cause, Incident, IncidentEvent, IncidentEventType, LifecycleState, run_key},
};
use proof::words::{IncidentCategory, IntegrityStatus, Severity};

use crate::{errors::Error, handlers::shared::retrying, spine::Spine};

/// A mismatch, and the run that it is in.
pub(crate) type Found = (Option<RunId>, Mismatch);

/// `incidents.integrity_failure`: opens a critical incident for each row that does not match, once: one that stands
/// is left as it is, one that was resolved recurs. A run that does not match is FAILED, whatever it was sealed as.
#[tracing::instrument(name = "incidents.integrity_failure", skip_all, fields(tenant = %tenant, found = found.len()))]
pub(crate) async fn report_mismatches(spine: &Spine, tenant: TenantId, found: &[Found]) -> Result<(), Error> {
    if found.is_empty() {
        return Ok(());
    }
    match retrying(|| attempt(spine, tenant, found)).await {
        // Another replica has opened it meanwhile.
        Err(Error::Store(err)) if matches!(*err, StoreError::Conflict(_)) => Ok(()),
        done => done,
    }
}

async fn attempt(spine: &Spine, tenant: TenantId, found: &[Found]) -> Result<(), Error> {
    let tx = spine.begin().await?;
    let ids: Vec<RunId> = found.iter().filter_map(|(run, _)| *run).collect();
    let mut runs: BTreeMap<RunId, Run> = BTreeMap::new();
    if !ids.is_empty() {
        let locked = tx.activity().lock_runs(tenant, &ids).await?;
        runs.extend(locked.into_iter().map(|run| (run.id, run)));
    }
    let causes: BTreeMap<Cause, &Found> = found.iter().map(|of| (cause_of(&runs, of), of)).collect();
    let wanted: Vec<Cause> = causes.keys().cloned().collect();
    let known = tx.incidents().lock_by_causes(tenant, &wanted).await?;
    let mut moved = Moved::default();
    for (cause, (run, mismatch)) in causes {
        match known.iter().find(|incident| incident.cause() == cause) {
            Some(stands) if stands.lifecycle_state != LifecycleState::Resolved => {}
            Some(resolved) => moved.again(spine, resolved),
            None => {
                let run = run.and_then(|id| runs.get_mut(&id));
                moved.open(spine, tenant, run, mismatch);
            }
        }
    }
    if moved.events.is_empty() {
        return Ok(());
    }
    moved.store(&tx, runs.into_values().collect()).await?;
    Ok(tx.commit().await?)
}

/// What two incidents about the same row have in common. A run that is gone has no incident of its own.
fn cause_of(runs: &BTreeMap<RunId, Run>, (run, mismatch): &Found) -> Cause {
    Cause {
        run_key: run_key(run.filter(|id| runs.contains_key(id))),
        category: IncidentCategory::IntegrityFailure,
        cause_key: integrity_failure(mismatch).cause_key,
    }
}

/// What the mismatches come to.
#[derive(Default)]
struct Moved {
    opened: Vec<Incident>,
    recurred: Vec<Incident>,
    events: Vec<IncidentEvent>,
}

impl Moved {
    fn open(&mut self, spine: &Spine, tenant: TenantId, run: Option<&mut Run>, mismatch: &Mismatch) {
        let now = spine.now();
        tracing::error!(
            table = mismatch.table,
            row = mismatch.row,
            log = mismatch.log,
            why = mismatch.why,
            "a stored row is not what was recorded"
        );
        let id: IncidentId = spine.id(now);
        let incident = open_outside(tenant, integrity_failure(mismatch), id, spine.request_id(), now);
        let incident = match run {
            Some(run) => {
                failed(run);
                of_run(incident, &origin(run))
            }
            None => incident,
        };
        self.event(spine, &incident, IncidentEventType::Created);
        self.opened.push(incident);
    }

    fn again(&mut self, spine: &Spine, resolved: &Incident) {
        // Whoever resolved it had seen it: it is told of once more, not with every pass.
        if resolved.resolved_at.is_some_and(|at| resolved.updated_at > at) {
            return;
        }
        let (incident, _) = recur(resolved, Severity::Critical, 0, spine.now());
        self.event(spine, &incident, IncidentEventType::Recurred);
        self.recurred.push(incident);
    }

    fn event(&mut self, spine: &Spine, incident: &Incident, event_type: IncidentEventType) {
        let now = spine.now();
        self.events.push(IncidentEvent {
            tenant: incident.tenant,
            id: spine.id(now),
            incident_id: incident.id,
            event_type,
            actor: None,
            details: None,
            at: now,
        });
    }

    async fn store(&self, tx: &Tx, runs: Vec<Run>) -> Result<(), Error> {
        tx.activity().save_runs(&runs, &HashMap::new()).await?;
        tx.incidents().insert_incidents(&self.opened).await?;
        tx.incidents().save_incidents(&self.recurred).await?;
        Ok(tx.incidents().insert_events(&self.events).await?)
    }
}

fn failed(run: &mut Run) {
    run.incident_count += 1;
    run.integrity_status = IntegrityStatus::Failed;
    run.risk_level = risk_level(RiskSigns {
        integrity: run.integrity_status,
        policy_violation: run.policy_violation,
        latency: LatencyBucket::Ok,
        evidence: run.evidence_health,
        incident_count: run.incident_count,
        near_limit: false,
    });
}

fn origin(run: &Run) -> Origin {
    Origin {
        tenant: run.tenant,
        run_id: run.id,
        correlation_id: run.correlation_id.clone(),
        is_synthetic: run.is_synthetic,
        synthetic_scenario_id: run.synthetic_scenario_id.clone(),
    }
}
