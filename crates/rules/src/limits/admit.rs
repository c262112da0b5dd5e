//! One limit, one call: where it stands, and what follows.

use std::fmt::Write as _;

use proof::{
    definitions::LimitDefinition,
    words::{
        Action, BreachType, Consequence, LimitCategory, LimitEnforcement, LimitStanding, LimitType, Moment,
        Scope,
    },
};
use serde::{Deserialize, Serialize};

use super::{
    charge::reserves,
    demand::{Basis, basis, counts_calls, counts_cost},
    input::LimitInput,
};
use crate::{Count, fault::Fault, text::usd};

/// From this share of a limit on it is near, and a call that adds to it is warned.
pub const NEAR_THRESHOLD_PERCENT: u64 = 80;

/// What DEGRADE advises where the limit names nothing.
const DEGRADE_TO: &str = "lower_cost_model";

/// What a limit with QUEUE or DEGRADE asks of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Wait this long before the next call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<Count>,
    /// Go on with less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrade_to: Option<String>,
}

/// Where a limit stands after a call was measured against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitOutcome {
    /// The limit.
    pub limit_id: String,
    /// Its name.
    pub name: String,
    /// What it counts.
    pub limit_type: LimitType,
    /// Its category.
    pub category: LimitCategory,
    /// Where it applies; the more specific is named first.
    pub scope: Scope,
    /// What it does when passed.
    pub enforcement: LimitEnforcement,
    /// The value that was compared with the cap: for ERROR_RATE_PCT whole per cent, rounded down.
    pub value: Count,
    /// The cap that was in force.
    pub max: Count,
    /// Below 80 %, from 80 %, above the cap.
    pub standing: LimitStanding,
    /// What counts if the call does: used, or held by open permits.
    pub used_if_admitted: Count,
    /// What counts if the call is refused, by this limit or by anything else.
    pub used_if_refused: Count,
    /// What of either is held by open permits, without the one that is asked for.
    pub reserved: Count,
    /// What that one holds more, if it is granted.
    pub reserves: Count,
    /// What it asks for. ALLOW if it did not fire.
    pub action: Action,
    /// Whether its refusal is a 429: the action is BLOCK then.
    pub rejects: bool,
    /// Until its window ends.
    pub retry_after_ms: Count,
    /// What QUEUE or DEGRADE asks for.
    pub advice: Option<Advice>,
    /// How it was passed, if it was.
    pub breach: Option<BreachType>,
    /// What passing it does beyond the step, if it was passed.
    pub consequence: Option<Consequence>,
    /// The window it counted in; empty where it has none.
    pub window_start: String,
    /// What to tell the agent; there if it fired.
    pub message: Option<String>,
    /// Why it could not be measured.
    pub fault: Option<Fault>,
}

/// Measures one call against one limit.
#[must_use]
pub fn admit(
    limit: &LimitDefinition,
    moment: Moment,
    input: &LimitInput,
    block_unknown_cost: bool,
    tampered: bool,
) -> LimitOutcome {
    let measured = Measured::of(limit, input);
    let mut outcome = LimitOutcome {
        limit_id: limit.limit_id.clone(),
        name: limit.name.clone(),
        limit_type: limit.limit_type,
        category: limit.limit_category,
        scope: limit.scope,
        enforcement: limit.enforcement,
        value: measured.value,
        max: input.max,
        standing: measured.standing,
        used_if_admitted: measured.value,
        used_if_refused: used_if_refused(limit.limit_type, moment, input, measured.value),
        reserved: input.reserved,
        reserves: if reserves(limit.limit_type, moment) { input.demand } else { Count::ZERO },
        action: Action::Allow,
        rejects: false,
        retry_after_ms: input.retry_after_ms,
        advice: None,
        breach: None,
        consequence: None,
        window_start: input.window_start.clone(),
        message: None,
        fault: None,
    };
    if measured.standing == LimitStanding::Breached {
        breached(&mut outcome, limit, input);
    } else if measured.warns {
        outcome.action = Action::Warn;
    }
    if outcome.action != Action::Allow {
        outcome.message = Some(told(&outcome, input));
    }
    if input.cost_unknown && !tampered {
        let asked = if block_unknown_cost { Action::Block } else { Action::Warn };
        let because = format!("cost_unknown: `{}` cannot be checked, for a cost is not known.", limit.name);
        fail(&mut outcome, Fault::CostUnknown, asked, because);
    }
    if tampered {
        let because = format!("Limit `{}` does not match its integrity record.", limit.name);
        fail(&mut outcome, Fault::Tampered, Action::Block, because);
    }
    outcome
}

struct Measured {
    value: Count,
    standing: LimitStanding,
    /// Near, and by this call.
    warns: bool,
}

impl Measured {
    fn of(limit: &LimitDefinition, input: &LimitInput) -> Self {
        let ratio = basis(limit.limit_type) == Basis::Errors;
        let max = u128::from(input.max.get());
        let total = u128::from((input.used + input.reserved + input.demand).get());
        // Both sides in hundredths of a unit, so that a ratio is compared exactly.
        let (value, hundredths, cap) = if ratio {
            let population = u128::from(input.population.get());
            (total * 100 / population.max(1), total * 100 * 100, max * population * 100)
        } else {
            (total, total * 100, max * 100)
        };
        let granted = input.granted.is_some_and(|granted| input.demand <= granted);
        let standing = if hundredths > cap && !granted {
            LimitStanding::Breached
        } else if cap > 0 && hundredths * 100 >= cap * u128::from(NEAR_THRESHOLD_PERCENT) {
            LimitStanding::NearThreshold
        } else {
            LimitStanding::Ok
        };
        let adds =
            input.demand > Count::ZERO || matches!(limit.limit_type, LimitType::RunDurationMs) || ratio;
        let value = Count::from(u64::try_from(value).unwrap_or(u64::MAX));
        Self { value, standing, warns: standing == LimitStanding::NearThreshold && adds }
    }
}

fn breached(outcome: &mut LimitOutcome, limit: &LimitDefinition, input: &LimitInput) {
    // A call that had a permit has happened with leave: what it spent beyond its estimate is counted, not refused.
    let overage = input.granted.is_some();
    let retry_after_ms = Some(input.retry_after_ms).filter(|wait| *wait > Count::ZERO);
    outcome.action = match limit.enforcement {
        _ if limit.consequence == Consequence::Abort => Action::Abort,
        _ if overage => Action::Warn,
        LimitEnforcement::Block => Action::Block,
        LimitEnforcement::Stop => Action::Stop,
        LimitEnforcement::Kill => Action::Kill,
        LimitEnforcement::Reject => {
            outcome.rejects = true;
            Action::Block
        }
        LimitEnforcement::Queue => {
            outcome.advice = Some(Advice { retry_after_ms, degrade_to: None });
            Action::Warn
        }
        LimitEnforcement::Degrade => {
            let to = limit.degrade_to.clone().unwrap_or_else(|| DEGRADE_TO.to_owned());
            outcome.advice = Some(Advice { retry_after_ms: None, degrade_to: Some(to) });
            Action::Warn
        }
        LimitEnforcement::Warn | LimitEnforcement::Alert => Action::Warn,
    };
    outcome.breach = Some(match limit.limit_category {
        _ if !outcome.action.refuses() => BreachType::Breached,
        LimitCategory::Budget => BreachType::Exhausted,
        LimitCategory::Rate => BreachType::Throttled,
        LimitCategory::Threshold => BreachType::Violated,
    });
    outcome.consequence = Some(limit.consequence);
}

/// A limit that cannot be measured asks for that action, or for what it asked already if that is more.
fn fail(outcome: &mut LimitOutcome, fault: Fault, asked: Action, because: String) {
    outcome.fault = Some(fault);
    if asked > outcome.action || outcome.message.is_none() {
        outcome.rejects = false;
        outcome.action = outcome.action.max(asked);
        outcome.message = Some(because);
    }
}

fn used_if_refused(limit_type: LimitType, moment: Moment, input: &LimitInput, value: Count) -> Count {
    let of_the_step = matches!(
        limit_type,
        LimitType::StepCostUsd | LimitType::StepTokens | LimitType::LatencyMs | LimitType::RetryCount
    );
    let uncounted =
        moment == Moment::StepPre || counts_calls(limit_type) || limit_type == LimitType::RunSteps;
    if !of_the_step && uncounted && basis(limit_type) != Basis::Errors {
        input.used + input.reserved
    } else {
        value
    }
}

/// What of the value is not spent: it is settled or given back when a permit is used, lapses, or its run ends.
fn held(outcome: &LimitOutcome) -> String {
    match outcome.reserved {
        Count::ZERO => String::new(),
        reserved => format!(", {} of it reserved by open permits", amount(outcome.limit_type, reserved)),
    }
}

fn told(outcome: &LimitOutcome, input: &LimitInput) -> String {
    let amount = |count: Count| amount(outcome.limit_type, count);
    let (name, value, max) = (&outcome.name, amount(outcome.value), amount(outcome.max));
    let held = held(outcome);
    if outcome.breach.is_none() {
        let left = amount(outcome.max.saturating_sub(outcome.value));
        return format!("`{name}`: {value} of {max} used{held}, {left} left.");
    }
    // A limit that is passed already lets nothing pass, and a call that adds nothing to it brings it nowhere.
    let mut text = if outcome.action.refuses() && input.demand > Count::ZERO {
        format!("`{name}` allows {max}; this call would bring it to {value}{held}.")
    } else {
        format!("`{name}` allows {max} and is at {value}{held}.")
    };
    if outcome.rejects || outcome.advice.as_ref().is_some_and(|advice| advice.retry_after_ms.is_some()) {
        let _ = write!(text, " Wait {} ms.", input.retry_after_ms);
    }
    if let Some(to) = outcome.advice.as_ref().and_then(|advice| advice.degrade_to.as_ref()) {
        let _ = write!(text, " Go on with: {to}.");
    }
    text
}

fn amount(limit_type: LimitType, count: Count) -> String {
    if counts_cost(limit_type) {
        return usd(count);
    }
    let unit = match limit_type {
        LimitType::TokensTotal
        | LimitType::TokensInput
        | LimitType::TokensOutput
        | LimitType::TokensPerMinute
        | LimitType::RunTokens
        | LimitType::StepTokens => " tokens",
        LimitType::Steps | LimitType::RunSteps => " steps",
        LimitType::ToolCalls => " tool calls",
        LimitType::RequestsPerSecond | LimitType::RequestsPerMinute | LimitType::RequestsPerHour => {
            " requests"
        }
        LimitType::RunDurationMs | LimitType::LatencyMs => " ms",
        LimitType::RetryCount => " retries",
        LimitType::ErrorRatePct => " %",
        LimitType::CostUsd | LimitType::RunCostUsd | LimitType::StepCostUsd => "",
    };
    let unit = match unit {
        " retries" if count == Count::from(1) => " retry",
        // A share and a time have no plural.
        " %" | " ms" => unit,
        _ if count == Count::from(1) => unit.trim_end_matches('s'),
        _ => unit,
    };
    format!("{count}{unit}")
}
