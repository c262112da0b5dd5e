//! A run's steps.

use std::collections::HashSet;

use drivers::{ReadTx, logs::JudgedStep};
use models::{
    activity::Run,
    ids::RunId,
    logs::{StepRow, StepTexts, contested_span},
    page::{ListCursor, Page, PageRequest},
};
use proof::{
    contents::MissingContents,
    records::StepRecord,
    segment::MissingSegment,
    words::{Action, REFUSED_AFTER, RunSource, StepStatus},
};

use super::get::find;
use crate::{
    consequences::{
        found::{Found, of_contents, of_segments},
        mismatches::tell,
    },
    context::CallContext,
    errors::Error,
    spine::Spine,
    verdict::{Fired, fired_of},
};

/// A stored step with the action of its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct StepView {
    /// The step.
    pub step: StepRow,
    /// What went in and out of it, where it was not erased.
    pub texts: StepTexts,
    /// Its verdict's action; none where its decision is not there any more.
    pub action: Option<Action>,
    /// For a reported step: what would have been answered.
    pub would_have: Option<Action>,
    /// The rules and limits that fired, the deciding one first; none where that does not read back.
    pub fired: Option<Vec<Fired>>,
    /// It came after its run was sealed, and is in an addendum.
    pub is_late: bool,
    /// What it used counts in the run's totals; not where another step tells of the same call.
    pub counts: bool,
    /// The step that it was a part of: as reported, or that of its parent span.
    pub parent_step_index: Option<u64>,
}

impl StepView {
    /// What is said of a step that was refused and had been done by then.
    #[must_use]
    pub fn refused_after(&self) -> Option<&'static str> {
        let step = &self.step.record;
        // Of a permit that was refused nothing is reported: nothing was done.
        (step.status == StepStatus::Refused && step.reported_status.is_some()).then_some(REFUSED_AFTER)
    }
}

/// A page of a run's steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepsPage {
    /// The steps that could be read.
    pub items: Vec<StepView>,
    /// Where the next page begins.
    pub next_cursor: Option<ListCursor>,
    /// Whether there is one.
    pub has_more: bool,
    /// How many steps there are, where it was asked for.
    pub total: Option<u64>,
    /// The segments of this stretch that cannot be read: their steps are on no page.
    pub missing: Vec<MissingSteps>,
    /// The bodies of texts of these steps that cannot be read: their texts are told to be lost.
    pub missing_texts: Vec<MissingTexts>,
}

/// A segment of a run's records that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSteps {
    /// The segment's place: how many records the run's segments hold before it.
    pub first_record: u64,
    /// The index of its first step.
    pub first_step: u64,
    /// How many records it held.
    pub record_count: u64,
    /// How many of them were steps.
    pub step_count: u64,
    /// What does not hold.
    pub why: String,
}

/// A body of a run's texts that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTexts {
    /// Its place, which is that of the segment whose steps name its texts; none of the run's salt, without which none
    /// can be read.
    pub first_record: Option<u64>,
    /// What does not hold.
    pub why: String,
}

impl From<MissingContents> for MissingTexts {
    fn from(missing: MissingContents) -> Self {
        let MissingContents { first_record, why } = missing;
        Self { first_record, why }
    }
}

impl From<MissingSegment> for MissingSteps {
    fn from(missing: MissingSegment) -> Self {
        let MissingSegment { first_record, first_step, record_count, step_count, why } = missing;
        Self { first_record, first_step, record_count, step_count, why }
    }
}

/// `activity.steps`: a run's steps by index, refused ones included. What cannot be read of them is named, and is an
/// incident. An agent sees those that its own key reported: a run that is a trace may have others'.
#[tracing::instrument(name = "activity.steps", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn steps(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    page: PageRequest,
) -> Result<StepsPage, Error> {
    let (page, found) = {
        let store = spine.read().await?;
        let run = find(&store, ctx, id).await?;
        steps_of(&store, ctx, &run, page).await?
    };
    tell(spine, ctx.tenant.id, &found).await;
    Ok(page)
}

/// The same of a run that was read before, where somebody reads already; also what was found to be damaged.
pub(super) async fn steps_of(
    store: &ReadTx,
    ctx: &CallContext,
    run: &Run,
    page: PageRequest,
) -> Result<(StepsPage, Vec<Found>), Error> {
    let id = run.id;
    let reported_by = ctx.sees_only_own_runs().then_some(ctx.key);
    let late = run.late.as_ref().map_or(0, |late| late.step_count);
    let counted = run.step_count.saturating_add(run.refused_count).saturating_add(late);
    let listed = store.traces().list_steps(ctx.tenant.id, id, counted, reported_by, &page).await?;
    let drivers::logs::StepsPage { page, missing, missing_contents } = listed;
    let own = run.trace_id.to_string();
    let records = || page.items.iter().map(|judged| &judged.step.record);
    let parents = records().filter_map(parent_spans).flatten().collect::<Vec<_>>();
    let parents = store.traces().span_places(ctx.tenant.id, id, &parents).await?;
    let indices = records().map(|record| record.step_index);
    let uncounted: HashSet<u64> = match (run.source, indices.clone().min(), indices.max()) {
        (RunSource::Otlp, Some(first), Some(last)) => {
            let found = store.traces().uncounted(ctx.tenant.id, id, first..=last).await?;
            found.iter().map(|of| of.step_index).collect()
        }
        _ => HashSet::new(),
    };
    let Page { items, next_cursor, has_more, total } = page.map(|JudgedStep { step, decision, texts }| {
        // A decision that is not there, or does not read back, is for the proof of the run to find. Its step is shown
        // all the same, and nothing is made up of it.
        let (action, would_have) =
            decision.as_ref().map_or((None, None), |of| (Some(of.action), of.would_have));
        let fired = decision.as_ref().and_then(|of| fired_of(of).ok());
        let is_late = step.record.trace_id != own;
        let mut spans = parent_spans(&step.record).into_iter().flatten();
        let of_span = spans.find_map(|key| parents.get(&key).copied());
        let parent_step_index = step.record.parent_step_index.or(of_span);
        let counts = !uncounted.contains(&step.record.step_index);
        StepView { step, texts, action, would_have, fired, is_late, counts, parent_step_index }
    });
    let mut found = of_segments(id, &missing);
    found.extend(of_contents(id, &missing_contents));
    let missing = missing.into_iter().map(MissingSteps::from).collect();
    let missing_texts = missing_contents.into_iter().map(MissingTexts::from).collect();
    Ok((StepsPage { items, next_cursor, has_more, total, missing, missing_texts }, found))
}

/// The keys that the parent span of a step may be recorded under: what the step's own key said of it comes first.
fn parent_spans(step: &StepRecord) -> Option<[String; 2]> {
    let span = step.external_parent_span_id.clone()?;
    Some([contested_span(&span, step.reported_by.as_deref()), span])
}
