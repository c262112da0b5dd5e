//! Making and changing a rule by a form, which comes back with what is wrong where something is.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use models::{
    bounds,
    ids::RuleId,
    policies::{RuleChange, RuleDraft},
};
use orchestrator::{
    Error, Spine,
    errors::FieldError,
    handlers::policies::{self, RuleView},
};
use serde::Deserialize;

use super::said;
use crate::{
    Problem,
    console::{
        fields::Posted,
        folds::Folds as _,
        forms::{self, Field, Form},
        page::html,
        visitor::{Frame, Visitor},
    },
    extract::{Id, SetsPolicy},
    view::words::{self, Word, known},
};

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    /// Which version is changed, where a rule is.
    version: Option<u64>,
    name: Option<String>,
    description: Option<String>,
    enforcement_mode: Option<words::EnforcementMode>,
    bind_at: Option<words::BindAt>,
    condition: Option<String>,
    scope: Option<words::RuleScope>,
    scope_id: Option<String>,
    precedence: Option<String>,
}

/// What stands in the form.
struct Filled<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
    mode: &'a str,
    moment: &'a str,
    condition: Option<&'a str>,
    scope: &'a str,
    scope_id: Option<&'a str>,
    precedence: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "rule_form.html")]
struct RuleFormPage {
    title: String,
    frame: Frame,
    /// The rule that is changed: where it is, and its name.
    of: Option<(String, String)>,
    form: Form,
    records: Vec<Record>,
}

/// The facts of one record.
struct Record {
    name: &'static str,
    about: &'static str,
    facts: Vec<Known>,
}

/// A fact that a condition can read.
struct Known {
    path: &'static str,
    kind: String,
    since: &'static str,
    meaning: &'static str,
    example: &'static str,
}

fn records() -> Vec<Record> {
    let facts = policies::known_facts().facts;
    let of = |name: &str| facts.iter().filter(|fact| fact.place().0 == name).map(known_fact).collect();
    policies::FACT_RECORDS.iter().map(|(name, about)| Record { name, about, facts: of(name) }).collect()
}

fn known_fact(fact: &policies::Fact) -> Known {
    let unit = fact.unit.map_or_else(String::new, |unit| format!(" of {}", unit.as_str()));
    Known {
        path: fact.path,
        kind: format!("{}{unit}", fact.fact_type.as_str()),
        since: fact.moments().next().map_or("", |moment| moment.as_str()),
        meaning: fact.meaning,
        example: fact.example,
    }
}

/// `GET /console/policies/rules/new`.
pub(crate) async fn new_rule(visitor: Visitor<SetsPolicy>) -> Response {
    page(StatusCode::OK, &visitor, None, new_form(&Draft::default()))
}

/// `POST /console/policies/rules`.
pub(crate) async fn create_rule(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Posted(given): Posted<Draft>,
) -> Result<Response, Problem> {
    let form = new_form(&given);
    let refused = |form| page(StatusCode::UNPROCESSABLE_ENTITY, &visitor, None, form);
    let precedence = match read(&given) {
        Ok(precedence) => precedence,
        Err(errors) => return Ok(refused(form.with(errors))),
    };
    let Some(mode) = given.enforcement_mode else {
        return Ok(refused(form.with(vec![forms::needed("enforcement_mode")])));
    };
    let draft = RuleDraft {
        name: given.name.unwrap_or_default(),
        description: given.description,
        rule_type: None,
        enforcement_mode: mode.known(),
        scope: known(given.scope),
        scope_id: given.scope_id,
        bind_at: known(given.bind_at),
        precedence,
        condition: given.condition,
        conditions: None,
    };
    match policies::create_rule(&spine, visitor.context(), draft).await {
        Ok(rule) => Ok(Redirect::to(&said::rule_path(&rule)).into_response()),
        Err(err) => {
            let (status, form) = said::refused(err, form)?;
            Ok(page(status, &visitor, None, form))
        }
    }
}

/// `GET /console/policies/rules/{id}/edit`.
pub(crate) async fn edit_rule(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Id(id): Id<RuleId>,
) -> Result<Response, Problem> {
    let view = policies::get_rule(&spine, visitor.context(), id).await?;
    let definition = &view.rule.definition;
    let precedence = definition.precedence.to_string();
    let filled = Filled {
        name: Some(&definition.name),
        description: Some(&definition.description),
        mode: definition.enforcement_mode.as_str(),
        moment: definition.bind_at.as_str(),
        condition: Some(&definition.condition),
        scope: definition.scope.as_str(),
        scope_id: definition.scope_id.as_deref(),
        precedence: Some(&precedence),
    };
    let form = change_form(&view, &filled, definition.version);
    Ok(page(StatusCode::OK, &visitor, Some(&view), form))
}

/// `POST /console/policies/rules/{id}`.
pub(crate) async fn modify_rule(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Id(id): Id<RuleId>,
    Posted(given): Posted<Draft>,
) -> Result<Response, Problem> {
    let view = policies::get_rule(&spine, visitor.context(), id).await?;
    let version = given.version.unwrap_or(view.rule.definition.version);
    let form = |version| change_form(&view, &filled(&given), version);
    let refused = |status, form| page(status, &visitor, Some(&view), form);
    let precedence = match read(&given) {
        Ok(precedence) => precedence,
        Err(errors) => return Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, form(version).with(errors))),
    };
    let change = RuleChange {
        name: Some(given.name.clone().unwrap_or_default()),
        // What is empty in the form was emptied.
        description: Some(given.description.clone().unwrap_or_default()),
        rule_type: None,
        enforcement_mode: known(given.enforcement_mode),
        scope: known(given.scope),
        scope_id: Some(given.scope_id.clone()),
        bind_at: known(given.bind_at),
        precedence: Some(precedence.unwrap_or(policies::PRECEDENCE)),
        condition: given.condition.clone(),
        conditions: None,
    };
    match policies::modify_rule(&spine, visitor.context(), id, version, change).await {
        Ok(rule) => Ok(Redirect::to(&said::rule_path(&rule)).into_response()),
        Err(Error::PreconditionFailed { current }) => {
            let form = form(current).refused(said::stale("rule", current));
            Ok(refused(StatusCode::PRECONDITION_FAILED, form))
        }
        Err(err) => {
            let (status, form) = said::refused(err, form(version))?;
            Ok(refused(status, form))
        }
    }
}

/// What is to be read out of text: the precedence; and what the form itself asks for.
fn read(given: &Draft) -> Result<Option<i64>, Vec<FieldError>> {
    let mut errors = Vec::new();
    if given.condition.is_none() {
        errors.push(forms::needed("condition"));
    }
    let precedence = given.precedence.as_deref().map(|text| text.trim().parse::<i64>().map_err(|_| text));
    let precedence = precedence.transpose().unwrap_or_else(|text| {
        errors.push(FieldError::new("/precedence", format!("“{text}” is no whole number")));
        None
    });
    if errors.is_empty() { Ok(precedence) } else { Err(errors) }
}

fn filled(given: &Draft) -> Filled<'_> {
    Filled {
        name: given.name.as_deref(),
        description: given.description.as_deref(),
        mode: given.enforcement_mode.map_or("WARN", Word::text),
        moment: given.bind_at.map_or("STEP_POST", Word::text),
        condition: given.condition.as_deref(),
        scope: given.scope.map_or("TENANT", Word::text),
        scope_id: given.scope_id.as_deref(),
        precedence: given.precedence.as_deref(),
    }
}

fn new_form(given: &Draft) -> Form {
    let (action, submit) = ("/console/policies/rules".to_owned(), "Make the rule");
    let fields = fields(&filled(given));
    Form { id: "new-rule", action, submit, fields, version: None, others: Vec::new() }
}

fn change_form(view: &RuleView, filled: &Filled<'_>, version: u64) -> Form {
    let (action, submit) = (said::rule_path(view), "Save");
    Form {
        id: "edit-rule",
        action,
        submit,
        fields: fields(filled),
        version: Some(version),
        others: Vec::new(),
    }
}

fn fields(filled: &Filled<'_>) -> Vec<Field> {
    vec![
        Field::line("name", "Name", filled.name).required().hint("No two active rules share one."),
        Field::line("description", "What it is for", filled.description)
            .longest(bounds::REASON)
            .hint("The agent that meets it is told. Optional."),
        Field::text("condition", "Condition, in Cedar", filled.condition).longest(8_192).required().hint(
            "Over the facts below, with &&, ||, !, text in double quotes, like \"get_*\", [\"a\", \"b\"].contains(..). \
             Money is in micro-dollars: context.step.cost_microusd > 500000 is more than $0.50. A misspelt fact is \
             refused with its place.",
        ),
        Field::choice("enforcement_mode", "When it holds", filled.mode, said::MODES),
        Field::choice("bind_at", "Asked at", filled.moment, said::MOMENTS)
            .hint("Only STEP_PRE stops an act before it happens. A step without a permit is judged at both."),
        Field::choice("scope", "Whom it binds", filled.scope, said::SCOPES_OF_RULES),
        Field::line("scope_id", "Which agent or project", filled.scope_id)
            .hint("Its id, as runs name it. Empty for all agents."),
        Field::line("precedence", "Precedence", filled.precedence)
            .longest(8)
            .hint("Of equally severe rules the lowest decides. 100 where empty."),
    ]
}

fn page(status: StatusCode, visitor: &Visitor<SetsPolicy>, of: Option<&RuleView>, form: Form) -> Response {
    let name = |view: &RuleView| view.rule.definition.name.clone();
    let page = RuleFormPage {
        title: of.map_or_else(|| "New rule".to_owned(), |view| format!("Change {}", name(view))),
        frame: visitor.frame.clone(),
        of: of.map(|view| (said::rule_path(view), name(view))),
        form,
        records: records(),
    };
    html(status, &page)
}
