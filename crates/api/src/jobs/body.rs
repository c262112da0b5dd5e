//! The bodies of what is done with jobs.

use orchestrator::handlers::jobs::JobOrder;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::view::{Time, words};

/// What is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewJob)]
pub(super) struct JobBody {
    kind: words::JobKind,
    /// When, at most 366 days ahead; at once where not given, or past.
    run_at: Option<Time>,
}

impl JobBody {
    pub(super) fn order(self) -> JobOrder {
        JobOrder { kind: self.kind.known(), run_at: self.run_at.map(Into::into) }
    }
}

/// What is said about a move.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobMove)]
pub(super) struct MoveBody {
    /// For the events of the job.
    #[schema(max_length = 4000)]
    pub(super) reason: Option<String>,
}
