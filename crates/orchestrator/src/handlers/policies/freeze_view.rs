//! A freeze, as it is shown. Until it is lifted, no run of its target begins, and running ones refuse their next step.
//! Neither freezing nor lifting is a canonical event: each is a row of `interventions`, and a record of every run that
//! met it.

use drivers::activity::FreezeEffect;
use models::{
    activity::{Freeze, Intervention, InterventionOutcome},
    ids::InterventionId,
};
use proof::words::InterventionKind;
use serde::{Deserialize, Serialize};

/// A freeze in force, and what is known of its effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreezeView {
    /// The freeze.
    pub freeze: Freeze,
    /// Runs of its target that are LIVE now.
    pub live_runs: u64,
    /// Runs that were refused something by it.
    pub runs_met: u64,
    /// LIVE runs of its target whose agents are not known to know.
    pub unacked_runs: u64,
    /// ENDED: there is no LIVE run that it could stop. ACKED: every agent of one knows. Else UNACKED.
    pub outcome: InterventionOutcome,
}

/// A freeze with its effect.
pub(super) fn view(freeze: Freeze, effect: FreezeEffect, runs_met: u64) -> FreezeView {
    let FreezeEffect { live_runs, unacked_runs } = effect;
    let outcome = match (live_runs, unacked_runs) {
        (0, _) => InterventionOutcome::Ended,
        (_, 0) => InterventionOutcome::Acked,
        _ => InterventionOutcome::Unacked,
    };
    FreezeView { freeze, live_runs, runs_met, unacked_runs, outcome }
}

/// The act, as it is stored for good.
pub(super) fn act(freeze: &Freeze, id: InterventionId, kind: InterventionKind) -> Intervention {
    let (target_type, target_id) = freeze.target();
    Intervention {
        tenant: freeze.tenant,
        id,
        kind,
        target_type,
        target_id,
        actor_type: freeze.actor_type,
        actor_id: freeze.actor_id.clone(),
        reason: freeze.reason.clone(),
        requested_at: freeze.requested_at,
        outcome: InterventionOutcome::Unacked,
        effective_at: Some(freeze.requested_at),
        lifts: None,
    }
}
