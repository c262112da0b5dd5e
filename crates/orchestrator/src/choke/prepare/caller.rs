//! Who calls the choke point, and what exists for it.

use models::ids::KeyId;
use serde::{Deserialize, Serialize};

use crate::{choke::call::StartRun, context::CallContext};

/// Who calls the choke point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Caller {
    /// None for the sweeper, which is nobody.
    pub(in crate::choke) key: Option<KeyId>,
    /// An agent's key: only the runs made with it exist for it.
    pub(in crate::choke) own_only: bool,
    pub(in crate::choke) correlation_id: String,
}

impl Caller {
    /// Who exports spans: services of one tenant share a trace, whatever keys they have.
    pub(in crate::choke) fn reporting(ctx: &CallContext) -> Self {
        Self { own_only: false, ..ctx.into() }
    }

    /// Whether a run that `key` opened is the caller's own.
    pub(in crate::choke) fn opened(&self, key: KeyId) -> bool {
        self.key == Some(key)
    }

    /// Whose the runs are that it opens.
    pub(in crate::choke) fn owner(&self) -> KeyId {
        self.key.unwrap_or(KeyId::NOBODY)
    }

    /// Under what a start is known to be repeated, where it has a key: each credential has its own.
    pub(in crate::choke) fn start_key(&self, start: &StartRun) -> Option<(KeyId, String)> {
        start.idempotency_key.clone().map(|key| (self.owner(), key))
    }

    /// Whether a run that `key` opened exists for the caller.
    pub(in crate::choke) fn sees(&self, key: KeyId) -> bool {
        !self.own_only || self.opened(key)
    }

    /// As records name who reported something.
    pub(in crate::choke) fn reporter(&self) -> Option<String> {
        self.key.and_then(KeyId::real).map(|key| key.to_string())
    }
}

impl From<&CallContext> for Caller {
    fn from(ctx: &CallContext) -> Self {
        Self {
            key: Some(ctx.key),
            own_only: ctx.sees_only_own_runs(),
            correlation_id: ctx.correlation_id.clone(),
        }
    }
}
