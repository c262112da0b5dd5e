//! Tables of rules, limits and what came of them.

pub mod limit_breaches;
pub mod limit_integrity;
pub mod limit_usage;
pub mod limit_versions;
pub mod limits;
pub mod permits;
pub mod policy_enforcements;
pub mod policy_proposals;
pub mod policy_rule_integrity;
pub mod policy_rule_versions;
pub mod policy_rules;
pub mod policy_snapshots;
pub mod prevention_records;
