//! Pages of long lists: rows by `hoc bench-rows`, pages by the endpoints that everybody reads.

use super::{
    bodies::{self, Bodies},
    found::Found,
    hoc::Hoc,
    http::Client,
    list_page::ListPage,
    stats::Latencies,
    tenant,
};
use anyhow::{Context as _, ensure};
use std::time::{Duration, Instant};

const RUNS: &str = "/api/v1/runtime/activity/runs";
const AUDIT: &str = "/api/v1/runtime/logs/audit";
const HIGHLIGHTS: &str = "/api/v1/runtime/overview/highlights";

/// Reads of one page, at most, and how long they may take in all.
const READS: usize = 300;
const TIME: Duration = Duration::from_secs(4);
/// Reads before those that count.
const WARM_UP: usize = 10;

/// Fills the lists up to so many rows and reads pages of them.
pub(super) fn measure(
    hoc: &Hoc,
    rows: u64,
    (admin, agent): (&str, &str),
    found: &mut Found<'_>,
) -> anyhow::Result<()> {
    some_runs(hoc, agent)?;
    let began = Instant::now();
    for list in ["runs", "audit"] {
        hoc.rows(list, 0, rows)?;
    }
    found.progress.say(&format!("lists of {rows} rows, filled in {:.0} s", began.elapsed().as_secs_f64()));
    let server = hoc.serve()?;
    let mut client = server.client(admin);
    for (what, path) in pages(&mut client, rows)? {
        if let Some(latencies) = found.or_missed(what, read(&mut client, &path)) {
            let page = ListPage { rows, what, latencies };
            found.progress.say(&page.line());
            found.store.lists.push(page);
        }
    }
    server.stop()
}

/// What is multiplied: sealed runs. The Audit Ledger has the tenant's rules and limits already.
fn some_runs(hoc: &Hoc, agent: &str) -> anyhow::Result<()> {
    let server = hoc.serve()?;
    let mut client = server.client(agent);
    for seed in 0..3 {
        let run = tenant::start_run(&mut client)?;
        let step = Bodies::new(7_000 + seed).step();
        client.post(&bodies::path(&run, "/steps"), step.as_bytes())?.expect(200)?;
        client.post(&bodies::path(&run, "/complete"), br#"{"status":"SUCCEEDED"}"#)?.expect(200)?;
    }
    server.stop()
}

/// The pages that are read, by what they are.
fn pages(client: &mut Client, rows: u64) -> anyhow::Result<Vec<(&'static str, String)>> {
    let middle = moment(rows / 2)?;
    let mut deep = |list: &str, before: &str| {
        let page = client.get(&format!("{list}?limit=1&{before}={middle}"))?.expect(200)?.json()?;
        let cursor = page["next_cursor"].as_str().context("the middle of the list has a cursor")?;
        anyhow::Ok(format!("{list}?cursor={cursor}"))
    };
    let (deep_runs, deep_audit) = (deep(RUNS, "started_before")?, deep(AUDIT, "created_before")?);
    let entry = client.get(&format!("{AUDIT}?limit=1"))?.expect(200)?.json()?;
    let of = |member: &str| entry["items"][0][member].as_str().unwrap_or_default().to_owned();
    let (event, entity) = (of("event_type"), of("entity_id"));
    Ok(vec![
        ("runs, first page", RUNS.to_owned()),
        ("runs, first page and total", format!("{RUNS}?total=true")),
        ("runs, page in the middle", deep_runs),
        ("runs, one agent", format!("{RUNS}?agent_id=agent-7")),
        ("runs, one agent, FAILED", format!("{RUNS}?agent_id=agent-7&status=FAILED")),
        ("runs, one agent, VIOLATED", format!("{RUNS}?agent_id=agent-7&risk_level=VIOLATED")),
        // No run passes both.
        ("runs, one agent, HALTED: none", format!("{RUNS}?agent_id=agent-7&status=HALTED")),
        ("runs, one agent, FAILED, total", format!("{RUNS}?agent_id=agent-7&status=FAILED&total=true")),
        (
            "runs, SUCCEEDED before the middle, total",
            format!("{RUNS}?status=SUCCEEDED&started_before={middle}&total=true"),
        ),
        ("runs, FAILED before the middle", format!("{RUNS}?status=FAILED&started_before={middle}")),
        ("audit, first page", AUDIT.to_owned()),
        ("audit, page in the middle", deep_audit),
        ("audit, one kind of event", format!("{AUDIT}?event_type={event}")),
        (
            "audit, one entity before the middle",
            format!("{AUDIT}?entity_id={entity}&created_before={middle}"),
        ),
        ("overview, highlights", HIGHLIGHTS.to_owned()),
    ])
}

/// The time of a row: row n is n seconds into 2025.
fn moment(row: u64) -> anyhow::Result<String> {
    let (day, second) = (row / 86_400, row % 86_400);
    ensure!(day < 31, "rows beyond January have no time here");
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    Ok(format!("2025-01-{:02}T{hour:02}:{minute:02}:{second:02}Z", day + 1))
}

fn read(client: &mut Client, path: &str) -> anyhow::Result<Latencies> {
    let (all, mut took) = (Instant::now(), Vec::new());
    for read in 0..WARM_UP + READS {
        let one = Instant::now();
        client.get(path)?.expect(200).with_context(|| path.to_owned())?;
        // Where one read takes long, there is no time for any that do not count.
        if read >= WARM_UP || one.elapsed() > TIME / 10 {
            took.push(one.elapsed());
        }
        if all.elapsed() > TIME {
            break;
        }
    }
    Ok(Latencies::new(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_second_of_january() {
        assert_eq!(moment(2_500_000).expect("in January"), "2025-01-29T22:26:40Z");
        assert!(moment(31 * 86_400).is_err());
    }
}
