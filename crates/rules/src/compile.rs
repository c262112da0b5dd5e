//! A snapshot made fast: parsed once, indexed by moment, scope and tool.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock},
};

use cedar_policy::Expression;
use proof::{
    definitions::{LimitDefinition, RuleDefinition, SnapshotDefinition},
    words::{BindAt, EnforcementMode, Moment, Scope, StepKind},
};

use crate::{
    condition,
    facts::Facts,
    known::position,
    limits::specificity,
    shape::{FactSet, Pin, Shape},
};

/// What tells of the model of a step.
static MODELS: LazyLock<FactSet> = LazyLock::new(|| {
    let mut facts = FactSet::default();
    for path in ["context.step.model", "context.step.model_requested", "context.step.provider"] {
        if let Some(fact) = position(path) {
            facts.insert(fact);
        }
    }
    facts
});

/// The rules and limits of a snapshot, ready to be evaluated. Make it once and share it: it is immutable.
#[derive(Debug)]
pub struct CompiledSnapshot {
    rules: Vec<Arc<CompiledRule>>,
    /// By [`BindAt`].
    moments: [Index; 3],
    /// Most specific first, then by id.
    limits: Vec<LimitDefinition>,
    block_unknown_cost: bool,
    looks_at_models_asked: bool,
}

/// One rule, parsed and checked.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) definition: RuleDefinition,
    /// `None` if the stored condition does not pass the check, or the scope makes no sense. Such a rule fails
    /// wherever it applies.
    pub(crate) program: Option<Program>,
}

#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) expression: Expression,
    pub(crate) shape: Shape,
}

#[derive(Debug, Default)]
struct Index {
    everywhere: Bucket,
    by_project: HashMap<String, Bucket>,
    by_agent: HashMap<String, Bucket>,
}

#[derive(Debug, Default)]
struct Bucket {
    any: Vec<usize>,
    by_skill: HashMap<String, Vec<usize>>,
    by_kind: HashMap<StepKind, Vec<usize>>,
}

impl CompiledSnapshot {
    /// Compiles every rule. A rule whose condition does not pass the check is kept and fails when evaluated:
    /// what is stored may be older than the check, and is never dropped in silence.
    #[must_use]
    pub fn compile(snapshot: &SnapshotDefinition) -> Self {
        Self::compile_from(snapshot, None)
    }

    /// As [`Self::compile`], taking over the rules that `previous` has compiled already. Snapshots that follow
    /// each other differ in a rule or two.
    #[must_use]
    pub fn compile_from(snapshot: &SnapshotDefinition, previous: Option<&Self>) -> Self {
        let known: HashMap<&str, &Arc<CompiledRule>> = previous
            .map(|previous| {
                previous.rules.iter().map(|rule| (rule.definition.rule_id.as_str(), rule)).collect()
            })
            .unwrap_or_default();
        let mut rules: Vec<Arc<CompiledRule>> = snapshot
            .rules
            .iter()
            .filter(|rule| rule.enforcement_mode != EnforcementMode::Disabled)
            .map(|rule| match known.get(rule.rule_id.as_str()) {
                Some(compiled) if compiled.definition == *rule => Arc::clone(compiled),
                _ => Arc::new(CompiledRule::compile(rule)),
            })
            .collect();
        rules.sort_by(|a, b| a.definition.rule_id.cmp(&b.definition.rule_id));
        let mut moments: [Index; 3] = Default::default();
        for (at, rule) in rules.iter().enumerate() {
            moments[rule.definition.bind_at as usize].insert(at, rule);
        }
        let mut limits = snapshot.limits.clone();
        limits.sort_by(|a, b| (specificity(a.scope), &a.limit_id).cmp(&(specificity(b.scope), &b.limit_id)));
        let looks_at_models_asked = limits.iter().any(|limit| limit.scope == Scope::Provider)
            || rules.iter().any(|rule| rule.definition.bind_at == BindAt::StepPre && rule.looks_at_models());
        Self {
            rules,
            moments,
            limits,
            block_unknown_cost: snapshot.block_unknown_cost,
            looks_at_models_asked,
        }
    }

    /// The definition of a rule of this snapshot; none for a disabled one.
    #[must_use]
    pub fn rule(&self, rule_id: &str) -> Option<&RuleDefinition> {
        let at = self.rules.binary_search_by(|rule| rule.definition.rule_id.as_str().cmp(rule_id)).ok()?;
        Some(&self.rules[at].definition)
    }

    /// Whether anything that is judged when an agent asks looks at the model or its provider.
    #[must_use]
    pub fn looks_at_models_asked(&self) -> bool {
        self.looks_at_models_asked
    }

    /// The limits, most specific first: AGENT, PROJECT, PROVIDER, TENANT, GLOBAL; then by id.
    #[must_use]
    pub fn limits(&self) -> &[LimitDefinition] {
        &self.limits
    }

    pub(crate) fn block_unknown_cost(&self) -> bool {
        self.block_unknown_cost
    }

    pub(crate) fn compiled(&self, at: usize) -> &CompiledRule {
        &self.rules[at]
    }

    /// The rules among those whose stored definition was tampered with. They fail at every moment, whatever
    /// moment and scope they now claim.
    pub(crate) fn tampered(&self, ids: &BTreeSet<String>) -> BTreeSet<usize> {
        if ids.is_empty() {
            return BTreeSet::new();
        }
        let rules = self.rules.iter().enumerate();
        rules.filter(|(_, rule)| ids.contains(&rule.definition.rule_id)).map(|(at, _)| at).collect()
    }

    /// The rules whose condition must be evaluated, by moment.
    pub(crate) fn candidates(&self, moment: Moment, facts: &Facts) -> Vec<(BindAt, Vec<usize>)> {
        let moments: &[BindAt] = match moment {
            Moment::RunStart => &[BindAt::RunStart],
            Moment::StepPre => &[BindAt::StepPre],
            Moment::StepPost => &[BindAt::StepPost],
            Moment::StepBoth => &[BindAt::StepPre, BindAt::StepPost],
            Moment::Intervention => &[],
        };
        moments.iter().map(|bind_at| (*bind_at, self.moments[*bind_at as usize].candidates(facts))).collect()
    }
}

impl CompiledRule {
    fn compile(rule: &RuleDefinition) -> Self {
        let scoped = match rule.scope {
            Scope::Global | Scope::Tenant => true,
            Scope::Project | Scope::Agent => rule.scope_id.is_some(),
            Scope::Provider => false,
        };
        let checked = condition::check(rule.bind_at, &rule.condition).ok().filter(|_| scoped);
        let program = checked.map(|checked| Program { expression: checked.expression, shape: checked.shape });
        Self { definition: rule.clone(), program }
    }

    /// Whether it reads the model of a step, or its provider. Of what was never read that is not known.
    fn looks_at_models(&self) -> bool {
        self.program.as_ref().is_none_or(|program| !program.shape.reads.meet(*MODELS).is_empty())
    }
}

impl Index {
    fn insert(&mut self, at: usize, rule: &CompiledRule) {
        let bucket = match (rule.definition.scope, &rule.definition.scope_id) {
            (Scope::Project, Some(project)) => self.by_project.entry(project.clone()).or_default(),
            (Scope::Agent, Some(agent)) => self.by_agent.entry(agent.clone()).or_default(),
            _ => &mut self.everywhere,
        };
        match rule.program.as_ref().and_then(|program| program.shape.pin.as_ref()) {
            None => bucket.any.push(at),
            Some(Pin::Skills(skills)) => {
                for skill in skills {
                    bucket.by_skill.entry(skill.clone()).or_default().push(at);
                }
            }
            Some(Pin::Kinds(kinds)) => {
                for kind in kinds {
                    bucket.by_kind.entry(*kind).or_default().push(at);
                }
            }
        }
    }

    fn candidates(&self, facts: &Facts) -> Vec<usize> {
        let project = Some(&facts.principal.project_id).filter(|id| !id.is_empty());
        let buckets = [
            Some(&self.everywhere),
            project.and_then(|id| self.by_project.get(id)),
            self.by_agent.get(&facts.principal.agent_id),
        ];
        let mut candidates = Vec::new();
        for bucket in buckets.into_iter().flatten() {
            candidates.extend_from_slice(&bucket.any);
            if let Some(step) = &facts.step {
                candidates.extend(bucket.by_skill.get(&step.skill).into_iter().flatten());
                candidates.extend(bucket.by_kind.get(&step.kind).into_iter().flatten());
            }
        }
        // A list may pin the same tool twice.
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}
