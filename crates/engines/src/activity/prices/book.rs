//! The price book as it is kept, and how a name finds its model in it.

use regex::Regex;
use serde::Deserialize;

/// The providers, each with its models, and where all that comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    source: String,
    version: String,
    date: String,
    #[serde(rename = "license")]
    _license: String,
    providers: Vec<Provider>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    id: String,
    /// By which names it goes.
    #[serde(rename = "match")]
    names: Option<Clause>,
    /// By which names of models it is told where nobody names it.
    #[serde(rename = "model_match")]
    told_by: Option<Clause>,
    /// Whose models it offers beside its own.
    #[serde(default)]
    fallback: Vec<String>,
    models: Vec<Model>,
}

/// A model, and what a million tokens of it cost in micro-USD.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "match")]
    names: Clause,
    input: u64,
    output: Option<u64>,
    cache_read: Option<u64>,
    reasoning: Option<u64>,
    /// Micro-USD for the call itself.
    #[serde(default)]
    pub(super) request: u64,
    #[serde(default)]
    tiers: Vec<Tier>,
}

/// Other prices for all tokens of a call that puts in more than so many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tier {
    above: u64,
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    reasoning: Option<u64>,
}

/// What a million tokens cost in micro-USD. What has no price of its own is paid like the rest of its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

/// How the data set tells a name. All are in lower case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Clause {
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Equals(String),
    Regex(#[serde(deserialize_with = "pattern")] Regex),
    Not(Box<Self>),
    Or(Vec<Self>),
    And(Vec<Self>),
}

fn pattern<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Regex, D::Error> {
    Regex::new(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

impl Clause {
    fn tells(&self, name: &str) -> bool {
        match self {
            Self::StartsWith(start) => name.starts_with(start),
            Self::EndsWith(end) => name.ends_with(end),
            Self::Contains(part) => name.contains(part),
            Self::Equals(whole) => name == whole,
            Self::Regex(pattern) => pattern.is_match(name),
            Self::Not(other) => !other.tells(name),
            Self::Or(any) => any.iter().any(|clause| clause.tells(name)),
            Self::And(all) => all.iter().all(|clause| clause.tells(name)),
        }
    }
}

impl Model {
    /// What tokens of a call cost that puts in so many.
    pub(super) fn rates(&self, input_tokens: u64) -> Rates {
        let base = Rates {
            input: Some(self.input),
            output: self.output,
            cache_read: self.cache_read,
            reasoning: self.reasoning,
        };
        let tier = self.tiers.iter().rev().find(|tier| input_tokens > tier.above);
        tier.map_or(base, |tier| Rates {
            input: tier.input.or(base.input),
            output: tier.output.or(base.output),
            cache_read: tier.cache_read.or(base.cache_read),
            reasoning: tier.reasoning.or(base.reasoning),
        })
    }
}

impl Book {
    /// As costs name it.
    pub(super) fn name(&self) -> String {
        format!("{} {} ({})", self.source, self.version, self.date)
    }

    /// The model of this name. A provider that the book does not know has prices of its own, so it finds none.
    pub(super) fn find(&self, provider: Option<&str>, model: &str) -> Option<&Model> {
        let model = model.trim().to_lowercase();
        let rest = model.split_once('/');
        let named = match provider.map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()) {
            Some(name) => Some(self.provider(&name)?),
            None => None,
        };
        // A name before the slash that is a provider is one, unless the provider's own models are called so.
        let prefixed = || rest.and_then(|(prefix, rest)| Some((self.provider(prefix)?, rest)));
        if let Some(provider) = named {
            return self.of(provider, &model).or_else(|| self.of(provider, rest?.1));
        }
        if let Some((provider, rest)) = prefixed() {
            return self.of(provider, rest).or_else(|| self.of(provider, &model));
        }
        let told =
            |provider: &&Provider| provider.told_by.as_ref().is_some_and(|clause| clause.tells(&model));
        self.of(self.providers.iter().find(told)?, &model)
    }

    fn provider(&self, name: &str) -> Option<&Provider> {
        // What tracing conventions call them, where the data set has another word.
        let name = match name {
            "azure.ai.openai" | "azure.ai.inference" | "azure_openai" | "azure_ai" => "azure",
            "x_ai" => "x-ai",
            other => other,
        };
        let by_id = self.providers.iter().find(|provider| provider.id == name);
        by_id.or_else(|| {
            let tells =
                |provider: &&Provider| provider.names.as_ref().is_some_and(|clause| clause.tells(name));
            self.providers.iter().find(tells)
        })
    }

    /// A provider's model; by its name as it is, or with its date written out.
    fn of<'b>(&'b self, provider: &'b Provider, model: &str) -> Option<&'b Model> {
        self.known(provider, model).or_else(|| self.known(provider, &dashed(model)?))
    }

    fn known<'b>(&'b self, provider: &'b Provider, model: &str) -> Option<&'b Model> {
        let own = |provider: &'b Provider| provider.models.iter().find(|known| known.names.tells(model));
        own(provider).or_else(|| {
            let mut others = provider.fallback.iter();
            others.find_map(|id| own(self.providers.iter().find(|other| other.id == *id)?))
        })
    }
}

/// `name-20251211` as `name-2025-12-11`.
fn dashed(model: &str) -> Option<String> {
    let (name, date) = model.rsplit_once('-')?;
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    is_date.then(|| format!("{name}-{}-{}-{}", &date[..4], &date[4..6], &date[6..]))
}
