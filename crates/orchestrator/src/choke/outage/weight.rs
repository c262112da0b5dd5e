//! How many bytes a call keeps while it waits: its texts, which are as long as its caller likes, and something for the rest.

use proof::records::DecisionRecord;

use super::unwritten::Unwritten;
use crate::choke::{
    call::{EndRun, PermitRequest, StartRun, StepReport},
    prepare::{Call, CallKind},
};

/// What a call has beside its texts.
const REST: usize = 1 << 10;

impl Call {
    /// About how many bytes it holds.
    pub(in crate::choke) fn weight(&self) -> usize {
        REST + match &self.what {
            CallKind::Start(start) | CallKind::Trace(start) => start.request.weight(),
            CallKind::Permit(permit) => permit.request.weight(),
            CallKind::Record(step) => step.report.weight(),
            CallKind::End(_, EndRun::Failed { error: text } | EndRun::Abort { reason: text }) => {
                lengths(&[text])
            }
            CallKind::End(..) => 0,
            CallKind::Kill(_, kill) => lengths(&[&kill.reason]),
        }
    }
}

impl Unwritten {
    /// About how many bytes it holds, whose line in the spool has so many: that is the call and the decision. Its answer says once
    /// more what fired, and where the limits stand.
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
        lengths(&[&self.params])
    }
}

impl StepReport {
    /// How many bytes its texts are that may be long.
    pub(crate) fn weight(&self) -> usize {
        let of_llm = self.llm.as_ref().map_or(0, |llm| lengths(&[&llm.prompt, &llm.response]));
        of_llm + lengths(&[&self.params, &self.outcome_code, &self.outcome_data])
    }
}

fn lengths(texts: &[&Option<String>]) -> usize {
    texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum()
}
