//! From a request to a call that may wait: checked, redacted, fingerprinted.
//!
//! All this is done by the caller's own task, before the group, so that the transaction holds its locks for as
//! short as it can, and so that nothing unredacted, and nothing that a store could refuse, gets further.

mod caller;
mod capture;
mod content_hashes;
mod end;
mod fingerprint;
pub(crate) mod fit;
mod permit;
mod priced;
mod start;
mod step;

use engines::logs::redact::REDACTION_VERSION;
use models::{account::KeptAnswer, ids::RunId};
use proof::{
    hash::Hash,
    words::{ActorType, WayIn},
};
use rules::facts::{ContentFacts, ParamFacts};
use serde::{Deserialize, Serialize};

pub(super) use self::content_hashes::ContentHashes;
pub(crate) use self::{caller::Caller, step::Missing};
use super::call::{EndRun, PermitRequest, StartRun, StepReport};

/// A call, ready for the group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(super) caller: Caller,
    pub(super) what: CallKind,
    /// The idempotency key of an end or a kill: its answer is kept for a day. Others keep theirs for ever.
    #[serde(skip)]
    pub(super) once: Option<KeptAnswer>,
}

/// What is asked. A spool keeps permits and records alone: nothing else is answered while the store is down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum CallKind {
    #[serde(skip)]
    Start(Box<PreparedStart>),
    /// A run for an outside trace, if it has none yet.
    #[serde(skip)]
    Trace(Box<PreparedStart>),
    Permit(Box<PreparedPermit>),
    Record(Box<PreparedStep>),
    #[serde(skip)]
    End(RunId, EndRun),
    #[serde(skip)]
    Kill(RunId, PreparedKill),
}

/// A kill by a person.
#[derive(Clone, Debug)]
pub(crate) struct PreparedKill {
    pub(super) actor_type: ActorType,
    pub(super) actor_id: String,
    /// After redaction.
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct PreparedStart {
    pub(super) request: StartRun,
    /// The run's id, where the caller has had to name it already.
    pub(super) run_id: Option<RunId>,
    pub(super) parent_run_id: Option<RunId>,
    pub(super) replay_of: Option<RunId>,
    /// By which way it came.
    pub(super) way_in: WayIn,
    /// What the request names as its program, after redaction.
    pub(super) user_agent: Option<String>,
    /// The labels in its metadata, after redaction.
    pub(super) labels: Vec<String>,
    /// Something of what an exporter said was too long, and was cut.
    pub(super) cut: bool,
    /// The agents that the caller's key is bound to, where this one is not among them.
    pub(super) bound_to: Option<String>,
    pub(super) request_hash: Hash,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PreparedPermit {
    pub(super) run_id: RunId,
    pub(super) request: PermitRequest,
    pub(super) request_hash: Hash,
    pub(super) params_hash: Hash,
    /// Of what is kept of its content.
    pub(super) content_hashes: ContentHashes,
    pub(super) content: ContentFacts,
    pub(super) params: ParamFacts,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PreparedStep {
    pub(super) run_id: RunId,
    /// After redaction, and with its cost where the price book has it.
    pub(super) report: StepReport,
    /// The price book that the cost is by; none where the caller said it, or nobody knows it.
    pub(super) price_book: Option<String>,
    /// It was exported by a tracer: nobody waits for its verdict.
    pub(super) is_span: bool,
    pub(super) request_hash: Hash,
    /// Of the parameters, to be held against those of the permit that it names; of none where it names none.
    pub(super) params_hash: Hash,
    pub(super) content: ContentFacts,
    pub(super) params: ParamFacts,
    pub(super) sensitivity: String,
    pub(super) redacted_count: u64,
    pub(super) commitment: Hash,
    /// Of what is kept of its content.
    pub(super) content_hashes: ContentHashes,
    /// How long what went in and out was, where it is not kept.
    pub(super) raw_lengths: Option<(u64, u64)>,
}

pub(super) const REDACTION: u64 = REDACTION_VERSION;

impl Call {
    /// The run that the call is about; none for a start.
    pub(crate) fn run_id(&self) -> Option<RunId> {
        match &self.what {
            CallKind::Start(_) | CallKind::Trace(_) => None,
            CallKind::Permit(permit) => Some(permit.run_id),
            CallKind::Record(step) => Some(step.run_id),
            CallKind::End(run, _) | CallKind::Kill(run, _) => Some(*run),
        }
    }

    /// The provider of the model that it is about, where it is about one.
    pub(super) fn provider(&self) -> Option<&str> {
        match &self.what {
            CallKind::Permit(permit) => permit.request.provider.as_deref(),
            CallKind::Record(step) => step.report.llm.as_ref()?.provider.as_deref(),
            CallKind::Start(_) | CallKind::Trace(_) | CallKind::End(..) | CallKind::Kill(..) => None,
        }
    }

    /// The key that its caller gave to tell a repeat of the call, and the fingerprint of what was asked under it. A
    /// span has none: the store alone knows whether it is recorded.
    pub(crate) fn repeats(&self) -> Option<(&String, Hash)> {
        match &self.what {
            CallKind::Permit(permit) => Some((permit.request.idempotency_key.as_ref()?, permit.request_hash)),
            CallKind::Record(step) if !step.is_span => {
                Some((step.report.idempotency_key.as_ref()?, step.request_hash))
            }
            CallKind::Start(_)
            | CallKind::Trace(_)
            | CallKind::Record(_)
            | CallKind::End(..)
            | CallKind::Kill(..) => None,
        }
    }

    /// The id of the span that is to be recorded.
    pub(crate) fn span_id(&self) -> Option<&str> {
        match &self.what {
            CallKind::Record(step) => step.report.external_span_id.as_deref(),
            _ => None,
        }
    }
}
