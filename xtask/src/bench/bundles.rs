//! A run's life by its length: filling it, sealing it, its bundle, and what verifying that costs.

use super::{
    bodies::{self, Bodies},
    cpu,
    found::done,
    grid::{Better, Grid},
    hoc::Hoc,
    measure::{BATCH, batch_outcome},
    server::{Bench, timed},
    stats::{mebibytes, millis, number},
    table::figure,
};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::{fs::File, io, time::Duration};

/// How often bundle and verification are repeated; the median counts.
const REPEATS: usize = 3;

/// A sealed run.
pub(super) struct Sealed {
    run: String,
    steps: usize,
    fill: Duration,
    seal: Duration,
}

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

/// Fills and seals a run.
pub(super) fn fill(bench: &Bench<'_>, steps: usize) -> anyhow::Result<Sealed> {
    let (mut client, run) = bench.caller()?;
    let mut bodies = Bodies::new(3_000 + steps);
    let path = bodies::path(&run, "/steps/batch");
    let mut left = steps;
    let ((), fill) = timed(|| {
        while left > 0 {
            let count = left.min(BATCH);
            let body = bodies::batch(&mut bodies, count);
            let outcome = batch_outcome(&client.post(&path, body.as_bytes())?, count)?;
            done(bench.counted(outcome, body.len())).with_context(|| format!("a batch of {count} steps"))?;
            left -= count;
        }
        Ok(())
    })?;
    let complete =
        || client.post(&bodies::path(&run, "/complete"), br#"{"status":"SUCCEEDED"}"#)?.expect(200);
    let (_, seal) = timed(complete)?;
    Ok(Sealed { run, steps, fill, seal })
}

/// Takes and verifies a run's bundle, from a server that has done nothing else: so its memory is told from what a load
/// left there. `auditor` may take bundles.
pub(super) fn measure(hoc: &Hoc, auditor: &str, sealed: &Sealed) -> anyhow::Result<Bundle> {
    let keys = hoc.public_keys()?;
    let server = hoc.serve()?;
    let mut client = server.client(auditor);
    client.get("/readyz")?.expect(200)?;
    cpu::forget_peak(server.pid());
    let before = cpu::resident(server.pid());

    let path = bodies::path(&sealed.run, "/bundle");
    let file = hoc.folder.join(format!("bench-{}.bundle", sealed.steps));
    let bytes = client.download(&path, &mut File::create(&file)?)?.bytes;
    let (mut first_bytes, mut exports) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        // To nowhere: the disk that the callers write to is none of the server's work.
        let download = client.download(&path, &mut io::sink())?;
        first_bytes.push(download.first_byte);
        exports.push(download.whole);
    }
    let server_memory = cpu::peak(server.pid()).zip(before).map(|(peak, before)| peak.saturating_sub(before));
    server.stop()?;

    let (mut verifications, mut verifier_memory) = (Vec::new(), None);
    for _ in 0..REPEATS {
        let (took, peak) = hoc.verify(&file, &keys)?;
        verifications.push(took);
        verifier_memory = verifier_memory.max(peak);
    }
    std::fs::remove_file(&file)?;
    Ok(Bundle {
        steps: sealed.steps,
        fill: sealed.fill,
        seal: sealed.seal,
        first_byte: median(first_bytes),
        export: median(exports),
        verify: median(verifications),
        bytes,
        server_memory,
        verifier_memory,
    })
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
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
