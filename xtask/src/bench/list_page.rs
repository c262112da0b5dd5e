//! What was measured of a page of a list.

use super::{
    grid::{Better, Grid},
    stats::{Latencies, bytes, millis},
    table::{figure, maybe},
};
use serde_json::{Value, json};

/// What reading one page of a list of so many rows takes.
#[derive(Clone, Debug)]
pub(super) struct ListPage {
    pub(super) rows: u64,
    pub(super) what: &'static str,
    pub(super) latencies: Latencies,
}

impl ListPage {
    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        let [p50, _, p99] = self.latencies.shown().map(maybe);
        format!("{} rows: {}: p50 {p50} ms, p99 {p99} ms", self.rows, self.what)
    }

    pub(super) fn json(&self) -> Value {
        let [p50, p90, p99] = self.latencies.shown();
        json!({ "what": self.what, "rows": self.rows, "p50_ms": p50, "p90_ms": p90, "p99_ms": p99 })
    }

    /// All of them.
    pub(super) fn grid(pages: &[Self]) -> Grid {
        let mut grid = Grid::new(&["list", "rows"], &["p95 ms", "p50 ms", "p99 ms"], Better::Less);
        for page in pages {
            let name = [page.what.to_owned(), figure(bytes(page.rows))];
            grid.row(name, [95, 50, 99].map(|percent| page.latencies.percentile(percent).map(millis)));
        }
        grid
    }
}
