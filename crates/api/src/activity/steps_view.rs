//! A page of a run's steps, as it is written: with what is missing from it.

use models::ids::RunId;
use orchestrator::handlers::activity::{MissingSteps, MissingTexts, StepsPage};
use serde::Serialize;
use utoipa::ToSchema;

use super::step_view::StepView;

/// A page of a run's steps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StepsPage)]
pub(crate) struct StepsView {
    /// The steps, by index.
    items: Vec<StepView>,
    /// Ask with this `cursor` for the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
    /// How many steps the run has; only with `total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// What of the run's records, on the way of this page, does not read back: the steps in it are on no page. Mostly
    /// nothing.
    missing: Vec<MissingView>,
    /// What of the texts of these steps does not read back: each step names those of its members as `lost`. Mostly
    /// nothing.
    missing_texts: Vec<MissingTextsView>,
}

/// A segment of a run's records that is not there, or not what was recorded. There is an incident about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = MissingSegment)]
pub(crate) struct MissingView {
    run_id: String,
    /// Its place: how many records the run's segments hold before it.
    first_record: u64,
    /// How many records are missing with it.
    record_count: u64,
    /// The index of its first step.
    first_step: u64,
    /// How many steps are missing with it.
    step_count: u64,
    /// What is wrong with it.
    why: String,
}

/// A body of a run's texts that is not there, or not what was recorded. There is an incident about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = MissingTexts)]
pub(crate) struct MissingTextsView {
    run_id: String,
    /// Its place, which is that of the segment whose steps name its texts: how many records the run's segments hold
    /// before that. Null where it is the run's salt, without which none of its texts can be told from another.
    #[schema(required = true)]
    first_record: Option<u64>,
    /// What is wrong with it.
    why: String,
}

impl StepsView {
    pub(super) fn of(run: RunId, page: StepsPage) -> Self {
        let StepsPage { items, next_cursor, has_more, total, missing, missing_texts } = page;
        Self {
            items: items.into_iter().map(StepView::from).collect(),
            next_cursor: next_cursor.map(|cursor| cursor.to_string()),
            has_more,
            total,
            missing: missing.into_iter().map(|missing| MissingView::of(run, missing)).collect(),
            missing_texts: missing_texts
                .into_iter()
                .map(|missing| MissingTextsView::of(run, missing))
                .collect(),
        }
    }
}

impl MissingTextsView {
    fn of(run: RunId, missing: MissingTexts) -> Self {
        let MissingTexts { first_record, why } = missing;
        Self { run_id: run.to_string(), first_record, why }
    }
}

impl MissingView {
    fn of(run: RunId, missing: MissingSteps) -> Self {
        let MissingSteps { first_record, first_step, record_count, step_count, why } = missing;
        Self { run_id: run.to_string(), first_record, record_count, first_step, step_count, why }
    }
}
