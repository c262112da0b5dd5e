//! The bodies of moves of an incident. All members are optional, and so is the body.

use orchestrator::handlers::incidents::Resolve;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::view::words::{self, known};

/// What is said about a move.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IncidentMove)]
pub(super) struct MoveBody {
    /// For the timeline and the Audit Ledger.
    #[schema(max_length = 4000)]
    pub(super) note: Option<String>,
}

/// How an incident was settled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolveIncident)]
pub(super) struct ResolveBody {
    /// For the timeline and the Audit Ledger.
    #[schema(max_length = 4000)]
    note: Option<String>,
    /// `manual` where not given.
    resolution_type: Option<words::ResolutionType>,
}

impl ResolveBody {
    pub(super) fn how(self) -> Resolve {
        Resolve { note: self.note, resolution_type: known(self.resolution_type) }
    }
}
