//! docs/facts.md: the table of facts, for people.

use std::fmt::Write as _;

use super::{fact::Fact, table::FACTS};

const HEAD: &str = r#"# The facts of a rule

A rule's condition is one [Cedar](https://www.cedarpolicy.com) expression over the facts below, and over nothing else. The
same list: `hoc facts`, `GET /api/v1/runtime/policies/facts`, and below the form for a rule in the console. This page is made
from it: `hoc facts --markdown > docs/facts.md`.

## How a condition is written

| what it says | Cedar |
| --- | --- |
| and, or, not | `a && b`, `a \|\| b`, `!(a)` |
| is, is not | `context.step.kind == "LLM_CALL"`, `context.step.provider != "openai"` |
| begins with, ends with, holds | `context.step.skill like "get_*"`, `like "*_admin"`, `like "*drop*"` |
| is one of | `["send_email", "post"].contains(context.step.skill)` |
| a set holds one, any, all of | `.contains("a")`, `.containsAny(["a", "b"])`, `.containsAll(["a", "b"])` |
| nothing is there | `context.step.command == ""`, `context.step.hosts.isEmpty()` |
| if, then, else | `if context.step.cost_known then context.step.cost_microusd > 500000 else false` |

Text stands in double quotes, and upper and lower case differ. `*` in a `like` is any text. Numbers are whole. A comment
begins with `//`. A value that its fact never has, such as a kind that is none, is refused when the rule is saved, with those
that it can have.

The JSON form of a condition (`conditions`) names the same facts in short: `{"fact": "step.skill", "op": "starts_with",
"value": "get_"}`, in `{"all": [..]}`, `{"any": [..]}` and `{"not": {..}}`. It is stored as the Cedar that it means.

**Money** in a condition is whole micro-dollars: 500000 is $0.50. The JSON form takes dollars as well:
`{"fact": "step.cost_usd", "op": ">", "value": 0.5}` is `context.step.cost_microusd > 500000`. Limits are in dollars.

**Each fact has a value at its moments**: 0, an empty text or an empty set where there is nothing. Two are not there when
they cannot be known, and a rule that reads them then refuses: a cost that nobody knows (ask for `cost_known` first), and a
piece of content that a tenant does not keep.

**A rule that fires says why**: each verdict has `fired[].facts`, the facts that its condition reads, with their values. A
text is cut to 120 characters there, a set to 8 members, and a rule tells 16 facts.
"#;

/// The records in the order of the table, each with what it is about.
pub const RECORDS: &[(&str, &str)] = &[
    ("principal", "who acts: the agent"),
    ("resource", "what it acts in: the run"),
    ("context.step", "the call itself: an estimate at STEP_PRE, the result at STEP_POST"),
    ("context.content", "what was found in what goes in and comes out"),
    ("context.run", "the run before this call"),
    ("context.time", "the server's time"),
];

/// The page, as docs/facts.md has it.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (record, about) in RECORDS {
        let _ = write!(page, "\n## `{record}`: {about}\n\n| fact | type | at | what it is | example |\n");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for fact in FACTS.iter().filter(|fact| fact.place().0 == *record) {
            let _ = writeln!(page, "{}", row(fact));
        }
    }
    page
}

fn row(fact: &Fact) -> String {
    let moments: Vec<&str> = fact.moments().map(proof::words::BindAt::as_str).collect();
    let of = fact.unit.map_or_else(String::new, |unit| format!(" of {unit}"));
    format!(
        "| `{}` | {}{of} | {} | {} | `{}` |",
        fact.path,
        fact.fact_type,
        moments.join(", "),
        fact.meaning,
        fact.example.replace('|', "\\|"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/facts.md");

    #[test]
    fn docs_facts_md_is_the_table() {
        let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
        assert!(
            committed == page(),
            "the facts changed: look at what changes for rules, then `cargo run -p hoc -- facts --markdown > docs/facts.md`"
        );
        let told = FACTS.iter().filter(|fact| committed.contains(&format!("| `{}` |", fact.path))).count();
        assert_eq!(told, FACTS.len());
    }
}
