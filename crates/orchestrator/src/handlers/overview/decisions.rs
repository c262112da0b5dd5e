//! What a person must decide now: projected from the domains that have such, never stored.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use drivers::overview::{Pending, PendingCount, PendingDecision as Row};
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

/// How many decisions wait, of one domain and priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DecisionCount {
    pub source_domain: SourceDomain,
    pub priority: Priority,
    pub count: u64,
}

/// How many decisions wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionCounts {
    /// All of them.
    pub total: u64,
    /// By domain; every domain is there.
    pub by_domain: BTreeMap<SourceDomain, u64>,
    /// By priority; every priority is there.
    pub by_priority: BTreeMap<Priority, u64>,
    /// By both; what there is none of is not.
    pub counts: Vec<DecisionCount>,
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

/// `overview.decisions_count`: how much waits, by domain and priority.
#[tracing::instrument(name = "overview.decisions_count", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn decisions_count(spine: &Spine, ctx: &CallContext) -> Result<DecisionCounts, Error> {
    Ok(counted(&spine.read().await?.overview().decision_counts(ctx.tenant.id).await?))
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

fn counted(rows: &[PendingCount]) -> DecisionCounts {
    let mut counts = DecisionCounts {
        by_domain: SourceDomain::ALL.iter().map(|domain| (*domain, 0)).collect(),
        by_priority: Priority::ALL.iter().map(|priority| (*priority, 0)).collect(),
        ..DecisionCounts::default()
    };
    for row in rows {
        let source_domain = if row.incidents { SourceDomain::Incident } else { SourceDomain::Policy };
        let (priority, count) = (priority_of(row.priority), row.count);
        counts.total += count;
        *counts.by_domain.entry(source_domain).or_default() += count;
        *counts.by_priority.entry(priority).or_default() += count;
        counts.counts.push(DecisionCount { source_domain, priority, count });
    }
    counts
}

fn priority_of(severity: Severity) -> Priority {
    match severity {
        Severity::Critical => Priority::Critical,
        Severity::High => Priority::High,
        Severity::Medium => Priority::Medium,
        Severity::Low => Priority::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up() {
        let row = |incidents, priority, count| PendingCount { incidents, priority, count };
        let counts = counted(&[
            row(true, Severity::Critical, 2),
            row(true, Severity::Medium, 1),
            row(false, Severity::Medium, 4),
        ]);
        assert_eq!(counts.total, 7);
        assert_eq!(counts.by_domain[&SourceDomain::Policy], 4);
        assert_eq!(counts.by_priority[&Priority::Medium], 5);
        assert_eq!(counts.by_priority[&Priority::Low], 0, "it is there, and none wait");
        assert_eq!(counts.counts.len(), 3);
    }
}
