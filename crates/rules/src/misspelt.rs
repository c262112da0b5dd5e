//! What the author of a condition may have meant by a fact that is none, or is none at that moment.

use proof::words::BindAt;

use crate::{
    known::{FACTS, Fact, find, known_at},
    schema::{has_section, sections},
};

/// Names of the API and of other tools, and the fact that they are here.
const CALLED: &[(&[&str], &str)] = &[
    (
        &["skill_name", "tool", "tool_name", "name", "function", "function_name", "action"],
        "context.step.skill",
    ),
    (&["cost", "cost_usd", "cost_micros", "price", "usd", "total_cost"], "context.step.cost_microusd"),
    (&["model_name", "model_id", "llm", "response_model"], "context.step.model"),
    (&["request_model", "requested_model"], "context.step.model_requested"),
    (&["latency", "latency_ms", "duration", "elapsed", "took"], "context.step.duration_ms"),
    (&["prompt_tokens", "tokens_in"], "context.step.input_tokens"),
    (&["completion_tokens", "tokens_out"], "context.step.output_tokens"),
    (&["type", "step_type"], "context.step.kind"),
    (&["outcome", "success", "failed", "error"], "context.step.status"),
    (&["retries", "attempts"], "context.step.retry_count"),
    (&["url", "uri", "host", "hostname", "domain"], "context.step.url_host"),
    (&["path"], "context.step.url_path"),
    (&["cmd", "shell", "bash", "script"], "context.step.command"),
    (&["to", "recipient", "email", "emails"], "context.step.recipients"),
    (&["agent", "agent_name", "agent_id", "id"], "principal.agent_id"),
    (&["project", "project_id"], "principal.project_id"),
    (&["tenant", "tenant_id"], "principal.tenant_id"),
    (&["environment", "env", "tags", "metadata"], "principal.labels"),
    (&["user", "actor"], "resource.actor_type"),
    (&["step_count", "count", "steps"], "context.run.steps"),
    (&["day", "day_of_week"], "context.time.weekday"),
];

/// What callers give and get, of which a rule sees only what was found in it.
const ARGUMENTS: &[&str] = &[
    "args",
    "arguments",
    "params",
    "parameters",
    "kwargs",
    "input",
    "body",
    "query",
    "sql",
    "text",
    "prompt",
    "message",
    "messages",
    "response",
    "output",
    "result",
    "data",
    "outcome_data",
];

/// What to say of a path that is no fact at that moment.
pub(crate) fn hint(bind_at: BindAt, path: &str) -> String {
    let known = FACTS.iter().find(|fact| fact.path == path);
    if let Some(fact) = known.filter(|fact| !fact.since.known_at(bind_at)) {
        return format!("`{path}` is known from {} on: bind the rule there", fact.since.moment());
    }
    let (record, name) = path.rsplit_once('.').unwrap_or(("", path));
    let here: Vec<&str> =
        known_at(bind_at).filter(|fact| fact.place().0 == record).map(|fact| fact.place().1).collect();
    let list =
        if here.is_empty() { records(bind_at, path) } else { format!("`{record}` has: {}", here.join(", ")) };
    match meant(bind_at, path, name) {
        Some(meant) => format!("{meant} {list}"),
        None => list,
    }
}

fn meant(bind_at: BindAt, path: &str, name: &str) -> Option<String> {
    // A name that is a fact elsewhere is that fact.
    let elsewhere = || known_at(bind_at).find(|fact| fact.place().1 == name);
    let called = || CALLED.iter().find(|(names, _)| names.contains(&name)).and_then(|(_, path)| find(path));
    if name == "tokens" || name == "total_tokens" {
        return Some(
            "a step has `context.step.input_tokens + context.step.output_tokens`, and a run `context.run.tokens`."
                .to_owned(),
        );
    }
    if let Some(fact) = called().or_else(elsewhere).filter(|fact| fact.since.known_at(bind_at)) {
        let unit =
            if fact.path.ends_with("_microusd") { " (whole micro-dollars: 500000 is $0.50)" } else { "" };
        return Some(format!("did you mean `{}`?{unit}", fact.path));
    }
    if ARGUMENTS.contains(&name) {
        return Some(
            "of what goes in and comes out a rule sees what was found in it: `context.step.url_host`, `hosts`, `command`, \
             `commands`, `table`, `tables`, `recipients`, and `context.content`."
                .to_owned(),
        );
    }
    nearest(path, known_at(bind_at)).map(|fact| format!("did you mean `{}`?", fact.path))
}

/// The records that there are, where the path is of none of them.
fn records(bind_at: BindAt, path: &str) -> String {
    let later = path.strip_prefix("context.").and_then(|rest| rest.split('.').next());
    let later =
        later.filter(|section| !has_section(bind_at, section) && has_section(BindAt::StepPre, section));
    if let Some(section) = later.filter(|section| ["step", "run"].contains(section)) {
        return format!("`context.{section}` is known from STEP_PRE on: bind the rule there");
    }
    let sections: Vec<String> = sections(bind_at).map(|section| format!("`context.{section}`")).collect();
    format!(
        "the records are {}, `principal` and `resource`: `hoc facts` lists what they have",
        sections.join(", ")
    )
}

/// The fact whose path is at most a few letters away; facts of the same record first.
fn nearest<'a>(path: &str, facts: impl Iterator<Item = &'a Fact>) -> Option<&'a Fact> {
    let (record, name) = path.rsplit_once('.').unwrap_or(("", path));
    facts
        .filter_map(|fact| {
            let (fact_record, fact_name) = fact.place();
            let distance = letters_apart(name, fact_name);
            let begins = name.len() >= 3 && fact_name.starts_with(name);
            let close = begins || distance <= 2.max(name.len() / 3);
            close.then_some(((fact_record != record, !begins, distance), fact))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, fact)| fact)
}

/// Levenshtein distance, for names of a few letters; long ones count as far apart.
fn letters_apart(a: &str, b: &str) -> usize {
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_call_a_fact_leads_to_one() {
        for (names, path) in CALLED {
            assert!(find(path).is_some(), "{path}");
            for name in *names {
                let told = hint(BindAt::StepPost, &format!("context.content.{name}"));
                assert!(told.contains(&format!("did you mean `{path}`?")), "{name}: {told}");
            }
        }
    }
}
