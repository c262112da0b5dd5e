//! Opening incidents about what was changed behind our back.

use std::collections::{BTreeMap, HashMap};

use drivers::{StoreError, Tx};
use engines::{
    activity::{RiskSigns, risk_level},
    incidents::{Cause, Mismatch, Origin, Struck, integrity_failure, join, of_run, open_outside},
};
use models::{
    activity::{LatencyBucket, Run},
    ids::{IncidentId, RunId, TenantId},
    incidents::{Incident, IncidentEvent, IncidentEventType, IncidentRun, ResolutionType},
};
use proof::words::IntegrityStatus;
use serde_json::json;

use crate::{errors::Error, handlers::shared::retrying, spine::Spine};

/// How many rows of a log an incident may name before it is told of some again.
const TOLD: u64 = 200;

/// A mismatch, and the run that it is in.
pub(crate) type Found = (Option<RunId>, Mismatch);

/// `incidents.integrity_failure`: opens a critical incident for each log, run or definition that does not match, once. One
/// that stands is told of rows that it does not name yet. One that was resolved is opened again where something still does
/// not match, but for rows that somebody knew of and accepted. A run that does not match is FAILED, whatever it was sealed
/// as.
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
    let mut causes: BTreeMap<models::incidents::Cause, Vec<&Found>> = BTreeMap::new();
    for of in found {
        causes.entry(cause_of(of).key()).or_default().push(of);
    }
    let wanted: Vec<_> = causes.keys().cloned().collect();
    let open = tx.incidents().lock_open(tenant, &wanted).await?;
    let before = tx.incidents().of_causes(tenant, &wanted).await?;
    let mut moved = Moved { runs, ..Moved::default() };
    for (cause, found) in causes {
        let of_cause = || before.iter().filter(|incident| incident.cause() == cause);
        let stands = open.iter().find(|incident| incident.cause() == cause);
        let accepted = of_cause().next_back().filter(|last| is_accepted(last));
        let known = match stands.or(accepted) {
            Some(incident) => told(&tx, incident).await?,
            None => Vec::new(),
        };
        let is_new = |of: &&Found| !known.iter().any(|text| text.contains(&of.1.found()));
        let mut new = found.into_iter().filter(is_new);
        let incident = match (stands, new.next()) {
            (_, None) => continue,
            (Some(stands), Some(first)) => moved.again(spine, stands.clone(), &first.1),
            (None, Some(first)) => moved.open(spine, tenant, first, of_cause().count() as u64),
        };
        let incident = new.fold(incident, |incident, of| moved.again(spine, incident, &of.1));
        moved.changed.push(incident);
    }
    if moved.events.is_empty() {
        return Ok(());
    }
    moved.store(&tx).await?;
    Ok(tx.commit().await?)
}

/// One for each run: whatever of it does not match.
fn cause_of((run, mismatch): &Found) -> Cause {
    let cause = integrity_failure(mismatch);
    match run {
        Some(run) => Cause { cause_key: format!("runs/{run}"), ..cause },
        None => cause,
    }
}

/// Whoever resolved it knows that it does not match.
fn is_accepted(incident: &Incident) -> bool {
    use ResolutionType::{AcceptedRisk, FalsePositive};
    matches!(incident.resolution_type, Some(AcceptedRisk | FalsePositive))
}

/// What an incident says of the rows that it is about.
async fn told(tx: &Tx, incident: &Incident) -> Result<Vec<String>, Error> {
    let events = tx.incidents().events_of(incident.tenant, incident.id, TOLD).await?;
    let said = events.into_iter().filter_map(|event| said_in(event.details.as_deref()?));
    Ok(said.chain([incident.description.clone()]).collect())
}

fn said_in(details: &str) -> Option<String> {
    let details: serde_json::Value = serde_json::from_str(details).ok()?;
    details["found"].as_str().map(str::to_owned)
}

/// What the mismatches come to.
#[derive(Default)]
struct Moved {
    runs: BTreeMap<RunId, Run>,
    opened: Vec<Incident>,
    /// As they are in the end, those that were opened among them.
    changed: Vec<Incident>,
    joined: Vec<IncidentRun>,
    events: Vec<IncidentEvent>,
}

impl Moved {
    fn open(&mut self, spine: &Spine, tenant: TenantId, found: &Found, recurrence_count: u64) -> Incident {
        let now = spine.now();
        let (run, mismatch) = found;
        tracing::error!(
            table = mismatch.table,
            row = mismatch.row,
            log = mismatch.log,
            why = mismatch.why,
            "a stored row is not what was recorded"
        );
        let cause = cause_of(found);
        let id: IncidentId = spine.id(now);
        let incident = open_outside(tenant, &cause, id, spine.request_id(), recurrence_count, now);
        let incident = if let Some(run) = run.and_then(|id| self.runs.get_mut(&id)) {
            failed(run);
            let origin = origin_of(run);
            let opened = of_run(incident, &origin);
            let Struck { incident, of, .. } = join(&opened, &origin, &cause, None, now);
            self.opened.push(opened);
            self.joined.push(of);
            incident
        } else {
            self.opened.push(incident.clone());
            incident
        };
        self.event(spine, &incident, IncidentEventType::Created, None);
        incident
    }

    fn again(&mut self, spine: &Spine, incident: Incident, mismatch: &Mismatch) -> Incident {
        let now = spine.now();
        self.event(spine, &incident, IncidentEventType::Recurred, Some(mismatch.found()));
        let occurrences = incident.occurrences + 1;
        Incident { occurrences, last_seen_at: now, updated_at: now, ..incident }
    }

    fn event(
        &mut self,
        spine: &Spine,
        incident: &Incident,
        event_type: IncidentEventType,
        found: Option<String>,
    ) {
        let now = spine.now();
        self.events.push(IncidentEvent {
            tenant: incident.tenant,
            id: spine.id(now),
            incident_id: incident.id,
            event_type,
            actor: None,
            details: found.map(|found| proof::canonical::to_text(&json!({ "found": found }))),
            at: now,
        });
    }

    async fn store(self, tx: &Tx) -> Result<(), Error> {
        let runs: Vec<Run> = self.runs.into_values().collect();
        tx.activity().save_runs(&runs, &HashMap::new()).await?;
        let incidents = tx.incidents();
        incidents.insert_incidents(&self.opened).await?;
        incidents.save_incidents(&self.changed).await?;
        incidents.insert_runs(&self.joined).await?;
        Ok(incidents.insert_events(&self.events).await?)
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

/// What of a run its incidents carry.
pub(crate) fn origin_of(run: &Run) -> Origin {
    Origin {
        tenant: run.tenant,
        run_id: run.id,
        agent_id: run.agent_id.clone(),
        correlation_id: run.correlation_id.clone(),
        is_synthetic: run.is_synthetic,
        synthetic_scenario_id: run.synthetic_scenario_id.clone(),
    }
}
