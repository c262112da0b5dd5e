//! One long trace, from its first span to being readable, and read back.

use super::{
    grid::{Better, Grid},
    http::Client,
    load::done,
    server::{Bench, timed},
    spans::{self, Exporter, LARGE_REQUEST},
    stats::{millis, number},
    table::figure,
};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// Spans of the one that is sent.
pub(super) const SPANS: usize = 10_000;

/// What came of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub(super) spans: usize,
    pub(super) ingested: Duration,
    pub(super) first_page: Duration,
    pub(super) read: Duration,
}

/// Sends one trace of so many spans, waits until it can be read, and reads it.
pub(super) fn measure(bench: &Bench<'_>, spans: usize) -> anyhow::Result<Trace> {
    let mut client = bench.server.client(bench.agent);
    let mut exporter = Exporter::new(bench.seed(9_000));
    let trace = exporter.trace();
    let (mut sent, mut took) = (0, Duration::ZERO);
    while sent < spans {
        let count = LARGE_REQUEST.min(spans - sent);
        let body = exporter.part(trace, sent, count);
        let (outcome, time) = timed(|| spans::export(&mut client, body, count))?;
        done(bench.counted(outcome, body.len())).context("a part of a long trace")?;
        took += time;
        sent += count;
    }
    let (run, found) = timed(|| newest_run(&mut client, spans))?;
    let ((read, first_page), reading) = timed(|| steps(&mut client, &run))?;
    ensure!(read == spans, "{read} of {spans} spans could be read");
    Ok(Trace { spans, ingested: took + found, first_page, read: reading })
}

fn newest_run(client: &mut Client, spans: usize) -> anyhow::Result<String> {
    let list = client.get("/api/v1/runtime/activity/runs?limit=1")?.expect(200)?.json()?;
    let run = &list["items"][0];
    ensure!(run["step_count"] == spans, "the newest run has {} steps, not {spans}", run["step_count"]);
    Ok(run["run_id"].as_str().context("a run has an id")?.to_owned())
}

/// How many there are, and how long the first page of them took.
fn steps(client: &mut Client, run: &str) -> anyhow::Result<(usize, Duration)> {
    let (mut read, mut cursor, mut first) = (0, String::new(), None);
    loop {
        let path = format!("/api/v1/runtime/activity/runs/{run}/steps?limit=200{cursor}");
        let (page, took) = timed(|| client.get(&path)?.expect(200)?.json())?;
        let first = *first.get_or_insert(took);
        read += page["items"].as_array().map_or(0, Vec::len);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok((read, first)),
        }
    }
}

impl Trace {
    /// Takes in what one more round of the same measured: what nothing else delayed counts.
    pub(super) fn join(&mut self, round: Self) {
        self.ingested = self.ingested.min(round.ingested);
        self.first_page = self.first_page.min(round.first_page);
        self.read = self.read.min(round.read);
    }

    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        format!(
            "a trace of {} spans: readable after {} ms ({} spans/s), read in {} ms",
            self.spans,
            figure(millis(self.ingested)),
            figure(self.per_second()),
            figure(millis(self.read))
        )
    }

    fn per_second(&self) -> f64 {
        number(self.spans) / self.ingested.as_secs_f64()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "spans": self.spans, "ingested_ms": millis(self.ingested),
            "first_page_ms": millis(self.first_page), "read_ms": millis(self.read),
        })
    }

    pub(super) fn grid(traces: &[Self]) -> Grid {
        let figures = &["readable after ms", "spans/s", "first page ms", "read back ms"];
        let mut grid = Grid::new(&["spans of one trace"], figures, Better::Less);
        for trace in traces {
            let [first, read] = [trace.first_page, trace.read].map(millis);
            let figures = [millis(trace.ingested), trace.per_second(), first, read];
            grid.row([trace.spans.to_string()], figures.map(Some));
        }
        grid
    }
}
