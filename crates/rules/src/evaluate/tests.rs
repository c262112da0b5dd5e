//! What fires, held against Cedar's own authorizer.

use std::collections::BTreeSet;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
};
use proof::words::{Scope, StepKind};
use proptest::prelude::*;

use super::*;
use crate::{
    condition,
    facts::{ParamFacts, UrlFact},
    fixtures::{facts, rule, snapshot, with_step},
    known::{Value, known_at},
    schema,
};

fn fired(outcomes: &RuleOutcomes) -> Vec<(&str, Action, Option<Fault>)> {
    outcomes.fired.iter().map(|rule| (rule.rule_id.as_str(), rule.action, rule.fault)).collect()
}

fn one(mode: EnforcementMode, condition: &str, facts: &Facts) -> Vec<(Action, Option<Fault>)> {
    let snapshot = snapshot(vec![rule("rule_a", mode, BindAt::StepPost, condition)]);
    let outcomes = snapshot.evaluate(Moment::StepPost, facts);
    outcomes.fired.iter().map(|rule| (rule.action, rule.fault)).collect()
}

#[test]
fn a_mode_says_what_a_rule_asks_for() {
    use EnforcementMode as M;
    for (mode, action) in [
        (M::Warn, Action::Warn),
        (M::Block, Action::Block),
        (M::Stop, Action::Stop),
        (M::Kill, Action::Kill),
        (M::Abort, Action::Abort),
        (M::Audit, Action::Allow),
        (M::DryRun, Action::Allow),
    ] {
        assert_eq!(one(mode, "true", &facts()), [(action, None)]);
        assert_eq!(one(mode, "false", &facts()), []);
    }
    assert_eq!(one(M::Disabled, "true", &facts()), []);
    let snapshot = snapshot(vec![rule("rule_a", M::DryRun, BindAt::StepPost, "true")]);
    assert_eq!(snapshot.evaluate(Moment::StepPost, &facts()).fired[0].would_have, Some(Action::Block));
}

#[test]
fn a_rule_that_cannot_be_evaluated_blocks_whatever_its_mode() {
    let overflow = "context.step.input_tokens * 9223372036854775807 > 5";
    assert_eq!(one(EnforcementMode::Warn, overflow, &facts()), [(Action::Block, Some(Fault::Overflow))]);
    assert_eq!(one(EnforcementMode::Kill, overflow, &facts()), [(Action::Block, Some(Fault::Overflow))]);
    assert_eq!(one(EnforcementMode::DryRun, overflow, &facts()), [(Action::Allow, Some(Fault::Overflow))]);
    assert_eq!(
        one(EnforcementMode::Warn, "context.step.cst > 5", &facts()),
        [(Action::Block, Some(Fault::InvalidCondition))]
    );
    let mut stepless = facts();
    stepless.step = None;
    assert_eq!(one(EnforcementMode::Warn, "true", &stepless), [(Action::Block, Some(Fault::FactsMissing))]);
}

#[test]
fn it_is_known_whether_what_is_asked_looks_at_models() {
    for (at, condition, looks) in [
        (BindAt::StepPre, "context.step.model == \"gpt-4o\"", true),
        (BindAt::StepPre, "context.step.model_requested like \"gpt*\"", true),
        (BindAt::StepPre, "context.step has provider", true),
        (BindAt::StepPre, "true // whatever the model, and its provider", false),
        (BindAt::StepPre, "context.step.skill == \"train_model\"", false),
        (BindAt::StepPre, "resource.provider_type == \"openai\"", false),
        // What cannot be read may look at anything.
        (BindAt::StepPre, "context.step.cst > 5", true),
        (BindAt::StepPost, "context.step.model == \"gpt-4o\"", false),
    ] {
        let snapshot = snapshot(vec![rule("rule_a", EnforcementMode::Warn, at, condition)]);
        assert_eq!(snapshot.looks_at_models_asked(), looks, "{at} {condition}");
    }
}

#[test]
fn a_rule_that_reads_what_is_not_kept_fails_and_one_that_need_not_does_not() {
    let withheld = with_step(|step| {
        let params = ParamFacts {
            command: "rm -rf /".to_owned(),
            url_host: "a.example".to_owned(),
            ..ParamFacts::default()
        };
        step.params = params.without_content();
    });
    let failed = [(Action::Block, Some(Fault::ContentWithheld))];
    assert_eq!(one(EnforcementMode::Warn, "context.step.command like \"*rm*\"", &withheld), failed);
    assert_eq!(
        one(EnforcementMode::Warn, "context.step.url_path == \"/x\"", &withheld),
        [],
        "there was none"
    );
    let host = "context.step.url_host == \"a.example\"";
    assert_eq!(one(EnforcementMode::Warn, host, &withheld), [(Action::Warn, None)]);
    let of_another_tool = "context.step.skill == \"other\" && context.step.command == \"ls\"";
    assert_eq!(one(EnforcementMode::Warn, of_another_tool, &withheld), []);
    // What may fail before a pin fails whatever the tool: the index makes no difference.
    let pinned_late = "context.step.command == \"ls\" && context.step.skill == \"other\"";
    assert_eq!(one(EnforcementMode::Warn, pinned_late, &withheld), failed);
    let listed = "context.step.commands.contains(\"ls\")";
    assert_eq!(one(EnforcementMode::Warn, listed, &withheld), []);
}

fn url(host: &str, path: &str) -> UrlFact {
    UrlFact { host: host.to_owned(), path: path.to_owned() }
}

/// The first of each is harmless.
fn several() -> Facts {
    with_step(|step| {
        step.params = ParamFacts {
            url_host: "good.example".to_owned(),
            url_path: "/".to_owned(),
            urls: vec![url("good.example", "/"), url("evil.example", "/x")],
            command: "ls".to_owned(),
            commands: ["ls", "rm -rf /"].map(str::to_owned).into(),
            table: "a".to_owned(),
            tables: ["a", "b", "c"].map(str::to_owned).into(),
            ..ParamFacts::default()
        };
    })
}

#[test]
fn a_rule_is_judged_against_each_value_of_a_fact() {
    let fires = |condition: &str, facts: &Facts| !one(EnforcementMode::Stop, condition, facts).is_empty();
    for (condition, expected) in [
        ("context.step.url_host == \"evil.example\"", true),
        ("context.step.url_host == \"good.example\"", true),
        ("context.step.url_host == \"other.example\"", false),
        ("context.step.url_host != \"good.example\"", true),
        // A host has its own path.
        ("context.step.url_host == \"evil.example\" && context.step.url_path == \"/x\"", true),
        ("context.step.url_host == \"good.example\" && context.step.url_path == \"/x\"", false),
        ("context.step.command like \"*rm -rf*\"", true),
        ("context.step.command like \"*rm -rf*\" && context.step.table == \"c\"", true),
        (
            "context.step.command like \"*rm*\" && context.step.url_path == \"/x\" && context.step.table == \"b\"",
            true,
        ),
        ("context.step.table == \"d\"", false),
        ("context.step.tables.contains(\"c\") && context.step.skill == \"search\"", true),
        ("context.step.command like \"*rm*\" && context.step.skill == \"other\"", false),
    ] {
        assert_eq!(fires(condition, &several()), expected, "{condition}");
    }
    let overflows =
        "context.step.command == \"rm -rf /\" && context.step.input_tokens * 9223372036854775807 > 5";
    assert_eq!(one(EnforcementMode::Warn, overflows, &several()), [(Action::Block, Some(Fault::Overflow))]);
    let read_back = Facts::from_canonical(&several().canonical()).expect("is canonical");
    assert_eq!(read_back, several());
}

/// What nobody told finds what a rule names, and is no reason to refuse what a rule excepts.
#[test]
fn a_rule_that_excepts_what_it_names_is_judged_on_what_was_told() {
    let command = r#"r""m "-rf" /"#;
    let params = ParamFacts {
        command: command.to_owned(),
        commands: [command, "rm -rf /"].map(str::to_owned).into(),
        commands_read: ["rm -rf /".to_owned()].into(),
        table: "public.customers".to_owned(),
        tables: ["public.customers", "customers"].map(str::to_owned).into(),
        tables_read: ["customers".to_owned()].into(),
        ..ParamFacts::default()
    };
    let call = with_step(|step| step.params = params.clone());
    for (condition, expected) in [
        (r#"context.step.table == "customers""#, true),
        (r#"context.step.table != "" && context.step.table == "customers""#, true),
        (r#"!(context.step.table == "") && context.step.table like "cust*""#, true),
        (r#"["customers"].contains(context.step.table)"#, true),
        (r#"context.step.tables.contains("customers")"#, true),
        (r#"context.step.command like "rm -rf*""#, true),
        (r#"context.step.command like "rm -rf*" && context.step.table != "orders""#, true),
        (r#"context.step.table != "orders""#, true),
        (r#"(context.step.command like "rm -rf*") == true"#, true),
        (r#"true == (context.step.command like "rm -rf*")"#, true),
        (r#"(context.step.command like "rm -rf*") != false"#, true),
        (r#"!((context.step.command like "rm -rf*") == false)"#, true),
        (r#"if context.step.command like "rm -rf*" then true else false"#, true),
        (r#"if context.step.command like "rm -rf*" then true else context.step.skill == "other""#, true),
        (r#"if context.step.command like "rm -rf*" then context.step.skill == "search" else false"#, true),
        (r#"if !(context.step.command like "rm -rf*") then false else true"#, true),
        (r#"(if context.step.table == "customers" then true else false) == true"#, true),
        (r#"if context.step.skill == "search" then context.step.table == "customers" else false"#, true),
        (r#"context.step.table != "" && context.step.table != "public.customers""#, false),
        (r#"!(context.step.table like "public.*")"#, false),
        (r#"!["public.customers"].contains(context.step.table)"#, false),
        (r#"!["public.customers", "customers"].containsAll(context.step.tables)"#, false),
        (r#"(context.step.table == "public.customers") == false"#, false),
        (r#"if context.step.table == "public.customers" then false else true"#, false),
        (r#"(context.step.table == "public.customers") != true"#, false),
        (r#"false == (context.step.table == "public.customers")"#, false),
        (r#"!((context.step.table == "public.customers") == true)"#, false),
        (r#"!(if context.step.table == "public.customers" then true else false)"#, false),
        (
            r#"if context.step.table == "public.customers" then false else context.step.skill == "search""#,
            false,
        ),
        (
            r#"if context.step.table == "public.customers" then context.step.skill == "other" else true"#,
            false,
        ),
        // It names one and excepts it too: which it is depends on the rest.
        (
            r#"if context.step.table == "public.customers" then context.step.skill == "other" else context.step.skill == "search""#,
            false,
        ),
        (r#"!(context.step.command like "r\"\"m*")"#, false),
    ] {
        let fires = !one(EnforcementMode::Stop, condition, &call).is_empty();
        assert_eq!(fires, expected, "{condition}");
    }
    assert!(params.without_content().commands_read.is_empty(), "it is a piece of what the caller said");
    // Who tells it is judged by it.
    let told = with_step(|step| {
        step.params.table = "public.customers".to_owned();
        step.params.tables = ["public.customers", "customers"].map(str::to_owned).into();
    });
    let allow = r#"context.step.table != "public.customers""#;
    assert_eq!(one(EnforcementMode::Warn, allow, &told), [(Action::Warn, None)]);
}

#[test]
fn a_rule_that_would_need_too_many_readings_refuses() {
    let many = with_step(|step| {
        step.params.commands = (0..64).map(|n| format!("c{n:02}")).collect();
        step.params.command = "c00".to_owned();
        step.params.tables = (0..64).map(|n| format!("t{n:02}")).collect();
        step.params.table = "t00".to_owned();
    });
    let both = "context.step.command == \"c63\" && context.step.table == \"t62\"";
    let refused = [(Action::Block, Some(Fault::TooManyReadings))];
    assert_eq!(one(EnforcementMode::Warn, both, &many), refused);
    assert_eq!(one(EnforcementMode::Warn, "context.step.command == \"c63\"", &many), [(Action::Warn, None)]);
    assert_eq!(one(EnforcementMode::Warn, "context.step.command == \"c64\"", &many), []);
}

#[test]
fn a_rule_that_reads_an_unknown_cost_fails_and_one_that_does_not_need_it_does_not() {
    let unknown = with_step(|step| step.cost_known = false);
    let failed = [(Action::Block, Some(Fault::CostUnknown))];
    assert_eq!(one(EnforcementMode::Warn, "context.step.cost_microusd > 500000", &unknown), failed);
    assert_eq!(one(EnforcementMode::Warn, "context.step.cost_microusd < 500000", &unknown), failed);
    let only_if_known = "context.step.cost_known && context.step.cost_microusd > 0";
    assert_eq!(one(EnforcementMode::Warn, only_if_known, &unknown), []);
    let of_another_tool = "context.step.skill == \"other\" && context.step.cost_microusd > 0";
    assert_eq!(one(EnforcementMode::Warn, of_another_tool, &unknown), []);

    let mut run_unknown = facts();
    run_unknown.run.cost_known = false;
    assert_eq!(one(EnforcementMode::Warn, "context.run.cost_microusd > 5", &run_unknown), failed);
    assert_eq!(
        one(EnforcementMode::Warn, "context.step.cost_microusd > 0", &run_unknown),
        [(Action::Warn, None)]
    );
}

#[test]
fn a_tampered_rule_fails_at_every_moment_and_everywhere() {
    let mut elsewhere = rule("rule_a", EnforcementMode::Audit, BindAt::RunStart, "false");
    elsewhere.scope = Scope::Agent;
    elsewhere.scope_id = Some("another".to_owned());
    elsewhere.enforcement_mode = EnforcementMode::Warn;
    let mut facts = facts();
    facts.tampered.insert("rule_a".to_owned());
    let outcomes = snapshot(vec![elsewhere]).evaluate(Moment::StepPre, &facts);
    assert_eq!(fired(&outcomes), [("rule_a", Action::Block, Some(Fault::Tampered))]);
}

#[test]
fn rules_apply_in_their_scope_and_at_their_moment() {
    let scoped = |id: &str, scope, scope_id: Option<&str>| {
        let mut rule = rule(id, EnforcementMode::Warn, BindAt::StepPre, "true");
        rule.scope = scope;
        rule.scope_id = scope_id.map(str::to_owned);
        rule
    };
    let snapshot = snapshot(vec![
        scoped("a_global", Scope::Global, None),
        scoped("b_tenant", Scope::Tenant, None),
        scoped("c_project", Scope::Project, Some("project-1")),
        scoped("d_other_project", Scope::Project, Some("project-2")),
        scoped("e_agent", Scope::Agent, Some("agent-1")),
        scoped("f_other_agent", Scope::Agent, Some("agent-2")),
        rule("g_post", EnforcementMode::Warn, BindAt::StepPost, "true"),
        rule("h_start", EnforcementMode::Warn, BindAt::RunStart, "true"),
        scoped("i_no_project", Scope::Project, None),
    ]);
    let ids = |moment| {
        let outcomes = snapshot.evaluate(moment, &facts());
        outcomes.fired.iter().map(|rule| rule.rule_id.chars().next().unwrap_or('?')).collect::<String>()
    };
    // A scope without its id cannot be evaluated, and so refuses everywhere.
    assert_eq!(ids(Moment::StepPre), "abcei");
    assert_eq!(ids(Moment::StepPost), "g");
    assert_eq!(ids(Moment::StepBoth), "abcegi");
    assert_eq!(ids(Moment::RunStart), "h");
}

#[test]
fn a_rule_before_the_act_does_not_see_the_result() {
    let before = rule("rule_a", EnforcementMode::Warn, BindAt::StepPre, "context.step.kind == \"TOOL_CALL\"");
    let after = rule("rule_b", EnforcementMode::Warn, BindAt::StepPost, "context.step.status == \"SUCCESS\"");
    let outcomes = snapshot(vec![before, after]).evaluate(Moment::StepBoth, &facts());
    assert_eq!(fired(&outcomes).len(), 2);
}

#[test]
fn compiling_again_takes_over_what_has_not_changed() {
    let rules = vec![
        rule("rule_a", EnforcementMode::Warn, BindAt::StepPost, "true"),
        rule("rule_b", EnforcementMode::Warn, BindAt::StepPost, "false"),
    ];
    let mut definition = crate::fixtures::definition(rules, Vec::new());
    let first = CompiledSnapshot::compile(&definition);
    definition.rules[1].condition = "true".to_owned();
    let second = CompiledSnapshot::compile_from(&definition, Some(&first));
    assert_eq!(first.evaluate(Moment::StepPost, &facts()).fired.len(), 1);
    assert_eq!(second.evaluate(Moment::StepPost, &facts()).fired.len(), 2);
    assert!(std::ptr::eq(first.compiled(0), second.compiled(0)));
    assert_eq!(second.rule("rule_b").map(|rule| rule.condition.as_str()), Some("true"));
}

/// Conditions of every kind: pinned and not, failing and not, before and after a pin.
fn conditions() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        Just("context.step.skill == \"search\""),
        Just("\"mail\" == context.step.skill"),
        Just("[\"mail\", \"search\", \"mail\"].contains(context.step.skill)"),
        Just("context.step.kind == \"LLM_CALL\""),
        Just("[\"LLM_CALL\", \"TOOL_CALL\"].contains(context.step.kind)"),
        Just("context.step.kind == \"OTHER\""),
        Just("context.step.cost_microusd > 500"),
        Just("context.step.cost_known"),
        Just("context.step has cost_microusd"),
        Just("context.run.cost_microusd == 0"),
        Just("context.step.input_tokens * 9223372036854775807 > 5"),
        Just("-(context.step.input_tokens) < 0"),
        Just("context.run.tools.contains(\"read\")"),
        Just("context.content.pii.containsAny([\"EMAIL\"])"),
        Just("context.step.command like \"*rm*\""),
        Just("principal.project_id == \"project-1\""),
        Just("principal.labels.contains(\"prod\")"),
        Just("principal == Agent::\"agent-1\""),
        Just("resource.is_synthetic"),
        Just("context.time.hour < 12"),
        Just("(if context.step.cost_known then context.step.cost_microusd > 5 else false)"),
    ];
    let leaf = atom.prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" && "))),
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.prop_map(|part| format!("!({part})")),
        ]
    })
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let step = (
        prop_oneof![Just("search"), Just("mail"), Just("other")],
        prop_oneof![Just(StepKind::LlmCall), Just(StepKind::ToolCall)],
        (any::<bool>(), any::<bool>(), any::<bool>()),
        (0..2_000_u64, 0..3_u64, 0..24_u64),
    );
    step.prop_map(|(skill, kind, (cost_known, run_cost_known, pii), (cost, tokens, hour))| {
        let mut facts = with_step(|step| {
            step.skill = skill.to_owned();
            step.kind = kind;
            step.cost_known = cost_known;
            step.cost_nanousd = (cost * 1_000).into();
            step.input_tokens = tokens.into();
            step.params.command = if pii { "rm -rf /".to_owned() } else { String::new() };
        });
        facts.run.cost_known = run_cost_known;
        facts.time.hour = hour.into();
        if pii {
            facts.content.pii.insert(crate::facts::PiiClass::Email);
            facts.run.tools.insert("read".to_owned());
        }
        facts
    })
}

/// What Cedar's authorizer says, given every fact and no index: the rules that fired, and those in its errors.
fn by_authorizer(
    bind_at: BindAt,
    rules: &[(String, String)],
    facts: &Facts,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let value = |value: Value<'_>| match value {
        Value::Number(number) => RestrictedExpression::new_long(number),
        Value::Text(text) => RestrictedExpression::new_string(text.to_owned()),
        Value::Flag(flag) => RestrictedExpression::new_bool(flag),
        Value::Texts(texts) => RestrictedExpression::new_set(
            texts.into_iter().map(|text| RestrictedExpression::new_string(text.into())),
        ),
    };
    let unknown_cost = |path: &str| {
        let step_known = facts.step.as_ref().is_some_and(|step| step.cost_known);
        path == "context.step.cost_microusd" && !step_known
            || path == "context.run.cost_microusd" && !facts.run.cost_known
    };
    let record = |of: &str| {
        let members = known_at(bind_at).filter_map(|fact| {
            let name = fact.path.strip_prefix(of)?.strip_prefix('.')?;
            (!unknown_cost(fact.path)).then(|| (name.to_owned(), value((fact.read)(facts))))
        });
        members.collect::<Vec<_>>()
    };
    let sections = ["step", "content", "run", "time"].map(|section| {
        let members = record(&format!("context.{section}"));
        (section.to_owned(), RestrictedExpression::new_record(members).expect("no member twice"))
    });
    let context = Context::from_pairs(sections).expect("is a record");
    let uid = |text: String| text.parse::<EntityUid>().expect("is an entity");
    let (agent, run) = (uid("Agent::\"agent-1\"".into()), uid("Run::\"run_1\"".into()));
    let entity = |uid: &EntityUid, of: &str| {
        Entity::new(uid.clone(), record(of).into_iter().collect(), std::iter::empty().collect())
            .expect("is an entity")
    };
    let entities = [entity(&agent, "principal"), entity(&run, "resource")];
    // With every cost known the facts must also be what the schema says they are.
    let complete = facts.run.cost_known && facts.step.as_ref().is_some_and(|step| step.cost_known);
    let schema = Some(schema::VALIDATOR.schema()).filter(|_| complete);
    let entities = Entities::from_entities(entities, schema).expect("entities as in the schema");
    let action = uid(format!("Action::\"{}\"", schema::action(bind_at)));
    let request = Request::new(agent, action, run, context, schema).expect("a request as in the schema");

    let mut text = "permit (principal, action, resource);\n".to_owned();
    for (id, condition) in rules {
        text.push_str(&condition::policy_text(id, bind_at, condition));
        text.push('\n');
    }
    let policies: PolicySet = text.parse().expect("policies");
    let response = Authorizer::new().is_authorized(&request, &policies, &entities);
    let named = |id: &cedar_policy::PolicyId| policies.annotation(id, "id").map(str::to_owned);
    let failed = response.diagnostics().errors().filter_map(|error| match error {
        cedar_policy::AuthorizationError::PolicyEvaluationError(error) => named(error.policy_id()),
    });
    let fired = if response.decision() == Decision::Deny {
        response.diagnostics().reason().filter_map(named).collect()
    } else {
        BTreeSet::new()
    };
    (fired, failed.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_fires_is_what_cedar_authorizer_would_forbid(
        conditions in proptest::collection::vec(conditions(), 1..6),
        facts in any_facts(),
        post in any::<bool>(),
    ) {
        let (bind_at, moment) =
            if post { (BindAt::StepPost, Moment::StepPost) } else { (BindAt::StepPre, Moment::StepPre) };
        let rules: Vec<(String, String)> =
            conditions.into_iter().enumerate().map(|(at, condition)| (format!("rule_{at}"), condition)).collect();
        let snapshot = snapshot(
            rules.iter().map(|(id, condition)| rule(id, EnforcementMode::Block, bind_at, condition)).collect(),
        );
        let outcomes = snapshot.evaluate(moment, &facts);
        let by_fault = |faulty: bool| -> BTreeSet<String> {
            let those = outcomes.fired.iter().filter(|rule| rule.fault.is_some() == faulty);
            those.map(|rule| rule.rule_id.clone()).collect()
        };
        for (_, condition) in &rules {
            prop_assert_eq!(condition::validate(bind_at, condition), Ok(()), "{}", condition);
        }
        prop_assert_eq!((by_fault(false), by_fault(true)), by_authorizer(bind_at, &rules, &facts));
    }

    #[test]
    fn the_order_of_the_rules_makes_no_difference(
        conditions in proptest::collection::vec(conditions(), 1..5), facts in any_facts(), seed in any::<u64>(),
    ) {
        let mut rules: Vec<_> = conditions
            .iter()
            .enumerate()
            .map(|(at, condition)| rule(&format!("rule_{at}"), EnforcementMode::Stop, BindAt::StepPost, condition))
            .collect();
        let in_order = snapshot(rules.clone()).evaluate(Moment::StepBoth, &facts);
        rules.sort_by_key(|rule| proof::hash::sha256(format!("{seed}{}", rule.rule_id).as_bytes()));
        prop_assert_eq!(in_order, snapshot(rules).evaluate(Moment::StepBoth, &facts));
    }

    #[test]
    fn facts_are_read_back_as_they_were_written(facts in any_facts()) {
        let text = facts.canonical();
        prop_assert_eq!(Facts::from_canonical(&text).expect("is canonical"), facts);
        let spaced = format!(" {text}");
        prop_assert!(Facts::from_canonical(&spaced).is_err());
        let added = text.replacen('{', "{\"unknown\":1,", 1);
        prop_assert!(Facts::from_canonical(&added).is_err());
    }
}

#[test]
fn the_canonical_facts_of_a_plain_call_are_small() {
    let text = facts().canonical();
    assert!(text.len() < 600, "{} bytes: {text}", text.len());
}
