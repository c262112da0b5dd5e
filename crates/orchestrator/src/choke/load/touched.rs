//! What the calls of a group name, and so what is locked and read for them.

use std::collections::BTreeSet;

use models::{
    ids::{KeyId, PermitId, RunId},
    logs::StepKey,
};

use crate::choke::{
    prepare::{Call, CallKind},
    state::traced,
};

/// What the calls of a group name.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) runs: BTreeSet<RunId>,
    /// Runs that starts name, to come after them.
    pub(super) lineage: BTreeSet<RunId>,
    pub(super) start_keys: Vec<(KeyId, String)>,
    pub(super) traces: Vec<String>,
    pub(super) keys: Vec<(RunId, StepKey)>,
    /// With the run that names them: what another run was granted serves none of its steps, and is not held for it.
    pub(super) permits: BTreeSet<(PermitId, RunId)>,
    pub(super) starts: bool,
    /// Runs that spans are reported of: what comes to a sealed one is late.
    pub(super) spans: BTreeSet<RunId>,
    /// A permit or a record: limits apply.
    pub(super) spends: bool,
}

impl Touched {
    pub(super) fn by(calls: &[&[Call]]) -> Self {
        let mut touched = Self::default();
        for call in calls.iter().copied().flatten() {
            touched.add(call);
        }
        touched
    }

    fn add(&mut self, call: &Call) {
        match &call.what {
            CallKind::Start(start) => {
                self.starts = true;
                self.start_keys.extend(call.caller.start_key(&start.request));
                self.lineage.extend(start.parent_run_id);
                self.lineage.extend(start.replay_of);
            }
            CallKind::Trace(start) => {
                self.starts = true;
                self.traces.extend(start.request.external_trace_id.clone());
            }
            CallKind::Permit(permit) => {
                self.spends = true;
                self.runs.insert(permit.run_id);
                let key = permit.request.idempotency_key.clone().map(StepKey::Given);
                self.keys.extend(key.map(|key| (permit.run_id, key)));
            }
            CallKind::Record(step) => {
                self.spends = true;
                self.spans.extend(step.is_span.then_some(step.run_id));
                self.runs.insert(step.run_id);
                self.permits.extend(step.report.permit_id.map(|permit| (permit, step.run_id)));
                self.keys.extend(step.key().map(|key| (step.run_id, key)));
                self.keys.extend(traced::remote_parent(step));
            }
            CallKind::End(run, _) | CallKind::Kill(run, _) => {
                self.runs.insert(*run);
            }
        }
    }
}
