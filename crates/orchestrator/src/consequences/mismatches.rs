//! Opening incidents about what was changed behind our back.

use std::collections::{BTreeMap, HashMap, HashSet};

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

use super::found::Found;
use crate::{errors::Error, retrying::retrying, spine::Spine};

/// `incidents.integrity_failure`: opens a critical incident for each log, run or definition that does not match, once.
///
/// An incident that is open is told of rows that it does not name yet. One that was resolved is opened again if
/// something still does not match, except for rows that a person knew of and accepted. A run that does not match
/// becomes FAILED, whatever it was sealed as.
#[tracing::instrument(name = "incidents.integrity_failure", skip_all, fields(tenant = %tenant, found = found.len()))]
pub(crate) async fn report_mismatches(spine: &Spine, tenant: TenantId, found: &[Found]) -> Result<(), Error> {
    if found.is_empty() {
        return Ok(());
    }
    retrying(spine, || attempt(spine, tenant, found)).await
}

/// The same by who met them and has another answer to give: whether or not they can be told of now. The integrity check
/// finds them again.
pub(crate) async fn tell(spine: &Spine, tenant: TenantId, found: &[Found]) {
    if let Err(err) = report_mismatches(spine, tenant, found).await {
        tracing::error!(error = &err as &dyn std::error::Error, %tenant, "an incident could not be opened");
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
    let mut causes: Causes<'_> = BTreeMap::new();
    for of in found {
        causes.entry(cause_of(of).key()).or_default().push(of);
    }
    let wanted: Vec<_> = causes.keys().cloned().collect();
    let open = tx.incidents().lock_open(tenant, &wanted).await?;
    let before = tx.incidents().of_causes(tenant, &wanted).await?;
    let known = Known { open: &open, before: &before };
    let told = known.told(&tx, tenant, &causes).await?;
    let mut moved = Moved { runs, ..Moved::default() };
    for (cause, found) in causes {
        let of_cause = || before.iter().filter(|incident| incident.cause() == cause);
        let stands = open.iter().find(|incident| incident.cause() == cause);
        let teller = known.who_knows(&cause);
        let is_told = |incident: &Incident, of: &Found| {
            incident.description.contains(&of.1.found())
                || told.contains(&(incident.id, said_of(&of.1.found())))
        };
        let is_new = |of: &&Found| !teller.is_some_and(|incident| is_told(incident, of));
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
    moved.store(&tx, tenant).await?;
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

/// What is found, by its cause.
type Causes<'f> = BTreeMap<models::incidents::Cause, Vec<&'f Found>>;

/// The incidents that the causes have and had.
struct Known<'i> {
    open: &'i [Incident],
    /// All of them, oldest first.
    before: &'i [Incident],
}

impl Known<'_> {
    /// The incident whose rows need no telling: the one that stands, or the last, where somebody accepted it.
    fn who_knows(&self, cause: &models::incidents::Cause) -> Option<&Incident> {
        let stands = self.open.iter().find(|incident| incident.cause() == *cause);
        let last = self.before.iter().rfind(|incident| incident.cause() == *cause);
        stands.or(last.filter(|last| is_accepted(last)))
    }

    /// Which of what is found these incidents were told of after they were opened. One statement.
    async fn told(
        &self,
        tx: &Tx,
        tenant: TenantId,
        causes: &Causes<'_>,
    ) -> Result<HashSet<(IncidentId, String)>, Error> {
        let mut asked = Vec::new();
        for (cause, found) in causes {
            let Some(incident) = self.who_knows(cause) else { continue };
            asked.extend(found.iter().map(|of| (incident.id, said_of(&of.1.found()))));
        }
        if asked.is_empty() {
            return Ok(HashSet::new());
        }
        let told = tx.incidents().events_that_say(tenant, &asked).await?;
        Ok(told.into_iter().filter_map(|event| Some((event.incident_id, event.details?))).collect())
    }
}

/// What an event says of a row that was found.
fn said_of(found: &str) -> String {
    proof::canonical::to_text(&json!({ "found": found }))
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
            details: found.map(|found| said_of(&found)),
            at: now,
        });
    }

    async fn store(self, tx: &Tx, tenant: TenantId) -> Result<(), Error> {
        let runs: Vec<Run> = self.runs.into_values().collect();
        tx.activity().save_runs(&runs, &HashMap::new()).await?;
        let incidents = tx.incidents();
        // Where another replica opens one at this moment, this waits for it, and the next try finds that one.
        incidents.open_missing(&self.opened).await?;
        let causes: Vec<_> = self.opened.iter().map(Incident::cause).collect();
        let open = incidents.lock_open(tenant, &causes).await?;
        if !self.opened.iter().all(|ours| open.iter().any(|incident| incident.id == ours.id)) {
            return Err(StoreError::Retry("another opened an incident that was to be opened".into()).into());
        }
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
