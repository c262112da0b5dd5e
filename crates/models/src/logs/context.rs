//! The execution context: without one, no evidence is captured.

use proof::words::{ActorType, RunSource};

use crate::ids::{RunId, SnapshotId, TenantId, TraceId};

/// Who or what drives a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its nature.
    pub actor_type: ActorType,
    /// Which one; HUMAN always has it.
    pub actor_id: Option<String>,
}

/// What a capture belongs to. Immutable, and made only by L4, from the run that it has locked.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionContext {
    tenant: TenantId,
    run_id: RunId,
    trace_id: TraceId,
    step_index: Option<u64>,
    actor: Actor,
    source: RunSource,
    policy_snapshot_id: SnapshotId,
    is_synthetic: bool,
    synthetic_scenario_id: Option<String>,
}

impl ExecutionContext {
    /// The context of a run that belongs to no step yet. **For L4 alone.**
    #[must_use]
    pub const fn new(
        tenant: TenantId,
        run_id: RunId,
        trace_id: TraceId,
        actor: Actor,
        source: RunSource,
        policy_snapshot_id: SnapshotId,
    ) -> Self {
        let (step_index, is_synthetic, synthetic_scenario_id) = (None, false, None);
        Self {
            tenant,
            run_id,
            trace_id,
            step_index,
            actor,
            source,
            policy_snapshot_id,
            is_synthetic,
            synthetic_scenario_id,
        }
    }

    /// The same, marked as made by a scenario.
    #[must_use]
    pub fn synthetic(self, scenario_id: Option<String>) -> Self {
        Self { is_synthetic: true, synthetic_scenario_id: scenario_id, ..self }
    }

    /// The same, at one step.
    #[must_use]
    pub fn at_step(&self, step_index: u64) -> Self {
        Self { step_index: Some(step_index), ..self.clone() }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The run.
    #[must_use]
    pub const fn run_id(&self) -> RunId {
        self.run_id
    }

    /// The trace.
    #[must_use]
    pub const fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The step; none while the run begins or ends.
    #[must_use]
    pub const fn step_index(&self) -> Option<u64> {
        self.step_index
    }

    /// Who or what drives the run.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// How the run reached HOC.
    #[must_use]
    pub const fn source(&self) -> RunSource {
        self.source
    }

    /// The rules and limits that bind it.
    #[must_use]
    pub const fn policy_snapshot_id(&self) -> SnapshotId {
        self.policy_snapshot_id
    }

    /// Whether a scenario made it.
    #[must_use]
    pub const fn is_synthetic(&self) -> bool {
        self.is_synthetic
    }

    /// Which scenario.
    #[must_use]
    pub fn synthetic_scenario_id(&self) -> Option<&str> {
        self.synthetic_scenario_id.as_deref()
    }
}
