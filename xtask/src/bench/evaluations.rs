//! Policy evaluation in process, by `hoc bench-rules`: there is no server and no store in it.

use super::{
    grid::{Better, Grid},
    hoc::Hoc,
    stats::Latencies,
};
use serde_json::{Value, json};

/// One evaluation against so many rules, five of which apply.
#[derive(Clone, Debug)]
pub(super) struct Evaluation {
    rules: usize,
    latencies: Latencies,
}

/// Measures at each number of rules.
pub(super) fn measure(hoc: &Hoc) -> anyhow::Result<Vec<Evaluation>> {
    let measured = |rules| Ok(Evaluation { rules, latencies: hoc.evaluations(rules)? });
    [10, 100, 1_000].into_iter().map(measured).collect()
}

impl Evaluation {
    /// In microseconds.
    fn shown(&self) -> [Option<f64>; 3] {
        self.latencies.shown().map(|millis| millis.map(|millis| millis * 1_000.0))
    }

    pub(super) fn json(&self) -> Value {
        let [p50, p90, p99] = self.shown();
        json!({ "rules": self.rules, "p50_us": p50, "p90_us": p90, "p99_us": p99 })
    }

    pub(super) fn grid(evaluations: &[Self]) -> Grid {
        let mut grid = Grid::new(&["rules", "of which apply"], &["p50 us", "p90 us", "p99 us"], Better::Less);
        for evaluation in evaluations {
            grid.row([evaluation.rules.to_string(), "5".to_owned()], evaluation.shown());
        }
        grid
    }
}
