//! What was answered while the store was down, as lines of a file that outlives this process.
//!
//! A line is written and synced before its caller is told. It holds no more than the store would: what was asked,
//! after redaction, and the decision. When the store has all of them, the file is emptied; a process that ended before
//! that finds them at its next start, and writes those that the store does not have.

use std::{borrow::Cow, collections::HashSet, io, sync::Arc};

use models::{activity::Freeze, ids::TenantId};
use proof::records::DecisionRecord;
use serde::{Deserialize, Serialize};

use super::unwritten::Unwritten;
use crate::{choke::prepare::Call, errors::Error, spine::Spine};

/// Which form a line has. Another set of members, anywhere in it, is another form. A test holds their names, and who
/// changes them raises this; what is of no use any more when a call waits is skipped. A member is written where it says
/// nothing too, or the test does not see it; but for the facts, which are of a version of the engine.
const FORM: u32 = 2;
/// Which build writes it.
const BUILD: &str = env!("CARGO_PKG_VERSION");

/// One answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    /// None in lines of builds that did not say it: they had the members of the first.
    #[serde(default)]
    form: u32,
    #[serde(default)]
    build: Option<Cow<'a, str>>,
    tenant_id: TenantId,
    /// It was let through; or it was refused.
    passed: bool,
    call: Cow<'a, Call>,
    decision: Cow<'a, DecisionRecord>,
    freeze: Option<Freeze>,
}

/// What every form says of itself.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    form: u32,
    #[serde(default)]
    build: Option<String>,
}

/// A line, or why it is none to this build, and which build it is one to.
fn read(text: &[u8]) -> Result<Line<'_>, String> {
    let Ok(Form { form, build }) = serde_json::from_slice(text) else {
        return Err("it is no line that any build wrote whole".to_owned());
    };
    let by = match build {
        Some(build) => format!("build {build} wrote it, in form {form}"),
        None => format!("a build before {BUILD} wrote it, which does not say its form"),
    };
    let reads = "a server of that build reads it: start one on this data folder and this store, and stop it when the spool \
                 is empty";
    if form > FORM {
        return Err(format!(
            "{by}, and this build, {BUILD}, knows forms up to {FORM}; a newer build, or {reads}"
        ));
    }
    serde_json::from_slice(text)
        .map_err(|err| format!("{by}, and this build, {BUILD}, cannot read it ({err}); {reads}"))
}

/// Whether an answer, by its line, is in the spool. Without one, and where it cannot be written, it is not, and that is
/// logged.
pub(in crate::choke) async fn keep(spine: &Spine, line: Vec<u8>) -> bool {
    let Some(spool) = spine.spool() else { return false };
    let kept = spool.append(line).await;
    if let Err(err) = &kept {
        tracing::error!(%err, "the spool cannot be written: halts hold, and nothing passes until it can or the store is back");
    }
    kept.is_ok()
}

/// So many answers that were in the spool are in the store.
pub(in crate::choke) async fn written(spine: &Spine, answers: &[Unwritten]) {
    let lines = answers.iter().filter(|answer| answer.spooled).count();
    let Some(spool) = spine.spool().filter(|_| lines > 0) else { return };
    if let Err(err) = spool.written(lines).await {
        tracing::warn!(%err, "the spool could not be emptied; what it holds is in the store, and is passed over at the next start");
    }
}

/// Keeps an answer apart that the store does not take. False where it could not be: then it is kept nowhere but in the
/// spool.
pub(in crate::choke) async fn set_aside(spine: &Spine, tenant: TenantId, answer: &Unwritten) -> bool {
    let Some(spool) = spine.spool() else { return true };
    match line(tenant, answer) {
        Ok(line) => aside(&**spool, line).await,
        Err(err) => {
            tracing::error!(%err, "an answer cannot be kept apart");
            true
        }
    }
}

/// Whether a line is kept apart.
async fn aside(spool: &dyn crate::ports::Spool, line: Vec<u8>) -> bool {
    let kept = spool.set_aside(line).await;
    if let Err(err) = &kept {
        tracing::error!(%err, "an answer cannot be kept apart");
    }
    kept.is_ok()
}

/// Takes up what an earlier process left, to be written before anything else. Gives how many answers that is.
pub(in crate::choke) async fn take_up(spine: &Spine) -> Result<usize, Error> {
    let Some(spool) = spine.spool() else { return Ok(0) };
    let left = spool.left().await.map_err(|err| unreadable(&err))?;
    if left.is_empty() {
        return Ok(0);
    }
    let tenants = tenants(spine).await?;
    let tell = |why: &str| {
        tracing::error!(why, "a line of the spool cannot be written to this store; it is kept apart");
    };
    take(spine, &**spool, left, &tenants, tell).await
}

/// Takes back what was kept apart, to be written: what stood in its way may be gone. Gives how many answers that is.
pub(in crate::choke) async fn try_again(spine: &Spine) -> Result<usize, Error> {
    let Some(spool) = spine.spool() else { return Ok(0) };
    // Asked first: what is taken back and not taken up waits for the next start.
    let tenants = tenants(spine).await?;
    let back = spool.take_back().await.map_err(|err| unreadable(&err))?;
    // What this build cannot read was told of when it was kept apart.
    take(spine, &**spool, back, &tenants, |_| {}).await
}

/// Takes lines up that are among those left, and keeps apart what is none to this build, or to this store.
async fn take(
    spine: &Spine,
    spool: &dyn crate::ports::Spool,
    lines: Vec<Vec<u8>>,
    tenants: &HashSet<TenantId>,
    tell: impl Fn(&str),
) -> Result<usize, Error> {
    let mut taken = 0;
    for text in lines {
        match answer(&text, tenants) {
            Ok((tenant, answer)) => {
                taken += 1;
                spine.choke().memory.answers.keep(tenant, answer);
            }
            Err(why) => {
                tell(&why);
                // What could not be kept apart stays where it is, for the next start.
                if aside(spool, text).await {
                    spool.written(1).await.map_err(|err| unreadable(&err))?;
                }
            }
        }
    }
    Ok(taken)
}

/// The answer that a line is, and its tenant; or why it is none to this build or this store.
fn answer(text: &[u8], tenants: &HashSet<TenantId>) -> Result<(TenantId, Unwritten), String> {
    let line = read(text)?;
    if !tenants.contains(&line.tenant_id) {
        return Err(format!("its tenant, {}, is none of this store: is it another's?", line.tenant_id));
    }
    let answer = Unwritten {
        call: line.call.into_owned(),
        decision: Arc::new(line.decision.into_owned()),
        freeze: line.freeze.map(Arc::new),
        let_through: line.passed,
        told: None,
        spooled: true,
        counted: Vec::new(),
        share: None,
    };
    Ok((line.tenant_id, answer))
}

/// The tenants of this store.
async fn tenants(spine: &Spine) -> Result<HashSet<TenantId>, Error> {
    let tenants = spine.read().await?.account().list_tenants().await?;
    Ok(tenants.into_iter().map(|tenant| tenant.id).collect())
}

fn unreadable(err: &io::Error) -> Error {
    Error::Internal(format!("the spool cannot be read: {err}"))
}

/// An answer as a line of the spool.
pub(in crate::choke) fn line(tenant_id: TenantId, answer: &Unwritten) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Line {
        form: FORM,
        build: Some(Cow::Borrowed(BUILD)),
        tenant_id,
        passed: answer.let_through,
        call: Cow::Borrowed(&answer.call),
        decision: Cow::Borrowed(&answer.decision),
        freeze: answer.freeze.as_deref().cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_read_a_line_is_said() {
        let why = |text: &str| read(text.as_bytes()).err().expect("it is none of this build");
        let newer = why(r#"{"form":3,"build":"9.1.0","answers":[]}"#);
        assert!(
            newer.contains("build 9.1.0 wrote it, in form 3") && newer.contains("forms up to 2"),
            "{newer}"
        );
        assert!(newer.contains("start one on this data folder"), "{newer}");
        let other = why(r#"{"form":1,"build":"0.0.9","tenant":1}"#);
        assert!(
            other.contains("build 0.0.9 wrote it, in form 1") && other.contains("cannot read it"),
            "{other}"
        );
        let older = why(r#"{"tenant_id":1}"#);
        assert!(
            older.contains("a build before") && older.contains("start one on this data folder"),
            "{older}"
        );
        for torn in ["", "{\"form\":1", "\0\0", "{\"form\":\"1\"}"] {
            assert!(why(torn).contains("no line that any build wrote whole"), "{torn}");
        }
    }
}
