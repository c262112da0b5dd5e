//! A write that comes with an idempotency key happens once. For a day its repeats get the answer of the first.
//!
//! The key is claimed and the answer is kept in the transaction of the write itself. So a repeat that finds the answer
//! also finds the write's effect, and a write that failed has claimed nothing. Kept answers are encrypted, because one
//! of them may be an API key.
//!
//! Starts, permits and steps do not come here: they keep their keys for ever, in their own rows.

use std::ops::Deref;

use chrono::Duration;
use drivers::{Tx, idempotency::Known};
use engines::check::Check;
use models::account::KeptAnswer;
use proof::hmac::keyed;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock_check,
    context::CallContext,
    errors::{ConflictCode, Error},
    spine::Spine,
};

/// How long an answer is kept (spec 4).
const KEPT: Duration = Duration::hours(24);

/// What is asked, and the key that it came with, if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Once(Option<KeptAnswer>);

/// A write that may go on, or the answer that it had before.
pub(crate) enum Begun<T> {
    New(Box<KeyedTx>),
    Again(T),
}

/// The unit of work of a write, which ends with its answer.
pub(crate) struct KeyedTx {
    tx: Tx,
    spine: Spine,
    call: Option<KeptAnswer>,
}

impl Once {
    /// That `ctx` asks for `operation`, with all that `request` says, as it came. Refuses a key that no store takes.
    pub(crate) fn of(
        spine: &Spine,
        ctx: &CallContext,
        operation: &str,
        request: &impl Serialize,
    ) -> Result<Self, Error> {
        let Some(key) = &ctx.idempotency_key else { return Ok(Self(None)) };
        let mut check = Check::default();
        check.name("/idempotency_key", Some(key));
        check.done()?;
        let request = serde_json::to_vec(request).map_err(|err| Error::Internal(err.to_string()))?;
        let now = spine.now();
        Ok(Self(Some(KeptAnswer {
            tenant: ctx.tenant.id,
            key_id: ctx.key,
            idempotency_key: key.clone(),
            operation: operation.to_owned(),
            request_hash: keyed(&ctx.tenant.key, &format!("idempotency/{operation}"), "", "", &request),
            answer: None,
            answer_hash: None,
            created_at: now,
            expires_at: now + KEPT,
        })))
    }

    /// What has no key: it is done whenever it is asked for.
    pub(crate) fn always() -> Self {
        Self(None)
    }

    /// Opens the unit of work, and claims the key in it; or gives what the same was answered before.
    pub(crate) async fn begin<T: DeserializeOwned>(&self, spine: &Spine) -> Result<Begun<T>, Error> {
        let tx = spine.begin().await?;
        let begun = |tx, call| Begun::New(Box::new(KeyedTx { tx, spine: spine.clone(), call }));
        let Some(call) = &self.0 else { return Ok(begun(tx, None)) };
        let now = clock_check::may_forget(spine).then_some(call.created_at);
        match tx.idempotency().check(call, now).await? {
            Known::New => Ok(begun(tx, Some(call.clone()))),
            Known::Duplicate(answer) => open(spine, call, &answer).map(Begun::Again),
            Known::Conflict => Err(Error::IdempotencyConflict { key: call.idempotency_key.clone() }),
        }
    }

    /// The call, where it has a key, for those whose effect another's transaction has.
    pub(crate) fn into_call(self) -> Option<KeptAnswer> {
        self.0
    }
}

impl KeyedTx {
    /// Makes everything done so far durable, with the answer to it.
    pub(crate) async fn commit<T: Serialize>(self, answer: T) -> Result<T, Error> {
        if let Some(call) = &self.call {
            let sealed = seal(&self.spine, call, &answer)?;
            self.tx.idempotency().mark_completed(call, sealed).await?;
        }
        self.tx.commit().await?;
        Ok(answer)
    }
}

impl Deref for KeyedTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

/// The answer of `call`, as it is kept.
pub(crate) fn seal(spine: &Spine, call: &KeptAnswer, answer: &impl Serialize) -> Result<Vec<u8>, Error> {
    let answer = zeroize::Zeroizing::new(
        serde_json::to_vec(answer)
            .map_err(|err| Error::Internal(format!("an answer cannot be kept: {err}")))?,
    );
    Ok(spine.wrapping_key().seal_answer(&place(call), &answer, spine.secret()))
}

/// A kept answer, as it was given.
pub(crate) fn open<T: DeserializeOwned>(spine: &Spine, call: &KeptAnswer, answer: &[u8]) -> Result<T, Error> {
    let opened = spine.wrapping_key().open_answer(&place(call), answer);
    // Sealed by another key, or written by an older version: the write stands, and is not done again.
    let told = opened.and_then(|answer| serde_json::from_slice(&answer).ok());
    told.ok_or_else(|| {
        let detail = format!(
            "a request with the idempotency key `{}` was answered before, and its answer cannot be read any more; what it did \
             stands: look at it, and use another key for what is to be done anew",
            call.idempotency_key
        );
        Error::Conflict { code: ConflictCode::AnswerLost, detail }
    })
}

/// Binds an answer to its call.
fn place(call: &KeptAnswer) -> String {
    let KeptAnswer { tenant, key_id, operation, request_hash, idempotency_key, .. } = call;
    format!("{tenant}\0{key_id}\0{operation}\0{request_hash}\0{idempotency_key}")
}
