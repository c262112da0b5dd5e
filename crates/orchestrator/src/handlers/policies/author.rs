//! Who changes a rule or limit.

use chrono::{DateTime, Utc};
use engines::{ledger::AuditLedgerService, policies::Authored};

use crate::context::CallContext;

/// The caller, as the author of a change.
pub(super) fn author<'a>(
    ctx: &'a CallContext,
    ledger: &'a AuditLedgerService,
    now: DateTime<Utc>,
) -> Authored<'a> {
    Authored { ledger, by: &ctx.actor_id, now }
}
