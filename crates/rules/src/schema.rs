//! The Cedar schema: one action a moment, each with the facts that are known then.

use std::fmt::Write as _;
use std::sync::LazyLock;

use cedar_policy::{Schema, Validator};
use proof::words::BindAt;

use crate::known::{FACTS, Fact, known_at};

/// The Cedar action of a moment.
#[must_use]
pub const fn action(bind_at: BindAt) -> &'static str {
    match bind_at {
        BindAt::RunStart => "RunStart",
        BindAt::StepPre => "StepPre",
        BindAt::StepPost => "StepPost",
    }
}

/// The schema in Cedar's own notation, for people and other tools.
#[must_use]
pub fn text() -> String {
    let mut schema = String::new();
    for (entity, variable) in [("Agent", "principal"), ("Run", "resource")] {
        let facts = FACTS
            .iter()
            .filter_map(|fact| Some((fact.path.strip_prefix(variable)?.strip_prefix('.')?, fact)));
        let _ = writeln!(schema, "entity {entity} = {};", record(facts));
    }
    for bind_at in BindAt::ALL {
        let sections: Vec<String> = sections(*bind_at)
            .map(|section| {
                let facts = known_at(*bind_at)
                    .filter_map(|fact| {
                        Some((fact.path.strip_prefix("context.")?.strip_prefix(section)?, fact))
                    })
                    .filter_map(|(rest, fact)| Some((rest.strip_prefix('.')?, fact)));
                format!("{section}: {}", record(facts))
            })
            .collect();
        let _ = writeln!(
            schema,
            "action {} appliesTo {{ principal: Agent, resource: Run, context: {{ {} }} }};",
            action(*bind_at),
            sections.join(", "),
        );
    }
    schema
}

/// Whether a moment's context has that record.
pub(crate) const fn has_section(bind_at: BindAt, section: &str) -> bool {
    // At RUN_START there is no step yet, and nothing in the run.
    !matches!((bind_at, section.as_bytes()), (BindAt::RunStart, b"step" | b"run"))
}

/// The records of `context` at a moment.
pub(crate) fn sections(bind_at: BindAt) -> impl Iterator<Item = &'static str> {
    ["step", "content", "run", "time"].into_iter().filter(move |section| has_section(bind_at, section))
}

fn record<'a>(facts: impl Iterator<Item = (&'a str, &'a Fact)>) -> String {
    let members: Vec<String> =
        facts.map(|(name, fact)| format!("{name}: {}", fact.fact_type.cedar())).collect();
    format!("{{ {} }}", members.join(", "))
}

/// Checks policies against the schema.
pub(crate) static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let (schema, _warnings) = Schema::from_cedarschema_str(&text())
        .unwrap_or_else(|error| unreachable!("the schema is made from a table that a test parses: {error}"));
    Validator::new(schema)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_facts_that_are_known_then() {
        assert_eq!(sections(BindAt::RunStart).collect::<Vec<_>>(), ["content", "time"]);
        assert_eq!(sections(BindAt::StepPre).collect::<Vec<_>>(), ["step", "content", "run", "time"]);
        let schema = text();
        let line = |action: &str| {
            schema
                .lines()
                .find(|line| line.starts_with(&format!("action {action} ")))
                .unwrap_or_default()
                .to_owned()
        };
        assert!(!line("RunStart").contains("skill"));
        assert!(line("StepPre").contains("skill") && !line("StepPre").contains("status"));
        assert!(
            line("StepPost").contains("status: String") && line("StepPost").contains("duration_ms: Long")
        );
        let _ = VALIDATOR.schema();
        for fact in FACTS {
            let section = fact.path.strip_prefix("context.").and_then(|rest| rest.split('.').next());
            let has = |at: BindAt| section.is_none_or(|section| has_section(at, section));
            assert!(BindAt::ALL.iter().all(|at| !fact.since.known_at(*at) || has(*at)), "{}", fact.path);
        }
    }
}
