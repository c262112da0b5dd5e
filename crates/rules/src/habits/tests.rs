//! Conditions as people of other languages write them, and what they are told.

use proof::words::BindAt;

use super::*;
use crate::condition::validate;

/// What is wrong with a condition at STEP_POST, and what to do.
fn hint(condition: &str) -> String {
    let error = validate(BindAt::StepPost, condition).expect_err(condition);
    error.hint.unwrap_or_default()
}

/// What people are told, and the conditions to which.
const TOLD: &[(&str, &[&str])] = &[
    (
        "500000",
        &[
            "context.step.cost_microusd > 0.5",
            "context.step.cost_microusd > .5",
            "0.50 < context.step.cost_microusd",
            "context.step.cost_microusd > $5",
        ],
    ),
    ("for $0.61 write 610000", &["context.run.cost_microusd > 0.61"]),
    ("for $12.5 write 12500000", &["context.run.cost_microusd >= 12.5"]),
    (
        "numbers are whole",
        &[
            "context.step.input_tokens > 5e5",
            "context.step.input_tokens > 1_000",
            "context.step.input_tokens > 10k",
            "context.step.input_tokens > 0x10",
            "context.step.duration_ms > 5s",
            "context.step.input_tokens > 0.5",
        ],
    ),
    (
        "9223372036854775807",
        &[
            "context.step.cost_microusd > 99999999999999999999",
            "context.step.cost_microusd > 9223372036854775808",
            "context.step.cost_microusd > -9223372036854775809",
        ],
    ),
    (
        "like \"get_*\"",
        &[
            "context.step.skill.startsWith(\"get_\")",
            "context.step.skill.startswith(\"get_\")",
            "context.step.skill.starts_with(\"get_\")",
            "context.step.skill.endsWith(\"x\")",
            "context.step.skill.contains(\"x\")",
            "context.step.skill.includes(\"x\")",
            "context.step.skill.indexOf(\"x\") > 0",
            "startsWith(context.step.skill, \"x\")",
            "context.step.skill.matches(\"^get\")",
            "context.step.skill =~ \"get\"",
            "context.step.skill ~ \"get\"",
            "context.step.skill == /get.*/",
            "context.step.skill matches \"get\"",
            "context.step.skill ilike \"x\"",
            "context.step.skill.like(\"x\")",
            "context.step.skill like 5",
            "context.step.skill like context.step.model",
        ],
    ),
    ("write `&&`", &["true and false", "true AND false", "true & false", "true, false"]),
    ("write `||`", &["true or false", "true OR false", "true | false"]),
    ("write `!` for not", &["not true", "NOT true", "context.step.skill not like \"x\""]),
    ("`&&` or `||` between", &["context.step.kind == \"x\" context.step.model == \"y\""]),
    (
        "write `==`",
        &[
            "context.step.skill = \"x\"",
            "context.step.skill === \"x\"",
            "context.step.skill := \"x\"",
            "context.step.skill is \"x\"",
            "context.step.skill.equals(\"x\")",
        ],
    ),
    ("write `!=`", &["context.step.skill !== \"x\"", "context.step.skill <> \"x\""]),
    (
        "double quotes",
        &[
            "context.step.skill == 'x'",
            "context.step.skill == `x`",
            "context.step.skill == \u{201c}x\u{201d}",
            "context.step.skill == x",
            "context.step.skill like '%x%'",
        ],
    ),
    ("\"TOOL_CALL\"", &["context.step.kind == TOOL_CALL"]),
    (
        "[\"a\", \"b\"].contains(",
        &[
            "context.step.skill in [\"a\", \"b\"]",
            "context.step.skill in (\"a\", \"b\")",
            "context.step.skill not in [\"a\"]",
            "context.step.model == [\"a\", \"b\"]",
            "context.step.model == \"a\" || \"b\"",
            "context.step.model == (\"a\" || \"b\")",
        ],
    ),
    (
        ".contains(\"a\")",
        &[
            "\"a\" in context.step.hosts",
            "context.step.hosts contains \"a\"",
            "context.step.hosts == \"x\"",
            "context.step.hosts like \"*x*\"",
            "context.step.hosts.includes(\"x\")",
            "context.step.hosts[0] == \"x\"",
            "context.step.hosts.any(h, h == \"x\")",
            "context.step.hosts.contains(5)",
        ],
    ),
    (
        "each fact has a value",
        &[
            "context.step.model == null",
            "context.step.model == None",
            "context.step.model == undefined",
            "context.step.model is null",
            "context.step.model is not null",
            "exists(context.step.model)",
            "context.step.has(\"model\")",
            "context.step?.model == \"x\"",
            "context.step.model ?? \"x\" == \"y\"",
        ],
    ),
    (
        "in lower case",
        &[
            "context.step.cost_known == True",
            "context.step.cost_known == FALSE",
            "context.step.skill LIKE \"y\"",
        ],
    ),
    (
        "if a then b else c",
        &[
            "context.step.cost_known ? true : false",
            "if (context.step.cost_known) { true } else { false }",
            "if true then false",
        ],
    ),
    ("a <= 10", &["context.step.input_tokens between 1 and 5"]),
    ("one comparison at a time", &["5 < context.step.input_tokens < 10"]),
    ("no division", &["context.step.cost_microusd / 1000000 > 1", "context.step.input_tokens % 2 == 0"]),
    ("no powers", &["context.step.input_tokens ** 2 > 1"]),
    (
        "has no length",
        &[
            "context.step.skill.length > 5",
            "context.step.skill.length() > 5",
            "len(context.step.skill) > 5",
            "context.step.hosts.size() > 3",
        ],
    ),
    (
        "upper and lower case apart",
        &["context.step.skill.toLowerCase() == \"x\"", "lower(context.step.skill) == \"x\""],
    ),
    ("write it with its record: `context.step.model`", &["step.model == \"x\"", "model == \"x\""]),
    ("principal.agent_id", &["agent_id == \"x\"", "principal == \"agent-1\""]),
    ("facts begin with", &["input.foo == \"x\"", "$.step.model == \"x\""]),
    (
        "only the expression inside `when { }`",
        &["when { true }", "forbid(principal, action, resource) when { true };", "true;"],
    ),
    ("a comment begins with `//`", &["# c\ntrue", "true -- c", "true /* c */"]),
    ("1 `(` and 0 `)`", &["(true"]),
    ("0 `(` and 1 `)`", &["true)"]),
    ("0 to 23", &["context.time.hour >= 22:00", "now() > 5"]),
    ("1 Monday to 7 Sunday", &["context.time.weekday == \"Monday\"", "context.time.weekday == Monday"]),
    (
        "is a whole number of tokens",
        &["context.step.input_tokens == \"5\"", "context.step.input_tokens > true"],
    ),
    ("is a text: ask", &["context.step.model == 5", "!context.step.model", "context.step.model > \"a\""]),
    ("is true or false by itself", &["context.step.cost_known == 1", "context.step.cost_known == \"true\""]),
    ("a backslash is written twice", &["context.step.model == \"\\d\"", "context.step.model like \"\\.x\""]),
    (
        "nothing is converted",
        &["context.step.duration_ms.toString() == \"5\"", "int(context.step.model) > 5"],
    ),
];

#[test]
fn what_another_language_writes_is_answered_with_what_cedar_has() {
    for (told, conditions) in TOLD {
        for condition in *conditions {
            let hint = hint(condition);
            assert!(hint.contains(told), "{condition}\n  is told: {hint}\n  wanted: {told}");
        }
    }
}

/// Whatever is wrong, somebody is told what to do.
#[test]
fn a_condition_that_is_refused_is_never_left_without_a_word() {
    for condition in
        ["context.step.skill == \"a\"\"b\"", "5", "true true", "context.step.hosts == []", "&&", "\"x"]
    {
        assert!(!hint(condition).is_empty(), "{condition}");
    }
}

#[test]
fn what_is_cedar_is_no_habit() {
    let examples = FACTS.iter().map(|fact| fact.example);
    for condition in examples.chain([
        "context[\"step\"][\"retry_count\"] >= 3",
        "if context.time.weekday > 5 then context.step.kind != \"TRANSFORM\" else false",
        "principal == Agent::\"a\" && action == Action::\"StepPost\" && principal is Agent",
        "!!([\"read\", \"it's 5 and null\"].contains(context.step.skill)) // and that's 0.5 or so",
        "-(context.step.input_tokens) + 5 * 2 - 1 <= 10 && 5 != context.step.input_tokens",
        "(5 < context.run.steps) == (context.run.steps < 10)",
        "context.step has cost_microusd && context has step",
    ]) {
        assert_eq!(alternative(condition, 0), None, "{condition}");
    }
}
