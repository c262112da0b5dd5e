//! Making, changing and disabling a limit by forms.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use models::{
    ids::LimitId,
    policies::{Amount, LimitChange, LimitDraft},
};
use orchestrator::{
    Error, Spine,
    errors::FieldError,
    handlers::policies::{self, LimitView, category_of, counts_money},
};
use serde::Deserialize;

use super::said;
use crate::{
    Problem,
    console::{
        fields::Posted,
        folds::Folds as _,
        forms::{self, Choices, Field, Form},
        page::html,
        visitor::{Frame, Visitor},
    },
    extract::{Id, SetsPolicy},
    view::words::{self, Word, known},
};

/// What the form of a new limit sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    name: Option<String>,
    limit_type: Option<words::LimitType>,
    max_value: Option<String>,
    reset_period: Option<words::ResetPeriod>,
    window: Option<String>,
    scope: Option<words::Scope>,
    scope_id: Option<String>,
    enforcement: Option<words::LimitEnforcement>,
    degrade_to: Option<String>,
    consequence: Option<words::Consequence>,
}

/// What the form of a change sends: on which version, and all that may be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    version: u64,
    name: Option<String>,
    max_value: Option<String>,
    enforcement: Option<words::LimitEnforcement>,
    degrade_to: Option<String>,
    consequence: Option<words::Consequence>,
}

#[derive(Template)]
#[template(path = "limit_form.html")]
struct LimitFormPage {
    title: String,
    frame: Frame,
    /// The limit that is changed: where it is, and its name.
    of: Option<(String, String)>,
    /// What of it stays as it is, in words.
    stays: String,
    form: Form,
}

/// `GET /console/policies/limits/new`.
pub(crate) async fn new_limit(visitor: Visitor<SetsPolicy>) -> Response {
    page_of_new(StatusCode::OK, &visitor, new_form(&Draft::default()))
}

/// `POST /console/policies/limits`.
pub(crate) async fn create_limit(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Posted(given): Posted<Draft>,
) -> Result<Response, Problem> {
    let form = new_form(&given);
    let draft = match draft(given) {
        Ok(draft) => draft,
        Err(errors) => {
            return Ok(page_of_new(StatusCode::UNPROCESSABLE_ENTITY, &visitor, form.with(errors)));
        }
    };
    match policies::create_limit(&spine, visitor.context(), draft).await {
        Ok(limit) => Ok(Redirect::to(&said::limit_path(&limit)).into_response()),
        Err(err) => {
            let (status, form) = said::refused(err, form)?;
            Ok(page_of_new(status, &visitor, form))
        }
    }
}

fn page_of_new(status: StatusCode, visitor: &Visitor<SetsPolicy>, form: Form) -> Response {
    let (title, frame) = ("New limit".to_owned(), visitor.frame.clone());
    html(status, &LimitFormPage { title, frame, of: None, stays: String::new(), form })
}

/// The limit that the fields ask for, or what of them cannot be read.
fn draft(given: Draft) -> Result<LimitDraft, Vec<FieldError>> {
    let mut errors = Vec::new();
    let limit_type = known(given.limit_type);
    if limit_type.is_none() {
        errors.push(forms::needed("limit_type"));
    }
    let max_value = forms::amount("max_value", given.max_value.as_deref()).map_err(|err| errors.push(err));
    let window = forms::whole("window", given.window.as_deref()).map_err(|err| errors.push(err));
    let (Some(limit_type), Ok(max_value), Ok(window)) = (limit_type, max_value, window) else {
        return Err(errors);
    };
    let limit_category = category_of(limit_type);
    // The form has one window: which of the two it is, the category says.
    let measures = limit_category.as_str() == "THRESHOLD";
    Ok(LimitDraft {
        name: given.name.unwrap_or_default(),
        limit_category,
        limit_type,
        scope: known(given.scope),
        scope_id: given.scope_id,
        max_value: Amount { billionths: max_value.billionths },
        reset_period: known(given.reset_period),
        window_seconds: window.filter(|_| !measures),
        measurement_window_seconds: window.filter(|_| measures),
        enforcement: known(given.enforcement),
        degrade_to: given.degrade_to,
        consequence: known(given.consequence),
    })
}

fn new_form(given: &Draft) -> Form {
    let limit_type = given.limit_type.map_or("", Word::text);
    let mut fields = vec![
        name(given.name.as_deref()).wide(),
        Field::choice("limit_type", "What it counts", limit_type, COUNTED)
            .also(&["limit_category"])
            .hint("A BUDGET is a sum over a period, a RATE so many in a window, a THRESHOLD holds anew for each run or step.")
            .required()
            .wide(),
        value("Value", given.max_value.as_deref()),
        Field::choice("reset_period", "Period", given.reset_period.map_or("", Word::text), PERIODS)
            .hint("For a BUDGET, which needs one. Days, weeks and months are those of the tenant's time zone."),
        Field::choice(
            "scope",
            "Whom it binds",
            given.scope.map_or("TENANT", Word::text),
            said::SCOPES_OF_LIMITS,
        ),
        Field::line("scope_id", "Which agent, project or provider", given.scope_id.as_deref())
            .hint("Its id, as runs name it. Empty for all agents."),
    ];
    fields.extend(does(
        given.enforcement.map_or("BLOCK", Word::text),
        given.degrade_to.as_deref(),
        given.consequence.map_or("ALERT", Word::text),
    ));
    fields.push(
        Field::line("window", "Window, in seconds", given.window.as_deref())
            .also(&["window_seconds", "measurement_window_seconds"])
            .longest(12)
            .hint("For a RATE, where it is other than its name says; for ERROR_RATE_PCT, which needs one."),
    );
    let (action, submit) = ("/console/policies/limits".to_owned(), "Make the limit");
    Form { id: "new-limit", action, submit, fields, version: None, others: Vec::new() }
}

fn name(given: Option<&str>) -> Field {
    Field::line("name", "Name", given).required().hint("Refusals name it. No two active limits share one.")
}

fn value(label: &'static str, given: Option<&str>) -> Field {
    Field::line("max_value", label, given).required().longest(40).hint(
        "Dollars where it counts cost: 0.50 is fifty cents. Else a whole number of tokens, steps, calls, retries, \
         milliseconds or per cent. Exactly that much still passes.",
    )
}

/// What passing it does.
fn does(enforcement: &str, degrade_to: Option<&str>, consequence: &str) -> [Field; 3] {
    [
        Field::choice("enforcement", "What passes it is", enforcement, ENFORCEMENTS),
        Field::choice("consequence", "And besides", consequence, CONSEQUENCES),
        Field::line("degrade_to", "Go on with", degrade_to)
            .hint("For DEGRADE: the model, tool or way of working that the agent is told to take instead; lower_cost_model where nothing is named."),
    ]
}

/// `GET /console/policies/limits/{id}/edit`.
pub(crate) async fn edit_limit(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Id(id): Id<LimitId>,
) -> Result<Response, Problem> {
    let view = policies::get_limit(&spine, visitor.context(), id).await?;
    let definition = &view.limit.definition;
    let max_value = said::written(counts_money(definition.limit_type), definition.max_value);
    let form = change_form(
        &view,
        definition.version,
        [Some(definition.name.as_str()), Some(max_value.as_str()), definition.degrade_to.as_deref()],
        [definition.enforcement.as_str(), definition.consequence.as_str()],
    );
    Ok(page_of_change(StatusCode::OK, &visitor, &view, form))
}

/// `POST /console/policies/limits/{id}`.
pub(crate) async fn update_limit(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Id(id): Id<LimitId>,
    Posted(given): Posted<Change>,
) -> Result<Response, Problem> {
    let view = policies::get_limit(&spine, visitor.context(), id).await?;
    let form = |version| {
        let texts = [&given.name, &given.max_value, &given.degrade_to].map(|text| text.as_deref());
        let words = [given.enforcement.map_or("", Word::text), given.consequence.map_or("", Word::text)];
        change_form(&view, version, texts, words)
    };
    let max_value = match forms::amount("max_value", given.max_value.as_deref()) {
        Ok(max_value) => Amount { billionths: max_value.billionths },
        Err(err) => {
            let form = form(given.version).with(vec![err]);
            return Ok(page_of_change(StatusCode::UNPROCESSABLE_ENTITY, &visitor, &view, form));
        }
    };
    let degrades = given.enforcement.is_some_and(|word| word.text() == "DEGRADE");
    if degrades && given.degrade_to.is_none() && view.limit.definition.degrade_to.is_some() {
        // What is empty in the form was emptied, and a change has no word for that.
        let form = form(given.version).with(vec![forms::needed("degrade_to")]);
        return Ok(page_of_change(StatusCode::UNPROCESSABLE_ENTITY, &visitor, &view, form));
    }
    let change = LimitChange {
        name: Some(given.name.clone().unwrap_or_default()),
        max_value: Some(max_value),
        enforcement: known(given.enforcement),
        degrade_to: given.degrade_to.clone(),
        consequence: known(given.consequence),
        ..LimitChange::default()
    };
    match policies::update_limit(&spine, visitor.context(), id, given.version, change).await {
        Ok(limit) => Ok(Redirect::to(&said::limit_path(&limit)).into_response()),
        Err(Error::PreconditionFailed { current }) => {
            let form = form(current).refused(said::stale("limit", current));
            Ok(page_of_change(StatusCode::PRECONDITION_FAILED, &visitor, &view, form))
        }
        Err(err) => {
            let (status, form) = said::refused(err, form(given.version))?;
            Ok(page_of_change(status, &visitor, &view, form))
        }
    }
}

fn change_form(
    view: &LimitView,
    version: u64,
    [named, max_value, degrade_to]: [Option<&str>; 3],
    [enforcement, consequence]: [&str; 2],
) -> Form {
    let mut fields = vec![name(named), value("Value", max_value)];
    fields.extend(does(enforcement, degrade_to, consequence));
    let action = said::limit_path(view);
    Form { id: "edit-limit", action, submit: "Save", fields, version: Some(version), others: Vec::new() }
}

fn page_of_change(
    status: StatusCode,
    visitor: &Visitor<SetsPolicy>,
    view: &LimitView,
    form: Form,
) -> Response {
    let definition = &view.limit.definition;
    let page = LimitFormPage {
        title: format!("Change {}", definition.name),
        frame: visitor.frame.clone(),
        of: Some((said::limit_path(view), definition.name.clone())),
        stays: said::limit(&view.limit),
        form,
    };
    html(status, &page)
}

/// `POST /console/policies/limits/{id}/disable`.
pub(crate) async fn disable_limit(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Id(id): Id<LimitId>,
) -> Result<Redirect, Problem> {
    let view = policies::disable_limit(&spine, visitor.context(), id).await?;
    Ok(Redirect::to(&said::limit_path(&view)))
}

/// What a limit can count, by category.
const COUNTED: &[Choices] = &[
    ("", &[("", "choose")]),
    (
        "BUDGET: over a period",
        &[
            ("COST_USD", "COST_USD: dollars"),
            ("TOKENS_TOTAL", "TOKENS_TOTAL: tokens, in and out"),
            ("TOKENS_INPUT", "TOKENS_INPUT: tokens in"),
            ("TOKENS_OUTPUT", "TOKENS_OUTPUT: tokens out"),
            ("STEPS", "STEPS: steps"),
            ("TOOL_CALLS", "TOOL_CALLS: tool calls"),
        ],
    ),
    (
        "RATE: so many in a window",
        &[
            ("REQUESTS_PER_SECOND", "REQUESTS_PER_SECOND: steps a second"),
            ("REQUESTS_PER_MINUTE", "REQUESTS_PER_MINUTE: steps a minute"),
            ("REQUESTS_PER_HOUR", "REQUESTS_PER_HOUR: steps an hour"),
            ("TOKENS_PER_MINUTE", "TOKENS_PER_MINUTE: tokens a minute"),
        ],
    ),
    (
        "THRESHOLD: anew for each run or step",
        &[
            ("RUN_COST_USD", "RUN_COST_USD: dollars of one run"),
            ("RUN_TOKENS", "RUN_TOKENS: tokens of one run"),
            ("RUN_STEPS", "RUN_STEPS: steps of one run"),
            ("RUN_DURATION_MS", "RUN_DURATION_MS: milliseconds of one run"),
            ("STEP_COST_USD", "STEP_COST_USD: dollars of one step"),
            ("STEP_TOKENS", "STEP_TOKENS: tokens of one step"),
            ("LATENCY_MS", "LATENCY_MS: milliseconds of one step"),
            ("RETRY_COUNT", "RETRY_COUNT: retries of one step"),
            ("ERROR_RATE_PCT", "ERROR_RATE_PCT: per cent of failed steps in a window"),
        ],
    ),
];

/// When a budget is filled again.
const PERIODS: &[Choices] = &[(
    "",
    &[
        ("", "none: it is no budget"),
        ("DAILY", "DAILY: anew each day"),
        ("WEEKLY", "WEEKLY: anew each week"),
        ("MONTHLY", "MONTHLY: anew each month"),
        ("NONE", "NONE: a budget that is never filled again"),
    ],
)];

/// What becomes of a step that passes a limit.
const ENFORCEMENTS: &[Choices] = &[
    (
        "refused",
        &[
            ("BLOCK", "BLOCK: refused, the run goes on"),
            ("STOP", "STOP: refused, the run takes no more steps"),
            ("KILL", "KILL: refused, the run ends at once"),
            ("REJECT", "REJECT: refused until the window ends, for a RATE"),
        ],
    ),
    (
        "let pass",
        &[
            ("WARN", "WARN: let pass, and told"),
            ("ALERT", "ALERT: let pass, and told"),
            ("DEGRADE", "DEGRADE: let pass, to go on with something else"),
            ("QUEUE", "QUEUE: let pass, and asked to wait, for a RATE"),
        ],
    ),
];

/// What is done beside it.
const CONSEQUENCES: &[Choices] = &[(
    "",
    &[
        ("ALERT", "ALERT: a record of it, nobody is written to"),
        ("INCIDENT", "INCIDENT: an incident for people to handle"),
        ("ABORT", "ABORT: an incident, and the run is aborted, whatever stands beside it"),
    ],
)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_can_be_chosen_and_says_what_it_means() {
        let offered = |choices: &[Choices]| -> Vec<&str> {
            let words = choices.iter().flat_map(|(_, words)| words.iter());
            let mut words: Vec<&str> = words.map(|(word, _)| *word).filter(|word| !word.is_empty()).collect();
            words.sort_unstable();
            words
        };
        let sorted = |mut words: Vec<&'static str>| {
            words.sort_unstable();
            words
        };
        for (choices, all) in [
            (COUNTED, words::LimitType::all()),
            (PERIODS, words::ResetPeriod::all()),
            (ENFORCEMENTS, words::LimitEnforcement::all()),
            (CONSEQUENCES, words::Consequence::all()),
            (said::SCOPES_OF_LIMITS, words::Scope::all()),
            (said::SCOPES_OF_RULES, words::RuleScope::all()),
            (said::MODES, words::EnforcementMode::all()),
            (said::MOMENTS, words::BindAt::all()),
        ] {
            assert_eq!(offered(choices), sorted(all));
        }
    }
}
