//! Many rows for the lists: what a store holds of a run and of the Audit Ledger, again and again, each under an id and
//! a time of its own. The rows are those of the real thing, by the real writer, so the lists have nothing made easy.

use chrono::{DateTime, Duration, Utc};
use drivers::Db;
use models::{
    activity::{RiskLevel, Run, RunFilter, RunState},
    ids::{AuditId, RunId, TraceId},
    logs::{AuditEntry, AuditFilter},
    page::PageRequest,
};
use proof::words::RunStatus;

use crate::{
    errors::Error,
    spine::{Entropy as _, SystemEntropy},
};

/// Rows of one transaction.
const CHUNK: u64 = 5_000;

/// Far above the leaves of a log that grows by itself meanwhile.
const FIRST_LEAF: u64 = 1 << 40;

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Runs, sealed ones.
    Runs,
    /// Entries of the Audit Ledger.
    Audit,
}

/// Adds rows number `from` up to `until` of a list of `slug`'s, which must have some already. Row n is n seconds after
/// the first, so the newest are the last ones added. For a store that is thrown away: no log has these leaves.
pub async fn multiply(db: &Db, slug: &str, rows: Rows, from: u64, until: u64) -> Result<(), Error> {
    let (runs, entries) = to_multiply(db, slug, rows).await?;
    if runs.is_empty() && entries.is_empty() {
        return Err(Error::not_found("row to multiply", slug));
    }
    let mut next = from;
    while next < until {
        let numbers = next..(next + CHUNK).min(until);
        next = numbers.end;
        let tx = db.begin().await?;
        match rows {
            Rows::Runs => {
                let made: Vec<Run> = numbers.map(|number| run(&runs, number)).collect();
                tx.activity().insert_runs(&made).await?;
            }
            Rows::Audit => {
                let made: Vec<AuditEntry> = numbers.map(|number| entry(&entries, number)).collect();
                tx.logs().insert_audit(&made).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

/// The rows that there are of a list.
async fn to_multiply(db: &Db, slug: &str, rows: Rows) -> Result<(Vec<Run>, Vec<AuditEntry>), Error> {
    let tx = db.read().await?;
    let tenant = tx.account().find_tenant_by_slug(slug).await?;
    let tenant = tenant.ok_or_else(|| Error::not_found("tenant", slug))?.id;
    let page = PageRequest::default();
    Ok(match rows {
        Rows::Runs => {
            let sealed = RunFilter { state: Some(RunState::Completed), ..RunFilter::default() };
            (tx.activity().list_runs(tenant, &sealed, &page).await?.items, Vec::new())
        }
        Rows::Audit => {
            (Vec::new(), tx.logs().list_audit(tenant, &AuditFilter::default(), &page).await?.items)
        }
    })
}

/// One of them by its number, in turn.
fn nth<T>(all: &[T], number: u64) -> &T {
    &all[usize::try_from(number).unwrap_or(0) % all.len()]
}

fn at(number: u64) -> DateTime<Utc> {
    // The first of January 2025.
    DateTime::from_timestamp(1_735_689_600, 0).unwrap_or_default()
        + Duration::seconds(i64::try_from(number).unwrap_or(0))
}

/// Fifty agents; of the runs of each one of ten FAILED, one of a hundred VIOLATED.
fn run(all: &[Run], number: u64) -> Run {
    let (began, of) = (at(number), nth(all, number));
    let ended = began + Duration::seconds(1);
    Run {
        id: RunId::from(SystemEntropy.id(began)),
        trace_id: TraceId::from(SystemEntropy.id(began)),
        agent_id: format!("agent-{}", number % 50),
        status: if number / 50 % 10 == 3 { RunStatus::Failed } else { RunStatus::Succeeded },
        risk_level: if number / 50 % 100 == 7 { RiskLevel::Violated } else { RiskLevel::Normal },
        started_at: began,
        last_seen_at: ended,
        completed_at: Some(ended),
        created_at: began,
        parent_run_id: None,
        replay_of: None,
        external_trace_id: None,
        idempotency_key: None,
        request_hash: None,
        ..of.clone()
    }
}

fn entry(all: &[AuditEntry], number: u64) -> AuditEntry {
    let (made, of) = (at(number), nth(all, number));
    let id = AuditId::from(SystemEntropy.id(made));
    let mut record = of.record.clone();
    record.id = id.to_string();
    record.created_at = models::time::text(made);
    (record.run_id, record.run_seq) = (None, None);
    AuditEntry { record, leaf_index: FIRST_LEAF + number, leaf_hash: of.leaf_hash }
}
