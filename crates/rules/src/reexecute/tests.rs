//! A decision decided again, and every way in which one can have been changed.

use proof::{
    definitions::SnapshotDefinition,
    words::{Action, BindAt, EnforcementMode, HaltReason, LimitType, Moment},
};

use super::*;
use crate::{
    conclude,
    fault::Fault,
    fixtures::{definition, facts, limit, rule, with_step},
};

fn sample() -> SnapshotDefinition {
    let rules = vec![
        rule("rule_a", EnforcementMode::Warn, BindAt::StepPre, "context.step.skill == \"search\""),
        rule("rule_b", EnforcementMode::Stop, BindAt::StepPost, "context.step.cost_microusd > 500"),
        rule("rule_c", EnforcementMode::DryRun, BindAt::StepPost, "context.run.steps >= 3"),
        rule(
            "rule_d",
            EnforcementMode::Warn,
            BindAt::StepPost,
            "context.step.input_tokens * 9223372036854775807 > 1",
        ),
    ];
    let mut cost = limit("lim_a", LimitType::CostUsd, 10_000_000);
    cost.scope = proof::words::Scope::Agent;
    cost.scope_id = Some("agent-1".to_owned());
    definition(rules, vec![cost, limit("lim_b", LimitType::RunSteps, 4)])
}

fn decide(snapshot: &SnapshotDefinition, moment: Moment, facts: &Facts, used: u64) -> DecisionRecord {
    decide_holding(snapshot, moment, facts, (used, 0))
}

/// What the choke point does, without a store: with so much used of budgets, and held of limits on the run.
fn decide_holding(
    snapshot: &SnapshotDefinition,
    moment: Moment,
    facts: &Facts,
    (used, held): (u64, u64),
) -> DecisionRecord {
    let compiled = CompiledSnapshot::compile(snapshot);
    let inputs: Vec<LimitInput> = compiled
        .applicable(moment, facts)
        .map(|limit| {
            let mut input = LimitInput::from_facts(limit, moment, facts);
            match basis(limit.limit_type) {
                Basis::Usage => input.used = (used * 1_000).into(),
                Basis::Run => input.reserved = held.into(),
                Basis::Facts | Basis::Errors => {}
            }
            input
        })
        .collect();
    let conclusion = conclude(&compiled.evaluate(moment, facts), &compiled.measure(moment, facts, &inputs));
    DecisionRecord {
        tenant_id: "ten_1".to_owned(),
        run_id: "run_1".to_owned(),
        decision_id: "dec_1".to_owned(),
        seq: 0,
        moment,
        step_index: Some(0),
        permit_id: None,
        snapshot_digest: String::new(),
        engine_version: ENGINE_VERSION.to_owned(),
        schema_version: SCHEMA_VERSION.to_owned(),
        facts: facts.canonical(),
        limit_inputs: limit_inputs_json(&inputs),
        fired: conclusion.fired_json(),
        limits: conclusion.limits_json(),
        action: conclusion.action,
        would_have: None,
        halt_reason: conclusion.halt_reason,
        deciding_policy_id: conclusion.deciding_policy_id,
        overridden_by: None,
        permit_note: None,
        permit_required: false,
        intervention: None,
        decided_at: "2026-11-21T00:00:00.000000Z".to_owned(),
    }
}

fn parts(snapshot: &SnapshotDefinition, record: &DecisionRecord) -> String {
    let result = reexecute(snapshot, record).expect("can be decided again");
    assert_eq!(result.matches, result.differences.is_empty());
    result.differences.into_iter().map(|difference| difference.part).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_decision_comes_out_again_to_the_last_byte() {
    for moment in Moment::ALL {
        for used in [0, 9_000, 9_500] {
            let mut facts = facts();
            if *moment == Moment::RunStart {
                facts.step = None;
            }
            let record = decide(&sample(), *moment, &facts, used);
            assert_eq!(parts(&sample(), &record), "", "{moment} {used}");
        }
    }
    let record = decide(&sample(), Moment::StepBoth, &facts(), 9_500);
    assert_eq!((record.action, record.deciding_policy_id.as_deref()), (Action::Stop, Some("rule_b")));
    assert_eq!(record.fired.matches("policy_id").count(), 6);
    assert!(record.fired.contains(Fault::Overflow.as_str()));
}

#[test]
fn what_a_rule_fired_on_cannot_be_left_out_or_changed() {
    let record = decide(&sample(), Moment::StepBoth, &facts(), 9_500);
    let mut fired: Vec<crate::verdict::Fired> = serde_json::from_str(&record.fired).expect("what fired");
    assert!(fired.iter().any(|fired| !fired.facts.is_empty()));
    for fired in &mut fired {
        fired.facts.clear();
    }
    let changed = |fired: String| parts(&sample(), &DecisionRecord { fired, ..record.clone() });
    assert_eq!(changed(canonical(&fired)), "fired");
    assert_eq!(changed(record.fired.replace("\"value\":3", "\"value\":2")), "fired");
    // Another engine's decision is not for this one to decide again.
    let other = DecisionRecord { schema_version: "hoc-facts/3".to_owned(), ..record };
    assert!(reexecute(&sample(), &other).is_err());
}

#[test]
fn a_verdict_that_acted_on_nothing_is_compared_with_what_it_would_have_been() {
    let mut record = decide(&sample(), Moment::StepBoth, &facts(), 0);
    record.would_have = Some(record.action);
    record.action = Action::Allow;
    assert_eq!(parts(&sample(), &record), "");
    record.would_have = Some(Action::Warn);
    assert_eq!(parts(&sample(), &record), "action");
}

#[test]
fn a_verdict_that_does_not_follow_shows() {
    let record = decide(&sample(), Moment::StepBoth, &facts(), 0);
    let changed = |change: &dyn Fn(&mut DecisionRecord)| {
        let mut record = record.clone();
        change(&mut record);
        parts(&sample(), &record)
    };
    assert_eq!(changed(&|record| record.action = Action::Allow), "action");
    assert_eq!(changed(&|record| record.halt_reason = Some(HaltReason::PolicyKill)), "halt_reason");
    assert_eq!(changed(&|record| record.halt_reason = None), "halt_reason");
    assert_eq!(
        changed(&|record| record.deciding_policy_id = Some("rule_a".to_owned())),
        "deciding_policy_id"
    );
    assert_eq!(changed(&|record| record.fired = "[]".to_owned()), "fired");
    assert_eq!(changed(&|record| record.fired = record.fired.replace("STOP", "WARN")), "fired");
    assert_eq!(changed(&|record| record.limits = record.limits.replace("lim_b", "lim_c")), "limits");
    // The rule before the act did not fire, the warning by it is missing.
    assert_eq!(changed(&|record| record.moment = Moment::StepPost), "fired");
}

#[test]
fn inputs_that_do_not_follow_from_the_facts_show() {
    let record = decide(&sample(), Moment::StepBoth, &facts(), 0);
    let changed = |from: &str, to: &str| {
        let mut record = record.clone();
        assert!(record.limit_inputs.contains(from), "{}", record.limit_inputs);
        record.limit_inputs = record.limit_inputs.replace(from, to);
        parts(&sample(), &record)
    };
    assert!(changed("\"demand\":1000000,", "\"demand\":1,").contains("limit_inputs lim_a"));
    assert!(changed("\"max\":10000000", "\"max\":20000000").contains("limit_inputs lim_a"));
    assert!(changed("\"used\":3", "\"used\":1").contains("limit_inputs lim_b"));
    // An override may raise the cap.
    let raised = changed("\"max\":10000000", "\"max\":20000,\"override_id\":\"ovr_1\"");
    assert!(!raised.contains("limit_inputs"), "{raised}");
    let mut none = record.clone();
    none.limit_inputs = "[]".to_owned();
    assert!(parts(&sample(), &none).starts_with("limit_inputs lim_a limit_inputs lim_b"));
}

#[test]
fn what_open_permits_hold_of_a_limit_on_the_run_is_part_of_the_decision() {
    let snapshot = definition(Vec::new(), vec![limit("lim_b", LimitType::RunSteps, 5)]);
    let record = decide_holding(&snapshot, Moment::StepPre, &facts(), (0, 2));
    assert_eq!(parts(&snapshot, &record), "");
    assert_eq!(record.action, Action::Block, "three steps, two that are held, and one more");
    let changed = |from: &str, to: &str| {
        let mut record = record.clone();
        assert!(record.limit_inputs.contains(from), "{}", record.limit_inputs);
        record.limit_inputs = record.limit_inputs.replace(from, to);
        parts(&snapshot, &record)
    };
    assert!(changed("\"reserved\":2,", "").starts_with("fired limits action"));
    assert!(changed("\"used\":3", "\"used\":1").contains("limit_inputs lim_b"));
    // Granted, it holds one more.
    let granted = decide_holding(&snapshot, Moment::StepPre, &facts(), (0, 1));
    assert!(granted.limits.contains("\"remaining\":0,\"reserved\":2"), "{}", granted.limits);
    assert_eq!(parts(&snapshot, &granted), "");
}

#[test]
fn other_facts_give_another_verdict() {
    let mut record = decide(&sample(), Moment::StepBoth, &facts(), 0);
    record.facts = with_step(|step| step.cost_nanousd = 1.into()).canonical();
    assert!(parts(&sample(), &record).contains("fired"));
}

#[test]
fn a_snapshot_in_another_order_decides_alike() {
    let record = decide(&sample(), Moment::StepBoth, &facts(), 9_500);
    let mut reversed = sample();
    reversed.rules.reverse();
    reversed.limits.reverse();
    assert_eq!(parts(&reversed, &record), "");
}

/// What another version of the tally counted stands in the facts.
#[test]
fn a_decision_is_decided_again_whatever_counted() {
    let mut record = decide(&sample(), Moment::StepBoth, &facts(), 9_500);
    for tally in ["", "hoc-tally/0 "] {
        let parts: Vec<_> = judging_parts(ENGINE_VERSION).collect();
        record.engine_version = format!("{} {tally}{}", parts[0], parts[1]);
        assert_ne!(record.engine_version, ENGINE_VERSION);
        assert_eq!(self::parts(&sample(), &record), "", "{tally}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_panic() {
    let record = decide(&sample(), Moment::StepBoth, &facts(), 0);
    let changed = |change: &dyn Fn(&mut DecisionRecord)| {
        let mut record = record.clone();
        change(&mut record);
        reexecute(&sample(), &record).expect_err("cannot be decided again").to_string()
    };
    assert!(changed(&|record| record.engine_version = "other".to_owned()).contains("decided by other"));
    assert!(changed(&|record| record.facts.push(' ')).contains("canonical"));
    assert!(changed(&|record| record.facts = "{}".to_owned()).contains("cannot be read"));
    assert!(changed(&|record| record.limit_inputs = "[{}]".to_owned()).contains("cannot be read"));
    let huge = "[{\"limit_id\":\"lim_a\",\"max\":9007199254740993}]";
    assert!(changed(&|record| record.limit_inputs = huge.to_owned()).contains("2^53"));
}

#[test]
fn a_snapshot_from_a_stranger_does_not_panic() {
    let mut strange = sample();
    strange.rules[0].condition = "(".repeat(9_000);
    strange.rules[1].condition = "true }; permit (principal, action, resource) when { true".to_owned();
    strange.rules[2].rule_id = "rule_d".to_owned();
    strange.limits[0].max_value = u64::MAX;
    strange.limits[1].limit_id = "lim_a".to_owned();
    strange.time_zone = "Nowhere/Land".to_owned();
    let record = decide(&sample(), Moment::StepBoth, &facts(), 0);
    assert!(!reexecute(&strange, &record).expect("can be decided again").matches);
}
