//! Overview: what waits for a decision, from every domain that has such, what model calls cost, and how many spans were
//! rejected. Reads only, and owns no table: the tables are those of other domains, so they are named here as text.

mod costs;

use chrono::{DateTime, Utc};
use models::{
    ids::{IncidentId, ProposalId, TenantId},
    page::{Cursor, Page, PageRequest},
};
use proof::words::Severity;
use sea_orm::{DbBackend, QueryResult, Statement, Value, entity::prelude::Uuid};

use crate::{StoreError, driver::driver, field::Field as _, tally};

driver! {
    /// Reads what waits for a decision, and what was spent.
    read Overview;
}

/// What waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDecision {
    /// What it is about.
    pub about: Pending,
    /// How much it matters: an incident's severity; a proposal's is medium, or high if it came from a critical
    /// incident.
    pub priority: Severity,
    /// One line for a person.
    pub summary: String,
    /// Since when it waits.
    pub created_at: DateTime<Utc>,
    /// How many runs it concerns.
    pub affected_count: u64,
    /// Agents of those runs, and whether there are more.
    pub agents: Vec<String>,
    /// See `agents`.
    pub more_agents: bool,
}

/// What a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// An ACTIVE incident wants to be acknowledged.
    Incident(IncidentId),
    /// A draft proposal wants to be approved, or rejected.
    Proposal(ProposalId),
}

/// How many decisions wait, in one domain and of one priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingCount {
    /// Whether these are incidents; proposals if not.
    pub incidents: bool,
    /// Their priority.
    pub priority: Severity,
    /// How many.
    pub count: u64,
}

/// Every row of it begins with the tenant, which is bound twice.
const PENDING: &str = "\
SELECT i.id AS id, 'incident' AS about, i.severity AS priority, i.title AS summary, i.created_at AS created_at, \
i.affected_count AS runs, i.agents AS agents, i.more_agents AS more, CASE i.severity WHEN 'critical' THEN 0 \
WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END AS urgency FROM incidents i WHERE i.tenant_id = $1 AND i.lifecycle_state = 'ACTIVE' \
UNION ALL \
SELECT p.id, 'proposal', CASE WHEN c.severity = 'critical' THEN 'high' ELSE 'medium' END, p.name, p.created_at, \
0, '[]', FALSE, CASE WHEN c.severity = 'critical' THEN 1 ELSE 2 END FROM policy_proposals p \
LEFT JOIN incidents c ON c.tenant_id = p.tenant_id AND c.id = p.triggering_incident_id \
WHERE p.tenant_id = $1 AND p.status = 'draft'";

impl Overview<'_> {
    /// What waits for a decision, the most urgent first, and the newest first of what is as urgent. The total is always
    /// there.
    pub async fn decisions(
        self,
        tenant: TenantId,
        page: &PageRequest,
    ) -> Result<Page<PendingDecision>, StoreError> {
        let counts = self.decision_counts(tenant).await?;
        let total = counts.iter().map(|count| count.count).sum();
        let limit = i64::try_from(page.limit() + 1).unwrap_or(i64::MAX);
        let cursor = page.cursor.map(Cursor::ranked).transpose().map_err(StoreError::Cursor)?;
        let mut all: Vec<Value> = vec![tenant.0.into(), limit.into()];
        let place = cursor.map_or("", |(rank, at, id)| {
            all.extend([i64::from(rank).into(), at.into(), id.into()]);
            "WHERE urgency > $3 OR (urgency = $3 AND (created_at, id) < ($4, $5)) "
        });
        let sql = format!(
            "SELECT id, about, priority, summary, created_at, runs, agents, more FROM ({PENDING}) AS pending {place}\
             ORDER BY urgency, created_at DESC, id DESC LIMIT $2"
        );
        let rows = self.conn.rows(self.statement(&sql, all)).await?;
        let rows = rows.iter().map(decision).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page, Some(total), |row| Cursor::Ranked {
            rank: urgency(row.priority),
            at: row.created_at,
            id: row.about.id(),
        }))
    }

    /// How many decisions wait, by domain and priority; what there is none of is not listed.
    pub async fn decision_counts(self, tenant: TenantId) -> Result<Vec<PendingCount>, StoreError> {
        let sql = format!(
            "SELECT about, priority, COUNT(*) FROM ({PENDING}) AS pending GROUP BY about, priority ORDER BY about, priority"
        );
        let rows = self.conn.rows(self.statement(&sql, vec![tenant.0.into()])).await?;
        rows.iter()
            .map(|row| {
                let (about, priority): (String, String) =
                    (tally::value("pending", row, 0)?, tally::value("pending", row, 1)?);
                let priority = priority.get().map_err(|why| odd(&about, why))?;
                Ok(PendingCount {
                    incidents: about == "incident",
                    priority,
                    count: tally::number("pending", Some(row), 2)?,
                })
            })
            .collect()
    }

    /// How many spans the error records of a component tell of since then: the sum of what they call `spans`.
    pub async fn rejected_spans(
        self,
        tenant: TenantId,
        component: &str,
        since: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let details = match self.conn.backend() {
            DbBackend::Postgres => "CAST(r.details AS json)",
            _ => "r.details",
        };
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(CAST({details} ->> 'spans' AS BIGINT)), 0) AS BIGINT) FROM system_records r \
             WHERE r.tenant_id = $1 AND r.created_at > $2 AND r.component = $3 AND r.event_type = 'ERROR'"
        );
        let values: Vec<Value> = vec![tenant.0.into(), since.into(), component.into()];
        let rows = self.conn.rows(self.statement(&sql, values)).await?;
        tally::number("system_records", rows.first(), 0)
    }

    fn statement(self, sql: &str, values: Vec<Value>) -> Statement {
        let backend = self.conn.backend();
        let sql = match backend {
            DbBackend::Postgres => sql.to_owned(),
            // SQLite numbers its placeholders with another sign.
            _ => sql.replace('$', "?"),
        };
        Statement::from_sql_and_values(backend, sql, values)
    }
}

impl Pending {
    fn id(self) -> Uuid {
        match self {
            Self::Incident(id) => id.0,
            Self::Proposal(id) => id.0,
        }
    }
}

fn decision(row: &QueryResult) -> Result<PendingDecision, StoreError> {
    let (id, about, priority): (Uuid, String, String) = (
        tally::value("pending", row, 0)?,
        tally::value("pending", row, 1)?,
        tally::value("pending", row, 2)?,
    );
    Ok(PendingDecision {
        about: if about == "incident" {
            Pending::Incident(IncidentId(id))
        } else {
            Pending::Proposal(ProposalId(id))
        },
        priority: priority.get().map_err(|why| odd(&about, why))?,
        summary: tally::value("pending", row, 3)?,
        created_at: tally::value("pending", row, 4)?,
        affected_count: tally::number("pending", Some(row), 5)?,
        agents: tally::value::<String>("pending", row, 6)?.get().map_err(|why| odd(&about, why))?,
        more_agents: tally::value("pending", row, 7)?,
    })
}

/// As the query has it.
fn urgency(priority: Severity) -> u8 {
    match priority {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
    }
}

fn odd(about: &str, why: String) -> StoreError {
    StoreError::Corrupt { table: "pending", row: about.to_owned(), why }
}
