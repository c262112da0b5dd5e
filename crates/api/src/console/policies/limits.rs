//! Limits: the list, and one of them with what is used of it.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::{ids::LimitId, page::PageRequest, policies::LimitFilter};
use orchestrator::{
    Spine,
    handlers::policies::{self, LimitView},
};
use serde::Deserialize;

use super::{rules::changed, said};
use crate::{
    Problem,
    console::{
        activity::{Fact, amount},
        changes::{Change, changes_of_limit},
        fields::Listed,
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
    status: Option<words::LimitStatus>,
    limit_category: Option<words::LimitCategory>,
}

#[derive(Template)]
#[template(path = "limits.html")]
pub(crate) struct LimitsPage {
    title: &'static str,
    frame: Frame,
    selects: Vec<Select>,
    limits: Vec<Row>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
    may_create: bool,
}

struct Row {
    path: String,
    name: String,
    kind: String,
    /// How much of it, over what and of whom.
    passes: String,
    used: Option<Used>,
    status: Badge,
    integrity: Badge,
    count: String,
    last: Option<Moment>,
}

/// How much of a limit is used in the window that runs now.
struct Used {
    text: String,
    /// Of the bar's width, in per cent.
    width: u64,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "limit.html")]
pub(crate) struct LimitPage {
    title: String,
    frame: Frame,
    id: String,
    badges: Vec<Badge>,
    /// How much it lets pass, over what and of whom.
    passes: String,
    max: String,
    used: Option<Used>,
    facts: Vec<Fact>,
    breaches: Vec<Breach>,
    changes: Vec<Change>,
    may_change: bool,
}

struct Breach {
    kind: Badge,
    value: String,
    run: (String, String),
    step: Option<u64>,
    at: Moment,
}

/// `GET /console/policies/limits`.
pub(crate) async fn limits(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<LimitsPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let wanted = LimitFilter {
        status: known(filter.status),
        limit_category: known(filter.limit_category),
        ..LimitFilter::default()
    };
    let found = policies::list_limits(&spine, visitor.context(), wanted, page).await?;
    let selects = vec![
        Select::of("status", "Status", filter.status),
        Select::of("limit_category", "Category", filter.limit_category),
    ];
    Ok(Page(LimitsPage {
        title: "Limits",
        frame: visitor.frame.clone(),
        filtered: !links::list(&selects, &[], None).is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &[], Some(cursor))),
        selects,
        is_first,
        may_create: visitor.may::<SetsPolicy>(),
        limits: found.items.into_iter().map(|view| row(&view, now)).collect(),
    }))
}

fn row(view: &LimitView, now: DateTime<Utc>) -> Row {
    let definition = &view.limit.definition;
    Row {
        path: format!("/console/policies/limits/{}", definition.limit_id),
        name: definition.name.clone(),
        kind: format!("{} {}", definition.limit_category.as_str(), definition.limit_type.as_str()),
        passes: said::limit(&view.limit),
        used: view.utilization_permille.map(used),
        status: status(view),
        integrity: Badge::of(view.integrity_status.as_str()),
        count: show::count(view.breach_count_30d),
        last: view.last_breached_at.map(|at| Moment::of(at, now)),
    }
}

fn used(permille: u64) -> Used {
    Used {
        text: show::percent(permille),
        width: (permille / 10).min(100),
        tone: match permille {
            0..800 => "good",
            800..1_000 => "warn",
            _ => "bad",
        },
    }
}

fn status(view: &LimitView) -> Badge {
    let word = view.limit.status.as_str();
    Badge::toned(word, if word == "ACTIVE" { "good" } else { "mute" })
}

/// `GET /console/policies/limits/{id}`.
pub(crate) async fn limit(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Id(id): Id<LimitId>,
) -> Result<Page<LimitPage>, Problem> {
    let now = spine.now();
    let view = policies::get_limit(&spine, visitor.context(), id).await?;
    let breaches =
        policies::limit_breaches(&spine, visitor.context(), id, PageRequest::default()).await?.items;
    let definition = &view.limit.definition;
    let changes = changes_of_limit(&spine, visitor.context(), &definition.limit_id, now).await?;
    let limit_type = definition.limit_type.as_str();
    Ok(Page(LimitPage {
        title: definition.name.clone(),
        frame: visitor.frame.clone(),
        id: definition.limit_id.clone(),
        badges: vec![
            status(&view),
            Badge::of(definition.enforcement.as_str()),
            Badge::of(view.integrity_status.as_str()),
        ],
        passes: said::limit(&view.limit),
        max: amount(limit_type, definition.max_value),
        used: view.utilization_permille.map(used),
        facts: facts(&view, changes.first(), now),
        changes,
        may_change: view.limit.status.as_str() == "ACTIVE" && visitor.may::<SetsPolicy>(),
        breaches: breaches
            .into_iter()
            .map(|one| Breach {
                kind: Badge::of(one.breach_type.as_str()),
                value: format!(
                    "{} of {}",
                    amount(limit_type, one.breached_value),
                    amount(limit_type, one.threshold_value)
                ),
                run: (format!("/console/activity/runs/{}", one.run_id), show::short_id(&one.run_id)),
                step: one.step_index,
                at: Moment::read(&one.breached_at, now),
            })
            .collect(),
    }))
}

fn facts(view: &LimitView, newest: Option<&Change>, now: DateTime<Utc>) -> Vec<Fact> {
    let (limit, definition) = (&view.limit, &view.limit.definition);
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    fact("Version", definition.version.to_string());
    fact("Category", definition.limit_category.as_str().to_owned());
    fact("Type", definition.limit_type.as_str().to_owned());
    fact("Binds", said::whom(definition.scope.as_str(), definition.scope_id.as_deref()));
    if let Some(period) = definition.reset_period {
        fact("Resets", period.as_str().to_owned());
    }
    if let Some(seconds) = definition.window_seconds {
        fact("Window", format!("{seconds} s"));
    }
    fact(
        "When passed",
        format!("{}, then {}", definition.enforcement.as_str(), definition.consequence.as_str()),
    );
    if let Some(to) = &definition.degrade_to {
        fact("Go on with", to.clone());
    }
    fact("Breaches in 30 days", show::count(view.breach_count_30d));
    let last = view.last_breached_at.map_or_else(|| "never".to_owned(), |at| Moment::of(at, now).exact);
    fact("Passed last", last);
    fact("Made", format!("by {}, {}", limit.created_by, Moment::of(limit.created_at, now).exact));
    fact("Changed", changed(newest, &Moment::of(limit.updated_at, now)));
    facts
}
