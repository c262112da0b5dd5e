//! What came of a bench: as JSON, and as tables.

use super::{
    aims::{self, Aim},
    bundles::Bundle,
    lists::ListPage,
    rate::Rate,
    store::Store,
    table::{Table, figure, maybe, percent},
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

    /// Its tables, those that have rows.
    pub(super) fn tables(&self) -> Vec<Table> {
        let tables = [
            (!self.rates.is_empty()).then(|| self.rate_table()),
            (!self.traces.is_empty()).then(|| Trace::table(&self.traces)),
            (!self.bundles.is_empty()).then(|| Bundle::table(&self.bundles)),
            (!self.lists.is_empty()).then(|| ListPage::table(&self.lists)),
            self.standing.table(),
            Aim::table(&aims::of(self)),
        ];
        tables.into_iter().flatten().collect()
    }

    fn rate_table(&self) -> Table {
        let head = [
            "",
            "callers",
            "per s",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "of the store",
            "of bare route",
            "server us each",
            "database us each",
            "callers' us each",
        ];
        let mut table = Table::new(&head);
        for rate in &self.rates {
            let mut cells = vec![rate.what.to_owned(), rate.callers.to_string(), figure(rate.per_second)];
            cells.extend(rate.latency.map(maybe));
            cells.extend([percent(self.of_store(rate)), percent(self.of_bare(rate))]);
            cells.extend(["server", "database", "callers"].map(|name| maybe(rate.cpu_of(name))));
            table.row(cells);
        }
        table
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        options::Kind,
        standing::{Disk, Standing},
    };
    use std::time::Duration;

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
            kind: Kind::Sqlite,
            name: "SQLite".to_owned(),
            rates: vec![
                rate(Rate::COMMITS, 1, 4_000.0),
                rate(Rate::BARE, 32, 50_000.0),
                refused,
                rate(Rate::SPANS, 4, 12_000.0),
            ],
            traces: Vec::new(),
            bundles: vec![Bundle {
                steps: 20,
                fill: Duration::from_millis(10),
                seal: Duration::from_millis(2),
                first_byte: Duration::from_millis(1),
                export: Duration::from_millis(3),
                verify: Duration::from_millis(4),
                bytes: 40_960,
                server_memory: Some(3 << 20),
                verifier_memory: None,
            }],
            lists: Vec::new(),
            standing: Standing {
                steps: Disk { stored: Some(2_000.0), sent: Some(1_000.0) },
                ..Standing::default()
            },
        }
    }

    #[test]
    fn steps_are_compared_with_what_the_machine_can_do() {
        let json = store().json();
        assert_eq!(json["rates"][2]["of_store"], 0.25);
        assert_eq!(json["rates"][2]["of_bare_route"], 0.02);
        assert_eq!(json["rates"][0]["of_store"], Value::Null);
        assert_eq!(json["rates"][0]["of_bare_route"], Value::Null);
        // Spans are compared with rows of their size, and those were not measured.
        assert_eq!(json["rates"][3]["of_store"], Value::Null);
        let of_postgres = Store { kind: Kind::Postgres, ..store() }.json();
        assert_eq!(of_postgres["rates"][2]["of_store"], Value::Null, "not with another number of callers");
        assert_eq!(json["rates"][2]["other_answers"][0]["count"], 2);
        assert_eq!(json["bundles"][0]["bytes"], 40_960);
    }

    #[test]
    fn tables_show_ratios_and_leave_out_what_was_not_measured() {
        let tables = store().tables();
        assert_eq!(tables.len(), 4);
        let rates = tables[0].text();
        let steps = rates.lines().nth(4).expect("a row").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(steps, "governed steps 8 1,000 1.00 2.00 - 25.0 % 2.00 % 120 - -");
        let bundle = tables[1].text();
        let bundle = bundle.lines().last().expect("a row").split_whitespace().collect::<Vec<_>>();
        assert_eq!(bundle[7..], ["2,048", "3.00", "-"]);
        let aims = tables[3].text();
        let spans = aims.lines().find(|line| line.starts_with("spans, 20 a request")).expect("an aim");
        assert!(spans.contains("12,000") && spans.contains(">= 15,000") && spans.ends_with("no"), "{spans}");
    }

    #[test]
    fn an_answer_that_did_not_count_is_an_anomaly() {
        assert_eq!(
            store().anomalies(),
            ["SQLite: governed steps, 8 callers: 2 answers 503, first: 503 busy"]
        );
    }
}
