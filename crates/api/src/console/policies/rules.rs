//! Rules: the list, one of them with who changed it, and taking one out of force.

use askama::Template;
use axum::{extract::State, response::Redirect};
use chrono::{DateTime, Utc};
use models::{
    ids::RuleId,
    page::PageRequest,
    policies::{RuleFilter, RuleStatus},
};
use orchestrator::{
    Spine,
    handlers::policies::{self, Retirement, RuleView},
    verdict::{self, Enforced},
};
use serde::Deserialize;

use super::said;
use crate::{
    Problem,
    console::{
        activity::Fact,
        changes::{Change, changes_of_rule},
        fields::{Listed, Posted},
        folds::Folds as _,
        links,
        page::Page,
        select::Select,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Id, SetsPolicy, Views},
    view::words::{self, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    status: Option<words::RuleStatus>,
    enforcement_mode: Option<words::EnforcementMode>,
}

/// Why a rule is retired.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    reason: Option<String>,
}

#[derive(Template)]
#[template(path = "rules.html")]
pub(crate) struct RulesPage {
    title: &'static str,
    frame: Frame,
    selects: Vec<Select>,
    rules: Vec<Row>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
    may_create: bool,
}

struct Row {
    path: String,
    name: String,
    condition: String,
    mode: Badge,
    status: Badge,
    integrity: Badge,
    scope: String,
    count: String,
    last: Option<Moment>,
}

#[derive(Template)]
#[template(path = "rule.html")]
pub(crate) struct RulePage {
    title: String,
    frame: Frame,
    id: String,
    description: String,
    condition: String,
    reads: Vec<Read>,
    badges: Vec<Badge>,
    facts: Vec<Fact>,
    fired: Vec<Fired>,
    changes: Vec<Change>,
    may_change: bool,
}

/// A fact that the condition reads.
struct Read {
    path: &'static str,
    /// Its unit, and what it is.
    what: String,
}

/// Once that the rule fired.
struct Fired {
    action: Badge,
    run: Option<(String, String)>,
    step: Option<(String, u64)>,
    /// What it fired on.
    on: Option<String>,
    at: Moment,
}

/// `GET /console/policies/rules`.
pub(crate) async fn rules(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<RulesPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let wanted = RuleFilter {
        status: known(filter.status),
        enforcement_mode: known(filter.enforcement_mode),
        ..RuleFilter::default()
    };
    let found = policies::list_rules(&spine, visitor.context(), wanted, page).await?;
    let selects = vec![
        Select::of("status", "Status", filter.status),
        Select::of("enforcement_mode", "Mode", filter.enforcement_mode),
    ];
    Ok(Page(RulesPage {
        title: "Rules",
        frame: visitor.frame.clone(),
        filtered: !links::list(&selects, &[], None).is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &[], Some(cursor))),
        selects,
        is_first,
        may_create: visitor.may::<SetsPolicy>(),
        rules: found.items.into_iter().map(|view| row(view, now)).collect(),
    }))
}

fn row(view: RuleView, now: DateTime<Utc>) -> Row {
    let definition = view.rule.definition;
    Row {
        path: format!("/console/policies/rules/{}", definition.rule_id),
        mode: Badge::of(definition.enforcement_mode.as_str()),
        status: status(view.rule.status),
        integrity: Badge::of(view.integrity_status.as_str()),
        scope: said::whom(definition.scope.as_str(), definition.scope_id.as_deref()),
        count: show::count(view.trigger_count_30d),
        last: view.last_triggered_at.map(|at| Moment::of(at, now)),
        name: definition.name,
        condition: definition.condition,
    }
}

fn status(status: RuleStatus) -> Badge {
    Badge::toned(status.as_str(), if status == RuleStatus::Active { "good" } else { "mute" })
}

/// `GET /console/policies/rules/{id}`.
pub(crate) async fn rule(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Id(id): Id<RuleId>,
) -> Result<Page<RulePage>, Problem> {
    let now = spine.now();
    let view = policies::get_rule(&spine, visitor.context(), id).await?;
    let fired =
        policies::rule_enforcements(&spine, visitor.context(), id, PageRequest::default()).await?.items;
    let changes = changes_of_rule(&spine, visitor.context(), &view.rule.definition.rule_id, now).await?;
    let active = view.rule.status == RuleStatus::Active;
    let facts = facts(&view, changes.first(), now);
    let (rule, definition) = (&view.rule, &view.rule.definition);
    Ok(Page(RulePage {
        title: definition.name.clone(),
        frame: visitor.frame.clone(),
        id: definition.rule_id.clone(),
        description: definition.description.clone(),
        condition: definition.condition.clone(),
        reads: policies::facts_of(definition.bind_at, &definition.condition).into_iter().map(read).collect(),
        badges: vec![
            status(rule.status),
            Badge::of(definition.enforcement_mode.as_str()),
            Badge::of(view.integrity_status.as_str()),
        ],
        facts,
        fired: fired
            .into_iter()
            .map(|one| {
                let said = verdict::enforced(&one.details);
                let would_have = said.as_ref().and_then(|said| said.would_have);
                Fired {
                    action: Badge::of_verdict(
                        one.action_taken.as_str(),
                        would_have.map(|action| action.as_str()),
                    ),
                    step: one
                        .run_id
                        .as_deref()
                        .zip(one.step_index)
                        .map(|(run, step)| (links::step(run, step), step)),
                    run: one.run_id.map(|id| (format!("/console/activity/runs/{id}"), show::short_id(&id))),
                    on: fired_on(said),
                    at: Moment::read(&one.triggered_at, now),
                }
            })
            .collect(),
        changes,
        may_change: active && visitor.may::<SetsPolicy>(),
    }))
}

/// What the rule fired on, and what is said of that it came too late.
fn fired_on(said: Option<Enforced>) -> Option<String> {
    let Some(Enforced { on, note, .. }) = said else {
        return Some("not readable: verify the run".to_owned());
    };
    let on = on.map(|on| show::plain(&on));
    match (on, note) {
        (Some(on), Some(note)) => Some(format!("{on} ({note})")),
        (on, note) => on.or(note),
    }
}

fn read(fact: &policies::Fact) -> Read {
    let unit = fact.unit.map_or_else(String::new, |unit| format!("{}. ", unit.as_str()));
    Read { path: fact.path, what: format!("{unit}{}", fact.meaning) }
}

fn facts(view: &RuleView, newest: Option<&Change>, now: DateTime<Utc>) -> Vec<Fact> {
    let (rule, definition) = (&view.rule, &view.rule.definition);
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    fact("Version", definition.version.to_string());
    fact("Type", definition.rule_type.as_str().to_owned());
    fact("Binds", said::whom(definition.scope.as_str(), definition.scope_id.as_deref()));
    fact("Asked at", definition.bind_at.as_str().to_owned());
    fact("Precedence", definition.precedence.to_string());
    fact("Source", definition.source.as_str().to_owned());
    fact("Fired in 30 days", show::count(view.trigger_count_30d));
    let last = view.last_triggered_at.map_or_else(|| "never".to_owned(), |at| Moment::of(at, now).exact);
    fact("Fired last", last);
    fact("Made", format!("by {}, {}", rule.created_by, Moment::of(rule.created_at, now).exact));
    fact("Changed", changed(newest, &Moment::of(rule.updated_at, now)));
    if let (Some(by), Some(at)) = (&rule.retired_by, rule.retired_at) {
        fact("Retired", format!("by {by}, {}", Moment::of(at, now).exact));
    }
    if let Some(reason) = &rule.retirement_reason {
        fact("Because", reason.clone());
    }
    facts
}

/// When something was changed last, and by whom where the ledger tells.
pub(super) fn changed(newest: Option<&Change>, at: &Moment) -> String {
    newest.map_or(at.exact.clone(), |change| format!("by {}, {}", change.by, at.exact))
}

/// `POST /console/policies/rules/{id}/retire`.
pub(crate) async fn retire_rule(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Id(id): Id<RuleId>,
    Posted(given): Posted<Reason>,
) -> Result<Redirect, Problem> {
    let how = Retirement { reason: given.reason.unwrap_or_default(), superseded_by: None };
    policies::retire_rule(&spine, visitor.context(), id, how).await?;
    Ok(Redirect::to(&format!("/console/policies/rules/{id}")))
}
