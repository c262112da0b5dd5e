//! What a group knows of ends and kills that come with an idempotency key.

use std::collections::HashMap;

use models::{account::KeptAnswer, ids::KeyId};

use crate::choke::call::Done;

/// The ends and kills of a group that have an idempotency key, by credential and key, as far as something is known of
/// them.
pub(in crate::choke) type Kept = HashMap<(KeyId, String), Known>;

/// What is known of such a call.
pub(in crate::choke) enum Known {
    /// It was answered before this group.
    Stored(KeptAnswer),
    /// It was decided in this group.
    Decided(KeptAnswer, Done),
}

impl Known {
    pub(in crate::choke) fn call(&self) -> &KeptAnswer {
        match self {
            Self::Stored(call) | Self::Decided(call, _) => call,
        }
    }
}
