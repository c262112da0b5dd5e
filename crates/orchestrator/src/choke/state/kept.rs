//! Ends and kills that come with an idempotency key: a repeat is told what was told, with nothing done again. Their
//! answers are kept in the group's own transaction. Starts, permits and steps keep their keys in their own rows.

use drivers::{StoreError, Tx};
use models::{account::KeptAnswer, ids::KeyId};

use super::{State, answered::Known};
use crate::{
    choke::{
        call::{Answer, Done},
        parts::{Answers, Unit},
        prepare::{Call, CallKind},
    },
    clock_check,
    errors::Error,
    once,
};

/// Reads what is kept of the calls, and none where no call has such a key. What is kept no longer goes first: its keys
/// are free, and are taken again by this group. Where it is in doubt whose day is over, all of it is kept.
pub(in crate::choke) async fn load(state: &mut State, tx: &Tx, calls: &[&[Call]]) -> Result<(), StoreError> {
    let asked: Vec<_> =
        calls.iter().copied().flatten().filter_map(|call| call.once.as_ref()).map(place).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let now = clock_check::may_forget(&state.spine).then_some(state.now);
    if let Some(now) = now {
        tx.idempotency().delete_expired(state.tenant.id, now).await?;
    }
    let kept = tx.idempotency().find_answers(state.tenant.id, &asked, now).await?;
    state.kept = kept.into_iter().map(|kept| (place(&kept), Known::Stored(kept))).collect();
    Ok(())
}

/// The answer that the call had before, if it had one.
pub(in crate::choke) fn told(state: &State, call: &Call) -> Option<Answer> {
    let asked = call.once.as_ref()?;
    let known = state.kept.get(&place(asked))?;
    if !known.call().is_of(asked) {
        return Some(Err(Error::IdempotencyConflict { key: asked.idempotency_key.clone() }));
    }
    Some(match known {
        Known::Decided(_, done) => Ok(done.clone()),
        Known::Stored(kept) => {
            let answer = kept.answer.as_deref().unwrap_or_default();
            match call.what {
                CallKind::Kill(..) => once::open(&state.spine, kept, answer).map(Done::Killed),
                _ => once::open(&state.spine, kept, answer).map(Done::Ended),
            }
        }
    })
}

/// Whether the call was answered before this group.
pub(in crate::choke) fn was_told(state: &State, call: &Call) -> bool {
    let known = call.once.as_ref().and_then(|asked| state.kept.get(&place(asked)));
    matches!(known, Some(Known::Stored(_)))
}

/// Remembers what a call came to.
pub(in crate::choke) fn decided(state: &mut State, call: &Call, answer: &Answer) {
    if let (Some(asked), Ok(done)) = (&call.once, answer) {
        state.kept.insert(place(asked), Known::Decided(asked.clone(), done.clone()));
    }
}

/// The answers to keep, as the seal has completed them.
pub(in crate::choke) fn answers(
    state: &mut State,
    units: &[Unit<'_>],
    answers: &[Answers],
) -> Result<Vec<KeptAnswer>, StoreError> {
    let mut kept = Vec::new();
    for (unit, answers) in units.iter().zip(answers) {
        for (call, answer) in unit.calls.iter().zip(answers) {
            let (Some(asked), Some(Ok(done))) = (&call.once, answer) else { continue };
            let Some(Known::Decided(call, _)) = state.kept.remove(&place(asked)) else { continue };
            let answer = match done {
                Done::Killed(killed) => once::seal(&state.spine, &call, killed),
                Done::Ended(run) => once::seal(&state.spine, &call, run),
                _ => continue,
            };
            let answer = answer.map_err(|err| StoreError::Corrupt {
                table: "idempotency_keys",
                row: call.idempotency_key.clone(),
                why: err.to_string(),
            })?;
            kept.push(call.answered(answer));
        }
    }
    Ok(kept)
}

fn place(call: &KeptAnswer) -> (KeyId, String) {
    (call.key_id, call.idempotency_key.clone())
}
