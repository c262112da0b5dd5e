//! What waits for the choke point: calls that go in order and in one transaction, and who waits for their answers.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{call::Answer, prepare::Call};
use crate::{budget::Share, context::TenantSettings};

/// The most calls that one transaction takes (spec 3).
pub const MAX_GROUP: usize = 500;

/// The most bytes of calls that one transaction takes, but for those that come together: what is decided and stored of
/// them is several times as long.
pub(super) const MAX_GROUP_BYTES: usize = 8 << 20;

/// What the calls of an item are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bond {
    /// A batch that stops at its first refusal, or a lone call.
    Together,
    /// Each stands alone: what has happened has happened, whatever came of the one before.
    EachAlone,
}

/// Calls that go in order and in one transaction.
pub(super) struct Item {
    pub(super) calls: Vec<Call>,
    /// About how many bytes they are.
    pub(super) weight: usize,
    pub(super) bond: Bond,
    /// The tenant as it was when they came: a group goes by the newest.
    pub(super) tenant: Arc<TenantSettings>,
    pub(super) reply: Reply,
}

impl Item {
    /// The calls, what they are to each other, and who waits for their answers.
    pub(super) fn divide(self) -> ((Vec<Call>, Bond), Reply) {
        ((self.calls, self.bond), self.reply)
    }
}

/// Who waits for the answers of an item.
pub(super) struct Reply {
    answer: oneshot::Sender<Vec<Option<Answer>>>,
    /// Counts the calls out when they are answered, or dropped.
    seats: Seats,
}

impl Reply {
    pub(super) fn new(answer: oneshot::Sender<Vec<Option<Answer>>>, seats: Seats) -> Self {
        Self { answer, seats }
    }

    pub(super) fn send(self, answers: Vec<Option<Answer>>) {
        let Self { answer, seats } = self;
        // Before it has its answer: it may come again at once.
        drop(seats);
        // A caller that went away does not want its answer; what was decided stays.
        let _ = answer.send(answers);
    }
}

/// The places that calls take in the waiting room, and their bytes. A caller that went away keeps its place until it is
/// decided: so memory stays bounded whatever callers do.
pub(super) struct Seats {
    _places: Share,
    _bytes: Share,
}

impl Seats {
    pub(super) fn of(places: Share, bytes: Share) -> Self {
        Self { _places: places, _bytes: bytes }
    }
}
