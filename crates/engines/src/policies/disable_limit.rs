//! Taking a limit out of force.

use models::policies::Limit;
use proof::words::LimitStatus;

use super::{Authored, limit_state};
use crate::ledger::Governed;

/// A limit that is not in force already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit is disabled already")]
pub struct DisableError;

/// ACTIVE becomes DISABLED. The definition, and so its version, stays.
pub fn disable_limit(limit: &Limit, author: Authored<'_>) -> Result<Governed<Limit>, DisableError> {
    if limit.status == LimitStatus::Disabled {
        return Err(DisableError);
    }
    let after = Limit { status: LimitStatus::Disabled, updated_at: author.now, ..limit.clone() };
    let owed =
        author.ledger.limit_updated(&limit.definition.limit_id, limit_state(limit), limit_state(&after));
    Ok(Governed::new(after, owed))
}
