//! What strikes runs, and the incidents of that: one open incident for a cause, which runs join.
//!
//! While calls are decided it is noted what struck which run. Which incident that is, other replicas may decide at the
//! same moment: so it is settled when all calls are decided, with the incidents locked and before anything is hashed
//! that names one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use drivers::{StoreError, Tx};
use engines::incidents::{Cause, Struck, join, recur, severity_of_rule};
use models::{
    ids::{IncidentEventId, IncidentId, RunId},
    incidents::{self, Incident, IncidentEvent, IncidentEventType, IncidentRun, WOULD_HAVE},
};
use proof::{
    records::{Record, RecordKind},
    words::{Action, IncidentCategory, IncidentRelation, PolicyKind, RuleType},
};
use serde_json::json;

use super::fired::{self, said};
use crate::{
    choke::{
        judge::Judged,
        state::{
            State,
            standing::refresh,
            strikes::{Strike, StrikeId},
        },
    },
    consequences::mismatches::origin_of,
    errors::Error,
};

/// A rule that refuses, or would have, makes the run a violated one and strikes it: the most severe rule.
pub(in crate::choke) fn incident_of_rules(
    state: &mut State,
    run_id: RunId,
    judged: &Judged,
    step_index: Option<u64>,
) -> Result<Option<StrikeId>, Error> {
    let fired =
        judged.conclusion.fired.iter().find(|fired| fired.kind == PolicyKind::Rule && fired.action.refuses());
    let Some(fired) = fired else { return Ok(None) };
    let run = state.run_mut(run_id)?;
    // One that ends the run has cost all that the run had; a step of one that goes on, itself.
    let cost =
        if fired.action >= Action::Stop && !judged.reported { run.run.cost_nanousd } else { judged.spent };
    run.run.policy_violation = true;
    let rule = run.snapshot.compiled.rule(&fired.policy_id);
    let rule_type = rule.map_or(RuleType::System, |rule| rule.rule_type);
    let what = if run.run.step_count + run.run.refused_count == 0 && step_index.is_none() {
        "the run"
    } else {
        "a step"
    };
    let cause = Cause {
        category: IncidentCategory::PolicyViolation,
        cause_key: fired.policy_id.clone(),
        severity: severity_of_rule(fired.action, rule_type),
        // What is only reported has happened already. `RunIncident::title` reads these again.
        title: match said(judged, fired.action) {
            _ if judged.reported => format!("Rule `{}` would have refused {what}", fired.name),
            Some(_) => format!("Rule `{}` refused {what} after it was done", fired.name),
            None => format!("Rule `{}` refused {what}", fired.name),
        },
        description: match said(judged, fired.action) {
            Some(said) => format!("{} ({said})", fired.why()),
            None => fired.why(),
        },
        note: said(judged, fired.action).or(judged.reported.then_some(WOULD_HAVE)),
        step_index,
        policy_id: Some(fired.policy_id.clone()),
        limit_id: None,
        error_code: fired.fault.map(|fault| format!("evaluation_error:{fault}")),
        cost_impact_nanousd: cost,
    };
    Ok(Some(strike(state, run_id, cause)))
}

/// Notes that a cause struck a run.
pub(in crate::choke) fn strike(state: &mut State, run_id: RunId, cause: Cause) -> StrikeId {
    state.strikes.push(Strike { run_id, cause });
    state.strikes.len() - 1
}

/// Opens or joins the incidents of what struck, and records what fired with the incidents that it came to.
pub(in crate::choke) async fn settle(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let strikes = std::mem::take(&mut state.strikes);
    let incidents = if strikes.is_empty() {
        Vec::new()
    } else {
        let mut settling = Settling::begin(state, tx, &strikes).await?;
        let settled: Result<Vec<_>, Error> =
            strikes.into_iter().map(|strike| settling.strike(state, &strike)).collect();
        let settled = settled.map_err(|err| corrupt(&err))?;
        settling.end(state);
        settled
    };
    fired::record(state, &incidents).map_err(|err| corrupt(&err))
}

fn corrupt(err: &Error) -> StoreError {
    StoreError::Corrupt { table: "incidents", row: "of the group".to_owned(), why: err.to_string() }
}

/// The incidents that the group's strikes come to, locked, and what their runs did of them before.
struct Settling {
    open: BTreeMap<incidents::Cause, Incident>,
    of_runs: HashMap<(RunId, IncidentId), IncidentRun>,
    /// What is new of these, and what has changed.
    joined: BTreeSet<(RunId, IncidentId)>,
    recurred: BTreeSet<(RunId, IncidentId)>,
}

impl Settling {
    async fn begin(state: &State, tx: &Tx, strikes: &[Strike]) -> Result<Self, StoreError> {
        let tenant = state.tenant.id;
        let mut first: BTreeMap<incidents::Cause, &Strike> = BTreeMap::new();
        for strike in strikes {
            first.entry(strike.cause.key()).or_insert(strike);
        }
        let causes: Vec<_> = first.keys().cloned().collect();
        let mut open = oldest(tx.incidents().lock_open(tenant, &causes).await?);
        let missing: Vec<_> = causes.iter().filter(|cause| !open.contains_key(cause)).cloned().collect();
        if !missing.is_empty() {
            let before = tx.incidents().counts_of_causes(tenant, &missing).await?;
            let mut made = Vec::with_capacity(missing.len());
            for cause in &missing {
                let Some((strike, run)) =
                    first.get(cause).and_then(|strike| Some((strike, state.runs.get(&strike.run_id)?)))
                else {
                    continue;
                };
                let (id, count) = (state.id::<IncidentId>(), before.get(cause).copied().unwrap_or(0));
                made.push(engines::incidents::open(
                    &origin_of(&run.run),
                    &strike.cause,
                    id,
                    count,
                    state.now,
                ));
            }
            // Where another replica opens one at this moment, this waits for it, and finds that one.
            tx.incidents().open_missing(&made).await?;
            open = oldest(tx.incidents().lock_open(tenant, &causes).await?);
        }
        if open.len() < causes.len() {
            // It was resolved between the two.
            return Err(StoreError::Retry("an incident was resolved as it was joined".into()));
        }
        let struck: BTreeSet<RunId> = strikes.iter().map(|strike| strike.run_id).collect();
        let has = |id: &RunId| state.runs.get(id).is_some_and(|run| run.next_seq(RecordKind::Incident) > 0);
        let known: Vec<RunId> = struck.into_iter().filter(has).collect();
        let of_runs =
            if known.is_empty() { Vec::new() } else { tx.incident_runs().of_runs(tenant, &known).await? };
        let of_runs = of_runs.into_iter().map(|of| ((of.run_id, of.incident_id), of)).collect();
        Ok(Self { open, of_runs, joined: BTreeSet::new(), recurred: BTreeSet::new() })
    }

    /// What one strike comes to.
    fn strike(&mut self, state: &mut State, strike: &Strike) -> Result<IncidentId, Error> {
        let (now, cause) = (state.now, &strike.cause);
        let incident = self.open.get_mut(&cause.key());
        let incident = incident.ok_or_else(|| Error::Internal("an incident that is not there".to_owned()))?;
        let place = (strike.run_id, incident.id);
        let struck = if let Some(of) = self.of_runs.get(&place) {
            if !self.joined.contains(&place) {
                self.recurred.insert(place);
            }
            recur(incident, of, cause, now)
        } else {
            let run = state.run_mut(strike.run_id)?;
            let seq = Some(run.next_seq(RecordKind::Incident));
            let struck = join(incident, &origin_of(&run.run), cause, seq, now);
            if let Some(record) = struck.incident.record(&struck.of) {
                run.trace.ranges.push(&Record::Incident(record));
            }
            run.run.incident_count += 1;
            self.joined.insert(place);
            let met = match struck.of.relation {
                IncidentRelation::Source => IncidentEventType::Created,
                IncidentRelation::Affected => IncidentEventType::Recurred,
            };
            event(state, &struck.of, met, cause.step_index);
            struck
        };
        let Struck { incident: after, of, escalated } = struck;
        if escalated {
            event(state, &of, IncidentEventType::SeverityEscalated, cause.step_index);
        }
        *incident = after;
        self.of_runs.insert(place, of);
        let run = state.run_mut(strike.run_id)?;
        refresh(run, now);
        Ok(place.1)
    }

    /// Leaves what came of it to be written.
    fn end(mut self, state: &mut State) {
        state.new.incidents.extend(self.open.into_values());
        let mut take = |places: BTreeSet<(RunId, IncidentId)>| -> Vec<IncidentRun> {
            places.iter().filter_map(|place| self.of_runs.remove(place)).collect()
        };
        state.new.incident_runs = take(self.joined);
        state.new.recurring = take(self.recurred);
    }
}

/// Of several of one cause, which there are from before, the first.
fn oldest(open: Vec<Incident>) -> BTreeMap<incidents::Cause, Incident> {
    let mut found = BTreeMap::new();
    for incident in open {
        found.entry(incident.cause()).or_insert(incident);
    }
    found
}

fn event(state: &mut State, of: &IncidentRun, event_type: IncidentEventType, step_index: Option<u64>) {
    let id: IncidentEventId = state.id();
    let details = json!({ "run_id": of.run_id.to_string(), "step_index": step_index, "note": of.note });
    state.new.incident_events.push(IncidentEvent {
        tenant: state.tenant.id,
        id,
        incident_id: of.incident_id,
        event_type,
        actor: None,
        details: Some(proof::canonical::to_text(&details)),
        at: state.now,
    });
}
