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
pub(in crate::choke) struct Given {
    pub(in crate::choke) decision_id: DecisionId,
    pub(in crate::choke) decided_at: DateTime<Utc>,
    pub(in crate::choke) moment: Moment,
    /// It was let through: what was asked has happened.
    pub(in crate::choke) let_through: bool,
    /// The permit that was granted.
    pub(in crate::choke) permit_id: Option<PermitId>,
    /// Why the permit that was named did not serve then.
    pub(in crate::choke) permit_note: Option<PermitNote>,
    /// No permit served, in a tenant that required one then.
    pub(in crate::choke) permit_required: bool,
    /// The freeze that it met then.
    pub(in crate::choke) freeze: Option<Arc<Freeze>>,
    /// What it was decided on.
    pub(in crate::choke) facts: Facts,
    pub(in crate::choke) limits: Vec<LimitInput>,
}

impl Given {
    /// What it was decided on.
    pub(in crate::choke) fn inputs(&self) -> (Facts, Vec<LimitInput>) {
        (self.facts.clone(), self.limits.clone())
    }
}
