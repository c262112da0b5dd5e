//! How much waits for a person.

use std::collections::BTreeMap;

use drivers::overview::PendingCount;

use super::decisions::{Priority, SourceDomain, priority_of};
use crate::{context::CallContext, errors::Error, spine::Spine};

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

/// `overview.decisions_count`: how much waits, by domain and priority.
#[tracing::instrument(name = "overview.decisions_count", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn decisions_count(spine: &Spine, ctx: &CallContext) -> Result<DecisionCounts, Error> {
    Ok(counted(&spine.read().await?.overview().decision_counts(ctx.tenant.id).await?))
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

#[cfg(test)]
mod tests {
    use proof::words::Severity;

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
