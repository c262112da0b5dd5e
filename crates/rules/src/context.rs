//! Facts as Cedar sees them: only those that the rules at hand read.
//!
//! Building a whole context costs more than evaluating a handful of rules. What a condition reads is known
//! ([`crate::shape`]), so the context holds that and no more; no condition can tell the difference, because it
//! has no way to name a record as a whole.

use std::{collections::HashMap, sync::LazyLock};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use proof::words::BindAt;

use crate::{
    facts::Facts,
    fault::Fault,
    known::{FACTS, Fact, Value},
    schema,
    shape::FactSet,
};

/// Entities and contexts for the rules of one call.
pub(crate) struct Scene {
    agent: EntityUid,
    run: EntityUid,
    pub(crate) entities: Entities,
    records: HashMap<&'static str, Vec<(String, RestrictedExpression)>>,
}

static AGENT: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Agent"));
static RUN: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Run"));
static ACTIONS: LazyLock<Vec<EntityUid>> = LazyLock::new(|| {
    let action = type_name("Action");
    let uid =
        |at: &BindAt| EntityUid::from_type_name_and_id(action.clone(), EntityId::new(schema::action(*at)));
    BindAt::ALL.iter().map(uid).collect()
});

fn type_name(name: &str) -> EntityTypeName {
    name.parse().unwrap_or_else(|_| unreachable!("`{name}` is an identifier"))
}

impl Scene {
    /// `None` if Cedar refuses a value, which text, numbers and flags cannot cause.
    pub(crate) fn new(facts: &Facts, reads: FactSet) -> Option<Self> {
        let mut records: HashMap<&'static str, Vec<(String, RestrictedExpression)>> = HashMap::new();
        for (_, fact) in FACTS.iter().enumerate().filter(|(position, _)| reads.contains(*position)) {
            let (record, name) = fact.place();
            if missing(facts, fact).is_none() {
                records.entry(record).or_default().push((name.to_owned(), expression((fact.read)(facts))));
            }
        }
        let agent = EntityUid::from_type_name_and_id(AGENT.clone(), EntityId::new(&facts.principal.agent_id));
        let run = EntityUid::from_type_name_and_id(RUN.clone(), EntityId::new(&facts.resource.run_id));
        let mut known = Vec::new();
        for (uid, record) in [(&agent, "principal"), (&run, "resource")] {
            if let Some(attributes) = records.remove(record) {
                let attributes = attributes.into_iter().collect();
                known.push(Entity::new(uid.clone(), attributes, std::iter::empty().collect()).ok()?);
            }
        }
        let entities =
            if known.is_empty() { Entities::empty() } else { Entities::from_entities(known, None).ok()? };
        Some(Self { agent, run, entities, records })
    }

    /// The request of one moment. It has that moment's records, whatever of them is read.
    pub(crate) fn request(&self, bind_at: BindAt) -> Option<Request> {
        self.request_in(bind_at, &[])
    }

    /// The request of one moment in one reading of the step. What is withheld stays so.
    pub(crate) fn request_in(&self, bind_at: BindAt, reading: &[(&'static str, &str)]) -> Option<Request> {
        let mut sections = Vec::with_capacity(4);
        for (section, record) in SECTIONS {
            if schema::has_section(bind_at, section) {
                let mut members = self.records.get(record).cloned().unwrap_or_default();
                if section == "step" {
                    for (name, value) in &mut members {
                        if let Some((_, read)) = reading.iter().find(|(of, _)| of == name) {
                            *value = RestrictedExpression::new_string((*read).to_owned());
                        }
                    }
                }
                sections.push((section.to_owned(), RestrictedExpression::new_record(members).ok()?));
            }
        }
        let context = Context::from_pairs(sections).ok()?;
        let action = ACTIONS[bind_at as usize].clone();
        Request::new(self.agent.clone(), action, self.run.clone(), context, None).ok()
    }
}

const SECTIONS: [(&str, &str); 4] = [
    ("step", "context.step"),
    ("content", "context.content"),
    ("run", "context.run"),
    ("time", "context.time"),
];

/// Why a fact is not in the context. To read an unknown cost, or a parameter that is not kept, is an error, and so a
/// refusal.
pub(crate) fn missing(facts: &Facts, fact: &Fact) -> Option<Fault> {
    let step = facts.step.as_ref();
    match fact.place() {
        ("context.step", "cost_microusd") => {
            (!step.is_some_and(|step| step.cost_known)).then_some(Fault::CostUnknown)
        }
        (_, "cost_microusd") => (!facts.run.cost_known).then_some(Fault::CostUnknown),
        ("context.step", name) => {
            step.is_some_and(|step| step.params.withheld.contains(name)).then_some(Fault::ContentWithheld)
        }
        _ => None,
    }
}

fn expression(value: Value<'_>) -> RestrictedExpression {
    match value {
        Value::Number(number) => RestrictedExpression::new_long(number),
        Value::Text(text) => RestrictedExpression::new_string(text.to_owned()),
        Value::Flag(flag) => RestrictedExpression::new_bool(flag),
        Value::Texts(texts) => RestrictedExpression::new_set(
            texts.into_iter().map(|text| RestrictedExpression::new_string(text.to_owned())),
        ),
    }
}
