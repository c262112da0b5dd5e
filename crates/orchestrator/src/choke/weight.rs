//! How many bytes a call keeps while it waits: its texts, which are as long as its caller likes, and something for the rest.

use super::{
    call::EndRun,
    prepare::{Call, What},
};

/// What a call has beside its texts.
const REST: usize = 1 << 10;

impl Call {
    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        REST + match &self.what {
            What::Start(start) | What::Trace(start) => {
                let request = &start.request;
                lengths(&[&request.goal, &request.environment, &request.metadata])
            }
            What::Permit(permit) => lengths(&[&permit.request.params]),
            What::Record(step) => {
                let report = &step.report;
                let of_llm = report.llm.as_ref().map_or(0, |llm| lengths(&[&llm.prompt, &llm.response]));
                of_llm + lengths(&[&report.params, &report.outcome_code, &report.outcome_data])
            }
            What::End(_, EndRun::Failed { error: text } | EndRun::Abort { reason: text }) => lengths(&[text]),
            What::End(..) => 0,
            What::Kill(_, kill) => lengths(&[&kill.reason]),
        }
    }
}

fn lengths(texts: &[&Option<String>]) -> usize {
    texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum()
}
