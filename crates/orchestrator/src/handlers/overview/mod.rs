//! Overview: is the system okay right now, and what waits for a person? It owns no table and writes nothing: each
//! operation is one transaction that can only read (INV-OVERVIEW-001).

mod costs;
mod costs_trend;
mod decisions;
mod decisions_count;
mod highlights;
mod period;

pub use self::{
    costs::{Budget, BudgetStatus, BudgetUnit, Costs, costs},
    costs_trend::{AgentOfTrend, DayOfTrend, ModelOfTrend, Trend, costs_trend},
    decisions::{DecisionType, EntityType, PendingDecision, Priority, SourceDomain, decisions},
    decisions_count::{DecisionCount, DecisionCounts, decisions_count},
    highlights::{DomainCount, Highlights, Pulse, PulseStatus, highlights},
};
