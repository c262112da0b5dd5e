//! The end of a run: as its caller tells it, by a person, and of one that nobody ends.

use engines::check::Check;
use models::{bounds, ids::RunId};

use super::{Call, CallKind, Caller, PreparedKill, capture};
use crate::{choke::call::EndRun, context::CallContext, errors::Error, once::Once, texts::reason_of};

impl Call {
    /// The end of a run.
    pub(crate) fn end(ctx: &CallContext, once: Once, run_id: RunId, how: EndRun) -> Result<Self, Error> {
        let mut check = Check::default();
        match &how {
            EndRun::Failed { error } => check.words("/error", error.as_deref(), bounds::TEXT),
            EndRun::Abort { reason } => check.words("/reason", reason.as_deref(), bounds::TEXT),
            EndRun::Succeeded | EndRun::Abandoned | EndRun::StopElapsed => {}
        }
        check.done()?;
        let how = match how {
            EndRun::Failed { error } => EndRun::Failed { error: capture::text(&ctx.tenant, "/error", error) },
            EndRun::Abort { reason } => {
                EndRun::Abort { reason: capture::text(&ctx.tenant, "/reason", reason) }
            }
            other => other,
        };
        Ok(Self { caller: ctx.into(), what: CallKind::End(run_id, how), once: once.into_call() })
    }

    /// A kill by a person.
    pub(crate) fn kill(
        ctx: &CallContext,
        once: Once,
        run_id: RunId,
        reason: Option<String>,
    ) -> Result<Self, Error> {
        let reason = reason_of(reason)?;
        let kill = PreparedKill { actor_type: ctx.actor_type, actor_id: ctx.actor_id.clone(), reason };
        Ok(Self { caller: ctx.into(), what: CallKind::Kill(run_id, kill), once: once.into_call() })
    }

    /// The end of a run that nobody ends.
    pub(crate) fn sweep(run_id: RunId, how: EndRun) -> Self {
        let caller = Caller { key: None, own_only: false, correlation_id: "sweeper".to_owned() };
        Self { caller, what: CallKind::End(run_id, how), once: None }
    }
}
