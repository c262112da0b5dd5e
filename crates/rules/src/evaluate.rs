//! The rules that fired on the facts, those that could not be evaluated among them.

use cedar_policy::{EvalResult, EvaluationError, Request, eval_expression};
use proof::words::{Action, BindAt, EnforcementMode, Moment};

use crate::{
    Count,
    compile::{CompiledRule, CompiledSnapshot, Program},
    context::Scene,
    facts::Facts,
    fault::Fault,
    readings::{Asked, Reading, Readings},
    shape::FactSet,
    text::applies,
    told::{Absent, FiredFact, told},
};

/// One rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcome {
    /// The rule.
    pub rule_id: String,
    /// Its name, as it is in the snapshot.
    pub name: String,
    /// Its mode.
    pub mode: EnforcementMode,
    /// Among equally severe the lowest decides.
    pub precedence: i64,
    /// What it asks for; ALLOW for AUDIT and DRY_RUN, which only record.
    pub action: Action,
    /// For AUDIT and DRY_RUN: what it would have asked for.
    pub would_have: Option<Action>,
    /// What to tell the agent.
    pub message: String,
    /// Why it counts as fired though its condition has no value.
    pub fault: Option<Fault>,
    /// The facts that its condition reads, as it was judged on them.
    pub facts: Vec<FiredFact>,
    /// How many more it reads than are told.
    pub more_facts: Count,
}

/// A rule that fired, and on what.
struct Hit<'a> {
    at: usize,
    fault: Option<Fault>,
    /// The values that stood in place of the first ones.
    reading: Reading<'a>,
}

impl Hit<'_> {
    fn of(at: usize, fault: Option<Fault>) -> Self {
        Self { at, fault, reading: Reading::new() }
    }
}

/// The rules that fired, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleOutcomes {
    /// By rule id.
    pub fired: Vec<RuleOutcome>,
}

impl CompiledSnapshot {
    /// Evaluates the rules of a moment. A rule that cannot be evaluated has fired (fail closed): as BLOCK, or,
    /// if its mode only records, as a record of what would have been a BLOCK.
    #[must_use]
    pub fn evaluate(&self, moment: Moment, facts: &Facts) -> RuleOutcomes {
        let tampered = self.tampered(&facts.tampered);
        let mut fired: Vec<Hit<'_>> = tampered.iter().map(|at| Hit::of(*at, Some(Fault::Tampered))).collect();
        let candidates: Vec<(BindAt, Vec<usize>)> = self
            .candidates(moment, facts)
            .into_iter()
            .map(|(bind_at, rules)| {
                (bind_at, rules.into_iter().filter(|at| !tampered.contains(at)).collect())
            })
            .collect();
        self.evaluate_candidates(moment, facts, &candidates, &mut fired);
        fired.sort_unstable_by_key(|hit| hit.at);
        RuleOutcomes { fired: fired.iter().map(|hit| outcome(self.compiled(hit.at), hit, facts)).collect() }
    }

    fn evaluate_candidates<'a>(
        &self,
        moment: Moment,
        facts: &'a Facts,
        candidates: &[(BindAt, Vec<usize>)],
        fired: &mut Vec<Hit<'a>>,
    ) {
        let all = || candidates.iter().flat_map(|(_, rules)| rules.iter().copied());
        if all().next().is_none() {
            return;
        }
        let reads = all()
            .filter_map(|at| self.compiled(at).program.as_ref())
            .fold(FactSet::default(), |reads, program| reads.union(program.shape.reads));
        let stepless = moment != Moment::RunStart && facts.step.is_none();
        let scene = Scene::new(facts, reads).filter(|_| !stepless);
        let readings = Readings::of(facts);
        for (bind_at, rules) in candidates.iter().filter(|(_, rules)| !rules.is_empty()) {
            let request = scene.as_ref().and_then(|scene| Some((scene, scene.request(*bind_at)?)));
            let Some((scene, request)) = request else {
                fired.extend(rules.iter().map(|at| Hit::of(*at, Some(Fault::FactsMissing))));
                continue;
            };
            let mut silent: Vec<(Asked, usize)> = Vec::new();
            for at in rules {
                let Some(program) = &self.compiled(*at).program else {
                    fired.push(Hit::of(*at, Some(Fault::InvalidCondition)));
                    continue;
                };
                match judged(scene, &request, program, facts) {
                    Judged::Silent => silent.push((readings.asked(&program.shape), *at)),
                    Judged::Fires => fired.push(Hit::of(*at, None)),
                    Judged::Fails(fault) => fired.push(Hit::of(*at, Some(fault))),
                }
            }
            silent.retain(|(asked, _)| !asked.several.is_empty());
            self.evaluate_others((*bind_at, scene), facts, &readings, silent, fired);
        }
    }

    /// Evaluates rules that did not fire on the first reading on the others. What fires first, in the order of the
    /// readings, is what counts.
    fn evaluate_others<'a>(
        &self,
        (bind_at, scene): (BindAt, &Scene),
        facts: &Facts,
        readings: &Readings<'a>,
        mut silent: Vec<(Asked, usize)>,
        fired: &mut Vec<Hit<'a>>,
    ) {
        while let Some((asked, _)) = silent.first().copied() {
            let (mut those, rest): (Vec<_>, Vec<_>) = silent.into_iter().partition(|(of, _)| *of == asked);
            silent = rest;
            let Some(others) = readings.others(asked) else {
                fired.extend(those.iter().map(|(_, at)| Hit::of(*at, Some(Fault::TooManyReadings))));
                continue;
            };
            for reading in others {
                let request = scene.request_in(bind_at, &reading);
                those.retain(|(_, at)| {
                    let program = self.compiled(*at).program.as_ref();
                    let judged = match (&request, program) {
                        (Some(request), Some(program)) => judged(scene, request, program, facts),
                        _ => Judged::Fails(Fault::FactsMissing),
                    };
                    let fault = match judged {
                        Judged::Silent => return true,
                        Judged::Fires => None,
                        Judged::Fails(fault) => Some(fault),
                    };
                    fired.push(Hit { at: *at, fault, reading: reading.clone() });
                    false
                });
            }
        }
    }
}

/// What one rule says to one reading.
enum Judged {
    Silent,
    Fires,
    Fails(Fault),
}

fn judged(scene: &Scene, request: &Request, program: &Program, facts: &Facts) -> Judged {
    match eval_expression(request, &scene.entities, &program.expression) {
        Ok(EvalResult::Bool(false)) => Judged::Silent,
        Ok(EvalResult::Bool(true)) => Judged::Fires,
        Ok(_) => Judged::Fails(Fault::Unevaluable),
        Err(error) => Judged::Fails(fault_of(&error, facts)),
    }
}

fn fault_of(error: &EvaluationError, facts: &Facts) -> Fault {
    let costs_known = facts.run.cost_known && facts.step.as_ref().is_none_or(|step| step.cost_known);
    let withheld = facts.step.as_ref().is_some_and(|step| !step.params.withheld.is_empty());
    match error {
        EvaluationError::RecordAttrDoesNotExist(_) if !costs_known => Fault::CostUnknown,
        EvaluationError::RecordAttrDoesNotExist(_) if withheld => Fault::ContentWithheld,
        EvaluationError::IntegerOverflow(_) => Fault::Overflow,
        _ => Fault::Unevaluable,
    }
}

fn outcome(rule: &CompiledRule, hit: &Hit<'_>, facts: &Facts) -> RuleOutcome {
    let (fault, shape) = (hit.fault, rule.program.as_ref().map(|program| &program.shape));
    // What a rule that is not what was decided, or is none, would read says nothing.
    let shape = shape.filter(|_| fault != Some(Fault::Tampered));
    let reads = shape.map(|shape| shape.reads).unwrap_or_default();
    let absent = Absent {
        countless: match (fault, shape) {
            (Some(Fault::TooManyReadings), Some(shape)) => Readings::of(facts).asked(shape).several,
            _ => FactSet::default(),
        },
        step: fault == Some(Fault::FactsMissing),
    };
    let (facts, more_facts) = told(reads, facts, &hit.reading, absent);
    let rule = &rule.definition;
    let (action, would_have) = match (rule.enforcement_mode, fault) {
        // Neither says what it would do if it acted: the mildest refusal is what they try out.
        (EnforcementMode::Audit | EnforcementMode::DryRun | EnforcementMode::Disabled, _) => {
            (Action::Allow, Some(Action::Block))
        }
        (_, Some(_)) | (EnforcementMode::Block, None) => (Action::Block, None),
        (EnforcementMode::Warn, None) => (Action::Warn, None),
        (EnforcementMode::Stop, None) => (Action::Stop, None),
        (EnforcementMode::Kill, None) => (Action::Kill, None),
        (EnforcementMode::Abort, None) => (Action::Abort, None),
    };
    let message = match fault {
        Some(fault) => format!("Rule `{}` could not be evaluated: {}.", rule.name, fault.told()),
        None if rule.description.is_empty() => applies(&rule.name),
        None => rule.description.clone(),
    };
    RuleOutcome {
        rule_id: rule.rule_id.clone(),
        name: rule.name.clone(),
        mode: rule.enforcement_mode,
        precedence: rule.precedence,
        action,
        would_have,
        message,
        fault,
        facts,
        more_facts,
    }
}

#[cfg(test)]
mod tests;
