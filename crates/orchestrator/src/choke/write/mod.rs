//! Stores what a group's calls came to, each table in one statement, and all of those in one trip. The leaves come
//! first, for rows say where theirs are: so the heads of both logs are locked here and until the commit, behind all
//! that the group has locked before. That is the last that is read, but for the calls of steps that were recorded
//! before and cease to count: what waits goes before those are asked for. No two of its writes touch one row, for
//! together they do not see each other; the end of a run's permits is no part of that, and comes behind them.

mod segments;

use drivers::{StoreError, Tx, activity::DecidedRun};
use engines::ledger::AuditDraft;
use models::{ids::RunId, ledger::RunLogEntry, policies::PermitStatus};
use proof::{leaves::RunLeaf, words::LogName};
use uuid::Uuid;

use super::state::{RunState, State, held::Write, kept_texts};
use crate::ledger::{Appender, AuditAppender};

/// Writes everything. The caller commits.
pub(super) async fn write(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let logs = Logs::lock(state, tx).await?;
    tx.write_together();
    append_leaves(state, tx, logs).await?;
    write_runs(state, tx).await?;
    write_records(state, tx).await?;
    write_policies(state, tx).await?;
    write_interventions(state, tx).await?;
    write_incidents(state, tx).await?;
    tx.idempotency().insert_answers(&state.new.answers).await?;
    tx.policies().end_permits(state.tenant.id, &ended(state)).await
}

async fn write_runs(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let (new, changed): (Vec<_>, Vec<_>) =
        state.runs.values().filter(|run| run.changed).partition(|run| run.is_new);
    let runs = |of: &[&RunState]| of.iter().map(|run| run.run.clone()).collect::<Vec<_>>();
    let traces = |of: &[&RunState]| of.iter().map(|run| run.trace.clone()).collect::<Vec<_>>();
    tx.activity().insert_runs(&runs(&new)).await?;
    tx.traces().insert_salts(state.tenant.id, &state.new.salts).await?;
    let decided: Vec<DecidedRun<'_>> = changed
        .iter()
        .map(|run| DecidedRun { run: &run.run, stood: &run.stood, version: run.version })
        .collect();
    let mark: Uuid = state.id();
    let raised = tx.activity().save_decided(&decided, mark).await?;
    // An addendum is a new trace of a run that is not new.
    let (late, own): (Vec<_>, Vec<_>) = changed.into_iter().partition(|run| run.late.is_some());
    tx.traces().start_traces(&traces(&[new, late].concat())).await?;
    tx.traces().save_traces(&traces(&own), &raised).await?;
    for run in state.runs.values_mut().filter(|run| run.changed && !run.is_new) {
        run.version = run.version.next(mark);
    }
    Ok(())
}

async fn write_records(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let bases = kept_texts::bases(state);
    let segments = segments::of(state, &bases)?;
    tx.traces().append(&segments).await?;
    state.said = segments::places(&segments);
    tx.traces().insert_uncounted(&state.new.uncounted).await?;
    tx.evidence().insert_capture_failures(&state.new.capture_failures).await?;
    let agent = |run: RunId| Some((run, state.runs.get(&run)?.run.agent_id.clone()));
    let agents = state.new.llm_runs.iter().filter_map(|call| agent(call.run_id)).collect();
    tx.logs().insert_llm_runs(&state.new.llm_runs, &agents).await
}

async fn write_policies(state: &State, tx: &Tx) -> Result<(), StoreError> {
    let policies = tx.policies();
    let permits = |write: Write| {
        let of = state.permits.values().filter(|permit| permit.to_write() == write);
        of.map(|permit| permit.row().clone()).collect::<Vec<_>>()
    };
    policies.insert_permits(&permits(Write::New)).await?;
    for was in PermitStatus::ALL {
        policies.save_permits(*was, &permits(Write::From(*was))).await?;
    }
    let used: Vec<_> =
        state.usage.values().filter(|usage| usage.changed).map(|usage| usage.row.clone()).collect();
    policies.save_usage(&used).await?;
    policies.insert_enforcements(&state.new.enforcements).await?;
    policies.insert_preventions(&state.new.preventions).await?;
    policies.insert_breaches(&state.new.breaches).await
}

/// The runs that are sealed, and whose permits may hold something.
fn ended(state: &State) -> Vec<RunId> {
    let holds = |run: &&RunState| run.ending.is_some() && !run.snapshot.compiled.limits().is_empty();
    state.runs.values().filter(holds).map(|run| run.run.id).collect()
}

async fn write_interventions(state: &State, tx: &Tx) -> Result<(), StoreError> {
    let activity = tx.activity();
    activity.insert_interventions(&state.new.interventions).await?;
    activity.insert_met(&state.new.met).await?;
    activity.insert_acks(&state.new.acks).await
}

/// Those that the group opened are there already, as it opened them.
async fn write_incidents(state: &State, tx: &Tx) -> Result<(), StoreError> {
    let incidents = tx.incidents();
    incidents.save_incidents(&state.new.incidents).await?;
    incidents.insert_runs(&state.new.incident_runs).await?;
    incidents.save_runs(&state.new.recurring).await?;
    incidents.insert_events(&state.new.incident_events).await
}

/// What the group appends to, locked: both heads are read before anything of it is sent.
struct Logs {
    audit: Option<(AuditAppender, Vec<AuditDraft>)>,
    runs: Option<Appender>,
}

impl Logs {
    async fn lock(state: &mut State, tx: &Tx) -> Result<Self, StoreError> {
        let (tenant, audits) = (state.tenant.id, std::mem::take(&mut state.new.audits));
        let audit = if audits.is_empty() {
            None
        } else {
            Some((AuditAppender::lock(tx, tenant, &audits).await?, audits))
        };
        let runs = if state.new.leaves.is_empty() {
            None
        } else {
            Some(Appender::lock(tx, tenant, LogName::Runs).await?)
        };
        Ok(Self { audit, runs })
    }
}

/// Appends to both logs, and says in the runs' traces where their leaves are.
async fn append_leaves(state: &mut State, tx: &Tx, logs: Logs) -> Result<(), StoreError> {
    if let Some((log, audits)) = logs.audit {
        log.append(&state.spine, tx, audits, state.now).await?;
    }
    let Some(mut log) = logs.runs else { return Ok(()) };
    let at = log.not_before(state.now);
    let entries: Vec<_> = state
        .new
        .leaves
        .iter()
        .map(|(run_id, leaf)| {
            let leaf_hash = leaf.hash();
            RunLogEntry {
                tenant: state.tenant.id,
                leaf_index: log.append(leaf_hash, at),
                leaf_hash,
                run_id: *run_id,
                leaf: leaf.clone(),
                created_at: at,
            }
        })
        .collect();
    tx.ledger().insert_run_leaves(&entries).await?;
    log.save(tx).await?;
    for RunLogEntry { run_id, leaf_index, leaf, .. } in &entries {
        let Some(run) = state.runs.get_mut(run_id) else { continue };
        if matches!(leaf, RunLeaf::Opened(_)) {
            run.trace.opened_leaf_index = *leaf_index;
        } else {
            run.trace.sealed_leaf_index = Some(*leaf_index);
        }
    }
    Ok(())
}
