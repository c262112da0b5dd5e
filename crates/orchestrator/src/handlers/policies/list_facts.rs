//! The facts that a condition can read.

pub use rules::{
    Fault,
    condition::facts_of,
    known::{Fact, FactType, RECORDS as FACT_RECORDS, Unit as FactUnit, page as facts_page},
};

use crate::context::CallContext;

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
