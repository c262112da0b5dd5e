//! What was decided of a call while the store was down, for the call when it is written: it is not judged anew.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use models::{
    activity::Freeze,
    ids::{DecisionId, PermitId},
};
use proof::words::{Moment, PermitNote};
use rules::{Facts, limits::LimitInput};

/// A decision that was told before it was stored.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) decision_id: DecisionId,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) moment: Moment,
    /// It was leave: what was asked has happened.
    pub(super) passed: bool,
    /// The permit that was granted.
    pub(super) permit_id: Option<PermitId>,
    /// Why the permit that was named did not serve then.
    pub(super) permit_note: Option<PermitNote>,
    /// No permit served, in a tenant that required one then.
    pub(super) permit_required: bool,
    /// The freeze that it met then.
    pub(super) freeze: Option<Arc<Freeze>>,
    /// What it was decided on.
    pub(super) facts: Facts,
    pub(super) limits: Vec<LimitInput>,
}

impl Given {
    /// What it was decided on.
    pub(super) fn inputs(&self) -> (Facts, Vec<LimitInput>) {
        (self.facts.clone(), self.limits.clone())
    }
}
