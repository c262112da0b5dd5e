//! Freezes: the bodies as they are read, the answers as they are given.

use orchestrator::handlers::policies;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::Params,
    view::{Time, text, words},
};

/// A freeze to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFreeze)]
pub(super) struct FreezeBody {
    /// The agent; the whole tenant where none is named.
    #[schema(value_type = Option<text::AgentName>)]
    pub(super) agent_id: Option<String>,
    /// Why: it is told to whoever meets the freeze.
    #[schema(value_type = text::Reason)]
    pub(super) reason: String,
}

/// Which freeze to lift.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct UnfreezeParams {
    /// The agent; the freeze of the whole tenant where none is named.
    #[param(min_length = 1, max_length = 256)]
    pub(super) agent_id: Option<String>,
    /// Why.
    #[param(max_length = 4000)]
    pub(super) reason: Option<String>,
}

impl Params for UnfreezeParams {}

/// A freeze in force, and what is known of its effect.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Freeze)]
pub(super) struct FreezeView {
    intervention_id: String,
    #[schema(value_type = words::InterventionTarget)]
    target_type: &'static str,
    /// The agent; null for the whole tenant.
    agent_id: Option<String>,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    reason: Option<String>,
    requested_at: Time,
    /// `ENDED`: no LIVE run of the target is left. `ACKED`: the agent of every LIVE run was told. Else `UNACKED`.
    #[schema(value_type = words::InterventionOutcome)]
    outcome: &'static str,
    /// Runs of the target that are LIVE now.
    live_runs: u64,
    /// Runs that were refused something by it.
    runs_met: u64,
    /// LIVE runs whose agents are not known to know.
    unacked_runs: u64,
}

impl From<policies::FreezeView> for FreezeView {
    fn from(view: policies::FreezeView) -> Self {
        let (target_type, agent_id) = view.freeze.target();
        Self {
            intervention_id: view.freeze.intervention_id.to_string(),
            target_type: target_type.as_str(),
            agent_id,
            actor_type: view.freeze.actor_type.as_str(),
            actor_id: view.freeze.actor_id,
            reason: view.freeze.reason,
            requested_at: view.freeze.requested_at.into(),
            outcome: view.outcome.as_str(),
            live_runs: view.live_runs,
            runs_met: view.runs_met,
            unacked_runs: view.unacked_runs,
        }
    }
}
