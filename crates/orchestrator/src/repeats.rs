//! Answers to repeated permits and steps, out of Redis, so that a repeat does not wait for the store.
//!
//! An answer is put there after its commit, and only for the credential that asked. It carries a keyed seal, so that
//! nobody who can write to Redis can answer in the choke point's name. A call whose answer does not match goes to the
//! store, which has the final word.
//!
//! What a store lost must not be answered for it. So the name of an answer begins with that of the store that it was
//! committed to: after a restart, a failover or a restore the store has another, and nothing is found under it.

use drivers::{RedisIdempotencyStore, idempotency::Known};
use proof::hmac::keyed;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::{
    choke::{
        Done,
        call::{Granted, Recorded},
        prepare::Call,
    },
    context::CallContext,
    spine::Spine,
};

/// How long the seal is before what it seals: hex.
const SEAL: usize = 64;

/// A call that may be a repeat, and where its answer is kept.
pub(crate) struct Repeat {
    redis: RedisIdempotencyStore,
    /// What the store was called before the call was decided.
    store: (u64, String),
    name: String,
    run: String,
    /// Fingerprint of what is asked.
    request: String,
}

/// An answer, as it is kept.
#[derive(Serialize, Deserialize)]
enum Kept {
    Granted(Box<Granted>),
    Recorded(Box<Recorded>),
}

impl Repeat {
    /// None where the call has no key, there is no Redis, or the store is only read.
    pub(crate) fn of(spine: &Spine, ctx: &CallContext, call: &Call) -> Option<Self> {
        let redis = spine.idempotency()?.clone();
        let (key, request) = call.repeats()?;
        let run = call.run_id()?.to_string();
        let request = request.to_string();
        let store = spine.store_name()?;
        let name = format!("hoc:idempotency:{}:{}:{run}:{}:{key}", store.1, ctx.tenant.id, ctx.key);
        Some(Self { redis, store, name, run, request })
    }

    /// What it was told, where that is known here.
    pub(crate) async fn answer(&self, ctx: &CallContext) -> Option<Done> {
        let Ok(Known::Duplicate(kept)) = self.redis.check(&self.name, &self.request).await else {
            return None;
        };
        let (seal, answer) = kept.split_at_checked(SEAL)?;
        if !bool::from(self.seal(ctx, answer).as_bytes().ct_eq(seal)) {
            tracing::warn!(run = self.run, "an answer in Redis is not one of ours; the store answers");
            return None;
        }
        Some(match serde_json::from_slice(answer).ok()? {
            Kept::Granted(granted) => Done::Granted(granted),
            Kept::Recorded(recorded) => Done::Recorded(recorded),
        })
    }

    /// Keeps what it was told, without making anybody wait. The commit is over. Where the store has become another
    /// meanwhile, nobody knows which of them has it.
    pub(crate) fn keep(self, spine: &Spine, ctx: &CallContext, done: &Done) {
        if spine.store_name().as_ref() != Some(&self.store) {
            return;
        }
        let kept = match done {
            Done::Granted(granted) if granted.recorded => Kept::Granted(granted.clone()),
            Done::Recorded(recorded) if recorded.recorded => Kept::Recorded(recorded.clone()),
            _ => return,
        };
        let Ok(answer) = serde_json::to_vec(&kept) else { return };
        let mut sealed = self.seal(ctx, &answer).into_bytes();
        sealed.extend(answer);
        tokio::spawn(async move {
            // A failure is told of where it is noticed; the store has the answer.
            let _ = self.redis.mark_completed(&self.name, &self.request, &sealed).await;
        });
    }

    /// Binds an answer to its call.
    fn seal(&self, ctx: &CallContext, answer: &[u8]) -> String {
        let place = format!("{}\0{}", self.name, self.request);
        keyed(&ctx.tenant.key, "idempotency/answer", &self.run, &place, answer).to_string()
    }
}
