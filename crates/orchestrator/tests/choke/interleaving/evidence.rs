//! What a stranger can check, in the end: every run ends and its bundle verifies, and both logs do; and that counters
//! say what is there.

use std::collections::HashSet;

use kit::signing_key;
use models::ids::{RunId, TenantId};
use orchestrator::{
    CallContext, Error, Spine,
    choke::call::EndRun,
    coordinators::{check_counters, export_bundle, read_log::LogReading},
    handlers::{account, activity},
};
use proof::{leaves::AuditLeaf, words::LogName};
use verify::{
    Options, Row, Word,
    log::{AuditLog, LogReport, RunLog},
};

use super::world::World;

pub(super) async fn check(world: &World<'_>) -> Result<(), String> {
    let ids = "SELECT 'run_' || replace(id::text, '-', '') FROM runs WHERE tenant_id =";
    let runs = world.stage.witness.told(&format!("{ids} '{}' ORDER BY id", world.tenant().0)).await;
    let runs: Vec<RunId> = runs.iter().map(|run| run.parse().unwrap()).collect();
    Box::pin(of(&world.stage.kit.spine, &world.ctx, &world.admin, &runs)).await
}

/// The same of those runs of a tenant, of its logs and of its counters, whoever recorded them: by its agent, who ends
/// what has not ended, and by one who may read all.
pub(crate) async fn of(
    spine: &Spine,
    ctx: &CallContext,
    admin: &CallContext,
    runs: &[RunId],
) -> Result<(), String> {
    for run in runs {
        bundle(spine, ctx, admin, *run).await.map_err(|why| format!("{run}: {why}"))?;
    }
    Box::pin(logs(spine, ctx.tenant.id)).await?;
    Box::pin(counters(spine, ctx.tenant.id)).await
}

/// Whatever replicas did at the same moment, were cut off in and did anew.
async fn counters(spine: &Spine, tenant: TenantId) -> Result<(), String> {
    let found = check_counters::miscounts(spine, tenant).await;
    let found = found.map_err(|err| err.to_string())?;
    if found.is_empty() { Ok(()) } else { Err(format!("counters: {found:?}")) }
}

async fn bundle(spine: &Spine, ctx: &CallContext, admin: &CallContext, run: RunId) -> Result<(), String> {
    match activity::complete(spine, ctx, run, EndRun::Succeeded).await {
        Ok(_) | Err(Error::RunNotRunning { .. } | Error::RunKilled { .. }) => {}
        Err(err) => return Err(format!("it does not end: {err}")),
    }
    let bytes =
        export_bundle::bundle(spine, admin, run).await.map_err(|err| format!("it has no bundle: {err}"))?;
    let options = Options { reexecute: true, ..Options::default() };
    let report =
        verify::bundle(&bytes, &[signing_key().public()], &options).map_err(|err| err.to_string())?;
    if report.word == Word::Complete { Ok(()) } else { Err(report.to_string()) }
}

async fn logs(spine: &Spine, tenant: TenantId) -> Result<(), String> {
    let keys = [signing_key().public()];
    let tenants = account::list_tenants(spine).await.map_err(|err| err.to_string())?;
    for tenant in tenants.into_iter().filter(|one| one.id == tenant) {
        for log in [LogName::Audit, LogName::Runs] {
            let (reading, checkpoint) =
                LogReading::begin(spine, &tenant, log).await.map_err(|err| err.to_string())?;
            let report = match log {
                LogName::Audit => audit(&reading, AuditLog::new(&checkpoint.note, None, &keys)).await,
                LogName::Runs => runs(&reading, RunLog::new(&checkpoint.note, None, &keys)).await,
            };
            let report = report.map_err(|err| err.to_string())?;
            if report.word != Word::Complete || !report.open.is_empty() {
                return Err(format!("the log {log} of {}: {report}", tenant.slug));
            }
        }
    }
    Ok(())
}

async fn audit(reading: &LogReading, mut log: AuditLog) -> Result<LogReport, Error> {
    let mut next = 0;
    loop {
        let rows = reading.audit_rows(next).await?;
        let Some(last) = rows.last() else { return Ok(log.finish()) };
        next = last.leaf_index + 1;
        for row in rows {
            let (leaf_hash, leaf_index) = (row.leaf_hash, row.leaf_index);
            log.push(&Row { leaf: AuditLeaf::Entry(row.record), leaf_hash, leaf_index });
        }
    }
}

async fn runs(reading: &LogReading, mut log: RunLog) -> Result<LogReport, Error> {
    let mut next = 0;
    loop {
        let rows = reading.run_rows(next).await?;
        let Some(last) = rows.last() else { break };
        next = last.leaf_index + 1;
        for row in rows {
            log.push(&Row { leaf: row.leaf, leaf_hash: row.leaf_hash, leaf_index: row.leaf_index });
        }
    }
    let existing: HashSet<String> = reading.run_ids(None).await?.iter().map(ToString::to_string).collect();
    Ok(log.finish(&existing))
}
