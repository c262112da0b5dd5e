//! The facts that a condition can read.

use proof::words::BindAt;

use crate::context::CallContext;

/// A fact that a condition can read.
pub type Fact = rules::known::Fact;
/// What its value is.
pub type FactType = rules::known::FactType;
/// What its number counts.
pub type FactUnit = rules::known::FactUnit;
/// Why it was not there to be read.
pub type Fault = rules::Fault;

/// The records that facts are members of, with what they are about.
pub const FACT_RECORDS: &[(&str, &str)] = rules::known::RECORDS;

/// The page about them all, docs/facts.md.
#[must_use]
pub fn facts_page() -> String {
    rules::known::page()
}

/// The facts that a condition reads; none of one that does not hold.
#[must_use]
pub fn facts_of(bind_at: BindAt, condition: &str) -> Vec<&'static Fact> {
    rules::condition::facts_of(bind_at, condition)
}

/// Every fact, and of which version of the facts.
#[derive(Clone, Copy, Debug)]
pub struct FactList {
    /// As decisions name it.
    pub schema_version: &'static str,
    /// In the order in which people should see them.
    pub facts: &'static [Fact],
}

/// Every fact that a condition can read; for whoever needs no credential to know them.
#[must_use]
pub const fn known_facts() -> FactList {
    FactList { schema_version: rules::SCHEMA_VERSION, facts: rules::known::FACTS }
}

/// `policies.list_facts`: every fact that a condition can read. They are the same for all tenants.
#[tracing::instrument(name = "policies.list_facts", skip_all, fields(tenant = %ctx.tenant.id))]
#[must_use]
pub fn list_facts(ctx: &CallContext) -> FactList {
    known_facts()
}
