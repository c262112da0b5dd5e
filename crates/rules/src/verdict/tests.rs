//! One verdict from many that fired.

use proof::words::{Consequence, EnforcementMode, LimitEnforcement, Scope};
use proptest::prelude::*;

use super::*;
use crate::{
    fixtures::limit,
    limits::{LimitInput, admit},
};

fn rule(id: &str, action: Action, precedence: i64) -> RuleOutcome {
    RuleOutcome {
        rule_id: id.to_owned(),
        name: id.to_uppercase(),
        mode: EnforcementMode::Block,
        precedence,
        action,
        would_have: None,
        message: format!("because of {id}"),
        fault: None,
        facts: Vec::new(),
        more_facts: Count::ZERO,
    }
}

fn rules(fired: Vec<RuleOutcome>) -> RuleOutcomes {
    RuleOutcomes { fired }
}

/// A limit of 10 with that use, measured.
fn measured(
    id: &str,
    limit_type: LimitType,
    enforcement: LimitEnforcement,
    scope: Scope,
    used: u64,
) -> LimitOutcome {
    let mut limit = limit(id, limit_type, 10);
    limit.enforcement = enforcement;
    limit.scope = scope;
    let input = LimitInput {
        limit_id: id.to_owned(),
        max: 10.into(),
        used: used.into(),
        demand: 1.into(),
        retry_after_ms: 700.into(),
        ..LimitInput::default()
    };
    admit(&limit, Moment::StepBoth, &input, false, false)
}

#[test]
fn nothing_fired_is_allow() {
    let conclusion = conclude(&RuleOutcomes::default(), &[]);
    assert_eq!(
        (conclusion.action, conclusion.halt_reason, conclusion.deciding_policy_id),
        (Action::Allow, None, None)
    );
    let audit = RuleOutcome { would_have: Some(Action::Block), ..rule("a", Action::Allow, 0) };
    let conclusion = conclude(&rules(vec![audit]), &[]);
    assert_eq!(
        (conclusion.action, conclusion.deciding_policy_id, conclusion.fired.len()),
        (Action::Allow, None, 1)
    );
}

#[test]
fn the_most_severe_decides_then_precedence_then_id_and_all_are_reported() {
    let all = vec![
        rule("d", Action::Stop, 7),
        rule("c", Action::Stop, 5),
        rule("b", Action::Stop, 5),
        rule("a", Action::Warn, 1),
    ];
    let conclusion = conclude(&rules(all), &[]);
    let order: Vec<&str> = conclusion.fired.iter().map(|fired| fired.policy_id.as_str()).collect();
    assert_eq!(order, ["b", "c", "d", "a"]);
    assert_eq!(conclusion.deciding_policy_id.as_deref(), Some("b"));
    assert_eq!((conclusion.action, conclusion.halt_reason), (Action::Stop, Some(HaltReason::PolicyStop)));
}

#[test]
fn limits_decide_before_rules_that_are_as_severe_the_most_specific_first() {
    let blocking = rules(vec![rule("a_rule", Action::Block, i64::MIN)]);
    let limits = [
        measured("b_tenant", LimitType::CostUsd, LimitEnforcement::Block, Scope::Tenant, 10),
        measured("c_agent", LimitType::CostUsd, LimitEnforcement::Block, Scope::Agent, 10),
    ];
    let conclusion = conclude(&blocking, &limits);
    assert_eq!(conclusion.deciding_policy_id.as_deref(), Some("c_agent"));
    assert_eq!(conclusion.halt_reason, Some(HaltReason::BudgetExceeded));
    let killing = rules(vec![rule("a_rule", Action::Kill, 900)]);
    let conclusion = conclude(&killing, &limits);
    assert_eq!(conclusion.deciding_kind, Some(PolicyKind::Rule));
    assert_eq!(conclusion.halt_reason, Some(HaltReason::PolicyKill));
}

#[test]
fn a_rejection_by_rate_is_the_mildest_refusal() {
    let rate = measured("lim_r", LimitType::RequestsPerMinute, LimitEnforcement::Reject, Scope::Agent, 10);
    let alone = conclude(&rules(vec![rule("w", Action::Warn, 0)]), std::slice::from_ref(&rate));
    assert_eq!((alone.action, alone.halt_reason), (Action::Block, Some(HaltReason::RateLimited)));
    assert_eq!(alone.retry_after_ms.map(Count::get), Some(700));
    let with_a_block = conclude(&rules(vec![rule("b", Action::Block, 999)]), &[rate]);
    assert_eq!(with_a_block.deciding_policy_id.as_deref(), Some("b"));
    assert!(!with_a_block.is_rejection());
}

#[test]
fn the_reason_says_what_sort_of_limit_was_passed() {
    use LimitType as T;
    for (limit_type, reason) in [
        (T::CostUsd, HaltReason::BudgetExceeded),
        (T::RequestsPerHour, HaltReason::RateLimited),
        (T::RunSteps, HaltReason::BudgetExceeded),
        (T::StepCostUsd, HaltReason::BudgetExceeded),
        (T::LatencyMs, HaltReason::PolicyStop),
    ] {
        let over = measured("lim_1", limit_type, LimitEnforcement::Block, Scope::Tenant, 10);
        assert_eq!(conclude(&RuleOutcomes::default(), &[over]).halt_reason, Some(reason), "{limit_type}");
    }
    let failed = RuleOutcome { fault: Some(Fault::Overflow), ..rule("a", Action::Block, 0) };
    assert_eq!(conclude(&rules(vec![failed]), &[]).halt_reason, Some(HaltReason::EvaluationError));
}

#[test]
fn what_is_used_depends_on_whether_the_call_counts() {
    let steps = measured("lim_1", LimitType::Steps, LimitEnforcement::Block, Scope::Tenant, 4);
    let cost = measured("lim_2", LimitType::CostUsd, LimitEnforcement::Block, Scope::Tenant, 4);
    let used = |conclusion: &Conclusion| -> Vec<(u64, u64)> {
        conclusion.limits.iter().map(|limit| (limit.used.get(), limit.remaining.get())).collect()
    };
    let limits = [steps, cost];
    assert_eq!(used(&conclude(&RuleOutcomes::default(), &limits)), [(5, 5), (5, 5)]);
    // The refused record is no step, but its cost is spent.
    assert_eq!(used(&conclude(&rules(vec![rule("a", Action::Block, 0)]), &limits)), [(4, 6), (5, 5)]);
}

#[test]
fn a_note_is_a_warning_where_no_leave_was_given() {
    let noted = |moment, fired: Vec<RuleOutcome>| {
        let circumstances =
            Circumstances { permit_note: Some(PermitNote::Unknown), ..Circumstances::default() };
        conclude_under(moment, &rules(fired), &[], circumstances).action
    };
    assert_eq!(noted(Moment::StepBoth, Vec::new()), Action::Warn);
    assert_eq!(noted(Moment::StepPost, Vec::new()), Action::Allow, "it had leave, which was lost");
    for moment in [Moment::StepBoth, Moment::StepPost] {
        assert_eq!(noted(moment, vec![rule("a", Action::Stop, 0)]), Action::Stop);
    }
}

#[test]
fn advice_is_the_longest_wait() {
    let queue = measured("lim_1", LimitType::RequestsPerMinute, LimitEnforcement::Queue, Scope::Tenant, 10);
    let degrade = measured("lim_2", LimitType::TokensPerMinute, LimitEnforcement::Degrade, Scope::Tenant, 10);
    let conclusion = conclude(&RuleOutcomes::default(), &[queue, degrade]);
    let advice = super::advice(&conclusion.fired).expect("is given");
    assert_eq!((advice.retry_after_ms.map(Count::get), advice.degrade_to.is_some()), (Some(700), true));
    assert_eq!((conclusion.action, conclusion.is_rejection()), (Action::Warn, false));
}

#[test]
fn what_fired_is_stored_without_what_is_not_there() {
    let failed = RuleOutcome { fault: Some(Fault::CostUnknown), ..rule("a", Action::Block, 0) };
    assert_eq!(
        conclude(&rules(vec![failed]), &[]).fired_json(),
        "[{\"action\":\"BLOCK\",\"fault\":\"cost_unknown\",\"kind\":\"RULE\",\"message\":\"because of a\",\
         \"mode\":\"BLOCK\",\"name\":\"A\",\"policy_id\":\"a\"}]",
    );
}

fn any_rule() -> impl Strategy<Value = RuleOutcome> {
    let fault = proptest::option::of(Just(Fault::Overflow));
    ("[a-e]", 0..6_usize, -2..3_i64, fault).prop_map(|(id, action, precedence, fault)| RuleOutcome {
        fault,
        ..rule(&id, if fault.is_some() { Action::Block } else { Action::ALL[action] }, precedence)
    })
}

fn any_limit() -> impl Strategy<Value = LimitOutcome> {
    (0..LimitType::ALL.len(), 0..LimitEnforcement::ALL.len(), 0..Scope::ALL.len(), 0..15_u64, any::<bool>())
        .prop_map(|(limit_type, enforcement, scope, used, abort)| {
            let id = format!("lim_{limit_type}_{enforcement}_{scope}_{used}");
            let mut limit = limit(&id, LimitType::ALL[limit_type], 10);
            limit.enforcement = LimitEnforcement::ALL[enforcement];
            limit.scope = Scope::ALL[scope];
            limit.consequence = if abort { Consequence::Abort } else { Consequence::Alert };
            let input =
                LimitInput { limit_id: id, max: 10.into(), used: used.into(), ..LimitInput::default() };
            admit(&limit, Moment::StepBoth, &input, false, false)
        })
}

proptest! {
    #[test]
    fn the_verdict_is_the_most_severe_in_whatever_order(
        mut fired in proptest::collection::vec(any_rule(), 0..6),
        mut limits in proptest::collection::vec(any_limit(), 0..6),
    ) {
        let conclusion = conclude(&rules(fired.clone()), &limits);
        let severest = fired.iter().map(|rule| rule.action).chain(limits.iter().map(|limit| limit.action)).max();
        prop_assert_eq!(conclusion.action, severest.unwrap_or(Action::Allow));
        prop_assert_eq!(conclusion.halt_reason.is_some(), conclusion.action.refuses());
        prop_assert_eq!(conclusion.deciding_policy_id.is_some(), conclusion.action > Action::Allow);
        if fired.iter().any(|rule| rule.fault.is_some()) {
            prop_assert!(conclusion.action >= Action::Block);
        }
        let that_fired = limits.iter().filter(|limit| limit.message.is_some()).count();
        prop_assert_eq!(conclusion.fired.len(), fired.len() + that_fired);
        prop_assert_eq!(conclusion.limits.len(), limits.len());
        fired.reverse();
        limits.reverse();
        let reversed = conclude(&rules(fired), &limits);
        prop_assert_eq!(reversed.action, conclusion.action);
        prop_assert_eq!(reversed.deciding_policy_id, conclusion.deciding_policy_id);
        prop_assert_eq!(reversed.retry_after_ms, conclusion.retry_after_ms);
    }
}
