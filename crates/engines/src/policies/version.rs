//! A definition with the integrity row without which it cannot be in force.

use chrono::{DateTime, Utc};
use models::policies::{DefinitionIntegrity, Limit, Rule};
use proof::{hash::Hash, words::IntegrityStatus};

use crate::ledger::AuditLedgerService;

/// A new version, to be stored together with its integrity row.
#[derive(Clone, Debug, PartialEq)]
pub struct Version<T> {
    /// The rule or limit as it is from now on.
    pub of: T,
    /// The hash over its whole definition.
    pub integrity: DefinitionIntegrity,
}

/// Who makes a rule or a limit, and when.
#[derive(Clone, Copy, Debug)]
pub struct Authored<'a> {
    /// Makes the audit rows in the author's name.
    pub ledger: &'a AuditLedgerService,
    /// The author.
    pub by: &'a str,
    /// The moment.
    pub now: DateTime<Utc>,
}

impl Version<Rule> {
    pub(super) fn of_rule(rule: Rule, now: DateTime<Utc>) -> Self {
        let integrity = whole(rule.definition.hash_root(), now);
        Self { of: rule, integrity }
    }
}

impl Version<Limit> {
    pub(super) fn of_limit(limit: Limit, now: DateTime<Utc>) -> Self {
        let integrity = whole(limit.definition.hash_root(), now);
        Self { of: limit, integrity }
    }
}

/// The integrity of a definition that was just made: nothing of it is in doubt.
fn whole(hash_root: Hash, computed_at: DateTime<Utc>) -> DefinitionIntegrity {
    DefinitionIntegrity { status: IntegrityStatus::Verified, score_permille: 1000, hash_root, computed_at }
}
