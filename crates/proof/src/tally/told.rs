//! What the tree of a run is told of a step.

use crate::{
    records::StepRecord,
    words::{CostNote, StepKind, StepStatus},
};

/// So many steps of a run may be in its tree. Those that come after them are in none, as those that an agent reports by
/// itself: a trace that never ends is not held whole, and not read again and again.
pub const MAX_STEPS: u64 = 100_000;

/// A step, as far as the tree asks.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its place in the run.
    pub index: u64,
    /// Its span's id and its parent's: 16 hex digits. Any other text is no place in a tree.
    pub span: Option<&'a str>,
    /// The same of its parent.
    pub parent: Option<&'a str>,
    /// What it is.
    pub kind: StepKind,
    /// The tool or skill.
    pub skill_name: &'a str,
    /// The model that answered, and the one that was asked for.
    pub models: [Option<&'a str>; 2],
    /// Tokens in and out, and the cost.
    pub used: (u64, u64, u64),
    /// Why the cost is not known.
    pub note: Option<CostNote>,
    /// Its caller says that it failed.
    pub failed: bool,
    /// Who reported it.
    pub reporter: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// A step that is recorded.
    #[must_use]
    pub fn of(step: &'a StepRecord) -> Self {
        Self {
            index: step.step_index,
            span: step.external_span_id.as_deref(),
            parent: step.external_parent_span_id.as_deref(),
            kind: step.kind,
            skill_name: &step.skill_name,
            models: [step.model.as_deref(), step.model_requested.as_deref()],
            used: (step.input_tokens, step.output_tokens, step.cost_nanousd),
            note: step.cost_note,
            failed: step.reported_status == Some(StepStatus::Failure),
            reporter: step.reported_by.as_deref(),
        }
    }

    /// Whether it comes early enough to have a place in the tree.
    #[must_use]
    pub const fn is_in_tree(&self) -> bool {
        self.index < MAX_STEPS
    }

    /// Whether it tells a use: tokens, a cost, or, where it is no model call, one that nobody can read. Of a model call
    /// that tells none it is known anyhow that it was made.
    #[must_use]
    pub fn uses(&self) -> bool {
        self.used != (0, 0, 0) || (self.kind != StepKind::LlmCall && self.note.is_some())
    }

    /// Whether its cost was surely reported: the price book makes none where nothing went in, or no model is named.
    pub(super) fn reports_cost(&self) -> bool {
        let (input, _, cost) = self.used;
        let [model, _] = self.models;
        cost > 0 && (input == 0 || model.is_none())
    }

    /// How much of a use it tells. A model call tells half of one of which a side is not told, or whose counts
    /// contradict each other; which tells a cost and no tokens; or tokens, and neither a model nor a cost.
    #[must_use]
    pub(super) fn tells(&self) -> Tells {
        let (input, output, _) = self.used;
        match self.note {
            Some(CostNote::ReportedZero) if !self.uses() => Tells::Unused,
            _ if !self.uses() => Tells::Nothing,
            _ if self.kind != StepKind::LlmCall => Tells::All,
            Some(CostNote::NoTokens | CostNote::CountsContradict) => Tells::Half,
            Some(CostNote::NoPrice) if self.models == [None, None] => Tells::Half,
            _ if (input, output) == (0, 0) => Tells::Half,
            Some(CostNote::ReportedZero) => Tells::Free,
            _ => Tells::All,
        }
    }
}

/// How much of a use is told, from little to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tells {
    /// That there was none, as of a call that was refused.
    Unused,
    Nothing,
    Half,
    /// All of it, at no cost, though it is sold.
    Free,
    All,
}

/// Whether a step that is no call of its own is named as a server names a request over HTTP: by its method, with or
/// without what was asked for.
#[must_use]
pub fn is_request(skill_name: &str) -> bool {
    let name = skill_name.strip_prefix("HTTP ").unwrap_or(skill_name);
    let method = name.split(' ').next().unwrap_or_default();
    ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].contains(&method)
}

/// A span's id as a number.
pub(super) fn span_key(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}
