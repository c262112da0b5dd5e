//! One fact that a condition can read: its name, its type, from when on it is known, and how its value is read.

use std::collections::BTreeSet;

use proof::words::BindAt;
use serde::{Serialize, Serializer};

use crate::{
    Count,
    facts::{Facts, StepFacts},
};

proof::words! {
    /// The type of a fact, as people are told it.
    FactType { Flag = "flag", Number = "number", Text = "text", Texts = "set" }

    /// What a number counts.
    FactUnit { Bytes = "bytes", Calls = "calls", MicroUsd = "micro-USD", Ms = "ms", Steps = "steps", Tokens = "tokens" }
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
    /// What it counts, where it is a number that has a unit.
    pub unit: Option<FactUnit>,
    /// When it is first known.
    pub since: Since,
    /// What it means, for people.
    pub meaning: &'static str,
    /// A condition that reads it.
    pub example: &'static str,
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

impl Fact {
    /// Its name in short, as the JSON form of conditions has it, and as what fired tells it: `step.kind`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.strip_prefix("context.").unwrap_or(self.path)
    }

    /// The record that it is in, and what it is called there: `context.step` and `kind`.
    #[must_use]
    pub fn place(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }

    /// The moments at which a rule can read it.
    pub fn moments(&self) -> impl Iterator<Item = BindAt> {
        let since = self.since;
        BindAt::ALL.iter().copied().filter(move |at| since.known_at(*at))
    }
}

/// As `hoc facts --json` and the API write it.
impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told {
            name: &'static str,
            path: &'static str,
            r#type: FactType,
            unit: Option<FactUnit>,
            moments: Vec<BindAt>,
            meaning: &'static str,
            example: &'static str,
        }
        let told = Told {
            name: self.name(),
            path: self.path,
            r#type: self.fact_type,
            unit: self.unit,
            moments: self.moments().collect(),
            meaning: self.meaning,
            example: self.example,
        };
        told.serialize(to)
    }
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

pub(super) fn number(count: Count) -> Value<'static> {
    Value::Number(count.long())
}

pub(super) fn texts(set: &BTreeSet<String>) -> Value<'_> {
    Value::Texts(set.iter().map(String::as_str).collect())
}

/// A fact of the step; the fallback stands for a step that is not there, which no rule is evaluated against.
pub(super) fn step<'a>(
    facts: &'a Facts,
    read: impl FnOnce(&'a StepFacts) -> Value<'a>,
    absent: Value<'a>,
) -> Value<'a> {
    facts.step.as_ref().map_or(absent, read)
}
