//! What a rule that fired says of why.

use proof::words::{BindAt, EnforcementMode, Moment};

use super::*;
use crate::{
    evaluate::RuleOutcome,
    facts::{ParamFacts, UrlFact},
    fixtures::{facts, rule, snapshot, with_step},
};

fn fired(condition: &str, facts: &Facts) -> RuleOutcome {
    let snapshot = snapshot(vec![rule("rule_a", EnforcementMode::Block, BindAt::StepPost, condition)]);
    let mut fired = snapshot.evaluate(Moment::StepPost, facts).fired;
    assert_eq!(fired.len(), 1, "{condition}");
    fired.remove(0)
}

fn on(condition: &str, facts: &Facts) -> String {
    let outcome = fired(condition, facts);
    sentence(&outcome.facts, outcome.more_facts)
}

#[test]
fn a_rule_tells_the_facts_that_its_condition_reads_and_no_others() {
    let costly = with_step(|step| {
        step.model = "o1-preview".to_owned();
        step.cost_nanousd = 610_000_000.into();
    });
    let models = "context.step.kind == \"LLM_CALL\" || !([\"gpt-4o\"].contains(context.step.model))";
    assert_eq!(on(models, &costly), "step.kind is `TOOL_CALL`, step.model is `o1-preview`");
    let cost = "context.step.cost_known && context.step.cost_microusd > 500000 && context.run.elapsed_ms < 5";
    assert_eq!(
        on(cost, &costly),
        "step.cost_microusd is $0.61 (610000 micro-USD), step.cost_known is true, run.elapsed_ms is 0 ms"
    );
    // A guard, and an attribute of who acts and where, are read as well.
    assert_eq!(
        on("context.step has model && principal.labels.contains(\"prod\")", &costly),
        "principal.labels has `prod`, step.model is `o1-preview`"
    );
    assert_eq!(on("principal == Agent::\"agent-1\"", &costly), "principal.agent_id is `agent-1`");
    assert_eq!(on("resource is Run", &costly), "resource.run_id is `run_1`");
    assert_eq!(
        on("context.step.hosts.isEmpty() && context.step.command == \"\"", &costly),
        "step.hosts is empty, step.command is empty"
    );
    assert_eq!(fired("true", &costly).facts, []);
}

#[test]
fn what_could_not_be_read_is_told_with_why() {
    let unknown = with_step(|step| step.cost_known = false);
    let outcome = fired("context.step.cost_microusd > 5", &unknown);
    assert_eq!(outcome.facts[0].missing, Some(Fault::CostUnknown));
    assert_eq!((&outcome.facts[0].value, outcome.fault), (&None, Some(Fault::CostUnknown)));
    assert_eq!(sentence(&outcome.facts, outcome.more_facts), "step.cost_microusd is not known");

    let withheld = with_step(|step| {
        let params = ParamFacts { command: "rm -rf /".to_owned(), ..ParamFacts::default() };
        step.params = params.without_content();
    });
    let outcome = fired("context.step.command like \"*rm*\"", &withheld);
    assert_eq!(outcome.facts[0].missing, Some(Fault::ContentWithheld));

    let mut stepless = facts();
    stepless.step = None;
    let outcome = fired("context.step.model == \"a\" && context.time.hour > 5", &stepless);
    let missing: Vec<_> = outcome.facts.iter().map(|fact| (fact.name.as_str(), fact.missing)).collect();
    assert_eq!(missing, [("step.model", Some(Fault::FactsMissing)), ("time.hour", None)]);
}

#[test]
fn what_is_not_what_was_decided_tells_nothing() {
    let mut tampered = facts();
    tampered.tampered.insert("rule_a".to_owned());
    assert_eq!(fired("context.step.model == \"a\"", &tampered).facts, []);
    assert_eq!(fired("context.step.no_such_fact == 1", &facts()).facts, []);
}

/// Of several hosts, the one that fired is told, with its path.
#[test]
fn the_value_that_fired_is_told() {
    let url = |host: &str, path: &str| UrlFact { host: host.to_owned(), path: path.to_owned() };
    let several = with_step(|step| {
        step.params = ParamFacts {
            url_host: "good.example".to_owned(),
            url_path: "/".to_owned(),
            urls: vec![url("good.example", "/"), url("evil.example", "/x")],
            ..ParamFacts::default()
        };
    });
    let condition = "context.step.url_host == \"evil.example\" && context.step.url_path like \"/*\"";
    assert_eq!(on(condition, &several), "step.url_host is `evil.example`, step.url_path is `/x`");

    let many = with_step(|step| {
        step.params.commands = (0..64).map(|n| format!("c{n:02}")).collect();
        step.params.command = "c00".to_owned();
        step.params.tables = (0..64).map(|n| format!("t{n:02}")).collect();
        step.params.table = "t00".to_owned();
    });
    let outcome = fired("context.step.command == \"c63\" && context.step.table == \"t62\"", &many);
    assert!(
        outcome.facts.iter().all(|fact| fact.missing == Some(Fault::TooManyReadings)),
        "{:?}",
        outcome.facts
    );
}

#[test]
fn a_model_that_was_asked_for_is_the_one_that_answered_unless_it_is_said() {
    let asked = with_step(|step| {
        step.model = "gpt-4o-2024-08-06".to_owned();
        step.model_requested = "gpt-4o".to_owned();
    });
    let condition = "context.step.model_requested == \"gpt-4o\"";
    assert_eq!(on(condition, &asked), "step.model_requested is `gpt-4o`");
    assert_eq!(on(condition, &facts()), "step.model_requested is `gpt-4o`");
    let silent = "context.step.model_requested != \"gpt-4o\"";
    let snapshot = snapshot(vec![rule("rule_a", EnforcementMode::Block, BindAt::StepPost, silent)]);
    assert_eq!(snapshot.evaluate(Moment::StepPost, &asked).fired, []);
}

#[test]
fn what_is_told_is_bounded_and_says_so() {
    let long = with_step(|step| {
        step.params.command = "\u{1f326}`\n".repeat(5_000);
        step.params.hosts = (0..100).map(|n| format!("{n:03}{}", "h".repeat(500))).collect();
    });
    let outcome = fired("context.step.command like \"*\" && !context.step.hosts.isEmpty()", &long);
    assert!(outcome.facts.iter().all(|fact| fact.cut));
    let FactValue::Texts(hosts) = outcome.facts[0].value.clone().expect("is known") else { panic!("a set") };
    assert_eq!((hosts.len(), hosts[0].chars().count()), (MAX_MEMBERS, MAX_TEXT));
    let FactValue::Text(command) = outcome.facts[1].value.clone().expect("is known") else {
        panic!("a text")
    };
    assert_eq!(command.chars().count(), MAX_TEXT);
    let told = sentence(&outcome.facts, outcome.more_facts);
    assert!(told.contains("…") && !told.contains('\n'), "{told}");
    assert_eq!(told.matches('`').count(), 2 * (MAX_MEMBERS + 1), "nothing ends its quotes: {told}");

    // Every fact there is: no more than so many are told, and how many more there are.
    let every: Vec<String> = FACTS
        .iter()
        .filter(|fact| fact.fact_type == crate::known::FactType::Number)
        .map(|fact| format!("{} >= 0", fact.path))
        .chain(["context.step.model == \"gpt-4o\"".to_owned(), "context.step.skill == \"search\"".to_owned()])
        .collect();
    let outcome = fired(&every.join(" && "), &facts());
    assert_eq!(
        (outcome.facts.len(), outcome.more_facts.get()),
        (MAX_FACTS, (every.len() - MAX_FACTS) as u64)
    );
    let told = sentence(&outcome.facts, outcome.more_facts);
    assert!(told.ends_with(&format!("and {} more", every.len() - MAX_FACTS)), "{told}");
}

#[test]
fn it_is_read_back_as_it_was_stored() {
    let costly = with_step(|step| step.cost_known = false);
    for condition in [
        "context.step.cost_microusd > 5",
        "context.step.model == \"gpt-4o\" && context.run.steps >= 0",
        "context.step.hosts.isEmpty()",
    ] {
        let told = fired(condition, &costly).facts;
        let text = crate::text::canonical(&told);
        assert_eq!(serde_json::from_str::<Vec<FiredFact>>(&text).expect("is read"), told, "{text}");
    }
    let text = crate::text::canonical(&fired("context.step.cost_microusd > 5", &facts()).facts);
    assert_eq!(text, "[{\"name\":\"step.cost_microusd\",\"value\":1000}]");
}
