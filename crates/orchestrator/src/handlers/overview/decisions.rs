//! What a person must decide now: projected from the domains that have such, never stored.

use chrono::{DateTime, Utc};
use drivers::overview::{Pending, PendingDecision as Row};
use models::page::{Page, PageRequest};
use proof::words::Severity;

use crate::{context::CallContext, errors::Error, spine::Spine};

proof::words! {
    /// Whose decision it is.
    SourceDomain { Incident = "INCIDENT", Policy = "POLICY" }

    /// What it is about.
    EntityType { Incident = "INCIDENT", PolicyProposal = "POLICY_PROPOSAL" }

    /// What is to be done.
    DecisionType { Ack = "ACK", Approve = "APPROVE" }

    /// How much it matters, most first.
    Priority { Critical = "CRITICAL", High = "HIGH", Medium = "MEDIUM", Low = "LOW" }
}

/// Something that waits for a person. To act is a call to the domain that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of PIN-413")]
pub struct PendingDecision {
    pub source_domain: SourceDomain,
    pub entity_type: EntityType,
    pub entity_id: String,
    pub decision_type: DecisionType,
    pub priority: Priority,
    pub summary: String,
    pub created_at: DateTime<Utc>,
    /// How many runs it concerns; 0 where it is about none.
    pub affected_count: u64,
    /// The agents of those runs, the first eight, and whether there are more.
    pub agents: Vec<String>,
    pub more_agents: bool,
}

/// `overview.decisions`: what waits for a person, the most urgent first, then the newest. The total is always there.
#[tracing::instrument(name = "overview.decisions", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn decisions(
    spine: &Spine,
    ctx: &CallContext,
    page: PageRequest,
) -> Result<Page<PendingDecision>, Error> {
    Ok(spine.read().await?.overview().decisions(ctx.tenant.id, &page).await?.map(shown))
}

fn shown(row: Row) -> PendingDecision {
    let Row { about, priority, summary, created_at, affected_count, agents, more_agents } = row;
    let (source_domain, entity_type, entity_id, decision_type) = match about {
        Pending::Incident(id) => {
            (SourceDomain::Incident, EntityType::Incident, id.to_string(), DecisionType::Ack)
        }
        Pending::Proposal(id) => {
            (SourceDomain::Policy, EntityType::PolicyProposal, id.to_string(), DecisionType::Approve)
        }
    };
    let priority = priority_of(priority);
    PendingDecision {
        source_domain,
        entity_type,
        entity_id,
        decision_type,
        priority,
        summary,
        created_at,
        affected_count,
        agents,
        more_agents,
    }
}

/// The severity of what waits, as a priority.
pub(super) fn priority_of(severity: Severity) -> Priority {
    match severity {
        Severity::Critical => Priority::Critical,
        Severity::High => Priority::High,
        Severity::Medium => Priority::Medium,
        Severity::Low => Priority::Low,
    }
}
