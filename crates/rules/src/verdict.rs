//! Turns all that fired into one verdict.
//!
//! The verdict is the most severe action. Among equally severe ones the lowest precedence decides, then the id. Limits
//! come before rules, and among limits the most specific scope: their precedence is below that of any rule.
//!
//! A 429 (a RATE limit with REJECT) is the mildest refusal. It decides only when nothing else refuses, because it
//! leaves no step, and a call that a rule refuses must leave one.

use proof::{
    records::Intervened,
    words::{
        Action, HaltReason, InterventionKind, LimitCategory, LimitStanding, LimitType, Moment, PermitNote,
        PolicyKind,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Count,
    evaluate::{RuleOutcome, RuleOutcomes},
    fault::Fault,
    limits::{Advice, LimitOutcome, specificity},
    text::{applies, canonical},
    told::{FiredFact, sentence},
};

/// One rule or limit that fired, as it is stored and told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fired {
    /// The rule or limit.
    pub policy_id: String,
    /// Its name.
    pub name: String,
    /// Which of both it is.
    pub kind: PolicyKind,
    /// The rule's enforcement mode, or the limit's enforcement.
    pub mode: String,
    /// Why, for people.
    pub message: String,
    /// What it asked for; ALLOW where it only records.
    pub action: Action,
    /// For AUDIT and DRY_RUN: what it would have asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_have: Option<Action>,
    /// Set if it fired because it could not be evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What it asks of the agent, though it may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// Of a rule: the facts that its condition reads, as it was judged on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FiredFact>,
    /// How many more it reads than are told.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more_facts: Count,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &Count) -> bool {
    *count == Count::ZERO
}

impl Fired {
    /// What the rule fired on, in one line for people; none where its condition reads nothing, and for a limit.
    #[must_use]
    pub fn on(&self) -> Option<String> {
        (!self.facts.is_empty()).then(|| sentence(&self.facts, self.more_facts))
    }

    /// Why, in one line for people: what its author says of it, and what it fired on.
    #[must_use]
    pub fn why(&self) -> String {
        match self.on() {
            Some(on) if self.message == applies(&self.name) => on,
            Some(on) => format!("{} ({on})", self.message),
            None => self.message.clone(),
        }
    }
}

/// Where one applicable limit stands after the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitView {
    /// The limit.
    pub limit_id: String,
    /// Its name.
    pub name: String,
    /// What it counts; cost is in nano-USD.
    pub limit_type: LimitType,
    /// How the call was measured.
    pub status: LimitStanding,
    /// What is used of it now that the call is decided.
    pub used: Count,
    /// What open permits hold of it, the one that was granted just now among them.
    #[serde(default, skip_serializing_if = "crate::limits::is_zero")]
    pub reserved: Count,
    /// The cap in force.
    pub max: Count,
    /// What is left beside both.
    pub remaining: Count,
}

/// The verdict, and all that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The most severe action that fired.
    pub action: Action,
    /// Why the call is refused; none if it is not.
    pub halt_reason: Option<HaltReason>,
    /// What decided; none for ALLOW. A person's intervention decides by its own id.
    pub deciding_policy_id: Option<String>,
    /// Whether that is a rule or a limit.
    pub deciding_kind: Option<PolicyKind>,
    /// All that fired, the deciding one first.
    pub fired: Vec<Fired>,
    /// All limits that were measured, most specific first.
    pub limits: Vec<LimitView>,
    /// If the refusal is a 429: when to try again.
    pub retry_after_ms: Option<Count>,
}

impl Conclusion {
    /// As it is stored in a decision's `fired`.
    #[must_use]
    pub fn fired_json(&self) -> String {
        canonical(&self.fired)
    }

    /// As it is stored in a decision's `limits`.
    #[must_use]
    pub fn limits_json(&self) -> String {
        canonical(&self.limits)
    }

    /// Whether the refusal is a 429: a decision is stored, and no step.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.retry_after_ms.is_some()
    }
}

/// What ranks one that fired against another, least first: the one that decides is the least of all.
type Rank = (std::cmp::Reverse<(Action, bool)>, (u8, i64), String);

struct Candidate {
    rank: Rank,
    fired: Fired,
    halt_reason: HaltReason,
    rejects: Option<Count>,
}

/// What a person's intervention asks for: a kill ends the run, a freeze refuses whatever it does.
#[must_use]
pub const fn action_of(kind: InterventionKind) -> Action {
    match kind {
        InterventionKind::Kill => Action::Kill,
        InterventionKind::Freeze => Action::Block,
        InterventionKind::Unfreeze => Action::Allow,
    }
}

/// What bears on a verdict beside rules and limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    /// The kill or freeze by a person that it met: among equally severe, a person decides.
    pub intervened: Option<&'a Intervened>,
    /// Why the permit that was named does not serve, or why none is named of a step that had leave.
    pub permit_note: Option<PermitNote>,
    /// No permit serves, in a tenant that requires one.
    pub permit_required: bool,
}

/// One verdict from everything that was evaluated. The order of what is given makes no difference.
#[must_use]
pub fn conclude(rules: &RuleOutcomes, limits: &[LimitOutcome]) -> Conclusion {
    of_policies(rules, limits, None)
}

/// As [`conclude`], under circumstances: a permit that does not serve is at least WARN, one that is required and
/// missing at least BLOCK (spec 3). A step that is judged for the later moment alone had leave, whatever is noted of
/// its permit.
#[must_use]
pub fn conclude_under(
    moment: Moment,
    rules: &RuleOutcomes,
    limits: &[LimitOutcome],
    circumstances: Circumstances<'_>,
) -> Conclusion {
    let Circumstances { intervened, permit_note, permit_required } = circumstances;
    let conclusion = of_policies(rules, limits, intervened);
    if permit_required && !conclusion.action.refuses() {
        return Conclusion {
            action: Action::Block,
            halt_reason: Some(HaltReason::PermitRequired),
            deciding_policy_id: None,
            deciding_kind: None,
            limits: views(limits, Action::Block),
            ..conclusion
        };
    }
    if permit_note.is_some() && moment == Moment::StepBoth && conclusion.action == Action::Allow {
        return Conclusion { action: Action::Warn, ..conclusion };
    }
    conclusion
}

fn of_policies(rules: &RuleOutcomes, limits: &[LimitOutcome], intervened: Option<&Intervened>) -> Conclusion {
    let of_limits = limits.iter().filter_map(of_limit);
    let mut candidates: Vec<Candidate> = rules.fired.iter().map(of_rule).chain(of_limits).collect();
    candidates.sort_by(|a, b| a.rank.cmp(&b.rank));

    let deciding = candidates.first().filter(|first| first.fired.action > Action::Allow);
    let person = intervened.map(|met| (action_of(met.kind), met)).filter(|(action, _)| {
        *action > Action::Allow
            && deciding.is_none_or(|first| first.rejects.is_some() || first.fired.action <= *action)
    });
    if let Some((action, met)) = person {
        return Conclusion {
            action,
            halt_reason: Some(policy_halt(action)),
            deciding_policy_id: Some(met.intervention_id.clone()),
            deciding_kind: None,
            retry_after_ms: None,
            limits: views(limits, action),
            fired: candidates.into_iter().map(|candidate| candidate.fired).collect(),
        };
    }
    let action = deciding.map_or(Action::Allow, |first| first.fired.action);
    Conclusion {
        action,
        halt_reason: deciding.filter(|_| action.refuses()).map(|first| first.halt_reason),
        deciding_policy_id: deciding.map(|first| first.fired.policy_id.clone()),
        deciding_kind: deciding.map(|first| first.fired.kind),
        retry_after_ms: deciding.and_then(|first| first.rejects),
        limits: views(limits, action),
        fired: candidates.into_iter().map(|candidate| candidate.fired).collect(),
    }
}

fn of_rule(rule: &RuleOutcome) -> Candidate {
    let fired = Fired {
        policy_id: rule.rule_id.clone(),
        name: rule.name.clone(),
        kind: PolicyKind::Rule,
        mode: rule.mode.as_str().to_owned(),
        message: rule.message.clone(),
        action: rule.action,
        would_have: rule.would_have,
        fault: rule.fault,
        advice: None,
        facts: rule.facts.clone(),
        more_facts: rule.more_facts,
    };
    let halt_reason =
        if rule.fault.is_some() { HaltReason::EvaluationError } else { policy_halt(rule.action) };
    Candidate {
        rank: (std::cmp::Reverse((rule.action, true)), (u8::MAX, rule.precedence), rule.rule_id.clone()),
        fired,
        halt_reason,
        rejects: None,
    }
}

fn of_limit(limit: &LimitOutcome) -> Option<Candidate> {
    let fired = Fired {
        policy_id: limit.limit_id.clone(),
        name: limit.name.clone(),
        kind: PolicyKind::Limit,
        mode: limit.enforcement.as_str().to_owned(),
        message: limit.message.clone()?,
        action: limit.action,
        would_have: None,
        fault: limit.fault,
        advice: limit.advice.clone(),
        facts: Vec::new(),
        more_facts: Count::ZERO,
    };
    Some(Candidate {
        rank: (
            std::cmp::Reverse((limit.action, !limit.rejects)),
            (specificity(limit.scope), 0),
            limit.limit_id.clone(),
        ),
        fired,
        halt_reason: limit_halt(limit),
        rejects: limit.rejects.then_some(limit.retry_after_ms),
    })
}

fn limit_halt(limit: &LimitOutcome) -> HaltReason {
    use LimitType as T;
    match (limit.fault, limit.breach, limit.category) {
        (Some(Fault::Tampered), ..) => HaltReason::EvaluationError,
        // The tenant chose to refuse what cannot be counted.
        (_, None, _) => policy_halt(limit.action),
        (_, _, LimitCategory::Rate) => HaltReason::RateLimited,
        (_, _, LimitCategory::Budget) => HaltReason::BudgetExceeded,
        (_, _, LimitCategory::Threshold) => match limit.limit_type {
            T::RunCostUsd | T::RunTokens | T::RunSteps | T::StepCostUsd | T::StepTokens => {
                HaltReason::BudgetExceeded
            }
            _ => policy_halt(limit.action),
        },
    }
}

fn policy_halt(action: Action) -> HaltReason {
    if action >= Action::Kill { HaltReason::PolicyKill } else { HaltReason::PolicyStop }
}

fn views(limits: &[LimitOutcome], action: Action) -> Vec<LimitView> {
    let mut ordered: Vec<&LimitOutcome> = limits.iter().collect();
    ordered.sort_by(|a, b| (specificity(a.scope), &a.limit_id).cmp(&(specificity(b.scope), &b.limit_id)));
    ordered
        .into_iter()
        .map(|limit| {
            let (counts, reserved) = if action.refuses() {
                (limit.used_if_refused, limit.reserved)
            } else {
                (limit.used_if_admitted, limit.reserved + limit.reserves)
            };
            LimitView {
                limit_id: limit.limit_id.clone(),
                name: limit.name.clone(),
                limit_type: limit.limit_type,
                status: limit.standing,
                used: counts.saturating_sub(reserved),
                reserved,
                max: limit.max,
                remaining: limit.max.saturating_sub(counts),
            }
        })
        .collect()
}

/// What all that fired asks of the agent together: the longest wait, and the first thing to go on with.
#[must_use]
pub fn advice(fired: &[Fired]) -> Option<Advice> {
    let given = || fired.iter().filter_map(|fired| fired.advice.as_ref());
    given().next()?;
    Some(Advice {
        retry_after_ms: given().filter_map(|advice| advice.retry_after_ms).max(),
        degrade_to: given().filter_map(|advice| advice.degrade_to.clone()).min(),
    })
}

#[cfg(test)]
mod tests;
