//! What people did to runs, as it is answered.

use models::activity::{Ack, Intervention, InterventionOutcome};
use orchestrator::{choke::call::Killed, handlers::activity};
use serde::Serialize;
use utoipa::ToSchema;

use super::RunView;
use crate::view::{Time, words};

/// A kill, a freeze, or the end of one, as somebody asked for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AskedIntervention)]
pub(crate) struct AskedView {
    intervention_id: String,
    #[schema(value_type = words::InterventionKind)]
    kind: &'static str,
    #[schema(value_type = words::InterventionTarget)]
    target_type: &'static str,
    /// The run or the agent; null for the whole tenant.
    target_id: Option<String>,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    reason: Option<String>,
    requested_at: Time,
    /// When it took effect on what runs through HOC; null where there was nothing to stop.
    effective_at: Option<Time>,
}

impl From<Intervention> for AskedView {
    fn from(intervention: Intervention) -> Self {
        Self {
            intervention_id: intervention.id.to_string(),
            kind: intervention.kind.as_str(),
            target_type: intervention.target_type.as_str(),
            target_id: intervention.target_id,
            actor_type: intervention.actor_type.as_str(),
            actor_id: intervention.actor_id,
            reason: intervention.reason,
            requested_at: intervention.requested_at.into(),
            effective_at: intervention.effective_at.map(Into::into),
        }
    }
}

/// A kill, a freeze, or the end of one, and what is known of its effect.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Intervention)]
pub(crate) struct InterventionView {
    #[serde(flatten)]
    asked: AskedView,
    /// Never more than is known.
    #[schema(value_type = words::InterventionOutcome)]
    outcome: &'static str,
    /// When the run's agent came to know; null while nobody knows that it does.
    acked_at: Option<Time>,
    /// Whether its next call or its open stream told it.
    #[schema(value_type = Option<words::AckVia>)]
    acked_via: Option<&'static str>,
    /// From the request until the agent knew.
    time_to_effect_ms: Option<u64>,
}

impl InterventionView {
    fn of(intervention: Intervention, outcome: InterventionOutcome, ack: Option<&Ack>) -> Self {
        let waited = ack.map(|ack| (ack.acked_at - intervention.requested_at).num_milliseconds());
        Self {
            asked: intervention.into(),
            outcome: outcome.as_str(),
            acked_at: ack.map(|ack| ack.acked_at.into()),
            acked_via: ack.map(|ack| ack.via.as_str()),
            time_to_effect_ms: waited.and_then(|ms| u64::try_from(ms).ok()),
        }
    }
}

impl From<Intervention> for InterventionView {
    fn from(intervention: Intervention) -> Self {
        let outcome = intervention.outcome;
        Self::of(intervention, outcome, None)
    }
}

impl From<activity::InterventionView> for InterventionView {
    fn from(view: activity::InterventionView) -> Self {
        Self::of(view.intervention, view.outcome, view.ack.as_ref())
    }
}

/// A kill, and the run as it left it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Killed)]
pub(crate) struct KilledView {
    #[serde(flatten)]
    intervention: InterventionView,
    /// Sealed; as it was, where it had ended already.
    run: RunView,
}

impl From<Killed> for KilledView {
    fn from(killed: Killed) -> Self {
        Self { intervention: killed.intervention.into(), run: killed.run.into() }
    }
}
