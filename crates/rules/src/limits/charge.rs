//! What a call, once decided, leaves in the usage row of a limit.

use std::ops::Add;

use proof::words::{LimitType, Moment};

use super::demand::{Basis, basis, counts_calls, demand};
use crate::{Count, Facts};

/// What to add to a usage row. Releasing a permit's own reservation is the caller's: it knows what it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Add to `used`.
    pub used: Count,
    /// Add to `reserved`, until the permit is recorded or lapses.
    pub reserved: Count,
}

/// Whether a call of that moment is held until it is recorded, rather than used. A request happens at its permit; how
/// long a run takes, or how many of its calls fail, no permit says before.
pub(super) const fn reserves(limit_type: LimitType, moment: Moment) -> bool {
    matches!(basis(limit_type), Basis::Usage | Basis::Run)
        && matches!(moment, Moment::StepPre)
        && !counts_requests(limit_type)
}

const fn counts_requests(limit_type: LimitType) -> bool {
    use LimitType as T;
    matches!(limit_type, T::RequestsPerSecond | T::RequestsPerMinute | T::RequestsPerHour)
}

/// What a decided call leaves. What was spent is counted even when the record is refused; a refused call itself
/// is not counted, and a refused permit leaves nothing. A request happens at its permit, so it is used there and
/// not reserved. Nothing for limits that keep no usage row.
#[must_use]
pub fn charge(limit_type: LimitType, moment: Moment, facts: &Facts, refused: bool) -> Charge {
    if basis(limit_type) != Basis::Usage {
        return Charge::default();
    }
    let request = counts_requests(limit_type);
    // Reserved at the permit, a step and a tool call are used when they are recorded.
    let asked = demand(limit_type, if counts_calls(limit_type) { Moment::StepBoth } else { moment }, facts);
    let used = |used| Charge { used, reserved: Count::ZERO };
    match moment {
        Moment::RunStart | Moment::Intervention => Charge::default(),
        Moment::StepPre if refused => Charge::default(),
        Moment::StepPre if reserves(limit_type, moment) => Charge { used: Count::ZERO, reserved: asked },
        Moment::StepPost if request => Charge::default(),
        Moment::StepPost | Moment::StepBoth if refused && counts_calls(limit_type) => Charge::default(),
        Moment::StepPre | Moment::StepPost | Moment::StepBoth => used(asked),
    }
}

/// What a step used that is found to have been counted elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Used {
    pub input_tokens: Count,
    pub output_tokens: Count,
    pub cost_nanousd: Count,
    pub tool_calls: Count,
}

impl Used {
    /// What a limit of that type counted of it. Steps and requests were made, whatever else tells of the same.
    #[must_use]
    pub fn of(self, limit_type: LimitType) -> Count {
        use LimitType as T;
        match limit_type {
            T::CostUsd => self.cost_nanousd,
            T::TokensTotal | T::TokensPerMinute => self.input_tokens + self.output_tokens,
            T::TokensInput => self.input_tokens,
            T::TokensOutput => self.output_tokens,
            T::ToolCalls => self.tool_calls,
            _ => Count::ZERO,
        }
    }
}

/// What open permits hold of the limits on their run: those have no usage row that it could be written into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Held {
    pub steps: Count,
    pub tokens: Count,
    pub cost_nanousd: Count,
}

impl Held {
    /// What is held of a limit of that type; nothing of one that is not on the run.
    #[must_use]
    pub fn of(self, limit_type: LimitType) -> Count {
        use LimitType as T;
        match limit_type {
            T::RunCostUsd => self.cost_nanousd,
            T::RunTokens => self.tokens,
            T::RunSteps => self.steps,
            _ => Count::ZERO,
        }
    }
}

impl Add for Held {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            tokens: self.tokens + other.tokens,
            cost_nanousd: self.cost_nanousd + other.cost_nanousd,
        }
    }
}
