//! What an agent does, and where a trace has it. What counts of it is said by hand: what a verifier works out is held
//! against that, and not against itself.

use proof::words::{CallClass, StepKind};

use super::KEY;

/// What an agent does.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) kind: StepKind,
    pub(super) skill: String,
    pub(super) cost: u64,
    /// Its span, and the one that it names as its parent.
    pub(super) span: Option<(&'static str, &'static str)>,
    /// The key that reports it.
    pub(super) reporter: &'static str,
    /// It used next to nothing.
    pub(super) is_small: bool,
    pub(super) counts: bool,
    /// What counts no longer, for this tells of it.
    pub(super) instead_of: Option<Box<Call>>,
}

impl Call {
    fn new(kind: StepKind, skill: &str, cost: u64) -> Self {
        Self {
            kind,
            skill: skill.to_owned(),
            cost,
            span: None,
            reporter: KEY,
            is_small: false,
            counts: true,
            instead_of: None,
        }
    }

    /// A model call that cost so many micro-USD.
    pub(crate) fn model(micro_usd: u64) -> Self {
        Self::new(StepKind::LlmCall, "chat", micro_usd * 1_000)
    }

    /// A call of another class than text, that tells a cost and no tokens.
    pub(crate) fn of(class: CallClass, micro_usd: u64) -> Self {
        Self::new(StepKind::LlmCall, &format!("openai.{class}"), micro_usd * 1_000)
    }

    pub(crate) fn tool(skill: &str) -> Self {
        Self::new(StepKind::ToolCall, skill, 0)
    }

    /// An agent that says what its calls cost in all.
    pub(crate) fn agent(micro_usd: u64) -> Self {
        Self::new(StepKind::Other, "researcher", micro_usd * 1_000)
    }

    /// The same, where a trace has it.
    pub(crate) fn at(self, span: &'static str, parent: &'static str) -> Self {
        Self { span: Some((span, parent)), ..self }
    }

    /// The same, as another key reports it.
    pub(crate) fn by(self, reporter: &'static str) -> Self {
        Self { reporter, ..self }
    }

    /// The same, of a few tokens.
    pub(crate) fn small(self) -> Self {
        Self { is_small: true, ..self }
    }

    /// The same, of which another step tells.
    pub(crate) fn uncounted(self) -> Self {
        Self { counts: false, ..self }
    }

    /// The same, which tells of what another told of before.
    pub(crate) fn instead_of(self, told: &Self) -> Self {
        Self { instead_of: Some(Box::new(told.clone())), ..self }
    }

    pub(super) fn tokens(&self) -> (u64, u64) {
        let tells_none = self.kind == StepKind::ToolCall || CallClass::of(&self.skill) != CallClass::Text;
        let of_text = if self.is_small { (5, 1) } else { (120, 40) };
        if tells_none { (0, 0) } else { of_text }
    }

    /// What of it counts: cost, tokens in and out.
    pub(super) fn counted(&self) -> (u64, (u64, u64)) {
        if self.counts { (self.cost, self.tokens()) } else { (0, (0, 0)) }
    }
}
