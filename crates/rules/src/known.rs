//! The facts that a condition can read: one table, from which schema, evaluation, hints and forms are made.

use std::collections::BTreeSet;

use proof::words::BindAt;
use serde::Serialize;

use crate::facts::{Facts, StepFacts};

/// The type of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactType {
    /// A Cedar `Long`.
    Number,
    /// A Cedar `String`. Empty when absent.
    Text,
    /// A Cedar `Bool`.
    Flag,
    /// A Cedar `Set<String>`.
    Texts,
}

/// The first moment at which a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Since {
    /// From RUN_START on.
    Start,
    /// From STEP_PRE on.
    Step,
    /// At STEP_POST.
    Result,
}

/// One fact that a condition can read.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// As a condition writes it: `context.step.kind`, `principal.agent_id`.
    pub path: &'static str,
    /// Its type.
    pub fact_type: FactType,
    /// When it is first known.
    pub since: Since,
    /// What it means, for people.
    pub meaning: &'static str,
    pub(crate) read: fn(&Facts) -> Value<'_>,
}

/// A fact's value, borrowed from [`Facts`].
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Number(i64),
    Text(&'a str),
    Flag(bool),
    Texts(Vec<&'a str>),
}

impl FactType {
    pub(crate) const fn cedar(self) -> &'static str {
        match self {
            Self::Number => "Long",
            Self::Text => "String",
            Self::Flag => "Bool",
            Self::Texts => "Set<String>",
        }
    }
}

impl Since {
    /// Whether a rule bound at that moment can read the fact.
    #[must_use]
    pub fn known_at(self, bind_at: BindAt) -> bool {
        match bind_at {
            BindAt::RunStart => self == Self::Start,
            BindAt::StepPre => self <= Self::Step,
            BindAt::StepPost => true,
        }
    }

    pub(crate) const fn moment(self) -> &'static str {
        match self {
            Self::Start => "RUN_START",
            Self::Step => "STEP_PRE",
            Self::Result => "STEP_POST",
        }
    }
}

/// The facts that a rule bound at that moment can read.
pub fn known_at(bind_at: BindAt) -> impl Iterator<Item = &'static Fact> {
    FACTS.iter().filter(move |fact| fact.since.known_at(bind_at))
}

/// The place of a fact in the table.
pub(crate) fn position(path: &str) -> Option<usize> {
    FACTS.iter().position(|fact| fact.path == path)
}

fn number(count: crate::Count) -> Value<'static> {
    Value::Number(count.long())
}

fn texts(set: &BTreeSet<String>) -> Value<'_> {
    Value::Texts(set.iter().map(String::as_str).collect())
}

/// A fact of the step; the fallback stands for a step that is not there, which no rule is evaluated against.
fn step<'a>(facts: &'a Facts, read: impl FnOnce(&'a StepFacts) -> Value<'a>, absent: Value<'a>) -> Value<'a> {
    facts.step.as_ref().map_or(absent, read)
}

macro_rules! facts {
    ($($path:literal $fact_type:ident $since:ident $meaning:literal $read:expr;)+) => {
        /// Every fact, in the order in which people should see them.
        pub const FACTS: &[Fact] = &[$(Fact {
            path: $path,
            fact_type: FactType::$fact_type,
            since: Since::$since,
            meaning: $meaning,
            read: $read,
        }),+];
    };
}

const NONE: Value<'static> = Value::Number(0);
const EMPTY: Value<'static> = Value::Text("");

facts! {
    "principal.agent_id" Text Start "The agent." |f| Value::Text(&f.principal.agent_id);
    "principal.project_id" Text Start "Its project." |f| Value::Text(&f.principal.project_id);
    "principal.tenant_id" Text Start "Its tenant." |f| Value::Text(&f.principal.tenant_id);
    "principal.labels" Texts Start "Labels of the run: those of its metadata." |f| texts(&f.principal.labels);

    "resource.run_id" Text Start "The run." |f| Value::Text(&f.resource.run_id);
    "resource.assurance" Text Start "ENFORCED, RECORDED or REPORTED, as far as the run has come: whether its steps were asked for before."
        |f| Value::Text(f.resource.assurance.as_str());
    "resource.source" Text Start "How the run reached HOC: agent, human, sdk, otlp."
        |f| Value::Text(f.resource.source.as_str());
    "resource.actor_type" Text Start "Who drives the run: HUMAN, SYSTEM, AGENT."
        |f| Value::Text(f.resource.actor_type.as_str());
    "resource.provider_type" Text Start "The provider named at the start." |f| Value::Text(&f.resource.provider_type);
    "resource.attempt" Number Start "1 for the first attempt." |f| number(f.resource.attempt);
    "resource.is_replay" Flag Start "Whether it replays another run." |f| Value::Flag(f.resource.is_replay);
    "resource.is_synthetic" Flag Start "Whether it is scenario data." |f| Value::Flag(f.resource.is_synthetic);

    "context.step.kind" Text Step "LLM_CALL, TOOL_CALL, RETRIEVAL, HTTP_CALL, TRANSFORM or OTHER."
        |f| step(f, |s| Value::Text(s.kind.as_str()), EMPTY);
    "context.step.skill" Text Step "The tool or skill called." |f| step(f, |s| Value::Text(&s.skill), EMPTY);
    "context.step.provider" Text Step "The model's provider." |f| step(f, |s| Value::Text(&s.provider), EMPTY);
    "context.step.model" Text Step "The model." |f| step(f, |s| Value::Text(&s.model), EMPTY);
    "context.step.input_tokens" Number Step "Input tokens, cached ones included; an estimate at STEP_PRE."
        |f| step(f, |s| number(s.input_tokens), NONE);
    "context.step.output_tokens" Number Step "Output tokens, reasoning included; an estimate at STEP_PRE."
        |f| step(f, |s| number(s.output_tokens), NONE);
    "context.step.cost_microusd" Number Step
        "Cost in millionths of a dollar; an estimate at STEP_PRE. A rule that reads it while it is unknown fails."
        |f| step(f, |s| number(s.cost_microusd), NONE);
    "context.step.cost_known" Flag Step "False for a model call without reported cost and without a price."
        |f| step(f, |s| Value::Flag(s.cost_known), Value::Flag(false));
    "context.step.duration_ms" Number Result "How long it took." |f| step(f, |s| number(s.duration_ms), NONE);
    "context.step.retry_count" Number Result "How often it was tried again."
        |f| step(f, |s| number(s.retry_count), NONE);
    "context.step.status" Text Result "SUCCESS, FAILURE, RETRY or SKIPPED."
        |f| step(f, |s| Value::Text(s.status.map_or("", proof::words::StepStatus::as_str)), EMPTY);
    "context.step.url_host" Text Step "Host of the URL parameter, lower case. Where there are several, a rule is judged against each."
        |f| step(f, |s| Value::Text(&s.params.url_host), EMPTY);
    "context.step.url_path" Text Step "Path of that URL parameter, without escapes." |f| step(f, |s| Value::Text(&s.params.url_path), EMPTY);
    "context.step.hosts" Texts Step "Hosts of every URL anywhere in the parameters, lower case."
        |f| step(f, |s| texts(&s.params.hosts), Value::Texts(Vec::new()));
    "context.step.command" Text Step "The shell command parameter, redacted, its words one blank apart. Where there are several, a rule is judged against each."
        |f| step(f, |s| Value::Text(&s.params.command), EMPTY);
    "context.step.commands" Texts Step "Every shell command in the parameters, alike."
        |f| step(f, |s| texts(&s.params.commands), Value::Texts(Vec::new()));
    "context.step.table" Text Step "The table parameter, lower case, without quotes. Where there are several, a rule is judged against each."
        |f| step(f, |s| Value::Text(&s.params.table), EMPTY);
    "context.step.tables" Texts Step "Every table in the parameters, alike."
        |f| step(f, |s| texts(&s.params.tables), Value::Texts(Vec::new()));
    "context.step.recipients" Texts Step "Domains of all recipients, lower case."
        |f| step(f, |s| texts(&s.params.recipients), Value::Texts(Vec::new()));
    "context.step.recipient_domains" Texts Step "The same as context.step.recipients."
        |f| step(f, |s| texts(&s.params.recipients), Value::Texts(Vec::new()));
    "context.step.facts_cut" Flag Step
        "True where a parameter could not be read or was too much: hosts, commands, tables or recipients may miss one."
        |f| step(f, |s| Value::Flag(s.params.facts_cut), Value::Flag(false));
    "context.step.labels" Texts Step "Labels of the step."
        |f| step(f, |s| texts(&s.labels), Value::Texts(Vec::new()));

    "context.content.pii" Texts Start "Classes of personal data found: CARD_NUMBER, EMAIL, IBAN, SSN."
        |f| Value::Texts(f.content.pii.iter().map(|class| class.as_str()).collect());
    "context.content.secrets" Texts Start "Kinds of secret found, such as API_KEY, JWT, PASSWORD, PRIVATE_KEY."
        |f| Value::Texts(f.content.secrets.iter().map(|kind| kind.as_str()).collect());
    "context.content.fingerprints" Texts Start "Keyed fingerprints of the values found, to recognise one by."
        |f| texts(&f.content.fingerprints);
    "context.content.input_size" Number Start "Bytes of parameters and prompt." |f| number(f.content.input_size);
    "context.content.output_size" Number Result "Bytes of response and outcome." |f| number(f.content.output_size);
    "context.content.truncated" Flag Start "Whether a fact was cut to its largest allowed size."
        |f| Value::Flag(f.content.truncated);

    "context.run.steps" Number Step "Steps counted before this one." |f| number(f.run.steps);
    "context.run.refused" Number Step "Steps refused before this one." |f| number(f.run.refused);
    "context.run.tool_calls" Number Step "Tool calls counted before this one." |f| number(f.run.tool_calls);
    "context.run.tokens" Number Step "Tokens used before this step." |f| number(f.run.tokens);
    "context.run.cost_microusd" Number Step
        "Cost before this step. A rule that reads it while some of it is unknown fails."
        |f| number(f.run.cost_microusd);
    "context.run.cost_known" Flag Step "False once the cost of one of its calls was unknown."
        |f| Value::Flag(f.run.cost_known);
    "context.run.elapsed_ms" Number Step "Time since the run began." |f| number(f.run.elapsed_ms);
    "context.run.tools" Texts Step "Tools used so far: the first 64 of them." |f| texts(&f.run.tools);
    "context.run.tools_cut" Flag Step "Whether it used more tools than those: then any may have been used."
        |f| Value::Flag(f.run.tools_cut);
    "context.run.last_tool" Text Step "The tool used last." |f| Value::Text(&f.run.last_tool);

    "context.time.hour" Number Start "0 to 23, in the tenant's zone." |f| number(f.time.hour);
    "context.time.weekday" Number Start "1 Monday to 7 Sunday, in the tenant's zone." |f| number(f.time.weekday);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_facts_fits_in_64_bits_and_no_path_is_there_twice() {
        assert!(FACTS.len() <= 64);
        let paths: BTreeSet<_> = FACTS.iter().map(|fact| fact.path).collect();
        assert_eq!(paths.len(), FACTS.len());
    }

    #[test]
    fn every_entity_fact_is_known_from_the_start() {
        for fact in FACTS.iter().filter(|fact| !fact.path.starts_with("context.")) {
            assert_eq!(fact.since, Since::Start, "{}", fact.path);
        }
    }
}
