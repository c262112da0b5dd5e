//! A stored decision, decided again: bit for bit, from nothing but the snapshot and the record.

use std::collections::{BTreeMap, BTreeSet};

use proof::{
    definitions::SnapshotDefinition,
    records::{DecisionRecord, Intervened},
    tally::judging_parts,
};

use crate::{
    CompiledSnapshot, ENGINE_VERSION, SCHEMA_VERSION,
    facts::{Facts, FactsError},
    limits::{Basis, LimitInput, basis},
    text::canonical,
    verdict::{Circumstances, conclude_under},
};

/// What re-execution found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reexecuted {
    /// Whether the same verdict came out, to the last byte.
    pub matches: bool,
    /// Each part that came out otherwise.
    pub differences: Vec<Difference>,
}

/// One part of a decision that does not follow from its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The record's field, or `limit_inputs` and which limit.
    pub part: String,
    /// What is stored.
    pub stored: String,
    /// What follows from snapshot and inputs.
    pub recomputed: String,
}

/// Why a decision cannot be decided again.
#[derive(Debug, thiserror::Error)]
pub enum ReexecuteError {
    /// Decided by a version of the engine or of the facts that this one does not know.
    #[error("decided by {engine} on {schema}; this is {ENGINE_VERSION} on {SCHEMA_VERSION}")]
    OtherEngine {
        /// The record's engine version.
        engine: String,
        /// The record's schema version.
        schema: String,
    },
    /// The stored facts cannot be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The stored limit inputs cannot be read.
    #[error("the stored limit inputs cannot be read: {0}")]
    LimitInputs(String),
    /// The stored intervention cannot be read.
    #[error("the stored intervention cannot be read: {0}")]
    Intervention(String),
}

/// Decides one stored decision again. For many of one run, compile once and use
/// [`CompiledSnapshot::reexecute`]. Whether the snapshot is the one that the record names is the caller's to check.
pub fn reexecute(
    snapshot: &SnapshotDefinition,
    record: &DecisionRecord,
) -> Result<Reexecuted, ReexecuteError> {
    CompiledSnapshot::compile(snapshot).reexecute(record)
}

impl CompiledSnapshot {
    /// Decides one stored decision again.
    pub fn reexecute(&self, record: &DecisionRecord) -> Result<Reexecuted, ReexecuteError> {
        let (engine, schema) = (&record.engine_version, &record.schema_version);
        // What the run used stands in the facts, whoever counted it.
        let judges_alike = judging_parts(engine).eq(judging_parts(ENGINE_VERSION));
        if !judges_alike || schema != SCHEMA_VERSION {
            return Err(ReexecuteError::OtherEngine { engine: engine.clone(), schema: schema.clone() });
        }
        let facts = Facts::from_canonical(&record.facts)?;
        let inputs = read_inputs(&record.limit_inputs)?;
        let rules = self.evaluate(record.moment, &facts);
        let limits = self.measure(record.moment, &facts, &inputs);
        let intervened = record.intervention.as_deref().map(read_intervened).transpose()?;
        let conclusion = conclude_under(
            record.moment,
            &rules,
            &limits,
            Circumstances {
                intervened: intervened.as_ref(),
                permit_note: record.permit_note,
                permit_required: record.permit_required,
            },
        );

        let mut found = Differences::default();
        self.check_inputs(record, &facts, &inputs, &mut found);
        found.compare("fired", &record.fired, &conclusion.fired_json());
        found.compare("limits", &record.limits, &conclusion.limits_json());
        // A verdict that acted on nothing is stored beside what it would have been.
        let stored = record.would_have.unwrap_or(record.action);
        found.compare("action", stored.as_str(), conclusion.action.as_str());
        found.compare("halt_reason", &word(record.halt_reason), &word(conclusion.halt_reason));
        found.compare(
            "deciding_policy_id",
            record.deciding_policy_id.as_deref().unwrap_or(NONE),
            conclusion.deciding_policy_id.as_deref().unwrap_or(NONE),
        );
        Ok(Reexecuted { matches: found.0.is_empty(), differences: found.0 })
    }

    /// The stored inputs must be of exactly the limits that held, and say what the facts say.
    fn check_inputs(
        &self,
        record: &DecisionRecord,
        facts: &Facts,
        inputs: &[LimitInput],
        found: &mut Differences,
    ) {
        let given: BTreeMap<&str, &LimitInput> =
            inputs.iter().map(|input| (input.limit_id.as_str(), input)).collect();
        let mut expected = BTreeSet::new();
        for limit in self.applicable(record.moment, facts) {
            expected.insert(limit.limit_id.as_str());
            let part = format!("limit_inputs {}", limit.limit_id);
            let Some(input) = given.get(limit.limit_id.as_str()) else {
                found.compare(&part, "missing", "applies");
                continue;
            };
            let by_facts = LimitInput::from_facts(limit, record.moment, facts);
            let mut should_be = (*input).clone();
            should_be.demand = by_facts.demand;
            should_be.cost_unknown = by_facts.cost_unknown;
            if matches!(basis(limit.limit_type), Basis::Facts | Basis::Run) {
                should_be.used = by_facts.used;
            }
            if input.override_id.is_none() {
                should_be.max = by_facts.max;
            }
            found.compare(&part, &canonical(*input), &canonical(&should_be));
        }
        for limit_id in given.keys().filter(|id| !expected.contains(**id)) {
            found.compare(&format!("limit_inputs {limit_id}"), "applies", "missing");
        }
        if given.len() != inputs.len() {
            found.compare("limit_inputs", "a limit twice", "each limit once");
        }
    }
}

/// The limit inputs as they are stored in a decision: canonical JSON of the list.
#[must_use]
pub fn limit_inputs_json(inputs: &[LimitInput]) -> String {
    canonical(&inputs)
}

/// The inputs of the limits as a decision stored them.
pub fn read_inputs(text: &str) -> Result<Vec<LimitInput>, ReexecuteError> {
    let inputs: Vec<LimitInput> =
        serde_json::from_str(text).map_err(|error| ReexecuteError::LimitInputs(error.to_string()))?;
    if limit_inputs_json(&inputs) != text {
        return Err(ReexecuteError::LimitInputs("not in canonical form".to_owned()));
    }
    Ok(inputs)
}

fn read_intervened(text: &str) -> Result<Intervened, ReexecuteError> {
    let met: Intervened =
        serde_json::from_str(text).map_err(|error| ReexecuteError::Intervention(error.to_string()))?;
    if canonical(&met) != text {
        return Err(ReexecuteError::Intervention("not in canonical form".to_owned()));
    }
    Ok(met)
}

const NONE: &str = "none";

fn word(reason: Option<proof::words::HaltReason>) -> String {
    reason.map_or_else(|| NONE.to_owned(), |reason| reason.as_str().to_owned())
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn compare(&mut self, part: &str, stored: &str, recomputed: &str) {
        if stored != recomputed {
            self.0.push(Difference {
                part: part.to_owned(),
                stored: stored.to_owned(),
                recomputed: recomputed.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests;
