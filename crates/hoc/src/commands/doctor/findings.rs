//! What was found, printed as it comes.

use console::style;
use serde_json::{Value, json};

use crate::out;

/// How one thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Note,
    Failed,
}

/// One thing that was looked at.
pub(super) struct Finding {
    what: &'static str,
    pub(super) state: State,
    /// What was found.
    detail: String,
    /// What to do about it.
    advice: Option<String>,
}

/// The findings so far, printed as they come.
pub(super) struct Findings {
    pub(super) json: bool,
    pub(super) all: Vec<Finding>,
}

impl Findings {
    pub(super) fn ok(&mut self, what: &'static str, detail: impl Into<String>) {
        self.add(Finding { what, state: State::Ok, detail: detail.into(), advice: None });
    }

    pub(super) fn note(&mut self, what: &'static str, detail: impl Into<String>, advice: impl Into<String>) {
        self.add(Finding { what, state: State::Note, detail: detail.into(), advice: Some(advice.into()) });
    }

    pub(super) fn failed(
        &mut self,
        what: &'static str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(Finding { what, state: State::Failed, detail: detail.into(), advice: Some(advice.into()) });
    }

    fn add(&mut self, finding: Finding) {
        if !self.json {
            let mark = match finding.state {
                State::Ok => style("ok  ").green(),
                State::Note => style("note").yellow(),
                State::Failed => style("FAIL").red().bold(),
            };
            out::line(format!("{mark}  {:<11} {}", finding.what, finding.detail));
            if let Some(advice) = &finding.advice {
                out::line(format!("                  {} {advice}", style("->").dim()));
            }
        }
        self.all.push(finding);
    }
}

pub(super) fn document(finding: &Finding) -> Value {
    let state = match finding.state {
        State::Ok => "ok",
        State::Note => "note",
        State::Failed => "failed",
    };
    json!({ "what": finding.what, "state": state, "detail": finding.detail, "advice": finding.advice })
}
