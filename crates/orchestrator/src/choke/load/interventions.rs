//! What people did to the runs that a group touches.

use std::sync::Arc;

use drivers::{StoreError, Tx};
use models::activity::Freeze;
use proof::{
    records::RecordKind,
    words::{Action, InterventionKind},
};

use super::touched::Touched;
use crate::choke::state::State;

/// The freezes that hold, and what runs met of them; and kills that their agents do not know of yet. None of this is
/// read where nothing is frozen and nothing was killed.
pub(super) async fn load(state: &mut State, tx: &Tx, touched: &Touched) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    if state.frozen || touched.starts {
        state.freezes = tx.activity().freezes(tenant).await?.into_iter().map(Arc::new).collect();
    }
    let mut concerned = Vec::new();
    for run in state.runs.values_mut() {
        let holds = |freeze: &&Arc<Freeze>| freeze.holds(&run.run.agent_id);
        run.freeze = state.freezes.iter().find(holds).cloned();
        let met = run.trace.ranges.next(RecordKind::Intervention) > 0 || run.run.late.is_some();
        if met && (run.freeze.is_some() || run.run.halt_action == Some(Action::Kill)) {
            concerned.push(run.run.id);
        }
    }
    if concerned.is_empty() {
        return Ok(());
    }
    for record in tx.activity().interventions_met(tenant, &concerned).await? {
        let run = record.run_id.parse().ok().and_then(|id| state.runs.get_mut(&id));
        let (Some(run), Ok(id)) = (run, record.intervention_id.parse()) else { continue };
        run.met.insert(id);
        if record.kind == InterventionKind::Kill {
            run.unacked_kill = Some(id);
        }
    }
    for ack in tx.activity().acks_of_runs(tenant, &concerned).await? {
        if let Some(run) = state.runs.get_mut(&ack.run_id) {
            run.acked.insert(ack.intervention_id);
            run.unacked_kill = run.unacked_kill.filter(|id| *id != ack.intervention_id);
        }
    }
    Ok(())
}
