//! What a call asks of a limit, by the limit's type.

use proof::words::{LimitType, Moment, StepKind};

use crate::{Count, Facts};

/// Where the used part of a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The usage row of the limit's window: budgets and rates.
    Usage,
    /// The run's own totals, which the facts have; and what its open permits hold, which is known before they are used.
    Run,
    /// The run and the step themselves: the facts have it.
    Facts,
    /// Failed steps in the measurement window (`used`) of all in it (`population`), this call included at
    /// STEP_POST.
    Errors,
}

/// Where the used part of a limit of that type comes from.
#[must_use]
pub const fn basis(limit_type: LimitType) -> Basis {
    use LimitType as T;
    match limit_type {
        T::CostUsd
        | T::TokensTotal
        | T::TokensInput
        | T::TokensOutput
        | T::Steps
        | T::ToolCalls
        | T::RequestsPerSecond
        | T::RequestsPerMinute
        | T::RequestsPerHour
        | T::TokensPerMinute => Basis::Usage,
        T::RunCostUsd | T::RunTokens | T::RunSteps => Basis::Run,
        T::RunDurationMs | T::StepCostUsd | T::StepTokens | T::LatencyMs | T::RetryCount => Basis::Facts,
        T::ErrorRatePct => Basis::Errors,
    }
}

/// Whether a limit counts calls rather than what they spend: a call counts once, at its permit or, without one,
/// at its record, and not at all if it is refused.
pub(super) const fn counts_calls(limit_type: LimitType) -> bool {
    use LimitType as T;
    matches!(
        limit_type,
        T::Steps | T::ToolCalls | T::RequestsPerSecond | T::RequestsPerMinute | T::RequestsPerHour
    )
}

/// Whether a limit counts money.
#[must_use]
pub const fn counts_cost(limit_type: LimitType) -> bool {
    matches!(limit_type, LimitType::CostUsd | LimitType::RunCostUsd | LimitType::StepCostUsd)
}

/// Whether a limit of that type is measured at that moment.
pub(super) const fn measured_at(limit_type: LimitType, moment: Moment) -> bool {
    match moment {
        Moment::RunStart | Moment::Intervention => false,
        // Known only from the result.
        Moment::StepPre => !matches!(limit_type, LimitType::LatencyMs | LimitType::RetryCount),
        // The permit has counted the call.
        Moment::StepPost => !counts_calls(limit_type),
        Moment::StepBoth => true,
    }
}

/// What the call adds to what a limit of that type counts.
#[must_use]
pub fn demand(limit_type: LimitType, moment: Moment, facts: &Facts) -> Count {
    use LimitType as T;
    let Some(step) = facts.step.as_ref().filter(|_| measured_at(limit_type, moment)) else {
        return Count::ZERO;
    };
    match limit_type {
        T::CostUsd | T::RunCostUsd | T::StepCostUsd => step.cost_nanousd,
        T::TokensTotal | T::TokensPerMinute | T::RunTokens | T::StepTokens => facts.step_tokens(),
        T::TokensInput => step.input_tokens,
        T::TokensOutput => step.output_tokens,
        T::Steps | T::RunSteps | T::RequestsPerSecond | T::RequestsPerMinute | T::RequestsPerHour => {
            Count::from(1)
        }
        T::ToolCalls => Count::from(u64::from(step.kind == StepKind::ToolCall && !step.told_elsewhere)),
        T::LatencyMs => step.duration_ms,
        T::RetryCount => step.retry_count,
        T::RunDurationMs | T::ErrorRatePct => Count::ZERO,
    }
}

/// What a limit on a run has used before the call.
pub(super) fn used(limit_type: LimitType, facts: &Facts) -> Count {
    match limit_type {
        LimitType::RunCostUsd => facts.run.cost_nanousd,
        LimitType::RunTokens => facts.run.tokens,
        LimitType::RunSteps => facts.run.steps,
        LimitType::RunDurationMs => facts.run.elapsed_ms,
        _ => Count::ZERO,
    }
}

/// Whether the limit counts money and what this call costs, or for a limit on the run has cost, is not known.
pub(super) fn cost_unknown(limit_type: LimitType, facts: &Facts) -> bool {
    let step_unknown = facts.step.as_ref().is_some_and(|step| !step.cost_known);
    counts_cost(limit_type)
        && (step_unknown || (limit_type == LimitType::RunCostUsd && !facts.run.cost_known))
}
