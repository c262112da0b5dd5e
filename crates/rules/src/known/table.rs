//! Every fact: what it is called, what it means, and where its value is.

use super::fact::{Fact, FactType, FactUnit, Since, Value, number, step, texts};
use crate::text::micro;

macro_rules! facts {
    ($($path:literal $fact_type:ident $(($unit:ident))? $since:ident $meaning:literal $example:literal $read:expr;)+) => {
        /// Every fact, in the order in which people should see them.
        pub const FACTS: &[Fact] = &[$(Fact {
            path: $path,
            fact_type: FactType::$fact_type,
            unit: [$(Some(FactUnit::$unit),)? None][0],
            since: Since::$since,
            meaning: $meaning,
            example: $example,
            read: $read,
        }),+];
    };
}

const NONE: Value<'static> = Value::Number(0);
const EMPTY: Value<'static> = Value::Text("");

facts! {
    "principal.agent_id" Text Start "The agent."
        "principal.agent_id == \"sql-analyst\""
        |f| Value::Text(&f.principal.agent_id);
    "principal.project_id" Text Start "Its project; empty without one."
        "principal.project_id != \"research\""
        |f| Value::Text(&f.principal.project_id);
    "principal.tenant_id" Text Start "Its tenant."
        "principal.tenant_id like \"ten_*\""
        |f| Value::Text(&f.principal.tenant_id);
    "principal.labels" Texts Start "Labels of the run: those of its metadata."
        "principal.labels.contains(\"prod\")"
        |f| texts(&f.principal.labels);

    "resource.run_id" Text Start "The run."
        "resource.run_id like \"run_*\""
        |f| Value::Text(&f.resource.run_id);
    "resource.assurance" Text Start "ENFORCED, RECORDED or REPORTED, as far as the run has come: whether its steps were asked for before."
        "resource.assurance == \"REPORTED\""
        |f| Value::Text(f.resource.assurance.as_str());
    "resource.source" Text Start "How the run reached HOC: agent, human, sdk, otlp."
        "resource.source == \"otlp\""
        |f| Value::Text(f.resource.source.as_str());
    "resource.actor_type" Text Start "Who drives the run: HUMAN, SYSTEM, AGENT."
        "resource.actor_type != \"HUMAN\""
        |f| Value::Text(f.resource.actor_type.as_str());
    "resource.provider_type" Text Start "The provider named at the start; empty without one."
        "resource.provider_type == \"openai\""
        |f| Value::Text(&f.resource.provider_type);
    "resource.attempt" Number Start "1 for the first attempt."
        "resource.attempt > 3"
        |f| number(f.resource.attempt);
    "resource.is_replay" Flag Start "Whether it replays another run."
        "resource.is_replay"
        |f| Value::Flag(f.resource.is_replay);
    "resource.is_synthetic" Flag Start "Whether it is scenario data."
        "!resource.is_synthetic"
        |f| Value::Flag(f.resource.is_synthetic);

    "context.step.kind" Text Step "LLM_CALL, TOOL_CALL, RETRIEVAL, HTTP_CALL, TRANSFORM or OTHER."
        "context.step.kind == \"TOOL_CALL\""
        |f| step(f, |s| Value::Text(s.kind.as_str()), EMPTY);
    "context.step.skill" Text Step "The tool or skill called: what the API calls skill_name. Of a traced model call the provider and what was asked of it, such as openai.chat."
        "context.step.skill like \"get_*\""
        |f| step(f, |s| Value::Text(&s.skill), EMPTY);
    "context.step.provider" Text Step "The model's provider; empty where it is no model call."
        "context.step.provider == \"openai\""
        |f| step(f, |s| Value::Text(&s.provider), EMPTY);
    "context.step.model" Text Step "The model that answered, by the provider's own name of it, often with a date: gpt-4o-2024-08-06 where gpt-4o was asked for. Empty where it is no model call."
        "context.step.kind == \"LLM_CALL\" && !(context.step.model like \"gpt-4o*\")"
        |f| step(f, |s| Value::Text(&s.model), EMPTY);
    "context.step.model_requested" Text Step "The model that was asked for, as the agent named it; the same as context.step.model where only one name is known."
        "context.step.kind == \"LLM_CALL\" && context.step.model_requested != \"gpt-4o\""
        |f| step(f, |s| Value::Text(s.model_requested()), EMPTY);
    "context.step.input_tokens" Number(Tokens) Step "Input tokens, cached ones included; an estimate at STEP_PRE."
        "context.step.input_tokens > 100000"
        |f| step(f, |s| number(s.input_tokens), NONE);
    "context.step.output_tokens" Number(Tokens) Step "Output tokens, reasoning included; an estimate at STEP_PRE."
        "context.step.output_tokens > 4000"
        |f| step(f, |s| number(s.output_tokens), NONE);
    "context.step.cache_read_tokens" Number(Tokens) Result "Those of the input tokens that were read from the provider's cache."
        "context.step.input_tokens > 100000 && context.step.cache_read_tokens == 0"
        |f| step(f, |s| number(s.cache_read_tokens), NONE);
    "context.step.cache_write_tokens" Number(Tokens) Result "Those of the input tokens that were written to the provider's cache, which most sell dearer."
        "context.step.cache_write_tokens > 50000"
        |f| step(f, |s| number(s.cache_write_tokens), NONE);
    "context.step.cost_microusd" Number(MicroUsd) Step "Cost in whole micro-dollars: 500000 is $0.50. An estimate at STEP_PRE. A rule that reads it while it is unknown refuses."
        "context.step.cost_microusd > 500000"
        |f| step(f, |s| number(micro(s.cost_nanousd)), NONE);
    "context.step.cost_known" Flag Step "False where nobody knows what a model call costs: none is reported, and not all of its tokens are known, or no price book has a price of it."
        "context.step.cost_known && context.step.cost_microusd > 500000"
        |f| step(f, |s| Value::Flag(s.cost_known), Value::Flag(false));
    "context.step.duration_ms" Number(Ms) Result "How long it took."
        "context.step.duration_ms > 30000"
        |f| step(f, |s| number(s.duration_ms), NONE);
    "context.step.retry_count" Number Result "How often it was tried again."
        "context.step.retry_count >= 3"
        |f| step(f, |s| number(s.retry_count), NONE);
    "context.step.status" Text Result "SUCCESS, FAILURE, RETRY or SKIPPED, as the agent reports it."
        "context.step.status == \"FAILURE\""
        |f| step(f, |s| Value::Text(s.status.map_or("", proof::words::StepStatus::as_str)), EMPTY);
    "context.step.url_host" Text Step "Host of the URL parameter, lower case. Where there are several, a rule is judged against each."
        "context.step.url_host like \"*.internal.example\""
        |f| step(f, |s| Value::Text(&s.params.url_host), EMPTY);
    "context.step.url_path" Text Step "Path of that URL parameter, without escapes."
        "context.step.url_path like \"/admin/*\""
        |f| step(f, |s| Value::Text(&s.params.url_path), EMPTY);
    "context.step.hosts" Texts Step "Hosts of every URL anywhere in the parameters, those that a command reaches, and what can hardly be anything else under a name such as target; lower case."
        "context.step.hosts.contains(\"pastebin.example\")"
        |f| step(f, |s| texts(&s.params.hosts), Value::Texts(Vec::new()));
    "context.step.command" Text Step "The shell command parameter, redacted, its words one blank apart. Where there are several, a rule is judged against each; without its quotes, as a shell reads it, only if the rule does not except it (`!`, `!=`). Arguments that are texts without a name may be one."
        "context.step.command like \"*rm -rf*\""
        |f| step(f, |s| Value::Text(&s.params.command), EMPTY);
    "context.step.commands" Texts Step "Every shell command in the parameters, as it was told and as a shell reads it."
        "context.step.commands.contains(\"git push\")"
        |f| step(f, |s| texts(&s.params.commands), Value::Texts(Vec::new()));
    "context.step.table" Text Step "The table parameter, or the first that a statement of SQL names; lower case, without quotes, with its schema where that is told. Where there are several, a rule is judged against each; without its schema only if the rule does not except it (`!`, `!=`)."
        "context.step.table == \"customers\""
        |f| step(f, |s| Value::Text(&s.params.table), EMPTY);
    "context.step.tables" Texts Step "Every table in the parameters and in statements of SQL among them, with its schema and without."
        "context.step.tables.containsAny([\"customers\", \"orders\"])"
        |f| step(f, |s| texts(&s.params.tables), Value::Texts(Vec::new()));
    "context.step.recipients" Texts Step "Domains of all recipients, of those that answers go to too, lower case."
        "!([\"ours.example\"].containsAll(context.step.recipients))"
        |f| step(f, |s| texts(&s.params.recipients), Value::Texts(Vec::new()));
    "context.step.recipient_domains" Texts Step "The same as context.step.recipients."
        "context.step.recipient_domains.contains(\"rival.example\")"
        |f| step(f, |s| texts(&s.params.recipients), Value::Texts(Vec::new()));
    "context.step.facts_cut" Flag Step "True where a parameter could not be read or was too much, what a command runs, or where it goes, is known to the shell alone, or a tool was called with what nobody tells, or with a text that has no name and in it a sign of a command, an address or a statement, as a slash, an option or a dot within a word: hosts, commands, tables or recipients may miss one."
        "context.step.facts_cut"
        |f| step(f, |s| Value::Flag(s.params.facts_cut), Value::Flag(false));
    "context.step.labels" Texts Step "Labels of the step."
        "context.step.labels.contains(\"needs-review\")"
        |f| step(f, |s| texts(&s.labels), Value::Texts(Vec::new()));

    "context.content.pii" Texts Start "Classes of personal data found: CARD_NUMBER, EMAIL, IBAN, SSN."
        "context.content.pii.containsAny([\"IBAN\", \"SSN\"])"
        |f| Value::Texts(f.content.pii.iter().map(|class| class.as_str()).collect());
    "context.content.secrets" Texts Start "Kinds of secret found: API_KEY, AUTHORIZATION, BEARER_TOKEN, CHAT_TOKEN, CLOUD_KEY, COOKIE, CREDENTIAL, GIT_TOKEN, HOC_KEY, JWT, LLM_KEY, PASSWORD, PAYMENT_KEY, PRIVATE_KEY, REGISTRY_TOKEN, SECRET, SECURITY_CODE, TOKEN, URL_CREDENTIALS."
        "!context.content.secrets.isEmpty()"
        |f| Value::Texts(f.content.secrets.iter().map(|kind| kind.as_str()).collect());
    "context.content.fingerprints" Texts Start "Keyed fingerprints of the values found, to recognise one by."
        "!context.content.fingerprints.isEmpty()"
        |f| texts(&f.content.fingerprints);
    "context.content.input_size" Number(Bytes) Start "How long parameters and prompt are."
        "context.content.input_size > 200000"
        |f| number(f.content.input_size);
    "context.content.output_size" Number(Bytes) Result "How long response and outcome are."
        "context.content.output_size > 1000000"
        |f| number(f.content.output_size);
    "context.content.truncated" Flag Start "Whether a fact was cut to its largest allowed size."
        "context.content.truncated"
        |f| Value::Flag(f.content.truncated);

    "context.run.steps" Number(Steps) Step "Steps counted before this one."
        "context.run.steps >= 50"
        |f| number(f.run.steps);
    "context.run.refused" Number(Steps) Step "Steps refused before this one."
        "context.run.refused > 5"
        |f| number(f.run.refused);
    "context.run.tool_calls" Number(Calls) Step "Tool calls counted before this one."
        "context.run.tool_calls >= 20"
        |f| number(f.run.tool_calls);
    "context.run.tokens" Number(Tokens) Step "Tokens used before this step."
        "context.run.tokens > 500000"
        |f| number(f.run.tokens);
    "context.run.cost_microusd" Number(MicroUsd) Step "Cost before this step, in whole micro-dollars: 2000000 is $2. A rule that reads it while some of it is unknown refuses."
        "context.run.cost_microusd > 2000000"
        |f| number(micro(f.run.cost_nanousd));
    "context.run.cost_known" Flag Step "False once the cost of one of its calls was unknown."
        "context.run.cost_known && context.run.cost_microusd > 2000000"
        |f| Value::Flag(f.run.cost_known);
    "context.run.elapsed_ms" Number(Ms) Step "Time since the run began."
        "context.run.elapsed_ms > 600000"
        |f| number(f.run.elapsed_ms);
    "context.run.tools" Texts Step "Tools used so far: the first 64 of them."
        "context.step.skill == \"send_email\" && context.run.tools.contains(\"read_customer\")"
        |f| texts(&f.run.tools);
    "context.run.tools_cut" Flag Step "Whether it used more tools than those: then any may have been used."
        "context.run.tools_cut"
        |f| Value::Flag(f.run.tools_cut);
    "context.run.last_tool" Text Step "The tool used last; empty before the first."
        "context.step.skill == \"send_email\" && context.run.last_tool == \"read_customer\""
        |f| Value::Text(&f.run.last_tool);

    "context.time.hour" Number Start "0 to 23, in the tenant's zone."
        "context.time.hour < 6"
        |f| number(f.time.hour);
    "context.time.weekday" Number Start "1 Monday to 7 Sunday, in the tenant's zone."
        "context.time.weekday > 5"
        |f| number(f.time.weekday);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proof::words::BindAt;

    use super::*;
    use crate::{condition, known::position};

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

    /// People copy it: it is a condition at every moment at which the fact is known, and reads the fact.
    #[test]
    fn every_example_is_a_condition_that_reads_its_fact() {
        for fact in FACTS {
            let moments = BindAt::ALL.iter().filter(|at| fact.since.known_at(**at));
            for at in moments {
                let checked = condition::check(*at, fact.example);
                let reads = checked.unwrap_or_else(|err| panic!("{}: {err}", fact.example)).shape.reads;
                assert!(reads.contains(position(fact.path).expect("is in the table")), "{}", fact.example);
            }
        }
    }

    #[test]
    fn what_a_name_says_of_its_unit_is_its_unit() {
        for fact in FACTS {
            let said =
                [("_microusd", FactUnit::MicroUsd), ("_ms", FactUnit::Ms), ("tokens", FactUnit::Tokens)];
            let said = said.iter().find(|(end, _)| fact.path.ends_with(end)).map(|(_, unit)| *unit);
            assert!(said.is_none() || said == fact.unit, "{}", fact.path);
            assert!(fact.unit.is_none() || fact.fact_type == FactType::Number, "{}", fact.path);
        }
    }
}
