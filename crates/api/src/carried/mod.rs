//! What a request carries with it from the edge, for all that reads it on its way: its id, how much it may take, what
//! its body holds, and whether the server stops. Also what an answer tells the edge.

mod ids;
mod packed_forms;
mod shown;

use std::{sync::Arc, time::Duration};

use axum::{extract::FromRequestParts, http::request::Parts};
use models::ids::TenantId;
use orchestrator::{Spine, budget::Share};
use tokio::sync::watch;

pub use self::shown::{Shown, Whose};
pub(crate) use self::{
    ids::{request_id, trace_id},
    packed_forms::PackedForms,
};

/// What a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The largest body.
    pub body_bytes: usize,
    /// The largest body of spans, and what it may become when it is unpacked.
    pub span_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long one may whose sender has shown no credential: no longer than any other.
    pub strangers_time: Duration,
    /// How long an answer may take to be made. Before its first byte it is packed then, which nobody waits for, and
    /// what its call left of a body is awaited for a moment.
    pub answer_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            span_bytes: 16 << 20,
            body_time: Duration::from_secs(30),
            strangers_time: Duration::from_secs(10),
            answer_time: Duration::from_mins(1),
        }
    }
}

/// What a request's body holds until it is answered. Shared by whoever reads it.
#[derive(Clone, Debug)]
pub(crate) struct BodyShare(pub(crate) Arc<Share>);

impl BodyShare {
    pub(crate) fn of(spine: &Spine) -> Self {
        Self(Arc::new(spine.bodies().share(None)))
    }

    /// Whose call it is, as soon as that is known.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.0.tenant()
    }
}

/// True from when the server stops.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<bool>);

/// Which request this is; what a problem's body names.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) request_id: String,
    pub(crate) instance: String,
}

impl<S: Sync> FromRequestParts<S> for About {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Marks an answer that is never packed: there is a secret in it, at whose text its packed length would hint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StaysPlain;

/// Marks an answer that is made as it is taken, and has an end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed;

/// Marks a refusal whose body is written already, in the words of another protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InItsOwnWords;
