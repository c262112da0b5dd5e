//! What was measured of a run's bundle.

use super::{
    grid::{Better, Grid},
    stats::{mebibytes, millis, number},
    table::figure,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A run of some length, from its first step to its verified bundle.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) steps: usize,
    pub(super) fill: Duration,
    pub(super) seal: Duration,
    pub(super) first_byte: Duration,
    pub(super) export: Duration,
    pub(super) verify: Duration,
    pub(super) bytes: usize,
    /// The most that the server held above what it held before, in bytes.
    pub(super) server_memory: Option<u64>,
    /// The most that the verifier held in all.
    pub(super) verifier_memory: Option<u64>,
}

impl Bundle {
    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        let [first, export, verify] =
            [self.first_byte, self.export, self.verify].map(|took| figure(millis(took)));
        format!(
            "a run of {} steps: bundle {export} ms, its first byte {first} ms, verified {verify} ms",
            self.steps
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "steps": self.steps, "fill_ms": millis(self.fill), "seal_ms": millis(self.seal),
            "first_byte_ms": millis(self.first_byte), "export_ms": millis(self.export),
            "verify_ms": millis(self.verify), "bytes": self.bytes,
            "server_extra_memory_bytes": self.server_memory, "verifier_memory_bytes": self.verifier_memory,
        })
    }

    pub(super) fn grid(bundles: &[Self]) -> Grid {
        let figures = &[
            "bundle ms",
            "first byte ms",
            "verify ms",
            "server's extra MiB",
            "verifier's MiB",
            "bundle KiB",
            "bytes a step",
            "filled, steps/s",
            "seal ms",
        ];
        let mut grid = Grid::new(&["steps"], figures, Better::Less);
        for bundle in bundles {
            let (steps, bytes) = (number(bundle.steps), number(bundle.bytes));
            let figures = [
                Some(millis(bundle.export)),
                Some(millis(bundle.first_byte)),
                Some(millis(bundle.verify)),
                bundle.server_memory.map(mebibytes),
                bundle.verifier_memory.map(mebibytes),
                Some(bytes / 1_024.0),
                Some(bytes / steps),
                Some(steps / bundle.fill.as_secs_f64()),
                Some(millis(bundle.seal)),
            ];
            grid.row([bundle.steps.to_string()], figures);
        }
        grid
    }
}
