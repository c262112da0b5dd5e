//! One group: load, decide, write, commit, answer; and what happens when that fails.

use std::sync::Arc;

use drivers::StoreError;

use super::{Answer, decide, load, outage, prepare::Call, queue::Item, seal, write};
use crate::{context::TenantSettings, errors::Error, spine::Spine};

/// How often a group that lost a race against another replica is tried again, whole.
const RETRIES: usize = 8;

type Answers = Vec<Vec<Option<Answer>>>;

/// Decides a group and answers each of its calls, after the commit.
///
/// If the group fails for another reason than an absent store, it is rolled back and its items go one by one,
/// so that only the culprit fails: one call's failure is never its neighbours'.
pub(super) async fn run(spine: Spine, tenant: Arc<TenantSettings>, items: Vec<Item>) {
    match attempt(&spine, &tenant, &items).await {
        Ok(answers) => send(items, answers),
        Err(err) if outage::is_outage(&err) => {
            let err = Arc::new(err);
            for item in items {
                let answers = outage::answers(&spine, &tenant, &item.calls, &err);
                send(vec![item], vec![answers]);
            }
        }
        Err(err) if items.len() == 1 => fail(items, &Arc::new(err)),
        Err(err) => {
            tracing::warn!(
                error = &err as &dyn std::error::Error,
                calls = items.len(),
                "a group failed; trying each"
            );
            for item in items {
                let item = vec![item];
                match attempt(&spine, &tenant, &item).await {
                    Ok(answers) => send(item, answers),
                    Err(err) => fail(item, &Arc::new(err)),
                }
            }
        }
    }
}

async fn attempt(spine: &Spine, tenant: &Arc<TenantSettings>, items: &[Item]) -> Result<Answers, StoreError> {
    let mut tries = 0;
    loop {
        match once(spine, tenant, items).await {
            // A unique key that another replica took meanwhile is a race too: the next try finds what it stored.
            Err(StoreError::Retry(err) | StoreError::Conflict(err)) if tries < RETRIES => {
                tries += 1;
                tracing::debug!(error = %err, tries, "a group lost a race; trying again");
            }
            other => return other,
        }
    }
}

async fn once(spine: &Spine, tenant: &Arc<TenantSettings>, items: &[Item]) -> Result<Answers, StoreError> {
    let memory = &spine.choke().memory;
    let tx = spine.begin().await?;
    // Refusals that were given while the store was down come before anything else.
    let overdue = memory.unwritten(tenant.id);
    let calls: Vec<&[Call]> =
        std::iter::once(overdue.as_slice()).chain(items.iter().map(|item| item.calls.as_slice())).collect();
    let mut state = load::load(spine, tenant, &tx, &calls).await?;
    for call in &overdue {
        // Each stands alone: the next of a run that it halted is refused as it was.
        decide::item(&mut state, std::slice::from_ref(call));
    }
    let mut answers: Answers = items.iter().map(|item| decide::item(&mut state, &item.calls)).collect();
    if let Some(broken) = broken(&answers) {
        return Err(broken);
    }
    seal::seal_ended(&mut state, &tx, &mut answers).await?;
    if state.has_writes() {
        write::write(&mut state, &tx).await?;
        tx.commit().await?;
    }
    memory.written(tenant.id, overdue.len());
    memory.remember(&state);
    Ok(answers)
}

/// A call that met something that cannot be leaves the working state half changed: none of it is stored.
fn broken(answers: &Answers) -> Option<StoreError> {
    answers.iter().flatten().flatten().find_map(|answer| match answer {
        Err(Error::Internal(why)) => {
            Some(StoreError::Corrupt { table: "runs", row: "of the group".to_owned(), why: why.clone() })
        }
        _ => None,
    })
}

fn send(items: Vec<Item>, answers: Answers) {
    for (item, answers) in items.into_iter().zip(answers) {
        // A caller that went away does not want its answer; what was decided stays.
        let _ = item.answer.send(answers);
    }
}

fn fail(items: Vec<Item>, err: &Arc<StoreError>) {
    let answers =
        items.iter().map(|item| item.calls.iter().map(|_| Some(Err(Error::from_group(err)))).collect());
    let answers: Answers = answers.collect();
    send(items, answers);
}
