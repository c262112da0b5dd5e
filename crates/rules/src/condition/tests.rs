//! Conditions that pass, and those that are refused with their place.

use proof::words::{EnforcementMode, Moment};
use proptest::prelude::*;

use super::*;
use crate::{
    fixtures::{facts, rule, snapshot},
    known::known_at,
};

fn refused(bind_at: BindAt, condition: &str) -> ConditionError {
    validate(bind_at, condition).expect_err(condition)
}

#[test]
fn conditions_over_known_facts_pass() {
    for condition in [
        "true",
        "context.step.cost_microusd > 500000",
        "context.step.cost_known && context.step.cost_microusd + context.run.cost_microusd > 500000",
        "context.step.skill == \"send_email\" && context.run.tools.contains(\"read_customer\")",
        "!([\"read\", \"search\"].contains(context.step.skill))",
        "context.content.pii.containsAny([\"EMAIL\", \"IBAN\"]) // personal data",
        "context.step.command like \"*rm -rf*\" || context.step.url_path like \"/admin/*\"",
        "if context.time.weekday > 5 then context.step.kind != \"TRANSFORM\" else false",
        "principal.labels.contains(\"prod\") && resource.assurance == \"REPORTED\"",
        "principal == Agent::\"a\"",
        "context[\"step\"][\"retry_count\"] >= 3",
        "context.step has cost_microusd && context has step",
        "context.step.status == \"FAILURE\"\n  && context.step.duration_ms > 1000",
        "context.step.hosts.isEmpty()",
        // Facts that can be left out.
        "!(context.step has cost_microusd)",
        "!(context.run has cost_microusd) && context.run.steps > 3",
        "if context.step has command then false else context.step.kind == \"TOOL_CALL\"",
    ] {
        assert_eq!(validate(BindAt::StepPost, condition), Ok(()), "{condition}");
    }
    assert_eq!(validate(BindAt::RunStart, "context.time.hour < 6 || resource.attempt > 3"), Ok(()));
}

#[test]
fn what_can_never_hold_is_refused() {
    for condition in [
        "false",
        "1 == 2",
        "context.step.cost_known && !true",
        "context.step.skill == \"send_email\" && false",
    ] {
        let error = refused(BindAt::StepPost, condition);
        assert!(error.message.contains("can never hold"), "{condition}: {error}");
    }
    for condition in [
        "action == \"StepPre\"",
        "action == Action::\"StepPost\"",
        "action == Action::\"StepPre\"",
        "context.step.skill == \"x\" && action in [Action::\"StepPost\"]",
    ] {
        let error = refused(BindAt::StepPost, condition);
        assert!(told(&error).contains("bind_at"), "{condition}: {error:?}");
        assert_eq!(&condition[error.offset..][..6], "action", "{condition}");
    }
}

/// A misspelt fact is refused; a misspelt value of a closed list, of which no call can have it, as well.
#[test]
fn a_value_that_its_fact_never_has_is_refused_with_those_that_it_can_have() {
    let kinds = "LLM_CALL, TOOL_CALL, RETRIEVAL, HTTP_CALL, TRANSFORM, OTHER";
    let statuses = "it is one of SUCCESS, FAILURE, RETRY, SKIPPED";
    for (condition, place, list) in [
        ("context.step.kind == \"TOOLCALL\"", "\"TOOLCALL\"", kinds),
        ("\"tool_call\" != context.step.kind", "\"tool_call\"", kinds),
        ("context[\"step\"][\"kind\"] == \"TOOL\"", "\"TOOL\"", kinds),
        ("[\"LLM_CALL\", \"LLM\"].contains(context.step.kind)", "\"LLM\"", kinds),
        ("true && !(context.step.kind == \"\")", "\"\"", kinds),
        ("context.step.kind like \"TOOLS*\"", "context.step.kind", kinds),
        ("context.step.status == \"REFUSED\"", "\"REFUSED\"", statuses),
        ("context.content.pii.contains(\"CREDIT_CARD\")", "\"CREDIT_CARD\"", "CARD_NUMBER, EMAIL, IBAN, SSN"),
        ("context.content.pii.containsAny([\"EMAIL\", \"PHONE\"])", "\"PHONE\"", "CARD_NUMBER"),
        ("[\"email\"].containsAll(context.content.pii)", "\"email\"", "CARD_NUMBER"),
        ("context.content.secrets == [\"PASSWORD\", \"KEY\"]", "\"KEY\"", "API_KEY, AUTHORIZATION"),
        ("resource.assurance == \"SIGNED\"", "\"SIGNED\"", "ENFORCED, RECORDED, REPORTED"),
        ("resource.source == \"OTLP\"", "\"OTLP\"", "agent, human, sdk, otlp"),
        ("resource.actor_type == \"human\"", "\"human\"", "HUMAN, SYSTEM, AGENT"),
        ("context.time.hour > 25", "context.time.hour", "it is 0 to 23"),
        ("context.time.hour > 23", "context.time.hour", "it is 0 to 23"),
        ("24 <= context.time.hour", "context.time.hour", "it is 0 to 23"),
        ("!(context.time.hour < 30)", "context.time.hour", "it is 0 to 23"),
        ("context.time.weekday == 0", "context.time.weekday", "it is 1 to 7"),
        ("[6, 7, 8].contains(context.time.weekday)", "context.time.weekday", "it is 1 to 7"),
        ("if context.time.hour < -3 then true else false", "context.time.hour", "it is 0 to 23"),
    ] {
        let error = refused(BindAt::StepPost, condition);
        assert!(told(&error).contains(list), "{condition}: {error:?}");
        assert!(condition[error.offset..].starts_with(place), "{condition}: {error:?}");
    }
    for condition in [
        "context.step.kind like \"*_CALL\" || context.step.kind like \"TRANS*\"",
        "context.time.hour >= 0 && context.time.hour < 24",
        "23 >= context.time.hour || context.time.weekday > 6",
        "context.step.skill == \"TOOLCALL\" && resource.provider_type == \"opena1\"",
        "context.content.secrets.containsAny([\"JWT\", \"URL_CREDENTIALS\"])",
    ] {
        assert_eq!(validate(BindAt::StepPost, condition), Ok(()), "{condition}");
    }
    let stars = format!("context.step.kind like \"{}z\"", "*".repeat(4_000));
    assert!(told(&refused(BindAt::StepPost, &stars)).contains(kinds), "and no pattern takes long");
}

/// What was saved when less was refused is evaluated as ever.
#[test]
fn a_stored_condition_that_can_never_hold_fires_never_and_fails_never() {
    for condition in ["false", "action == Action::\"StepPre\"", "action == Action::\"StepPost\" && false"] {
        let rules = snapshot(vec![rule("rule_a", EnforcementMode::Kill, BindAt::StepPost, condition)]);
        let fired = rules.evaluate(Moment::StepPost, &facts()).fired;
        assert_eq!(fired, [], "{condition}");
    }
}

#[test]
fn a_misspelt_fact_is_refused_with_its_place_and_what_was_meant() {
    let error = refused(BindAt::StepPost, "true &&\n  context.step.cst_microusd > 500000");
    assert_eq!((error.line, error.column, error.offset), (2, 3, 10));
    assert!(error.message.contains("cst_microusd"), "{}", error.message);
    assert!(told(&error).starts_with("did you mean `context.step.cost_microusd`?"), "{error:?}");

    let error = refused(BindAt::StepPost, "\"ä€\" == context.step.skil");
    assert_eq!((error.line, error.column), (1, 9));
    assert!(told(&error).starts_with("did you mean `context.step.skill`?"), "{error:?}");
}

fn told(error: &ConditionError) -> &str {
    error.hint.as_deref().unwrap_or_default()
}

/// Whoever guesses wrongly gets the list, at each moment what is known then.
#[test]
fn a_misspelt_fact_is_answered_with_all_that_its_record_has() {
    for bind_at in BindAt::ALL {
        for record in
            ["context.step", "context.content", "context.run", "context.time", "principal", "resource"]
        {
            let here: Vec<&str> = known_at(*bind_at)
                .filter(|fact| fact.place().0 == record)
                .map(|fact| fact.place().1)
                .collect();
            if here.is_empty() {
                continue;
            }
            let list = format!("`{record}` has: {}", here.join(", "));
            for condition in [format!("{record}.xyzzy == \"a\""), format!("{record} has xyzzy")] {
                let error = refused(*bind_at, &condition);
                assert!(told(&error).ends_with(&list), "{bind_at} {condition}: {error:?}");
            }
        }
    }
    let known = refused(BindAt::StepPre, "context.step.xyzzy > 5");
    assert!(!told(&known).contains("status"), "{known:?}");
    for (condition, meant) in [
        ("context.step.skill_name == \"x\"", "`context.step.skill`?"),
        ("context.step.cost_usd > 5", "`context.step.cost_microusd`? (whole micro-dollars: 500000 is $0.50)"),
        ("context.step.tokens > 5", "`context.step.input_tokens + context.step.output_tokens`"),
        ("context.step.args == \"x\"", "`context.step.url_host`"),
        ("context.step.params.url == \"x\"", "`context.step.url_host`"),
        ("context.step.last_tool == \"x\"", "`context.run.last_tool`?"),
        ("resource.agent_id == \"x\"", "`principal.agent_id`?"),
        ("context.model == \"x\"", "`context.step.model`?"),
        ("context.steps.model == \"x\"", "the records are `context.step`"),
        ("context[\"step\"][\"tool\"] == \"x\"", "`context.step.skill`?"),
    ] {
        let error = refused(BindAt::StepPost, condition);
        assert!(told(&error).contains(meant), "{condition}: {error:?}");
    }
    let early = refused(BindAt::RunStart, "context.step.kind == \"LLM_CALL\"");
    assert!(told(&early).contains("is known from STEP_PRE on"), "{early:?}");
}

#[test]
fn a_fact_of_a_later_moment_is_refused_with_the_moment_at_which_it_is_known() {
    let error = refused(BindAt::StepPre, "context.step.status == \"FAILURE\"");
    assert_eq!(error.offset, 0);
    assert_eq!(
        error.hint.as_deref(),
        Some("`context.step.status` is known from STEP_POST on: bind the rule there")
    );
    refused(BindAt::StepPre, "context.step.duration_ms > 5");
    refused(BindAt::StepPre, "context.content.output_size > 5");
    refused(BindAt::StepPre, "context.step has status");
    let error = refused(BindAt::RunStart, "context.step.kind == \"LLM_CALL\"");
    assert!(error.hint.is_some());
}

#[test]
fn a_wrong_type_is_refused_at_the_operand() {
    let error = refused(BindAt::StepPost, "context.step.model == 5");
    assert_eq!(error.line, 1, "{error}");
    let error = refused(BindAt::StepPost, "context.step.model > \"x\"");
    assert_eq!(error.offset, 0, "{error}");
    let error = refused(BindAt::StepPost, "context.step.input_tokens > 5 && context.step.model");
    assert_eq!(error.offset, 33, "{error}");
    refused(BindAt::StepPost, "5");
    refused(BindAt::StepPost, "context.step.hosts == []");
}

#[test]
fn a_syntax_error_is_refused_at_its_token() {
    let error = refused(BindAt::StepPost, "context.step.model ==\n== 5");
    assert_eq!((error.line, error.column), (2, 1), "{error}");
    refused(BindAt::StepPost, "context.step.model = 5");
    refused(BindAt::StepPost, "");
    refused(BindAt::StepPost, " // nothing\n");
    refused(BindAt::StepPost, "noSuchFunction(1)");
}

#[test]
fn nothing_leaves_the_clause() {
    for condition in [
        "true }; permit (principal, action, resource) when { true",
        "true } unless { false",
        "true } when { true",
        "false };\npermit(principal, action, resource);\nforbid(principal, action, resource) when { true",
        "true }",
        "{ true",
        "true; true",
        "@id(\"x\") true",
        "principal == ?principal",
        "true /* } */",
    ] {
        refused(BindAt::StepPost, condition);
    }
    // A comment cannot swallow the end of the clause.
    assert_eq!(validate(BindAt::StepPost, "true // };"), Ok(()));
}

#[test]
fn facts_are_read_by_name_and_in_no_other_way() {
    let error = refused(BindAt::StepPost, "context.step.kind == \"x\" && context.step == context.step");
    assert_eq!(
        (error.offset, error.message.as_str()),
        (28, "a condition reads single facts, not a whole record")
    );
    for condition in [
        "context == context",
        "[context.step].contains(context.step)",
        "(if true then context.step else context.step).kind == \"x\"",
        "Agent::\"other\".agent_id == \"x\"",
        "{kind: context.step.kind}.kind == \"x\"",
        "Agent::\"other\" has labels",
        "principal.hasTag(\"x\")",
        "principal.getTag(\"x\") == \"y\"",
        "context.step has cst_microusd",
        "context.nothing has skill",
    ] {
        refused(BindAt::StepPost, condition);
    }
}

/// A limit of the stack would make the verdict depend on who evaluates.
#[test]
fn the_deepest_conditions_allowed_are_checked_and_evaluated_on_a_small_stack() {
    let deepest = [
        format!("context.step.input_tokens{} > 5", " + 1".repeat(100)),
        format!("5 < {}context.step.input_tokens", "1 + ".repeat(100)),
        format!("true{}", " && true".repeat(100)),
        format!("{}true{}", "(".repeat(24), ")".repeat(24)),
        format!("{}true{}", "if true then ".repeat(100), " else false".repeat(100)),
        format!("true{}", format!(" && {}false", "!".repeat(3)).repeat(25)),
        format!("{}context.step.hosts{}.isEmpty()", "[".repeat(23), "]".repeat(23)),
    ];
    let small = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        for condition in deepest {
            let rule = rule("rule_a", EnforcementMode::Warn, BindAt::StepPost, &condition);
            let evaluated = validate(BindAt::StepPost, &condition)
                .map(|()| snapshot(vec![rule]).evaluate(Moment::StepPost, &facts()).fired);
            let fired = evaluated.map(|fired| fired.iter().map(|rule| rule.fault).collect::<Vec<_>>());
            if !condition.ends_with("isEmpty()") {
                assert_eq!(fired, Ok(vec![None]), "{condition}");
            }
        }
    });
    small.expect("a thread starts").join().expect("no condition exhausts the stack");
}

proptest! {
    #[test]
    fn no_text_makes_the_check_panic(condition in ".{0,200}") {
        let _ = validate(BindAt::StepPost, &condition);
    }

    #[test]
    fn no_sequence_of_cedar_tokens_makes_it_panic(
        tokens in proptest::collection::vec(
            prop_oneof![
                Just("context"), Just("."), Just("step"), Just("kind"), Just("principal"), Just("("), Just(")"),
                Just("["), Just("]"), Just("{"), Just("}"), Just("&&"), Just("||"), Just("!"), Just("=="), Just("\"x\""),
                Just("5"), Just("-"), Just("*"), Just("like"), Just("has"), Just("in"), Just("is"), Just("if"),
                Just("then"), Just("else"), Just("true"), Just(","), Just(";"), Just("//"), Just("\n"), Just("\""),
            ],
            0..60,
        )
    ) {
        let condition = tokens.join(" ");
        if let Err(error) = validate(BindAt::StepPost, &condition) {
            prop_assert!(error.offset <= condition.len() && error.line >= 1 && error.column >= 1);
        }
    }
}
