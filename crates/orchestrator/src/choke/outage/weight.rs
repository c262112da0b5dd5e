//! How many bytes a call keeps while it waits: its texts, which are as long as its caller likes, and something for the
//! rest.

use proof::records::DecisionRecord;

use super::unwritten::Unwritten;
use crate::{
    choke::{
        call::{EndRun, PermitRequest, StartRun, StepReport},
        prepare::{Call, CallKind},
    },
    report::LlmReport,
};

/// What a call has beside its texts, its names among that.
const REST: usize = 2 << 10;

impl Call {
    /// About how many bytes it holds.
    pub(in crate::choke) fn weight(&self) -> usize {
        REST + match &self.what {
            CallKind::Start(start) | CallKind::Trace(start) => start.request.weight(),
            // What rules read of the parameters is pieces of them, once more.
            CallKind::Permit(permit) => permit.request.weight() + lengths(&[&permit.request.params]),
            CallKind::Record(step) => step.report.weight() + lengths(&[&step.report.params]),
            CallKind::End(_, EndRun::Failed { error: text } | EndRun::Abort { reason: text }) => {
                lengths(&[text])
            }
            CallKind::End(..) => 0,
            CallKind::Kill(_, kill) => lengths(&[&kill.reason]),
        }
    }
}

impl Unwritten {
    /// About how many bytes it holds, whose line in the spool has so many: that is the call and the decision. Its
    /// answer says once more what fired, and where the limits stand.
    pub(in crate::choke) fn weight(&self, line: usize) -> usize {
        let DecisionRecord { fired, limits, .. } = &*self.decision;
        REST + line + fired.len() + limits.len()
    }
}

impl StartRun {
    /// How many bytes its texts are that may be long.
    pub(crate) fn weight(&self) -> usize {
        lengths(&[&self.goal, &self.environment, &self.metadata])
    }
}

impl PermitRequest {
    /// How many bytes its texts are that may be long.
    pub(crate) fn weight(&self) -> usize {
        labels(&self.labels) + lengths(&[&self.params])
    }
}

impl StepReport {
    /// How many bytes its texts are that may be long.
    pub(crate) fn weight(&self) -> usize {
        let of_llm = self.llm.as_ref().map_or(0, LlmReport::weight);
        of_llm + labels(&self.labels) + lengths(&[&self.params, &self.outcome_code, &self.outcome_data])
    }
}

fn labels(labels: &[String]) -> usize {
    labels.iter().map(|label| size_of::<String>() + label.len()).sum()
}

fn lengths(texts: &[&Option<String>]) -> usize {
    texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum()
}
