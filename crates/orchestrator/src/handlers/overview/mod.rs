//! Overview: is the system okay right now, and what waits for a person? It owns no table and writes nothing: each
//! operation is one transaction that can only read (INV-OVERVIEW-001).

mod costs;
mod decisions;
mod highlights;

pub use self::{
    costs::{
        AgentOfTrend, Budget, BudgetStatus, BudgetUnit, Costs, DayOfTrend, ModelOfTrend, Trend, costs,
        costs_trend,
    },
    decisions::{
        DecisionCount, DecisionCounts, DecisionType, EntityType, PendingDecision, Priority, SourceDomain,
        decisions, decisions_count,
    },
    highlights::{DomainCount, Highlights, Pulse, PulseStatus, highlights},
};
