//! What came of a bench: as JSON, and as tables.

use super::{
    aims::{self, Aim},
    bundle::Bundle,
    grid::{Better, Grid},
    list_page::ListPage,
    rate::Rate,
    store::Store,
    table::Table,
    traces::Trace,
};
use serde_json::{Value, json};

impl Store {
    pub(super) fn json(&self) -> Value {
        json!({
            "store": self.name,
            "rates": self.rates.iter().map(|rate| self.rate_json(rate)).collect::<Vec<_>>(),
            "traces": self.traces.iter().map(Trace::json).collect::<Vec<_>>(),
            "bundles": self.bundles.iter().map(Bundle::json).collect::<Vec<_>>(),
            "lists": self.lists.iter().map(ListPage::json).collect::<Vec<_>>(),
            "standing": self.standing.json(),
            "aims": aims::of(self).iter().map(Aim::json).collect::<Vec<_>>(),
        })
    }

    /// Its tables, those that have rows; each figure after what it was before, where that was measured.
    pub(super) fn tables(&self, before: Option<&Self>) -> Vec<Table> {
        let Some(before) = before else {
            return self.grids().iter().filter(|grid| !grid.is_empty()).map(Grid::table).collect();
        };
        let (after, before) = (self.grids(), before.grids());
        let pairs =
            after.iter().zip(&before).filter(|(after, before)| !after.is_empty() || !before.is_empty());
        pairs.map(|(after, before)| after.beside(before)).collect()
    }

    fn grids(&self) -> [Grid; 5] {
        [
            self.rate_grid(),
            Trace::grid(&self.traces),
            Bundle::grid(&self.bundles),
            ListPage::grid(&self.lists),
            self.standing.grid(),
        ]
    }

    fn rate_grid(&self) -> Grid {
        let figures = &[
            "per s",
            "p50 ms",
            "p99 ms",
            "% of the store",
            "% of bare route",
            "server us each",
            "database us each",
            "callers' us each",
        ];
        let mut grid = Grid::new(&["what is done", "callers"], figures, Better::More);
        for rate in &self.rates {
            let [p50, _, p99] = rate.latency;
            let shares =
                [self.of_store(rate), self.of_bare(rate)].map(|share| share.map(|share| share * 100.0));
            let cpu = ["server", "database", "callers"].map(|name| rate.cpu_of(name));
            let figures = [Some(rate.per_second), p50, p99].into_iter().chain(shares).chain(cpu);
            grid.row([rate.what.to_owned(), rate.callers.to_string()], figures);
        }
        grid
    }

    fn rate_json(&self, rate: &Rate) -> Value {
        let [p50, p90, p99] = rate.latency;
        let cpu: Value = rate.cpu.iter().map(|(name, used)| ((*name).to_owned(), json!(used))).collect();
        let others: Vec<Value> = rate
            .others
            .iter()
            .map(|(status, count, first)| json!({ "status": status, "count": count, "first": first }))
            .collect();
        json!({
            "what": rate.what, "callers": rate.callers, "per_second": rate.per_second,
            "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "cpu_us_each": cpu, "other_answers": others,
            "cores_of_others": rate.disturbance,
            "of_store": self.of_store(rate), "of_bare_route": self.of_bare(rate),
        })
    }
}

/// A store of which some was measured.
#[cfg(test)]
pub(super) fn sample() -> Store {
    use super::{options::Kind, standing::Disk};
    use std::time::Duration;

    let rate = |what, callers, per_second| Rate {
        what,
        callers,
        per_second,
        latency: [Some(1.0), Some(2.0), None],
        cpu: vec![("database", 120.0)],
        others: Vec::new(),
        disturbance: None,
        rounds: 1,
    };
    let mut store = Store::new(Kind::Sqlite, "SQLite".to_owned());
    store.rates = vec![
        rate(Rate::COMMITS, 1, 4_000.0),
        rate(Rate::BARE, 32, 50_000.0),
        rate(Rate::STEPS, 8, 1_000.0),
        rate(Rate::SPANS, 4, 12_000.0),
    ];
    store.bundles = vec![Bundle {
        steps: 20,
        fill: Duration::from_millis(10),
        seal: Duration::from_millis(2),
        first_byte: Duration::from_millis(1),
        export: Duration::from_millis(3),
        verify: Duration::from_millis(4),
        bytes: 40_960,
        server_memory: Some(3 << 20),
        verifier_memory: None,
    }];
    store.standing.steps = Disk { count: 1, stored: 2_000, sent: 1_000 };
    store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::options::Kind;

    #[test]
    fn steps_are_compared_with_what_the_machine_can_do() {
        let mut store = sample();
        store.rates[2].others.push((503, 2, "503 busy".to_owned()));
        let json = store.json();
        assert_eq!(json["rates"][2]["of_store"], 0.25);
        assert_eq!(json["rates"][2]["of_bare_route"], 0.02);
        assert_eq!(json["rates"][0]["of_store"], Value::Null);
        assert_eq!(json["rates"][0]["of_bare_route"], Value::Null);
        // Spans are compared with rows of their size, and those were not measured.
        assert_eq!(json["rates"][3]["of_store"], Value::Null);
        let of_postgres = Store { kind: Kind::Postgres, ..sample() }.json();
        assert_eq!(of_postgres["rates"][2]["of_store"], Value::Null, "not with another number of callers");
        assert_eq!(json["rates"][2]["other_answers"][0]["count"], 2);
        assert_eq!(json["bundles"][0]["bytes"], 40_960);
        assert_eq!(json["standing"]["steps"]["stored_of_sent"], 2.0);
    }

    #[test]
    fn tables_show_ratios_and_leave_out_what_was_not_measured() {
        let tables = sample().tables(None);
        let title = |table: &Table| table.text().split("  ").next().unwrap_or_default().to_owned();
        let titles: Vec<String> = tables.iter().map(title).collect();
        assert_eq!(titles, ["what is done", "steps", "what it costs"]);
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let steps = words(tables[0].text().lines().nth(4).expect("a row"));
        assert_eq!(steps, "governed steps 8 1,000 1.00 - 25.0 2.00 - 120 -");
        let bundle = words(tables[1].text().lines().last().expect("a row"));
        assert_eq!(bundle, "20 3.00 1.00 4.00 3.00 - 40.0 2,048 2,000 2.00");
    }

    #[test]
    fn tables_have_what_was_measured_of_either() {
        let (mut before, mut after) = (sample(), sample());
        after.bundles.clear();
        before.rates.clear();
        let tables = after.tables(Some(&before));
        assert_eq!(tables.len(), 3);
        assert!(tables[1].text().contains("3.00 → -"), "{}", tables[1].text());
        assert!(tables[0].text().contains("- → 1,000"), "{}", tables[0].text());
    }

    #[test]
    fn what_did_not_count_or_was_not_measured_is_an_anomaly() {
        let mut store = sample();
        store.rates[2].others.push((503, 2, "503 busy".to_owned()));
        store.missed.push("lists: gone".to_owned());
        let anomalies = [
            "SQLite: governed steps, 8 callers: 2 answers 503, first: 503 busy",
            "SQLite: not measured: lists: gone",
        ];
        assert_eq!(store.anomalies(), anomalies);
    }
}
