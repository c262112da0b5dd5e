//! What the store itself commits in a second: one small row a transaction, with nothing of ours above the driver.

use std::time::{Duration, Instant};

use drivers::{Db, StoreError};
use models::{
    ids::{SystemRecordId, TenantId},
    logs::{SystemEventType, SystemRecord, SystemSeverity},
};

use crate::spine::{Clock as _, Entropy as _, SystemClock, SystemEntropy};

/// What callers committed, each one after the other.
#[derive(Clone, Debug, Default)]
pub struct Commits {
    /// What each commit took, from the begin of its transaction on, in no order.
    pub latencies: Vec<Duration>,
    /// From the first begin to the last commit.
    pub elapsed: Duration,
}

impl Commits {
    /// Commits a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "commits of a bench are far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Lets `callers` commit system records for `window`. The rows stay, so this is for a store that is thrown away.
pub async fn commits(db: &Db, callers: usize, window: Duration) -> Result<Commits, StoreError> {
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|_| tokio::spawn(caller(db.clone(), began + window))).collect();
    let mut all = Commits::default();
    for task in futures::future::join_all(tasks).await {
        let latencies = match task {
            Ok(done) => done?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        all.latencies.extend(latencies);
    }
    all.elapsed = began.elapsed();
    Ok(all)
}

async fn caller(db: Db, end: Instant) -> Result<Vec<Duration>, StoreError> {
    let mut latencies = Vec::new();
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok(latencies);
        }
        let record = record();
        let tx = db.begin().await?;
        tx.logs().insert_system_records(&[record]).await?;
        tx.commit().await?;
        latencies.push(began.elapsed());
    }
}

fn record() -> SystemRecord {
    let now = SystemClock.now();
    SystemRecord {
        tenant: TenantId::INSTALLATION,
        id: SystemRecordId::from(SystemEntropy.id(now)),
        component: "bench".to_owned(),
        event_type: SystemEventType::HealthCheck,
        severity: SystemSeverity::Info,
        summary: "one row, one commit".to_owned(),
        details: None,
        caused_by: None,
        correlation_id: None,
        created_at: now,
    }
}
