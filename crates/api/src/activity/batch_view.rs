//! A batch of steps, as it is read and answered.

use models::bounds;
use orchestrator::{choke::call::StepReport, handlers::activity::Batch};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{step_body::StepBody, step_view::RecordedView};
use crate::{
    Problem,
    carried::About,
    extract::{IdempotencyKey, parse},
    problem::{Code, ProblemView},
};

/// How many steps a batch may have.
const MOST: usize = 500;

/// How long a key may be that has the place of any step after it.
const LONGEST_KEY: usize = bounds::NAME - "/499".len();

/// Steps that were taken, in their order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepBatch)]
pub(crate) struct BatchBody {
    /// The steps.
    #[schema(value_type = Vec<StepBody>, min_items = 1, max_items = 500)]
    steps: Vec<Box<RawValue>>,
}

/// The first step that cannot be read, and how many there are in all.
#[derive(Debug)]
pub(crate) struct Unfit {
    problem: Option<Problem>,
    count: usize,
}

impl BatchBody {
    /// The steps that can be read, up to the first that cannot: what comes before it is recorded all the same.
    ///
    /// Each step comes as if it had been sent alone: under its own key, or under the batch's with its place, `key/0`
    /// for the first.
    pub(crate) fn reports(self, key: Option<&str>) -> Result<(Vec<StepReport>, Unfit), Problem> {
        if key.is_some_and(|key| key.chars().count() > LONGEST_KEY) {
            let why = format!(
                "the key of a batch has at most {LONGEST_KEY} characters: each step's is it and `/` and its place"
            );
            return Err(Problem::field(Code::InvalidRequest, "/idempotency_key", why));
        }
        let count = self.steps.len();
        if !(1..=MOST).contains(&count) {
            return Err(Problem::field(Code::InvalidRequest, "/steps", format!("must be 1 to {MOST} steps")));
        }
        let mut reports = Vec::with_capacity(count);
        for (place, step) in self.steps.into_iter().enumerate() {
            let read = parse::<StepBody>(step.get().as_bytes());
            match read.and_then(|body| body.report(IdempotencyKey::default())) {
                Ok(report) => {
                    let idempotency_key =
                        report.idempotency_key.or_else(|| Some(format!("{}/{place}", key?)));
                    reports.push(StepReport { idempotency_key, ..report });
                }
                Err(problem) => return Ok((reports, Unfit { problem: Some(problem), count })),
            }
        }
        Ok((reports, Unfit { problem: None, count }))
    }
}

/// What came of each step of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchAnswer)]
pub(crate) struct BatchView {
    /// An answer for each step that was attempted, in order. All but the last are 200.
    items: Vec<BatchItem>,
    /// The places in the batch, from 0, of the steps after the first that was not 200.
    not_attempted: Vec<usize>,
}

/// What `activity.record` would have answered.
#[derive(Debug, Serialize, ToSchema)]
struct BatchItem {
    /// Its status.
    status: u16,
    /// Its body.
    body: BatchItemBody,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum BatchItemBody {
    Recorded(Box<RecordedView>),
    Problem(Box<ProblemView>),
}

impl BatchView {
    /// The answers to a batch. A run that the caller may not know is no batch's business: 404 for all of it.
    pub(crate) fn of(batch: Batch, unfit: Unfit, about: &About) -> Result<Self, Problem> {
        let mut answers: Vec<Result<_, Problem>> =
            batch.answers.into_iter().map(|answer| answer.map_err(Problem::from)).collect();
        if answers.iter().all(Result::is_ok) {
            answers.extend(unfit.problem.map(Err));
        }
        if let Some(Err(problem)) = answers.first()
            && problem.code() == Code::NotFound
        {
            return Err(problem.clone());
        }
        let not_attempted = (answers.len()..unfit.count).collect();
        let items = answers.into_iter().map(|answer| BatchItem::of(answer, about)).collect();
        Ok(Self { items, not_attempted })
    }
}

impl BatchItem {
    fn of(answer: Result<orchestrator::choke::call::Recorded, Problem>, about: &About) -> Self {
        match answer {
            Ok(recorded) => Self { status: 200, body: BatchItemBody::Recorded(Box::new(recorded.into())) },
            Err(problem) => {
                let view = problem.view(&about.instance, &about.request_id);
                Self { status: problem.status().as_u16(), body: BatchItemBody::Problem(Box::new(view)) }
            }
        }
    }
}
