//! A run of a group: its row and all that its next step needs.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use models::{
    activity::{Freeze, Run, RunVersion, Standing},
    ids::{InterventionId, LimitId},
    logs::{Actor, ExecutionContext, Trace},
};
use proof::{
    hash::Hash,
    records::{RecordKind, RunAfter},
    words::{RunStatus, TerminationReason},
};

use super::{open::OpenPermits, snapshots::BoundSnapshot};

/// What a run and its trace hold in short texts and counts; what a breach holds, what may have been the run's end, and
/// an id in a set.
const OF_NAMES: usize = 2 << 10;
const OF_A_BREACH: usize = 1 << 7;
const OF_AN_END: usize = 1 << 8;
const OF_AN_ID: usize = 1 << 5;

/// A run of the group, with what its next step needs.
#[derive(Clone)]
pub(in crate::choke) struct RunState {
    pub(in crate::choke) run: Run,
    pub(in crate::choke) trace: Trace,
    /// Which state of the two this is, as the store has them.
    pub(in crate::choke) version: RunVersion,
    pub(in crate::choke) snapshot: Arc<BoundSnapshot>,
    /// Limits that the run has breached already, by window.
    pub(in crate::choke) breached: HashSet<(LimitId, String)>,
    /// Its permits that hold something of the limits on the run.
    pub(in crate::choke) open: OpenPermits,
    /// A limit stands at 80 % or more.
    pub(in crate::choke) near_limit: bool,
    /// Where it stood in lists when it was read.
    pub(in crate::choke) stood: Standing,
    pub(in crate::choke) changed: bool,
    /// The run was opened by this group.
    pub(in crate::choke) is_new: bool,
    /// Why the run is to be sealed when the group's calls are decided.
    pub(in crate::choke) ending: Option<Ending>,
    /// The freeze that holds for it.
    pub(in crate::choke) freeze: Option<Arc<Freeze>>,
    /// What it met of people's interventions, and what its agent knows.
    pub(in crate::choke) met: HashSet<InterventionId>,
    pub(in crate::choke) acked: HashSet<InterventionId>,
    /// A person's kill that its agent does not know of yet.
    pub(in crate::choke) unacked_kill: Option<InterventionId>,
    /// The run is sealed, and what comes now goes into an addendum: `trace` is the addendum's.
    pub(in crate::choke) late: Option<LateState>,
}

/// Where an addendum of a sealed run goes on.
#[derive(Clone)]
pub(in crate::choke) struct LateState {
    /// How many records of each kind the receipt covers: late ones are counted on from there.
    pub(in crate::choke) sealed: BTreeMap<RecordKind, u64>,
    /// Hash of the SEALED leaf.
    pub(in crate::choke) sealed_leaf: Hash,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::choke) struct Ending {
    pub(in crate::choke) status: RunStatus,
    pub(in crate::choke) reason: TerminationReason,
    pub(in crate::choke) error: Option<String>,
}

impl RunState {
    /// About how many bytes it holds beside itself and the snapshot, which others share.
    pub(in crate::choke) fn weight(&self) -> usize {
        let Run { goal, metadata, error_message, labels, reported_end, .. } = &self.run;
        let texts = [goal, metadata, error_message, &self.trace.metadata, &self.trace.abort_reason];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        let names = labels.iter().chain(&self.trace.tools_used).map(|name| size_of::<String>() + name.len());
        let sets = self.breached.len() * OF_A_BREACH + (self.met.len() + self.acked.len()) * OF_AN_ID;
        let ends = reported_end.as_ref().map_or(0, |end| (1 + end.others.len()) * OF_AN_END);
        OF_NAMES
            + texts
            + names.sum::<usize>()
            + sets
            + ends
            + self.trace.ranges.weight()
            + self.open.weight()
    }

    /// The index that the run's next step, or refusal, takes.
    pub(in crate::choke) fn next_index(&self) -> u64 {
        self.next_seq(RecordKind::Step)
    }

    /// When a call of the run that is taken now counts. A step of a trace does by when it is recorded, which never goes
    /// back: that is what a replica finds that is to take it from its window again, and another replica's clock may be
    /// ahead.
    pub(in crate::choke) fn counts_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.trace.last_recorded_at.filter(|_| self.run.is_reported());
        last.map_or(now, |last| last.max(now))
    }

    /// Something was heard of the run. When that was is sealed with it: what comes late to a sealed run leaves it as it
    /// is.
    pub(in crate::choke) fn seen(&mut self, now: DateTime<Utc>) {
        if self.late.is_none() {
            self.run.last_seen_at = self.run.last_seen_at.max(now);
        }
    }

    /// The run as a committed group leaves it: nothing of it is new or waits to be written.
    pub(in crate::choke) fn settled(self) -> Self {
        let stood = self.run.standing();
        Self { stood, changed: false, is_new: false, ending: None, ..self }
    }

    /// The position that the run's next record of `kind` takes.
    pub(in crate::choke) fn next_seq(&self, kind: RecordKind) -> u64 {
        let sealed = self.late.as_ref().and_then(|late| late.sealed.get(&kind)).copied();
        sealed.unwrap_or(0) + self.trace.ranges.next(kind)
    }

    /// What evidence of the run is captured in.
    pub(in crate::choke) fn context(&self) -> ExecutionContext {
        let run = &self.run;
        let actor = Actor { actor_type: run.actor_type, actor_id: run.actor_id.clone() };
        let ctx =
            ExecutionContext::new(run.tenant, run.id, self.trace.id, actor, run.source, run.snapshot_id);
        if run.is_synthetic { ctx.synthetic(run.synthetic_scenario_id.clone()) } else { ctx }
    }

    /// The running totals, as records and answers carry them.
    pub(in crate::choke) fn after(&self) -> RunAfter {
        let (run, totals) = (&self.run, self.run.totals());
        RunAfter {
            cost_nanousd: totals.cost_nanousd,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            refused_count: run.refused_count,
            status: run.status,
            step_count: totals.step_count,
        }
    }
}
