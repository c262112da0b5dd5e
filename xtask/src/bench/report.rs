//! What came of a bench: as JSON, and as tables.

use super::{
    lists::ListPage,
    load::Sample,
    spans::Trace,
    stats::{Latencies, millis, number, ratio},
    table::{Table, figure, maybe, percent},
};
use serde_json::{Value, json};
use std::time::Duration;

/// How much of something was done in a second.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    pub(super) what: &'static str,
    pub(super) callers: usize,
    pub(super) per_second: f64,
    /// Milliseconds at 50, 90 and 99 %.
    latency: [Option<f64>; 3],
    /// Microseconds of processor for each, by process.
    cpu: Vec<(&'static str, f64)>,
    /// Answers that did not count: status, how many, the first one.
    pub(super) others: Vec<(u16, usize, String)>,
    /// How many processors something else kept busy meanwhile.
    disturbance: Option<f64>,
}

/// More than the system itself takes for the sockets and files of the measured: then the figures are of less worth.
const DISTURBED: f64 = 0.25;

impl Rate {
    pub(super) const COMMITS: &'static str = "the store's own commits";
    pub(super) const BARE: &'static str = "bare route (GET /healthz)";
    pub(super) const STEPS: &'static str = "governed steps";

    pub(super) fn new(what: &'static str, callers: usize, sample: &Sample) -> Self {
        let others =
            sample.others.iter().map(|(status, (count, text))| (*status, *count, text.clone())).collect();
        let (per_second, latency, cpu) = (sample.per_second(), sample.latencies.shown(), sample.cpu.clone());
        Self { what, callers, per_second, latency, cpu, others, disturbance: sample.disturbance }
    }

    pub(super) fn of_commits(callers: usize, per_second: f64, latencies: &Latencies) -> Self {
        let (latency, cpu, others) = (latencies.shown(), Vec::new(), Vec::new());
        Self { what: Self::COMMITS, callers, per_second, latency, cpu, others, disturbance: None }
    }

    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        let [p50, _, p99] = self.latency.map(maybe);
        format!(
            "{}, {} callers: {}/s, p50 {p50} ms, p99 {p99} ms",
            self.what,
            self.callers,
            figure(self.per_second)
        )
    }

    fn json(&self, of: &Store) -> Value {
        let [p50, p90, p99] = self.latency;
        let cpu: Value = self.cpu.iter().map(|(name, used)| ((*name).to_owned(), json!(used))).collect();
        let others: Vec<Value> = self
            .others
            .iter()
            .map(|(status, count, first)| json!({ "status": status, "count": count, "first": first }))
            .collect();
        json!({
            "what": self.what, "callers": self.callers, "per_second": self.per_second,
            "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "cpu_us_each": cpu, "other_answers": others,
            "cores_of_others": self.disturbance,
            "of_commits": of.of_commits(self), "of_bare_route": of.of_bare(self),
        })
    }
}

/// A run of some length, from its first step to its verified bundle.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) steps: usize,
    pub(super) fill: Duration,
    pub(super) seal: Duration,
    pub(super) export: Duration,
    pub(super) verify: Duration,
    pub(super) bytes: usize,
}

impl Bundle {
    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        let (export, verify) = (figure(millis(self.export)), figure(millis(self.verify)));
        format!("a run of {} steps: bundle {export} ms, verified {verify} ms", self.steps)
    }

    fn json(&self) -> Value {
        json!({
            "steps": self.steps, "fill_ms": millis(self.fill), "seal_ms": millis(self.seal),
            "export_ms": millis(self.export), "verify_ms": millis(self.verify), "bytes": self.bytes,
        })
    }
}

/// Starting on a store that exists, and what rest and steps cost.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) start: Option<Duration>,
    /// Bytes, right after that start.
    pub(super) idle_memory: Option<u64>,
    /// Bytes, at the end of the load.
    pub(super) loaded_memory: Option<u64>,
    /// Bytes of the store for each step, and of the step's body.
    pub(super) disk_per_step: Option<f64>,
    pub(super) body_per_step: Option<f64>,
    /// The same of spans: what the store grew by while nothing but spans came, and what came.
    pub(super) disk_per_span: Option<f64>,
    pub(super) wire_per_span: Option<f64>,
}

/// Everything about one store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    /// `SQLite` or `Postgres 15.18`.
    pub(super) name: String,
    pub(super) rates: Vec<Rate>,
    pub(super) traces: Vec<Trace>,
    pub(super) bundles: Vec<Bundle>,
    pub(super) lists: Vec<ListPage>,
    pub(super) standing: Standing,
}

impl Store {
    fn find(&self, what: &str, callers: Option<usize>) -> Option<&Rate> {
        self.rates
            .iter()
            .find(|rate| rate.what == what && callers.is_none_or(|callers| rate.callers == callers))
    }

    /// Of what the store itself commits with as many callers.
    fn of_commits(&self, rate: &Rate) -> Option<f64> {
        let commits = self.find(Rate::COMMITS, Some(rate.callers))?;
        (rate.what != Rate::COMMITS && rate.what != Rate::BARE)
            .then(|| ratio(rate.per_second, commits.per_second))
            .flatten()
    }

    /// Of what the server answers when it does nothing.
    fn of_bare(&self, rate: &Rate) -> Option<f64> {
        let bare = self.find(Rate::BARE, None)?;
        (![Rate::COMMITS, Rate::BARE].contains(&rate.what))
            .then(|| ratio(rate.per_second, bare.per_second))
            .flatten()
    }

    pub(super) fn json(&self) -> Value {
        let standing = &self.standing;
        json!({
            "store": self.name,
            "rates": self.rates.iter().map(|rate| rate.json(self)).collect::<Vec<_>>(),
            "traces": self.traces.iter().map(trace_json).collect::<Vec<_>>(),
            "bundles": self.bundles.iter().map(Bundle::json).collect::<Vec<_>>(),
            "start_ms": standing.start.map(millis),
            "idle_memory_bytes": standing.idle_memory,
            "loaded_memory_bytes": standing.loaded_memory,
            "disk_bytes_per_step": standing.disk_per_step,
            "body_bytes_per_step": standing.body_per_step,
            "disk_bytes_per_span": standing.disk_per_span,
            "wire_bytes_per_span": standing.wire_per_span,
            "lists": self.lists.iter().map(ListPage::json).collect::<Vec<_>>(),
        })
    }

    /// Its tables, those that have rows.
    pub(super) fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        if !self.rates.is_empty() {
            tables.push(self.rate_table());
        }
        if !self.traces.is_empty() {
            tables.push(self.trace_table());
        }
        if !self.bundles.is_empty() {
            tables.push(self.bundle_table());
        }
        if !self.lists.is_empty() {
            tables.push(ListPage::table(&self.lists));
        }
        if self.standing.start.is_some() || self.standing.disk_per_span.is_some() {
            tables.push(self.standing_table());
        }
        tables
    }

    fn rate_table(&self) -> Table {
        let head = [
            "",
            "callers",
            "per s",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "of commits",
            "of bare route",
            "server us each",
            "database us each",
            "callers' us each",
        ];
        let mut table = Table::new(&head);
        for rate in &self.rates {
            let mut cells = vec![rate.what.to_owned(), rate.callers.to_string(), figure(rate.per_second)];
            cells.extend(rate.latency.map(maybe));
            cells.extend([percent(self.of_commits(rate)), percent(self.of_bare(rate))]);
            let used = |name| rate.cpu.iter().find(|(of, _)| *of == name).map(|(_, used)| *used);
            cells.extend(["server", "database", "callers"].map(|name| maybe(used(name))));
            table.row(cells);
        }
        table
    }

    fn trace_table(&self) -> Table {
        let mut table = Table::new(&["spans of one trace", "readable after ms", "spans/s", "read back ms"]);
        for trace in &self.traces {
            table.row([
                trace.spans.to_string(),
                figure(millis(trace.ingested)),
                figure(number(trace.spans) / trace.ingested.as_secs_f64()),
                figure(millis(trace.read)),
            ]);
        }
        table
    }

    fn bundle_table(&self) -> Table {
        let mut table = Table::new(&[
            "steps",
            "filled, steps/s",
            "seal ms",
            "bundle ms",
            "verify ms",
            "bundle KiB",
            "bytes a step",
        ]);
        for bundle in &self.bundles {
            let each = number(bundle.bytes) / number(bundle.steps);
            table.row([
                bundle.steps.to_string(),
                figure(number(bundle.steps) / bundle.fill.as_secs_f64()),
                figure(millis(bundle.seal)),
                figure(millis(bundle.export)),
                figure(millis(bundle.verify)),
                figure(number(bundle.bytes) / 1_024.0),
                figure(each),
            ]);
        }
        table
    }

    fn standing_table(&self) -> Table {
        let mut table = Table::new(&["", "measured"]);
        let standing = &self.standing;
        let mut row = |what: &str, value: Option<String>| {
            if let Some(value) = value {
                table.row([what.to_owned(), value]);
            }
        };
        let mib = |bytes: u64| format!("{} MiB", bytes.div_ceil(1 << 20));
        row("start with this store", standing.start.map(|took| format!("{} ms", figure(millis(took)))));
        row("memory at rest after that start", standing.idle_memory.map(mib));
        row("memory after the load", standing.loaded_memory.map(mib));
        row("the store's bytes a step", standing.disk_per_step.map(figure));
        row("bytes of the step's body", standing.body_per_step.map(figure));
        let of = |disk: Option<f64>, sent| disk.zip(sent).and_then(|(disk, sent)| ratio(disk, sent));
        let times = |ratio: Option<f64>| ratio.map(|ratio| format!("{} x", figure(ratio)));
        row("the store's bytes, of the body's", times(of(standing.disk_per_step, standing.body_per_step)));
        row("the store's bytes a span", standing.disk_per_span.map(figure));
        row("bytes of the span on the wire", standing.wire_per_span.map(figure));
        row("the store's bytes, of the wire's", times(of(standing.disk_per_span, standing.wire_per_span)));
        table
    }

    /// What should not be: answers that did not count.
    pub(super) fn anomalies(&self) -> Vec<String> {
        let of = |rate: &Rate| {
            let told = |(status, count, first): &(u16, usize, String)| {
                format!(
                    "{}: {}, {} callers: {count} answers {status}, first: {first}",
                    self.name, rate.what, rate.callers
                )
            };
            rate.others.iter().map(told).collect::<Vec<_>>()
        };
        self.rates.iter().flat_map(of).collect()
    }

    /// The most processors that something else kept busy during a measurement, where that is worth a word.
    pub(super) fn disturbance(&self) -> Option<f64> {
        let most = self.rates.iter().filter_map(|rate| rate.disturbance).fold(0.0, f64::max);
        (most > DISTURBED).then_some(most)
    }
}

fn trace_json(trace: &Trace) -> Value {
    json!({ "spans": trace.spans, "ingested_ms": millis(trace.ingested), "read_ms": millis(trace.read) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let rate = |what, callers, per_second| Rate {
            what,
            callers,
            per_second,
            latency: [Some(1.0), Some(2.0), None],
            cpu: vec![("server", 120.0)],
            others: Vec::new(),
            disturbance: None,
        };
        let mut refused = rate(Rate::STEPS, 8, 1_000.0);
        refused.others.push((503, 2, "503 busy".to_owned()));
        Store {
            name: "SQLite".to_owned(),
            rates: vec![rate(Rate::COMMITS, 8, 4_000.0), rate(Rate::BARE, 32, 50_000.0), refused],
            traces: Vec::new(),
            bundles: vec![Bundle {
                steps: 20,
                fill: Duration::from_millis(10),
                seal: Duration::from_millis(2),
                export: Duration::from_millis(3),
                verify: Duration::from_millis(4),
                bytes: 40_960,
            }],
            lists: Vec::new(),
            standing: Standing {
                disk_per_step: Some(2_000.0),
                body_per_step: Some(1_000.0),
                ..Standing::default()
            },
        }
    }

    #[test]
    fn steps_are_compared_with_what_the_machine_can_do() {
        let json = store().json();
        assert_eq!(json["rates"][2]["of_commits"], 0.25);
        assert_eq!(json["rates"][2]["of_bare_route"], 0.02);
        assert_eq!(json["rates"][0]["of_commits"], Value::Null);
        assert_eq!(json["rates"][2]["other_answers"][0]["count"], 2);
        assert_eq!(json["bundles"][0]["bytes"], 40_960);
    }

    #[test]
    fn tables_show_ratios_and_leave_out_what_was_not_measured() {
        let tables = store().tables();
        assert_eq!(tables.len(), 2);
        let rates = tables[0].text();
        let steps = rates.lines().last().expect("a row").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(steps, "governed steps 8 1,000 1.00 2.00 - 25.0 % 2.00 % 120 - -");
        let bundle = tables[1].text();
        assert!(bundle.lines().last().expect("a row").ends_with("2,048"), "{bundle}");
    }

    #[test]
    fn an_answer_that_did_not_count_is_an_anomaly() {
        assert_eq!(
            store().anomalies(),
            ["SQLite: governed steps, 8 callers: 2 answers 503, first: 503 busy"]
        );
    }
}
