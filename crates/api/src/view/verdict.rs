//! A verdict, as it is written.

use orchestrator::{
    handlers::policies::counts_money,
    verdict::{self, FactValue, Fired, FiredFact},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Number, Time, words};

/// What the choke point answered: everything that fired, and which of it decided.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictView {
    /// What happens to the step.
    #[schema(value_type = words::Action)]
    action: &'static str,
    /// The stored decision.
    decision_id: String,
    /// Why it is no plain ALLOW.
    #[schema(value_type = Option<words::HaltReason>, required = true)]
    halt_reason: Option<&'static str>,
    /// The rule or limit that decided.
    #[schema(required = true)]
    deciding_policy_id: Option<String>,
    /// Everything that fired, the deciding one first.
    fired: Vec<FiredView>,
    /// Where each limit that applies stands.
    limits: Vec<LimitStandingView>,
    /// What the agent must do, though the step counts: a limit with QUEUE or DEGRADE asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<AdviceView>,
    /// For a reported step: what would have been answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::Action>)]
    would_have: Option<&'static str>,
    /// The kill or freeze by a person that it met; `deciding_policy_id` is its id where it decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    intervention: Option<IntervenedView>,
    /// Whether leave was asked before it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::Asked>)]
    asked: Option<&'static str>,
    /// `refused after it was done`, where that is so: the record of a step is refused when it is there, whatever permit
    /// served, and nothing is prevented then.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// Why the permit that was named does not serve; the action is at least WARN then. With `asked` BEFORE it served
    /// while the store was down, and its record was lost: the action is what was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::PermitNote>)]
    permit_note: Option<&'static str>,
    /// When it was decided.
    checked_at: Time,
}

/// What a limit asks of the agent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Advice)]
struct AdviceView {
    /// Wait this long before the next call.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// Go on with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    degrade_to: Option<String>,
}

/// A rule or limit that fired.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Fired)]
pub(crate) struct FiredView {
    /// The rule or limit.
    policy_id: String,
    /// Its name.
    name: String,
    /// Which of both it is.
    #[schema(value_type = words::PolicyKind)]
    kind: &'static str,
    /// The rule's enforcement mode, or the limit's enforcement.
    mode: String,
    /// Why, for people.
    message: String,
    /// Of a rule: the facts that its condition reads, as it was judged on them; at most 16.
    facts: Vec<FiredFactView>,
    /// Set where it could not be evaluated, and so refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::Fault>)]
    fault: Option<&'static str>,
}

impl From<Fired> for FiredView {
    fn from(fired: Fired) -> Self {
        Self {
            policy_id: fired.policy_id,
            name: fired.name,
            kind: fired.kind.as_str(),
            mode: fired.mode,
            message: fired.message,
            facts: fired.facts.into_iter().map(Into::into).collect(),
            fault: fired.fault.map(|fault| fault.as_str()),
        }
    }
}

/// A fact that a rule was judged on. `GET /policies/facts` says what each means.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FiredFact)]
struct FiredFactView {
    /// Its name in short: `step.model`.
    #[schema(example = "step.cost_microusd")]
    name: String,
    /// A number, a text, true or false, or a list of texts. Null where it was not there to be read.
    #[schema(value_type = serde_json::Value, example = json!(610_000))]
    value: Option<FactValue>,
    /// What a number counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::FactUnit>)]
    unit: Option<&'static str>,
    /// The same in dollars, where it is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    usd: Option<Number>,
    /// It is longer than what is told of it: 120 characters, 8 members.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    /// Why it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::Fault>)]
    missing: Option<&'static str>,
}

impl From<FiredFact> for FiredFactView {
    fn from(fact: FiredFact) -> Self {
        Self {
            unit: fact.unit().map(|unit| unit.as_str()),
            usd: fact.nanousd().map(Number::usd),
            name: fact.name,
            value: fact.value,
            cut: fact.cut,
            missing: fact.missing.map(|fault| fault.as_str()),
        }
    }
}

/// A person's act, as a verdict met it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Intervened)]
struct IntervenedView {
    intervention_id: String,
    #[schema(value_type = words::InterventionKind)]
    kind: &'static str,
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: Option<String>,
    reason: Option<String>,
}

/// Where a limit stands after the call. Values are in the limit's own unit: USD for cost.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LimitStandingOf)]
struct LimitStandingView {
    /// The limit.
    limit_id: String,
    /// Its name.
    name: String,
    /// What it counts.
    #[schema(value_type = words::LimitType)]
    limit_type: &'static str,
    /// How the call was measured.
    #[schema(value_type = words::LimitStanding)]
    status: &'static str,
    /// What is used of it.
    used: Number,
    /// What open permits hold of it: given back when a permit lapses or its run ends, used when its step is recorded.
    /// Of a limit on the run (RUN_STEPS, RUN_TOKENS, RUN_COST_USD) it is what the permits of the run hold.
    reserved: Number,
    /// The cap.
    max: Number,
    /// What is left beside both.
    remaining: Number,
}

impl From<verdict::VerdictView> for VerdictView {
    fn from(verdict: verdict::VerdictView) -> Self {
        let note = verdict.refused_after();
        let advice = verdict.advice().map(|advice| AdviceView {
            retry_after_ms: advice.retry_after_ms.map(|wait| wait.get()),
            degrade_to: advice.degrade_to,
        });
        let limits = verdict.limits.into_iter().map(|limit| {
            let number = |value| Number::of_limit(counts_money(limit.limit_type), value);
            LimitStandingView {
                limit_type: limit.limit_type.as_str(),
                status: limit.status.as_str(),
                used: number(limit.used.get()),
                reserved: number(limit.reserved.get()),
                max: number(limit.max.get()),
                remaining: number(limit.remaining.get()),
                limit_id: limit.limit_id,
                name: limit.name,
            }
        });
        Self {
            action: verdict.action.as_str(),
            decision_id: verdict.decision_id.to_string(),
            halt_reason: verdict.halt_reason.map(|reason| reason.as_str()),
            deciding_policy_id: verdict.deciding_policy_id,
            fired: verdict.fired.into_iter().map(Into::into).collect(),
            limits: limits.collect(),
            advice,
            would_have: verdict.would_have.map(|action| action.as_str()),
            intervention: verdict.intervention.map(|met| IntervenedView {
                intervention_id: met.intervention_id,
                kind: met.kind.as_str(),
                actor_type: met.actor_type.as_str(),
                actor_id: met.actor_id,
                reason: met.reason,
            }),
            asked: verdict.asked.map(|asked| asked.as_str()),
            note,
            permit_note: verdict.permit_note.map(|note| note.as_str()),
            checked_at: verdict.checked_at.into(),
        }
    }
}
