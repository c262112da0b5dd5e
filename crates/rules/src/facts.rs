//! What a rule may know about a call: computed before evaluation, redacted, integers only.
//!
//! The canonical JSON of these facts is stored in each decision, and Cedar evaluates exactly what is stored.
//! Values that are zero, empty or absent are left out of the JSON, so a plain call has small facts.
#![expect(missing_docs, reason = "the fields are the facts that `known` lists, each with its meaning")]

use std::collections::BTreeSet;

use proof::words::{ActorType, Assurance, RunSource, StepKind, StepStatus};
use serde::{Deserialize, Serialize};

use crate::count::Count;
use crate::text::canonical;

proof::words! {
    /// A class of personal data that the redactor can find.
    PiiClass { CardNumber = "CARD_NUMBER", Email = "EMAIL", Iban = "IBAN", Ssn = "SSN" }

    /// A kind of secret that the redactor can find, by its shape or by the name of its field.
    SecretKind { ApiKey = "API_KEY", Authorization = "AUTHORIZATION", BearerToken = "BEARER_TOKEN",
        ChatToken = "CHAT_TOKEN", CloudKey = "CLOUD_KEY", Cookie = "COOKIE", Credential = "CREDENTIAL",
        GitToken = "GIT_TOKEN", HocKey = "HOC_KEY", Jwt = "JWT", LlmKey = "LLM_KEY", Password = "PASSWORD",
        PaymentKey = "PAYMENT_KEY", PrivateKey = "PRIVATE_KEY", RegistryToken = "REGISTRY_TOKEN",
        Secret = "SECRET", SecurityCode = "SECURITY_CODE", Token = "TOKEN", UrlCredentials = "URL_CREDENTIALS" }
}

/// Everything that the rules of one evaluation see. `step` is absent at RUN_START, and only there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub principal: Principal,
    pub resource: Resource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepFacts>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub content: ContentFacts,
    #[serde(default, skip_serializing_if = "is_default")]
    pub run: RunFacts,
    pub time: TimeFacts,
    /// Rules and limits of the snapshot whose definition did not match its integrity row when it was loaded.
    /// Not for rules to read: each of them counts as failed, whatever it now says.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tampered: BTreeSet<String>,
}

/// Who acts: the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    pub agent_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project_id: String,
    pub tenant_id: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
}

/// What is acted upon: the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub run_id: String,
    pub assurance: Assurance,
    pub source: RunSource,
    pub actor_type: ActorType,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider_type: String,
    pub attempt: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_replay: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_synthetic: bool,
}

/// The call itself: an estimate at STEP_PRE, the result at STEP_POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFacts {
    pub kind: StepKind,
    pub skill: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Empty where it is `model`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model_requested: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub input_tokens: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub output_tokens: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub cache_read_tokens: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub cache_write_tokens: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub cost_nanousd: Count,
    /// False when a model call has neither a reported cost nor a price. Other calls cost a known 0.
    pub cost_known: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub duration_ms: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry_count: Count,
    /// Absent before the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub params: ParamFacts,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
    /// Another step tells of the same, and counts it. Not for rules to read: limits on calls do not count this one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub told_elsewhere: bool,
}

impl StepFacts {
    /// The model that was asked for: the one that answered, where no other name is known.
    #[must_use]
    pub fn model_requested(&self) -> &str {
        if self.model_requested.is_empty() { &self.model } else { &self.model_requested }
    }
}

/// The typed common parameters of a call, found in the caller's parameters and redacted.
/// Rules read them as `context.step.url_host` and so on. Where there are several of a kind, a rule that reads the one
/// is judged against each of them: see [`crate::readings`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParamFacts {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url_host: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url_path: String,
    /// All URL parameters, where there is more than that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<UrlFact>,
    /// The hosts of every URL at any depth of the parameters, so that a second one cannot hide behind the first.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hosts: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub commands: BTreeSet<String>,
    /// Those of `commands` that nobody told, but a shell reads: without the quotes of another one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub commands_read: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tables: BTreeSet<String>,
    /// Those of `tables` that nobody told: another one without its schema.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tables_read: BTreeSet<String>,
    /// The domains of all recipients.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<String>,
    /// Something could not be read, or was too much: there may be more than these say.
    #[serde(default, skip_serializing_if = "is_default")]
    pub facts_cut: bool,
    /// The names of those above that were there and are not kept: a rule that reads one cannot be evaluated.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withheld: BTreeSet<String>,
}

/// One URL parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlFact {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}

impl ParamFacts {
    /// Without those that are pieces of what the caller said. Hosts, tables and domains say of what kind it is.
    #[must_use]
    pub fn without_content(mut self) -> Self {
        let mut withhold = |name: &str, there: bool| {
            if there {
                self.withheld.insert(name.to_owned());
            }
        };
        withhold("command", !std::mem::take(&mut self.command).is_empty());
        withhold("commands", !std::mem::take(&mut self.commands).is_empty());
        self.commands_read.clear();
        let paths = self.urls.iter_mut().map(|url| &mut url.path).chain([&mut self.url_path]);
        let told = paths.filter_map(|path| (!std::mem::take(path).is_empty()).then_some(())).count();
        withhold("url_path", told > 0);
        self
    }
}

/// What is in the content that goes in and, at STEP_POST, came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentFacts {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pii: BTreeSet<PiiClass>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<SecretKind>,
    /// Keyed fingerprints of the values found: a rule can name a value that it may not know.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fingerprints: BTreeSet<String>,
    /// Bytes of the raw parameters and prompt.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input_size: Count,
    /// Bytes of the raw response and outcome data.
    #[serde(default, skip_serializing_if = "is_default")]
    pub output_size: Count,
    /// True when a fact was cut to its largest allowed size, a text or a set, or a parameter could not be read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub truncated: bool,
}

/// The run before this call, which is not yet counted in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFacts {
    #[serde(default, skip_serializing_if = "is_default")]
    pub steps: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub refused: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub tool_calls: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub tokens: Count,
    #[serde(default, skip_serializing_if = "is_default")]
    pub cost_nanousd: Count,
    /// False once the cost of any of its calls was unknown.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub cost_known: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub elapsed_ms: Count,
    /// Skills of the tool calls that counted so far.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tools: BTreeSet<String>,
    /// It used more tools than are in the set.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tools_cut: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_tool: String,
}

impl Default for RunFacts {
    fn default() -> Self {
        Self {
            steps: Count::ZERO,
            refused: Count::ZERO,
            tool_calls: Count::ZERO,
            tokens: Count::ZERO,
            cost_nanousd: Count::ZERO,
            cost_known: true,
            elapsed_ms: Count::ZERO,
            tools: BTreeSet::new(),
            tools_cut: false,
            last_tool: String::new(),
        }
    }
}

/// The server's time in the tenant's zone. See [`crate::zone::Zone::time_facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeFacts {
    /// 0 to 23.
    pub hour: Count,
    /// 1 Monday to 7 Sunday.
    pub weekday: Count,
}

/// Stored facts that are not the canonical JSON of facts.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// Not JSON, or not of the shape of facts.
    #[error("the stored facts cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Readable, but written otherwise than this engine writes them.
    #[error("the stored facts are not in canonical form")]
    NotCanonical,
}

impl Facts {
    /// As they are stored in a decision.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(self)
    }

    /// Reads stored facts; refuses unknown members and any form but the canonical one.
    pub fn from_canonical(text: &str) -> Result<Self, FactsError> {
        let facts: Self = serde_json::from_str(text)?;
        if facts.canonical() == text { Ok(facts) } else { Err(FactsError::NotCanonical) }
    }

    /// Input and output tokens of the call.
    #[must_use]
    pub fn step_tokens(&self) -> Count {
        self.step.as_ref().map_or(Count::ZERO, |step| step.input_tokens + step.output_tokens)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}
