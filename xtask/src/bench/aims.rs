//! What the product should reach on two cores that it shares with callers and database, and whether it does.

use super::{
    grid::{Better, times},
    options::Kind,
    rate::Rate,
    stats::{mebibytes, millis},
    store::Store,
    table::{Table, figure, maybe},
    traces,
};
use serde_json::{Value, json};

/// Where a figure should be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One of them; a figure that was not measured is neither met nor missed.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    work: &'static str,
    measured: Option<f64>,
    unit: &'static str,
    bound: Bound,
}

/// The sizes that aims are about.
const BUNDLE: usize = 10_000;
const LONG_BUNDLE: usize = 100_000;
const LIST: u64 = 5_000_000;

/// All of a store, those first that people notice first.
pub(super) fn of(store: &Store) -> Vec<Aim> {
    [of_rates(store), of_traces(store), of_bundles(store), of_standing(store)].concat()
}

fn of_rates(store: &Store) -> Vec<Aim> {
    let by = |sqlite, postgres| if store.kind == Kind::Sqlite { sqlite } else { postgres };
    let rate = |what, callers| store.find(what, Some(callers));
    let at_least = |work, what, callers, bound| {
        let measured = rate(what, callers).map(|rate| rate.per_second);
        Aim { work, measured, unit: "/s", bound: Bound::AtLeast(bound) }
    };
    let latency = |work, callers, at: usize, bound| {
        let measured = rate(Rate::STEPS, callers).and_then(|rate| rate.latency[at]);
        Aim { work, measured, unit: "ms", bound: Bound::AtMost(bound) }
    };
    let (p50, p99) = (0, 2);
    vec![
        at_least("spans, 20 a request, 4 senders", Rate::SPANS, 4, by(15_000.0, 12_000.0)),
        at_least("spans, 500 a request, 4 senders", Rate::SPANS_AT_ONCE, 4, by(20_000.0, 18_000.0)),
        Aim {
            work: "server's processor time a span, 20 a request, 4 senders",
            measured: rate(Rate::SPANS, 4).and_then(|rate| rate.cpu_of("server")),
            unit: "us",
            bound: Bound::AtMost(75.0),
        },
        latency("lone governed step, p50", 1, p50, by(0.5, 1.0)),
        at_least("governed steps, 8 callers", Rate::STEPS, 8, 5_000.0),
        latency("governed steps, 8 callers, p50", 8, p50, 1.5),
        latency("governed steps, 8 callers, p99", 8, p99, 8.0),
        at_least("governed steps, 32 callers", Rate::STEPS, 32, by(8_000.0, 6_000.0)),
        at_least("permit and record, 8 callers", Rate::PERMITS, 8, 2_500.0),
    ]
}

fn of_traces(store: &Store) -> Vec<Aim> {
    let trace = store.traces.iter().find(|trace| trace.spans == traces::SPANS);
    let aim = |work, took: Option<_>, bound| Aim {
        work,
        measured: took.map(millis),
        unit: "ms",
        bound: Bound::AtMost(bound),
    };
    vec![
        aim("one trace of 10,000 spans: readable", trace.map(|trace| trace.ingested), 600.0),
        aim("one trace of 10,000 spans: first page", trace.map(|trace| trace.first_page), 100.0),
        aim("one trace of 10,000 spans: read back whole", trace.map(|trace| trace.read), 400.0),
    ]
}

fn of_bundles(store: &Store) -> Vec<Aim> {
    let of = |steps| store.bundles.iter().find(|bundle| bundle.steps == steps);
    let (bundle, long) = (of(BUNDLE), of(LONG_BUNDLE));
    // What the verifier holds for the shortest run is what it holds for any.
    let shortest = store.bundles.iter().min_by_key(|bundle| bundle.steps);
    let for_any = shortest.and_then(|bundle| bundle.verifier_memory).unwrap_or(0);
    let verifier = long.and_then(|bundle| bundle.verifier_memory).map(|most| most.saturating_sub(for_any));
    let aim = |work, measured, unit, bound| Aim { work, measured, unit, bound: Bound::AtMost(bound) };
    vec![
        aim("bundle of 10,000 steps", bundle.map(|bundle| millis(bundle.export)), "ms", 250.0),
        aim("bundle of 10,000 steps, verified", bundle.map(|bundle| millis(bundle.verify)), "ms", 100.0),
        aim("bundle of 100,000 steps: first byte", long.map(|bundle| millis(bundle.first_byte)), "ms", 100.0),
        aim(
            "bundle of 100,000 steps: server's extra memory",
            long.and_then(|bundle| bundle.server_memory).map(mebibytes),
            "MiB",
            64.0,
        ),
        aim("bundle of 100,000 steps: verifier's extra memory", verifier.map(mebibytes), "MiB", 64.0),
    ]
}

fn of_standing(store: &Store) -> Vec<Aim> {
    let standing = &store.standing;
    let lists = store.lists.iter().filter(|page| page.rows == LIST);
    let slowest = lists.filter_map(|page| page.latencies.percentile(95)).max();
    let aim = |work, measured, unit, bound| Aim { work, measured, unit, bound: Bound::AtMost(bound) };
    vec![
        aim("disk a span, of its wire size", standing.spans.times(), "x", 0.6),
        aim("disk a turn of a conversation of 20, of its wire size", standing.turns.times(), "x", 0.15),
        aim("memory at rest", standing.idle_memory.map(mebibytes), "MiB", 64.0),
        aim("memory 60 s after every kind of load", standing.rested_memory.map(mebibytes), "MiB", 128.0),
        aim("slowest list or Overview at 5 million rows, p95", slowest.map(millis), "ms", 10.0),
    ]
}

impl Aim {
    fn is_met(&self) -> Option<bool> {
        self.measured.map(|measured| match self.bound {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        })
    }

    pub(super) fn json(&self) -> Value {
        let (at_least, at_most) = match self.bound {
            Bound::AtLeast(least) => (Some(least), None),
            Bound::AtMost(most) => (None, Some(most)),
        };
        json!({
            "work": self.work, "measured": self.measured, "unit": self.unit,
            "at_least": at_least, "at_most": at_most, "met": self.is_met(),
        })
    }

    /// Which way it gets better.
    fn better(&self) -> Better {
        match self.bound {
            Bound::AtLeast(_) => Better::More,
            Bound::AtMost(_) => Better::Less,
        }
    }

    fn wanted(&self) -> String {
        match self.bound {
            Bound::AtLeast(least) => format!(">= {} {}", figure(least), self.unit),
            Bound::AtMost(most) => format!("<= {} {}", figure(most), self.unit),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.is_met() {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "-",
        }
    }

    /// How many are met, in words.
    pub(super) fn summary(aims: &[Self]) -> String {
        let count = |met| aims.iter().filter(|aim| aim.is_met() == met).count();
        let (met, missed, unmeasured) = (count(Some(true)), count(Some(false)), count(None));
        let unmeasured = if unmeasured > 0 { format!(", {unmeasured} not measured") } else { String::new() };
        format!("{met} of {} aims met, {missed} not met{unmeasured}", aims.len())
    }

    /// A row for each, beside what the same aim measured before where that is told.
    pub(super) fn table(aims: &[Self], before: Option<&[Self]>) -> Table {
        let Some(before) = before else {
            let mut table = Table::new(&["aim", "wanted", "measured", "met"]);
            for aim in aims {
                table.row([aim.work.to_owned(), aim.wanted(), maybe(aim.measured), aim.verdict().to_owned()]);
            }
            return table;
        };
        let mut table = Table::new(&["aim", "wanted", "before", "after", "ratio", "met"]);
        for aim in aims {
            let earlier = before.iter().find(|earlier| earlier.work == aim.work);
            let earlier = earlier.and_then(|earlier| earlier.measured);
            table.row([
                aim.work.to_owned(),
                aim.wanted(),
                maybe(earlier),
                maybe(aim.measured),
                times(aim.better().times(earlier, aim.measured)),
                aim.verdict().to_owned(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(work: &'static str, measured: Option<f64>, bound: Bound) -> Aim {
        Aim { work, measured, unit: "ms", bound }
    }

    /// The rows, without their first word and with one space between words.
    fn rows(table: &Table) -> Vec<String> {
        let words = |line: &str| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
        table.text().lines().skip(2).map(words).collect()
    }

    #[test]
    fn an_aim_is_met_on_its_side_of_the_bound() {
        let cases = [
            (Some(5_000.0), Bound::AtLeast(5_000.0), Some(true), ">= 5,000 ms 5,000 met"),
            (Some(4_999.0), Bound::AtLeast(5_000.0), Some(false), ">= 5,000 ms 4,999 NOT MET"),
            (Some(0.5), Bound::AtMost(0.6), Some(true), "<= 0.60 ms 0.50 met"),
            (Some(9.0), Bound::AtMost(1.5), Some(false), "<= 1.50 ms 9.00 NOT MET"),
            (None, Bound::AtMost(1.5), None, "<= 1.50 ms - -"),
        ];
        let aims: Vec<Aim> =
            cases.iter().map(|(measured, bound, ..)| aim("steps", *measured, *bound)).collect();
        let table = rows(&Aim::table(&aims, None));
        for ((aim, line), (.., met, text)) in aims.iter().zip(&table).zip(cases) {
            assert_eq!(aim.is_met(), met);
            assert_eq!(line, text);
        }
        assert_eq!(table.len(), aims.len());
        assert_eq!(Aim::summary(&aims), "2 of 5 aims met, 2 not met, 1 not measured");
        assert_eq!(Aim::summary(&aims[..2]), "1 of 2 aims met, 1 not met");
        assert_eq!(aims[0].json()["at_least"], 5_000.0);
    }

    #[test]
    fn an_aim_stands_beside_what_was_before_by_its_name() {
        let before = [
            aim("latency", Some(6.0), Bound::AtMost(1.5)),
            aim("rate", Some(1_000.0), Bound::AtLeast(5_000.0)),
        ];
        let after = [
            aim("rate", Some(4_000.0), Bound::AtLeast(5_000.0)),
            aim("latency", Some(1.5), Bound::AtMost(1.5)),
            aim("new", Some(1.0), Bound::AtMost(2.0)),
        ];
        let table = Aim::table(&after, Some(before.as_slice()));
        assert!(table.text().starts_with("aim"), "{}", table.text());
        let wanted = [
            ">= 5,000 ms 1,000 4,000 4.00 x NOT MET",
            "<= 1.50 ms 6.00 1.50 4.00 x met",
            "<= 2.00 ms - 1.00 - met",
        ];
        assert_eq!(rows(&table), wanted);
    }
}
