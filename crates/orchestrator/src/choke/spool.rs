//! What was answered while the store was down, as lines of a file that outlives this process.
//!
//! A line is written and synced before its caller is told. It holds no more than the store would: what was asked,
//! after redaction, and the decision. When the store has all of them, the file is emptied; a process that ended before
//! that finds them at its next start, and writes those that the store does not have.

use std::{borrow::Cow, collections::HashMap, io, sync::Arc};

use models::{activity::Freeze, ids::TenantId};
use proof::records::DecisionRecord;
use serde::{Deserialize, Serialize};

use super::{overdue::Unwritten, prepare::Call};
use crate::{errors::Error, spine::Spine};

/// One answer. Its version is told by its name: another form is another member.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    tenant_id: TenantId,
    /// It passed; or it was refused.
    passed: bool,
    call: Cow<'a, Call>,
    decision: Cow<'a, DecisionRecord>,
    freeze: Option<Freeze>,
}

/// Whether an answer, by its line, is in the spool. Without one, and where it cannot be written, it is not, and that is logged.
pub(super) async fn keep(spine: &Spine, line: Vec<u8>) -> bool {
    let Some(spool) = spine.spool() else { return false };
    let kept = spool.append(line).await;
    if let Err(err) = &kept {
        tracing::error!(%err, "the spool cannot be written: halts hold, and nothing passes until it can or the store is back");
    }
    kept.is_ok()
}

/// So many answers that were in the spool are in the store.
pub(super) async fn written(spine: &Spine, answers: &[Unwritten]) {
    let lines = answers.iter().filter(|answer| answer.spooled).count();
    let Some(spool) = spine.spool().filter(|_| lines > 0) else { return };
    if let Err(err) = spool.written(lines).await {
        tracing::warn!(%err, "the spool could not be emptied; what it holds is in the store, and is passed over at the next start");
    }
}

/// Keeps an answer apart that the store does not take.
pub(super) async fn set_aside(spine: &Spine, tenant: TenantId, answer: &Unwritten) {
    let Some(spool) = spine.spool() else { return };
    match line(tenant, answer) {
        Ok(line) => aside(&**spool, line).await,
        Err(err) => tracing::error!(%err, "an answer cannot be kept apart"),
    }
}

async fn aside(spool: &dyn crate::ports::Spool, line: Vec<u8>) {
    if let Err(err) = spool.set_aside(line).await {
        tracing::error!(%err, "an answer cannot be kept apart");
    }
}

/// Takes up what an earlier process left, to be written before anything else. Gives how many answers that is.
pub(super) async fn take_up(spine: &Spine) -> Result<usize, Error> {
    let Some(spool) = spine.spool() else { return Ok(0) };
    let unreadable = |err: io::Error| Error::Internal(format!("the spool cannot be read: {err}"));
    let mut tenants: HashMap<TenantId, bool> = HashMap::new();
    let mut taken = 0;
    for text in spool.left().await.map_err(unreadable)? {
        let read = serde_json::from_slice::<Line<'_>>(&text).map_err(|err| err.to_string());
        let known = match &read {
            Ok(line) => is_known(spine, &mut tenants, line.tenant_id).await?,
            Err(_) => false,
        };
        let (Ok(line), true) = (read, known) else {
            tracing::error!(
                "a line of the spool is of no tenant here, or not of this version; it is kept apart"
            );
            aside(&**spool, text).await;
            spool.written(1).await.map_err(unreadable)?;
            continue;
        };
        taken += 1;
        spine.choke().memory.keep(
            line.tenant_id,
            Unwritten {
                call: line.call.into_owned(),
                decision: Arc::new(line.decision.into_owned()),
                freeze: line.freeze.map(Arc::new),
                passed: line.passed,
                told: None,
                spooled: true,
                share: None,
            },
        );
    }
    Ok(taken)
}

/// Whether the tenant is one of this store.
async fn is_known(spine: &Spine, known: &mut HashMap<TenantId, bool>, id: TenantId) -> Result<bool, Error> {
    if let Some(known) = known.get(&id) {
        return Ok(*known);
    }
    let stored = spine.read().await?.account().find_tenant(id).await?;
    known.insert(id, stored.is_some());
    Ok(stored.is_some())
}

/// An answer as a line of the spool.
pub(super) fn line(tenant_id: TenantId, answer: &Unwritten) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Line {
        tenant_id,
        passed: answer.passed,
        call: Cow::Borrowed(&answer.call),
        decision: Cow::Borrowed(&answer.decision),
        freeze: answer.freeze.as_deref().cloned(),
    })
}
