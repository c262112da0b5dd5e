//! The runs whose version a unit of work has raised (see [`version`](crate::version)).

use std::collections::BTreeSet;

use models::{
    activity::Run,
    ids::{RunId, TenantId},
    logs::Trace,
};

/// The runs of which a unit of work has raised the version: what belongs to their state may be written with them.
#[derive(Debug, Default)]
pub struct Raised(BTreeSet<(TenantId, RunId)>);

impl Raised {
    pub(crate) fn of<'r>(runs: impl IntoIterator<Item = &'r Run>) -> Self {
        Self(runs.into_iter().map(|run| (run.tenant, run.id)).collect())
    }

    /// That these traces are of such runs; or the first that is of another.
    pub(crate) fn have<'t>(&self, traces: &'t [Trace]) -> Result<OfRaised, &'t Trace> {
        match traces.iter().find(|trace| !self.0.contains(&(trace.tenant, trace.run_id))) {
            Some(other) => Err(other),
            None => Ok(OfRaised(())),
        }
    }
}

/// That what is written belongs to runs of which the version was raised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfRaised(());
