//! Why a rule fired: the facts that its condition reads, with the values that it was judged on.
//!
//! What a condition reads is known since it was compiled ([`crate::shape`]), so nothing is asked of Cedar a second
//! time. The values are those of [`Facts`], so they are redacted as those are. They are bounded: they stand in each
//! decision.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    context::missing,
    count::Count,
    facts::Facts,
    fault::Fault,
    known::{FACTS, Fact, FactUnit, Value, find},
    readings::Reading,
    shape::FactSet,
    text::dollars,
};

/// So many facts a rule tells.
pub const MAX_FACTS: usize = 16;
/// So many characters of a text.
pub const MAX_TEXT: usize = 120;
/// So many members of a set.
pub const MAX_MEMBERS: usize = 8;

/// A fact that a condition reads, as it was when the rule fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiredFact {
    /// Its name in short: `step.model`. The schema version of the decision says what it means.
    pub name: String,
    /// What the rule was judged on. None where it was not there to be read.
    pub value: Option<FactValue>,
    /// It is longer than what is told of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Why it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Fault>,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number, in the fact's unit.
    Number(Count),
    /// A text.
    Text(String),
    /// A set of texts.
    Texts(Vec<String>),
}

impl FiredFact {
    /// What it counts, where it is a number that has a unit.
    #[must_use]
    pub fn unit(&self) -> Option<FactUnit> {
        find(&self.name).and_then(|fact| fact.unit)
    }

    /// Nano-USD, where it is money.
    #[must_use]
    pub fn nanousd(&self) -> Option<u64> {
        match self.value {
            Some(FactValue::Number(number)) if self.unit() == Some(FactUnit::MicroUsd) => {
                Some(number.get().saturating_mul(1_000))
            }
            _ => None,
        }
    }
}

/// What was not there when a rule was judged, beside what is never there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Absent {
    /// Those of which the parameters hold too many values to judge a rule on each.
    pub(crate) countless: FactSet,
    /// The step itself.
    pub(crate) step: bool,
}

/// The first of the facts that a rule reads as it was judged on them, and how many more there are.
pub(crate) fn told(
    reads: FactSet,
    facts: &Facts,
    reading: &Reading<'_>,
    absent: Absent,
) -> (Vec<FiredFact>, Count) {
    let read: Vec<(usize, &Fact)> =
        FACTS.iter().enumerate().filter(|(position, _)| reads.contains(*position)).collect();
    let more = read.len().saturating_sub(MAX_FACTS);
    let told = read.into_iter().take(MAX_FACTS).map(|(position, fact)| {
        let (record, name) = fact.place();
        let missing = match record {
            "context.step" if absent.step => Some(Fault::FactsMissing),
            _ if absent.countless.contains(position) => Some(Fault::TooManyReadings),
            _ => missing(facts, fact),
        };
        let other = reading.iter().find(|(of, _)| record == "context.step" && *of == name);
        let value = other.map_or_else(|| (fact.read)(facts), |(_, value)| Value::Text(value));
        let (value, cut) = bounded(value);
        let told = missing.is_none();
        FiredFact { name: fact.name().to_owned(), value: told.then_some(value), cut: cut && told, missing }
    });
    (told.collect(), Count::from(more as u64))
}

fn bounded(value: Value<'_>) -> (FactValue, bool) {
    let short = |text: &str| text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
    match value {
        Value::Flag(flag) => (FactValue::Flag(flag), false),
        Value::Number(number) => (FactValue::Number(u64::try_from(number).unwrap_or(0).into()), false),
        Value::Text(text) => {
            let end = short(text);
            (FactValue::Text(text[..end].to_owned()), end < text.len())
        }
        Value::Texts(texts) => {
            let kept: Vec<&str> = texts.iter().take(MAX_MEMBERS).map(|text| &text[..short(text)]).collect();
            let cut = texts.len() > MAX_MEMBERS
                || kept.iter().zip(&texts).any(|(kept, all)| kept.len() < all.len());
            (FactValue::Texts(kept.into_iter().map(str::to_owned).collect()), cut)
        }
    }
}

/// For people: ``step.model is `o1-preview` ``, `step.cost_microusd is $0.61 (610000 micro-USD)`.
impl fmt::Display for FiredFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        let Some(value) = &self.value else { return f.write_str("is not known") };
        let more = if self.cut { "…" } else { "" };
        match value {
            FactValue::Flag(flag) => write!(f, "is {flag}"),
            FactValue::Number(number) => match self.unit() {
                Some(FactUnit::MicroUsd) => {
                    write!(f, "is {} ({} {})", dollars(*number), number.get(), FactUnit::MicroUsd)
                }
                Some(unit) => write!(f, "is {} {unit}", number.get()),
                None => write!(f, "is {}", number.get()),
            },
            FactValue::Text(text) if text.is_empty() => f.write_str("is empty"),
            FactValue::Text(text) => write!(f, "is `{}{more}`", shown(text)),
            FactValue::Texts(texts) if texts.is_empty() => f.write_str("is empty"),
            FactValue::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| format!("`{}`", shown(text))).collect();
                let more = if self.cut { ", …" } else { "" };
                write!(f, "has {}{more}", texts.join(", "))
            }
        }
    }
}

/// All of them in one line for people; empty where there is none.
#[must_use]
pub fn sentence(facts: &[FiredFact], more: Count) -> String {
    let mut told: Vec<String> = facts.iter().map(ToString::to_string).collect();
    if more != Count::ZERO {
        told.push(format!("and {} more", more.get()));
    }
    told.join(", ")
}

/// A text on one line, without what would end its quotes.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests;
