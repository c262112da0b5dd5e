//! Making a rule by a form, which comes back with what is wrong where something is.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use models::policies::RuleDraft;
use orchestrator::{Error, Spine, errors::FieldError, handlers::policies};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        fields::Posted,
        page::html,
        visitor::{Frame, Visitor},
    },
    extract::SetsPolicy,
    view::words::{self, Word, known},
};

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    name: Option<String>,
    description: Option<String>,
    enforcement_mode: Option<words::EnforcementMode>,
    bind_at: Option<words::BindAt>,
    condition: Option<String>,
}

#[derive(Template)]
#[template(path = "rule_new.html")]
struct NewRulePage {
    title: &'static str,
    frame: Frame,
    errors: Vec<FieldError>,
    name: String,
    description: String,
    mode: &'static str,
    modes: &'static [&'static str],
    moment: &'static str,
    moments: &'static [&'static str],
    condition: String,
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
    form(StatusCode::OK, &visitor, Draft::default(), Vec::new())
}

/// `POST /console/policies/rules`.
pub(crate) async fn create_rule(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Posted(given): Posted<Draft>,
) -> Result<Response, Problem> {
    let Some(mode) = given.enforcement_mode else {
        let error = FieldError::new("/enforcement_mode", "is required");
        return Ok(form(StatusCode::UNPROCESSABLE_ENTITY, &visitor, given, vec![error]));
    };
    let draft = RuleDraft {
        name: given.name.clone().unwrap_or_default(),
        description: given.description.clone(),
        rule_type: None,
        enforcement_mode: mode.to()?,
        scope: None,
        scope_id: None,
        bind_at: known(given.bind_at)?,
        precedence: None,
        condition: Some(given.condition.clone().unwrap_or_default()),
        conditions: None,
    };
    match policies::create_rule(&spine, &visitor, draft).await {
        Ok(rule) => {
            let to = format!("/console/policies/rules/{}", rule.rule.definition.rule_id);
            Ok(Redirect::to(&to).into_response())
        }
        Err(Error::Invalid(errors)) => Ok(form(StatusCode::UNPROCESSABLE_ENTITY, &visitor, given, errors)),
        Err(err @ Error::Conflict { .. }) => {
            let error = FieldError::new("/name", err.to_string());
            Ok(form(StatusCode::CONFLICT, &visitor, given, vec![error]))
        }
        Err(err) => Err(err.into()),
    }
}

fn form(
    status: StatusCode,
    visitor: &Visitor<SetsPolicy>,
    given: Draft,
    errors: Vec<FieldError>,
) -> Response {
    let page = NewRulePage {
        title: "New rule",
        frame: visitor.frame.clone(),
        errors,
        name: given.name.unwrap_or_default(),
        description: given.description.unwrap_or_default(),
        mode: given.enforcement_mode.map_or("WARN", Word::text),
        modes: words::EnforcementMode::ALL,
        moment: given.bind_at.map_or("STEP_POST", Word::text),
        moments: words::BindAt::ALL,
        condition: given.condition.unwrap_or_default(),
        records: records(),
    };
    html(status, &page)
}
